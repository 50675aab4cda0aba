# When a temperature is an alarm. The limits are kept in a file, so that they are the same after a restart.

import json
import os

_FILE = "alarm.json"
LOWEST, HIGHEST = -40, 125  # degrees that a limit may have
_SLACK = 0.5  # degrees that the temperature must come back by, so that an alarm does not flutter at its limit


def number_between(value, low, high):
    """Tell whether a value from JSON is a number between two others."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high


def checked(limits):
    """Return ``(low, high)`` of an object with both; raise ValueError with what is wrong."""
    low, high = (limits.get("low"), limits.get("high")) if isinstance(limits, dict) else (None, None)
    if not (number_between(low, LOWEST, HIGHEST) and number_between(high, LOWEST, HIGHEST)):
        raise ValueError(f"both limits must be numbers from {LOWEST} to {HIGHEST}")
    if high - low < 2 * _SLACK:
        raise ValueError(f"the upper limit must be at least {2 * _SLACK:g} degree above the lower one")
    return low, high


class Alarm:
    """``state`` is "ok", "low" or "high"; ``low`` and ``high`` are the limits in degrees."""

    def __init__(self):
        self.state = "ok"
        self.low, self.high = 15, 30
        try:
            with open(_FILE) as file:
                self.low, self.high = checked(json.load(file))
        except (OSError, ValueError):  # none yet, or one that somebody broke
            pass

    def set_limits(self, limits):
        """Keep new limits, ``{"low": degrees, "high": degrees}``; raise ValueError, or OSError if they can't be written."""
        low, high = checked(limits)
        with open(_FILE + ".new", "w") as file:
            json.dump({"low": low, "high": high}, file)
        os.rename(_FILE + ".new", _FILE)  # a power cut leaves the old file or the new one
        self.low, self.high = low, high

    def judge(self, degrees):
        """Set the state for a new temperature."""
        low = self.low + (_SLACK if self.state == "low" else 0)
        high = self.high - (_SLACK if self.state == "high" else 0)
        self.state = "low" if degrees < low else "high" if degrees > high else "ok"
