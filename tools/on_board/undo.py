# mypy: ignore-errors
"""Runs on a board: brings the deploy before back."""

import os


def code(source):
    if source:
        space = {}
        exec(source, space)
        return space
    from onboard import journal

    return journal.__dict__


def main(source):
    """Undo the last deploy, and tell whether there was anything to go back to."""
    done = code(source)["undo"]()
    if done:
        try:
            os.remove("/.mdot/trial")  # what was on trial is gone
        except OSError:
            pass
    print(done)
