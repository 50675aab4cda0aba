# What tests/host/test_portal.py runs on the firmware: the start of a board whose network asks for one, and then an application.
# The radio is a fake (tests/portable/fake_radio.py); portal, name server, sockets and settings are the real ones.
#
#     portal_board.py FOLDER HTTP_PORT DNS_PORT

import asyncio
import gc
import sys
import time

from fake_radio import CYW43, Radio
from microdot import Microdot


class Watch:
    """The real clock, in the fake one's place."""

    @property
    def now(self):
        return time.ticks_ms()


class Around:
    """The networks in reach; one of them is there a little later."""

    def __init__(self):
        self.networks = {"home": "pa55 & w0rd", "cafe": None, "<b>&'\"": None, "late": "late password"}
        self.there = time.ticks_add(time.ticks_ms(), 1500)

    def __contains__(self, name):
        return name in self.networks and (name != "late" or time.ticks_diff(time.ticks_ms(), self.there) >= 0)

    def __iter__(self):
        return iter(self.networks)

    def __getitem__(self, name):
        return self.networks[name]


def prepare():
    radio = Radio(CYW43)
    radio.clock = Watch()
    radio.around = Around()
    radio.station.took = 200
    sys.modules["network"] = radio

    import onboard
    from onboard import portal, settings

    onboard.root = sys.argv[1]
    portal.HTTP_PORT, portal.DNS_PORT = int(sys.argv[2]), int(sys.argv[3])
    portal.GOODBYE = 3
    return radio, settings.read()


def start(radio, found):
    from onboard import network

    try:
        network.start(found)
    except KeyboardInterrupt:
        print("interrupted")
    gc.collect()
    print("access point", radio.access.log[-1:])
    print("still there", [name for name in sys.modules if name in ("onboard.portal", "onboard.portal_page", "onboard.dns")])


def serve():
    app = Microdot()

    @app.get("/")
    async def index(request):
        app.shutdown()
        return "the application"

    print("main starts")
    asyncio.run(app.start_server("127.0.0.1", int(sys.argv[2])))


start(*prepare())
serve()
