# Run on the board as main.py, with PPP up: the portal on lwIP, at the address of PPP.  Its radio is a fake
# (tests/portable/fake_radio.py), as the emulated board has none; then an application serves on the portal's port.
import gc
import time

from fake_radio import CYW43, Radio
from microdot import Microdot
from onboard import network, settings


class Watch:
    @property
    def now(self):
        return time.ticks_ms()


def free():
    gc.collect()
    return gc.mem_free()


radio = network._radio = Radio(CYW43)
radio.clock = Watch()
radio.around = {"home": "pa55 & w0rd", "cafe": None}
radio.station.on = True
radio.access.ifconfig = lambda: ("10.0.2.15", "255.255.255.0", "10.0.2.15", "10.0.2.15")
link = network.Link(radio.station, network._tries, [])
app = Microdot()
app.get("/")(lambda request: "the application")

before = free()
connected = network._ask(link, [], settings.read())
print("connected", connected)
print("kept", before - free())
app.run(port=80)
