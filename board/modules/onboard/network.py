# Brings the network up as /config.json says: PPP over a UART, the first known wireless network that takes us, and else the
# portal that asks for one; then sees to it that a lost connection comes back.  No password is ever printed.
#
# What takes time is a generator of pauses in milliseconds, and `check` takes the steps that are due: at the start until the
# time set for that is over, afterwards for a task beside the application.  Nothing but the scan at the start blocks.

import time

WAIT = 30  # seconds that the start waits for a connection, unless the settings say otherwise
MAX_WAIT = 600  # the most that they may say
JOIN = 15  # seconds in which a wireless network has to take us
FIRST_PAUSE, LONGEST_PAUSE = 1, 60  # seconds between rounds in which nothing came of it, doubled each time
CHECK = 5  # seconds between looks at a connection that is up
POLL = 200  # milliseconds between looks at one that is coming
UART_BUFFER = 4096  # bytes, in each direction: lwIP hands over whole packets, and takes them so

_radio = None  # MicroPython's own module of our name
_links = []
_starting = False  # nobody is served yet: a scan may block


class Link:
    """A network interface, and the generator function that tries to get it connected."""

    trying = None
    up = False

    def __init__(self, nic, tries, *arguments):
        self.nic = nic
        self.tries = tries
        self.arguments = arguments
        self.due = time.ticks_ms()

    def step(self):
        """Do what is to do now; return the milliseconds until there is more."""
        if not self.trying:
            if self.nic.isconnected():
                if not self.up:
                    self.arrived("the network")
                return CHECK * 1000
            if self.up:
                print("network: connection lost: trying again")
                self.up = False
            self.trying = self.tries(self.nic, *self.arguments)
        try:
            return next(self.trying)
        except StopIteration as exc:
            self.arrived(exc.value)
            return CHECK * 1000
        except MemoryError:
            self.trying = None  # it is over: its next step would look like success
            raise

    def arrived(self, name):
        """Note that the interface is connected, and say so."""
        self.rest()
        self.up = True
        print(f"network: connected to {shown(name)} as {self.nic.ifconfig()[0]}")

    def rest(self):
        """Give up what is being tried."""
        if self.trying:
            self.trying.close()
            self.trying = None


def start(settings):
    """Bring up what the settings name; return within the time that they allow, with a connection or without.

    From then on lost connections come back: in an application on asyncio by themselves, in others by calls of `check`.
    """
    global _radio
    import network as _radio

    _name(settings)
    del _links[:]
    if "ppp" in settings:
        _add_ppp(settings["ppp"])
    known = [network for network in map(_sound, settings.get("networks", ())) if network]
    wireless = _add_wireless(known) if known or "portal" in settings else None
    if _links:
        _begin(settings, wireless, known)
        import asyncio

        asyncio.create_task(_watch())  # noqa: RUF006 (MicroPython keeps it)


def _begin(settings, wireless, known):
    # Wait for a connection, and ask for one, as long as the settings say.
    options = settings.get("network", {})
    required = options.get("required") is True
    seconds = number(options.get("wait"), WAIT, MAX_WAIT)
    if not known and "ppp" not in settings:
        seconds = 0  # there is nothing to wait for
    while not _connected_within(max(seconds, 1) if required else seconds):
        if wireless and "portal" in settings and _ask(wireless, known, settings):
            return
        if not required:
            print("network: not connected yet: going on without")
            return


def check():
    """Take the next step towards a connection that was lost, if it is due; return the milliseconds until the next one.

    Costs one look at the interface every five seconds while all is well.  It does not wait.
    """
    soonest = CHECK * 1000
    for link in _links:
        left = time.ticks_diff(link.due, time.ticks_ms())
        if left <= 0:
            left = link.step()
            link.due = time.ticks_add(time.ticks_ms(), left)
        soonest = min(soonest, left)
    return soonest


async def _watch():
    import asyncio

    while True:
        try:
            pause = check() / 1000
        except MemoryError:
            pause = CHECK  # a server may need all there is for a moment
        await asyncio.sleep(pause)


def _connected_within(seconds):
    global _starting
    end = time.ticks_add(time.ticks_ms(), int(seconds * 1000))
    _starting = True
    try:
        while True:
            pause = check()
            if any(link.up for link in _links):
                return True
            left = time.ticks_diff(end, time.ticks_ms())
            if left <= 0:
                return False
            time.sleep_ms(min(pause, left))
    finally:
        _starting = False


def _name(settings):
    # Both count from the moment an interface is switched on.
    for part, tell in (("hostname", _radio.hostname), ("country", _radio.country)):
        if part in settings:
            try:
                tell(settings[part])
            except (ValueError, OSError) as exc:
                print(f"network: {part}: {exc}: ignored")


# Wireless


def _sound(network):
    ssid, password = network.get("ssid"), network.get("password")
    if isinstance(ssid, str) and 0 < len(ssid.encode()) <= 32 and isinstance(password, (str, type(None))):
        return ssid, password
    print("network: networks: one without a name of 1 to 32 bytes, or with a password that is no text: ignored")


