"""What the tools tell: progress, and a verb's failure as one line that says what, why and what to do next."""

from __future__ import annotations

import sys


class Failure(Exception):
    """Stop the verb; the text is shown to the user as it is."""

    status = 1
    """The exit status of the process."""


class Misuse(Failure):
    """Stop the verb: it cannot do what its arguments say, on any machine or board."""

    status = 2


class Ambiguous(Failure):
    """Stop the verb: it would have to guess between several boards."""

    status = 3


def say(text: str) -> None:
    """Tell at once what is being done; stdout is for results."""
    print(text, file=sys.stderr, flush=True)
