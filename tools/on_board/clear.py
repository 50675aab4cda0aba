# mypy: ignore-errors
"""Runs on a board: removes what was uploaded for a deploy that cannot be finished."""

import os


def main(names):
    """Remove these from /.mdot/new, as far as they are there."""
    for name in names:
        try:
            os.remove("/.mdot/new/" + name)
        except OSError:
            pass
