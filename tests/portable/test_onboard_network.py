# The network comes up as the settings say, and comes back.  Radio, modem and clock are fakes: real ones would need hardware
# (tests/board has PPP for real).

import asyncio
import os
import sys
import unittest

import onboard
from deploys import read, write
from fake_radio import CYW43, ESP32, Clock, Machine, Radio
from folder import remove
from onboard import journal, network
from support import MICROPYTHON, run

SECRET = "pa55 w0rd of ours"
HOME = {"ssid": "home", "password": SECRET}
WORK = {"ssid": "work", "password": SECRET}
_ABSENT = object()


class NetworkCase(unittest.TestCase):
    def setUp(self):
        self.said = []
        self.replaced = [(name, sys.modules.get(name, _ABSENT)) for name in ("network", "machine")]
        self.numbers = network.CHECK, network.POLL
        self.be(CYW43)

    def be(self, stats):
        """Be a board with this radio."""
        self.radio = Radio(stats)
        self.clock = network.time = self.radio.clock
        sys.modules["network"] = self.radio
        sys.modules["machine"] = Machine()
        network.print = self.said.append

    def tearDown(self):
        import time

        network.time = time
        network.CHECK, network.POLL = self.numbers
        del network.print
        del network._links[:]
        for name, module in self.replaced:
            if module is _ABSENT:
                del sys.modules[name]
            else:
                sys.modules[name] = module
        self.assertNotIn(SECRET, "\n".join(self.said))

    def start(self, **settings):
        async def start():
            network.start(settings)

        run(start())

    def pass_by(self, seconds):
        """Let time pass as a program does that calls `check` when it is due."""
        end = self.clock.now + seconds * 1000
        while self.clock.now < end:
            self.clock.sleep_ms(min(max(1, network.check()), end - self.clock.now))

    def tried(self):
        return [ssid for _, ssid in self.radio.joins]


class TestMemory(NetworkCase):
    def setUp(self):
        super().setUp()
        self.radio.around = {"home": SECRET}
        self.start(networks=[HOME])
        self.link = network._links[0]
        self.radio.station.disconnect()
        self.usual, self.link.tries = self.link.tries, self.lacks
        self.failures = 2

    def lacks(self, nic, known):
        if not self.failures:
            return (yield from self.usual(nic, known))
        self.failures -= 1
        yield 1
        raise MemoryError

    def test_a_try_that_lacked_memory_is_no_connection(self):
        failed = 0
        for _ in range(12):
            self.clock.sleep_ms(5000)
            try:
                network.check()
            except MemoryError:
                failed += 1
            self.assertFalse(self.link.up and not self.radio.station.isconnected())
        self.assertEqual((failed, self.link.up), (2, True))

    def test_it_is_tried_again_beside_an_application(self):
        network.CHECK = 0.01

        async def application():
            watching = asyncio.create_task(network._watch())
            for _ in range(500):
                if self.radio.station.isconnected():
                    break
                await asyncio.sleep(0.01)
                self.clock.sleep_ms(1000)
            watching.cancel()

        run(application())
        self.assertTrue(self.radio.station.isconnected())


