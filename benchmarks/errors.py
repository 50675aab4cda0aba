"""Errors of the benchmarks: a line that says what failed, why, and where there is one, the next step."""


class BenchmarkError(Exception):
    """A measurement that could not be taken or must not be believed."""


class Unavailable(BenchmarkError):
    """Something a table needs is not installed; the others can still be measured."""
