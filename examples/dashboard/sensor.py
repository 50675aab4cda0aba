# The temperature in degrees Celsius: of the chip itself on an RP2040 or RP2350, made up anywhere else.

import sys


def _of_chip():
    # The datasheet of the RP2040, 4.9.5: 0.706 V at 27 °C, 1.721 mV less for each degree more.
    from machine import ADC

    sensor = ADC(4)
    return lambda: 27 - (sensor.read_u16() * 3.3 / 65535 - 0.706) / 0.001721


def _made_up():
    import math
    import time

    started = time.time()

    def read():
        seconds = time.time() - started
        return 22 + 3 * math.sin(seconds / 40) + 0.4 * math.sin(seconds / 3)

    return read


SIMULATED = sys.platform != "rp2"
read = _made_up() if SIMULATED else _of_chip()