class TestWireless(NetworkCase):
    def test_the_first_known_one_in_sight_is_taken(self):
        for stats in (CYW43, ESP32):
            self.be(stats)
            self.said.clear()
            self.radio.around = {"home": SECRET, "work": SECRET}
            self.start(networks=[{"ssid": "gone"}, WORK, HOME])
            self.assertEqual(self.tried(), ["work"])
            self.assertEqual(self.said, ["network: connected to work as 192.168.1.7"])

    def test_one_that_no_scan_shows_is_tried_last(self):
        self.radio.around = {"home": SECRET}
        self.radio.hidden = ("home",)
        self.start(networks=[{"ssid": "gone"}, HOME])
        self.assertEqual(self.tried(), ["gone", "home"])
        self.assertIn("network: gone: not in reach", self.said)
        self.assertEqual(self.said[-1], "network: connected to home as 192.168.1.7")

    def test_without_a_scan_the_order_is_that_of_the_settings(self):
        self.radio.around = {"home": SECRET, "work": SECRET}
        self.radio.deaf = True
        self.start(networks=[WORK, HOME])
        self.assertEqual(self.tried(), ["work"])

    def test_an_open_one_needs_no_password(self):
        self.radio.around = {"cafe": None}
        self.start(networks=[{"ssid": "cafe"}])
        self.assertTrue(self.radio.station.isconnected())

    def test_a_wrong_password_is_said_and_the_next_one_tried(self):
        for stats in (CYW43, ESP32):
            self.be(stats)
            self.said.clear()
            self.radio.around = {"home": "another", "work": SECRET}
            self.start(networks=[HOME, WORK])
            self.assertEqual(self.said, ["network: home: wrong password", "network: connected to work as 192.168.1.7"])

    def test_what_went_wrong_with_the_one_before_is_not_held_against_the_next(self):
        """ESP32's interface goes on to tell the last failure until there is news."""
        self.be(ESP32)
        self.radio.around = {"home": "another", "work": "another"}
        self.radio.silent = ("work",)
        self.start(networks=[HOME, WORK])
        self.assertIn("network: home: wrong password", self.said)
        self.assertIn("network: work: no connection within 15 s", self.said)

    def test_the_start_ends_when_its_time_is_over(self):
        self.radio.around = {"home": SECRET}
        self.radio.silent = ("home",)
        for wait, seconds in (
            (None, network.WAIT),
            (7, 7),
            (0, 0),
            (-1, network.WAIT),
            ("x", network.WAIT),
            (1e9, network.WAIT),
        ):
            self.clock.now = 0
            self.start(networks=[HOME], network={"wait": wait})
            self.assertEqual(self.clock.now, seconds * 1000, wait)
            self.assertEqual(self.said[-1], "network: not connected yet: going on without")

    def test_a_connection_may_come_after_the_start(self):
        self.radio.around = {"home": SECRET}
        self.start(networks=[HOME], network={"wait": 0})
        self.assertFalse(self.radio.station.isconnected())
        self.pass_by(2)
        self.assertEqual(self.said[-1], "network: connected to home as 192.168.1.7")

    def test_an_application_that_needs_the_network_waits_for_it(self):
        for after in (50, 5000):
            self.be(CYW43)
            self.radio.around = Later(self.clock, after, {"home": SECRET})
            self.start(networks=[HOME], network={"wait": 5, "required": True})
            self.assertTrue(self.radio.station.isconnected())
            self.assertTrue(self.clock.now >= after * 1000)

    def test_the_pauses_between_rounds_double_up_to_a_minute(self):
        self.start(networks=[HOME], network={"wait": 600})
        times = [time for time, _ in self.radio.joins]
        gaps = [round((b - a) / 1000) for a, b in zip(times, times[1:])]
        # Each with the second that the radio took to say no.
        self.assertEqual(gaps[:8], [2, 3, 5, 9, 17, 33, 61, 61])
        self.assertEqual(self.said.count("network: home: not in reach"), 1)

    def test_a_lost_connection_comes_back_without_a_scan(self):
        self.radio.around = {"home": SECRET}
        self.start(networks=[HOME])
        scans = self.radio.scans
        self.radio.around = {}
        self.pass_by(100)
        self.radio.around = {"home": SECRET}
        self.pass_by(100)
        self.assertEqual(self.radio.scans, scans)
        lines = [line for line in self.said if "not in reach" not in line]
        connected = "network: connected to home as 192.168.1.7"
        self.assertEqual(lines, [connected, "network: connection lost: trying again", connected])

    def test_a_good_connection_is_left_alone(self):
        self.radio.around = {"home": SECRET}
        self.start(networks=[HOME])
        self.pass_by(3600)
        self.assertEqual((len(self.radio.joins), len(self.said)), (1, 1))

    def test_a_radio_that_refuses_does_not_stop_the_start(self):
        for error in (OSError(5), RuntimeError("Wifi Unknown Error"), ValueError("x")):
            self.be(CYW43)
            self.radio.refusal = error
            self.start(networks=[HOME])
            self.assertIn(f"network: home: the radio refused: {error}", self.said)
            self.assertEqual(self.said[-1], "network: not connected yet: going on without")

    def test_the_radio_is_told_who_and_where_it_is_before_it_is_on(self):
        self.radio.around = {"home": SECRET}
        self.start(networks=[HOME], hostname="pico", country="DE")
        self.assertEqual(self.radio.identity, [("pico", False), ("DE", False)])

    def test_a_name_that_does_not_do_is_ignored_in_a_line(self):
        self.radio.around = {"home": SECRET}
        self.start(networks=[HOME], hostname="x" * 33, country="Germany")
        self.assertEqual(self.said[0], "network: hostname: hostname too long: ignored")
        self.assertEqual(self.said[1], "network: country: invalid country code: ignored")
        self.assertTrue(self.radio.station.isconnected())

    def test_a_server_does_not_doze(self):
        for stats, options in ((CYW43, [{"pm": 16}]), (ESP32, [{"pm": 16}, {"reconnects": 0}])):
            self.be(stats)
            self.start(networks=[HOME], network={"wait": 0})
            self.assertEqual(self.radio.station.log, ["on"] + options)

    def test_networks_that_cannot_be_are_ignored(self):
        self.radio.around = {"home": SECRET}
        bad = [{}, {"ssid": ""}, {"ssid": 5}, {"ssid": "x" * 33}, {"ssid": "é" * 17}, {"ssid": "a", "password": 5}]
        self.start(networks=bad + [HOME])
        self.assertEqual(self.tried(), ["home"])
        self.assertEqual(len([line for line in self.said if line.startswith("network: networks: one without")]), len(bad))

    def test_a_name_cannot_steer_the_terminal(self):
        evil = "\x1b[2J\x9b1A\x7f\r\nhé"
        self.radio.around = {evil: None}
        self.start(networks=[{"ssid": evil}])
        self.assertEqual(self.said, ["network: connected to ?[2J?1A???hé as 192.168.1.7"])

    def test_a_board_without_a_radio_starts_its_application(self):
        del self.radio.WLAN
        self.start(networks=[HOME], portal={}, network={"required": True})
        self.assertEqual(self.said, ["network: networks, portal: this board has no radio: ignored"])

    def test_settings_without_a_network_switch_nothing_on(self):
        self.start(hostname="pico", mine=[1])
        self.assertEqual((self.said, self.radio.station.log), ([], []))

    def test_a_connection_comes_back_beside_an_application(self):
        network.CHECK, network.POLL = 0.01, 10

        async def application():
            self.clock = network.time = self.radio.clock = Clock(step=20)
            self.radio.around = {"home": SECRET}
            network.start({"networks": [HOME]})
            self.radio.station.disconnect()
            while len(self.said) < 3:
                await asyncio.sleep(0.01)

        run(application())
        self.assertEqual(self.said[1], "network: connection lost: trying again")
        self.assertEqual(self.said[2], self.said[0])


