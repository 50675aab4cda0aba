# The last samples, in memory that never grows: two bytes each.

from array import array


class History:
    """Keeps the last ``size`` samples, temperatures in hundredths of a degree, each with its number since the start."""

    def __init__(self, size):
        self.size = size
        self.end = 0  # the number of the next sample
        self._ring = array("h", [0] * size)

    @property
    def start(self):
        """The number of the oldest sample that is kept."""
        return max(0, self.end - self.size)

    def append(self, degrees):
        """Keep a sample, in degrees; what does not fit 16 bits becomes the nearest that does."""
        self._ring[self.end % self.size] = max(-32768, min(32767, round(degrees * 100)))
        self.end += 1

    def part(self, first, count):
        """Return ``(number, samples)``: at most ``count`` of them, from ``first`` or the oldest that is kept."""
        first = max(first, self.start)
        return first, [self._ring[n % self.size] for n in range(first, min(first + count, self.end))]