def _add_wireless(known):
    if not hasattr(_radio, "WLAN"):
        print("network: networks, portal: this board has no radio: ignored")
        return None
    wlan = _radio.WLAN(_radio.WLAN.IF_STA)
    wlan.active(True)
    # A radio that dozes answers late, and ESP32's own reconnection would be in the way of ours.
    for option in ({"pm": getattr(_radio.WLAN, "PM_NONE", 0)}, {"reconnects": 0}):
        try:  # noqa: SIM105 (MicroPython has no contextlib)
            wlan.config(**option)
        except (ValueError, OSError):
            pass  # not every port has it
    _links.append(Link(wlan, _tries, known))
    return _links[-1]


def _tries(wlan, known):
    pause = FIRST_PAUSE
    while True:
        for ssid, password in _visible_first(wlan, known) if _starting else known:
            problem = yield from join(wlan, ssid, password)
            if not problem:
                return ssid
            if pause == FIRST_PAUSE:
                print(f"network: {shown(ssid)}: {problem}")
        yield pause * 1000
        pause = min(2 * pause, LONGEST_PAUSE)


def _visible_first(wlan, known):
    # Those that a scan does not show come last: they may be hidden.
    try:
        seen = [found[0] for found in wlan.scan()]
    except (OSError, RuntimeError):
        return known
    hidden = [network for network in known if network[0].encode() not in seen]
    return [network for network in known if network not in hidden] + hidden


def join(wlan, ssid, password):
    """Try one network, as a generator of pauses in milliseconds; return None if we are connected, else what is wrong."""
    problem = f"no connection within {JOIN} s"
    try:
        wlan.disconnect()
        # ESP32 tells of the try before until there is something new to tell.
        stale = wlan.status()
        wlan.connect(ssid, password or None)
        end = time.ticks_add(time.ticks_ms(), JOIN * 1000)
        while time.ticks_diff(end, time.ticks_ms()) > 0:
            yield POLL
            if wlan.isconnected():
                return None
            status = wlan.status()
            if status != stale:
                stale = None
                if _failure(status):
                    problem = _failure(status)
                    break
        wlan.disconnect()
    except (OSError, RuntimeError, ValueError) as exc:
        problem = f"the radio refused: {exc}"
    return problem


def _failure(status):
    # What a status of the interface means, if it means the end.  The numbers are each port's own.
    for name, meaning in (
        ("STAT_WRONG_PASSWORD", "wrong password"),
        ("STAT_HANDSHAKE_TIMEOUT", "wrong password, or too weak a signal"),
        ("STAT_NO_AP_FOUND", "not in reach"),
        ("STAT_CONNECT_FAIL", "turned away"),
    ):
        if status == getattr(_radio, name, None):
            return meaning


def _ask(wireless, known, settings):
    import gc
    import sys

    import onboard

    # Who is about to set the network up may switch the board off and on: that says nothing about the application.
    guard = getattr(sys.modules.get("onboard.start"), "guard", None)
    if guard:
        guard.hold()
    try:
        from onboard import portal

        return portal.ask(_radio, wireless, known, settings)
    finally:
        if guard:
            guard.go_on()
        # What was needed once gives its memory back.
        portal = None
        for name in ("portal", "portal_page", "dns"):
            if sys.modules.pop("onboard." + name, None):
                delattr(onboard, name)
        gc.collect()


# PPP


def _add_ppp(wanted):
    try:
        ppp = _radio.PPP(_uart(wanted))
        if hasattr(ppp, "active"):  # of ESP32's
            ppp.active(True)
    except (ImportError, AttributeError, TypeError, ValueError, OSError) as exc:
        print(f"network: ppp: {exc}: ignored")
        return
    _links.append(Link(ppp, _dials))


def _uart(wanted):
    from machine import UART, Pin

    pins = {part: wanted[part] for part in ("tx", "rx") if part in wanted}
    for part in pins:
        pins[part] = Pin(pins[part])
    speed = wanted.get("baudrate", 115200)
    return UART(wanted.get("uart", 0), speed, rxbuf=UART_BUFFER, txbuf=UART_BUFFER, **pins)


def _dials(ppp):
    pause = FIRST_PAUSE
    while True:
        try:  # noqa: SIM105
            ppp.connect()
        except OSError:
            pass  # it is at it already, or still hanging up
        while not ppp.isconnected():
            if ppp.status() <= 0:
                break  # it has given up: nobody is at the other end
            yield POLL
        else:
            return "PPP"
        yield pause * 1000
        pause = min(2 * pause, LONGEST_PAUSE)


# For the portal too


def number(value, default, most):
    """Return a setting that has to be a number from 0 to `most`, or the default."""
    return value if isinstance(value, (int, float)) and 0 <= value <= most else default


def shown(name):
    """Return a network's name without what could steer a terminal: others choose it."""
    return "".join([c if " " <= c < "\x7f" or c > "\x9f" else "?" for c in name])
