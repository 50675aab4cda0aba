# mypy: ignore-errors
"""Runs on a board: brings the deploy before back."""


def code(source):
    if source:
        space = {}
        exec(source, space)
        return space
    from onboard import journal

    return journal.__dict__


def main(source):
    """Undo the last deploy, and tell whether there was anything to go back to."""
    print(code(source)["undo"]())