class Starting:
    """Stands for `onboard.start`, which needs a board: the guard is the real one."""

    def __init__(self):
        from onboard import guard

        self.guard = guard


class FakePortal:
    """Notes how many starts are counted while it is open."""

    def __init__(self, error=None):
        self._error = error

    def ask(self, radio, link, known, settings):
        self.counted = read("/.mdot/boots")
        if self._error:
            raise self._error
        return False


class TestPortal(NetworkCase):
    def setUp(self):
        super().setUp()
        os.mkdir("board")
        onboard.root = journal.root = "board"

    def tearDown(self):
        for name in ("onboard.start", "onboard.portal"):
            sys.modules.pop(name, None)
        onboard.root = journal.root = ""
        remove("board")
        super().tearDown()

    def open(self, portal, starting=True):
        if starting:
            sys.modules["onboard.start"] = Starting()
        sys.modules["onboard.portal"] = onboard.portal = portal
        self.start(portal={})

    def test_power_cycles_while_it_is_open_are_no_strikes(self):
        write("/.mdot/boots", b"3")
        portal = FakePortal()
        self.open(portal)
        self.assertEqual((portal.counted, read("/.mdot/boots")), (b"2", b"3"))

    def test_who_interrupts_it_is_counted_as_before(self):
        write("/.mdot/boots", b"2")
        sys.modules["onboard.start"] = Starting()
        sys.modules["onboard.portal"] = onboard.portal = FakePortal(KeyboardInterrupt())
        with self.assertRaises(KeyboardInterrupt):
            network.start({"portal": {}})
        self.assertEqual(read("/.mdot/boots"), b"2")

    def test_a_start_that_was_not_counted_stays_so(self):
        write("/.mdot/boots", b"3")
        portal = FakePortal()
        self.open(portal, starting=False)
        self.assertEqual((portal.counted, read("/.mdot/boots")), (b"3", b"3"))

    def test_it_gives_its_memory_back(self):
        self.open(FakePortal(), starting=False)
        self.assertNotIn("onboard.portal", sys.modules)
        self.assertFalse(hasattr(onboard, "portal"))

    def test_it_is_not_opened_where_a_known_network_is_there(self):
        self.radio.around = {"home": SECRET}
        sys.modules["onboard.portal"] = onboard.portal = FakePortal()
        self.start(networks=[HOME], portal={})
        self.assertFalse(hasattr(onboard.portal, "counted"))
        del onboard.portal

    def test_an_application_that_needs_the_network_has_it_opened_again(self):
        opened = []

        def ask(*_):
            opened.append(self.clock.now // 1000)
            return len(opened) == 3

        ask, network._ask = network._ask, ask
        try:
            self.start(networks=[HOME], portal={}, network={"wait": 20, "required": True})
        finally:
            network._ask = ask
        self.assertEqual(opened, [20, 40, 60])


class Later:
    """Networks that are there after a time."""

    def __init__(self, clock, seconds, around):
        self._clock = clock
        self._seconds = seconds
        self._around = around

    def _now(self):
        return self._around if self._clock.now >= self._seconds * 1000 else {}

    def __contains__(self, name):
        return name in self._now()

    def __iter__(self):
        return iter(self._now())

    def __getitem__(self, name):
        return self._now()[name]


class TestPPP(NetworkCase):
    def setUp(self):
        super().setUp()
        self.uart = network._uart
        if MICROPYTHON:  # where nothing can be put in the place of the built-in `machine`
            network._uart = lambda wanted: None

    def tearDown(self):
        network._uart = self.uart
        super().tearDown()

    @unittest.skipIf(MICROPYTHON, "has its own UART, or none")
    def test_it_dials_over_the_uart_of_the_settings(self):
        self.radio.answers = True
        self.start(ppp={"uart": 1, "tx": 4, "rx": 5, "baudrate": 9600})
        pins = {"tx": ("pin", 4), "rx": ("pin", 5), "rxbuf": 4096, "txbuf": 4096}
        self.assertEqual(self.radio.ppp.uart, ((1, 9600), pins))
        self.assertEqual(self.said, ["network: connected to PPP as 10.0.2.15"])

    @unittest.skipIf(MICROPYTHON, "has its own UART, or none")
    def test_what_the_settings_leave_out_has_a_default(self):
        self.radio.answers = True
        self.start(ppp={})
        self.assertEqual(self.radio.ppp.uart, ((0, 115200), {"rxbuf": 4096, "txbuf": 4096}))

    def test_it_dials_again_when_nobody_answered(self):
        self.start(ppp={})
        self.assertEqual(self.said, ["network: not connected yet: going on without"])
        self.pass_by(200)
        self.assertEqual([dial // 1000 for dial in self.radio.ppp.dials], [0, 61, 123, 187])
        self.radio.answers = True
        self.pass_by(60)
        self.assertEqual(self.said[-1], "network: connected to PPP as 10.0.2.15")

    def test_it_dials_again_when_the_other_end_hangs_up(self):
        self.radio.answers = True
        self.start(ppp={})
        self.radio.answers = False
        self.pass_by(120)
        self.radio.answers = True
        self.pass_by(60)
        self.assertEqual(self.said[1:], ["network: connection lost: trying again", self.said[0]])

    @unittest.skipIf(MICROPYTHON, "has its own UART, or none")
    def test_a_uart_that_is_not_there_is_ignored_in_a_line(self):
        self.start(ppp={"uart": 7})
        self.assertEqual(self.said, ["network: ppp: UART(7) doesn't exist: ignored"])

    def test_firmware_without_ppp_ignores_it_in_a_line(self):
        del self.radio.PPP
        self.start(ppp={})
        self.assertEqual(len(self.said), 1)
        self.assertTrue(self.said[0].startswith("network: ppp: "))

    def test_either_connection_will_do(self):
        self.radio.answers = True
        self.start(ppp={}, networks=[HOME])
        self.assertEqual(self.said, ["network: connected to PPP as 10.0.2.15"])
        self.assertTrue(self.clock.now < 1000)


if __name__ == "__main__":
    unittest.main()
