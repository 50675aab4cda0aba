# mypy: ignore-errors
# ruff: noqa: UP032
"""Runs on a board: checks all that a journal wants to put, commits to the journal and carries it out.

A file's name in `/.mdot/new` is made of its path and its content's SHA-256, so the journal alone says what must be in it.
"""

import os
import sys

NEW = "/.mdot/new/"
JOURNAL = "/.mdot/journal.new"


def code(source):
    if source:
        space = {}
        exec(source, space)
        return space
    from onboard import journal

    return journal.__dict__


def is_whole(code, name, path):
    try:
        return code["name_of"](path, code["digest"](NEW + name)) == name
    except OSError:
        return False


def damaged(code, name):
    """List the names of what did not arrive as it should have."""
    if not is_whole(code, name, JOURNAL):
        return [name]
    wrong = []
    with open(NEW + name) as journal:
        for line in journal:
            sys.stdout.write(".")  # that it goes on: this may take a while
            operation, name, path = line[:-1].split(" ", 2)
            if operation == "put" and not is_whole(code, name, path):
                wrong.append(name)
    return wrong


def remove(path):
    try:
        os.remove(path)
    except OSError:
        pass


def main(name, source):
    """Commit to the journal that was uploaded under a name; or tell what is damaged, and remove it."""
    journal = code(source)
    wrong = damaged(journal, name)
    for bad in wrong:
        remove(NEW + bad)
    if not wrong:
        os.rename(NEW + name, JOURNAL)
        journal["commit"]()
    print("\n{}".format(wrong))
