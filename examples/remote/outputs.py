# The outputs: a lamp, a relay, a dimmer and a servo at the pins of settings.py on an RP2040 or RP2350, elsewhere values alone.

import sys

import settings

SIMULATED = sys.platform != "rp2"


def _nothing(value):
    pass


def _pin(name):
    if SIMULATED:
        return _nothing
    from machine import Pin

    return Pin(name, Pin.OUT)  # a pin is called with its value


def _dimmer(pin):
    if SIMULATED:
        return _nothing
    from machine import PWM, Pin

    pwm = PWM(Pin(pin), freq=1000, duty_u16=0)
    return lambda percent: pwm.duty_u16(percent * 65535 // 100)


def _servo(pin):
    if SIMULATED:
        return _nothing
    from machine import PWM, Pin

    pwm = PWM(Pin(pin), freq=50, duty_u16=0)  # no pulse: it stays where it is until it is told to move
    return lambda angle: pwm.duty_ns(500000 + angle * 2000000 // 180)


class Output:
    """One output: whole numbers from 0 to ``high``; a ``unit`` makes it a slider in the page, none a switch."""

    def __init__(self, label, drive, high=1, unit=None, value=0):
        self.label = label
        self.high = high
        self.unit = unit
        self.value = value
        self._drive = drive

    def set(self, value):
        """Drive the output to a value; raise ValueError if it has no such value."""
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= self.high:
            raise ValueError(f"{self.label} takes whole numbers from 0 to {self.high}")
        self._drive(value)
        self.value = value


OUTPUTS = {
    "lamp": Output("Lamp", _pin(settings.LAMP)),
    "relay": Output("Relay", _pin(settings.RELAY)),
    "dimmer": Output("Dimmer", _dimmer(settings.DIMMER), 100, "%"),
    "servo": Output("Servo", _servo(settings.SERVO), 180, "°", 90),
}
ORDER = "lamp", "relay", "dimmer", "servo"  # MicroPython's dictionaries have none


def described():
    """Return what a page needs to show the outputs."""
    return [
        {"name": name, "label": output.label, "high": output.high, "unit": output.unit, "value": output.value}
        for name, output in [(name, OUTPUTS[name]) for name in ORDER]
    ]


def change(name, value):
    """Set the output with a name; raise ValueError for what can't be."""
    if not isinstance(name, str) or name not in OUTPUTS:
        raise ValueError("there is no such output")
    OUTPUTS[name].set(value)
