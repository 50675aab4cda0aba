# A fake of MicroPython's `network` module with a radio, of `machine` as far as PPP needs it, and of the clock: real ones would
# need hardware, and hours.  What it does is what the drivers of the Pico W (CYW43) and of ESP32 do in MicroPython 1.25.


class Clock:
    """Stands for `time`: its hours take no time.  `step` milliseconds pass with every look at it."""

    def __init__(self, step=0):
        self.now = 0
        self.step = step

    def ticks_ms(self):
        self.now += self.step
        return self.now

    def ticks_add(self, ticks, milliseconds):
        return ticks + milliseconds

    def ticks_diff(self, end, start):
        return end - start

    def sleep_ms(self, milliseconds):
        assert milliseconds >= 0
        self.now += milliseconds


CYW43 = {"STAT_IDLE": 0, "STAT_CONNECTING": 1, "STAT_GOT_IP": 3}
CYW43.update({"STAT_CONNECT_FAIL": -1, "STAT_NO_AP_FOUND": -2, "STAT_WRONG_PASSWORD": -3})
ESP32 = {"STAT_IDLE": 1000, "STAT_CONNECTING": 1001, "STAT_GOT_IP": 1010}
ESP32.update({"STAT_CONNECT_FAIL": 203, "STAT_NO_AP_FOUND": 201, "STAT_WRONG_PASSWORD": 202})


class Station:
    """The station's interface.  The radio's `around` maps the names of networks in reach to their passwords, None for open."""

    took = 1000  # milliseconds until there is an answer

    def __init__(self, radio):
        self.radio = radio
        self.log = []  # what was asked of it
        self.on = False
        self.asked = self.since = None
        self.last = radio.stats["STAT_IDLE"]  # ESP32's memory

    def active(self, on):
        self.on = on
        self.log.append("on" if on else "off")

    def config(self, *names, **options):
        for name in options:
            if name not in self.radio.options:
                raise ValueError("unknown config param")
        self.log.append(options)

    def scan(self):
        self.radio.scans += 1
        if self.radio.deaf:
            raise OSError(5)
        visible = [name for name in self.radio.around if name not in self.radio.hidden]
        return [(name.encode(), bytes(6), 1, -40 - i, 3, 1) for i, name in enumerate(sorted(visible))]

    def connect(self, ssid, key):
        assert self.on
        if self.radio.refusal:
            raise self.radio.refusal
        self.radio.joins.append((self.radio.clock.now, ssid))
        self.asked = ssid, key
        self.since = self.radio.clock.now

    def disconnect(self):
        self.asked = None

    def _outcome(self):
        # The name of the status.
        if self.asked is None:
            return "STAT_IDLE"
        if self.radio.clock.now - self.since < self.took or self.asked[0] in self.radio.silent:
            return "STAT_CONNECTING"
        if self.asked[0] not in self.radio.around:
            return "STAT_NO_AP_FOUND"
        return "STAT_GOT_IP" if self.radio.around[self.asked[0]] == self.asked[1] else "STAT_WRONG_PASSWORD"

    def status(self):
        outcome = self._outcome()
        if self.radio.stats is ESP32:
            if outcome in ("STAT_CONNECTING", "STAT_IDLE"):
                return self.last  # until there is news
            self.last = self.radio.stats[outcome]
        return self.radio.stats[outcome]

    def isconnected(self):
        return self._outcome() == "STAT_GOT_IP"

    def ifconfig(self):
        return ("192.168.1.7", "255.255.255.0", "192.168.1.1", "192.168.1.1")


class AccessPoint:
    """The access point's interface, on the machine's own address, which has the tests as clients."""

    def __init__(self, radio):
        self.radio = radio
        self.log = []
        self.clients = 0

    def active(self, on):
        self.log.append("on" if on else "off")

    def config(self, *names, **options):
        if names:
            return b"\x28\xcd\xc1\0\xab\xcd"
        if self.radio.stats is ESP32 and "on" not in self.log:
            raise OSError("Wifi Invalid Mode")
        self.log.append(options)

    def isconnected(self):
        return self.clients > 0

    def ifconfig(self):
        return ("127.0.0.1", "255.255.255.0", "127.0.0.1", "127.0.0.1")


class PPP:
    """PPP as lwIP does it: dials until somebody answers, and gives up some time later."""

    patience = 60000  # milliseconds

    def __init__(self, radio, uart):
        self.radio = radio
        self.uart = uart
        self.since = None
        self.dials = []

    def connect(self):
        if self.status() in (3, 4):
            raise OSError(114)
        self.since = self.radio.clock.now
        self.dials.append(self.since)

    def status(self):
        if self.since is None:
            return 0
        if self.radio.answers:
            return 4
        return 3 if self.radio.clock.now - self.since < self.patience else -5

    def isconnected(self):
        return self.status() == 4

    def ifconfig(self):
        return ("10.0.2.15", "255.255.255.255", "10.0.2.2", "0.0.0.0")


class Radio:
    """Stands for the module `network`."""

    def __init__(self, stats=CYW43):
        self.stats = stats
        for name in stats:
            setattr(self, name, stats[name])
        self.options = ("pm",) if stats is CYW43 else ("pm", "reconnects")
        self.clock = Clock()
        self.around = {}
        self.hidden = self.silent = ()
        self.deaf = False  # no scan
        self.refusal = None  # what a try to connect raises
        self.answers = False  # the other end of PPP
        self.joins = []  # (time, name) of every try
        self.scans = 0
        self.identity = []
        self.station = Station(self)
        self.access = AccessPoint(self)
        self.WLAN = Interfaces(self)
        self.PPP = self._ppp

    def _ppp(self, uart):
        self.ppp = PPP(self, uart)
        return self.ppp

    def hostname(self, name):
        if len(name) > 32:
            raise ValueError("hostname too long")
        self.identity.append((name, self.station.on))

    def country(self, code):
        if len(code) != 2:
            raise ValueError("invalid country code")
        self.identity.append((code, self.station.on))


class Interfaces:
    """Stands for the class `network.WLAN`."""

    IF_STA, IF_AP, PM_NONE = 0, 1, 16

    def __init__(self, radio):
        self.radio = radio
        if radio.stats is ESP32:
            self.SEC_WPA2 = 3

    def __call__(self, interface):
        return self.radio.access if interface == self.IF_AP else self.radio.station


class Machine:
    """Stands for the module `machine`: notes how the UART was made."""

    def Pin(self, number):
        return ("pin", number)

    def UART(self, *arguments, **options):
        if arguments[0] not in (0, 1):
            raise ValueError("UART(%s) doesn't exist" % arguments[0])
        return arguments, options
