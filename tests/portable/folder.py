# A folder of templates for a test, removed with all that was put into it.

import os
import sys

NAME = "templates"


class Folder:
    """Makes a folder inside `with`, below the current directory."""

    def __enter__(self):
        os.mkdir(NAME)
        return self

    def __exit__(self, kind, exc, trace):
        remove(NAME)
        for name in list(sys.modules):  # what the loader for compiled templates imported
            if name == NAME or name.startswith(NAME + "."):
                del sys.modules[name]

    def write(self, name, text):
        """Put a file there."""
        with open(NAME + "/" + name, "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, name):
        with open(NAME + "/" + name, encoding="utf-8") as file:
            return file.read()

    def mkdir(self, name):
        os.mkdir(NAME + "/" + name)

    def remove(self, name):
        os.remove(NAME + "/" + name)

    def names(self):
        return sorted([name for name in os.listdir(NAME) if name != "__pycache__"])


def remove(path):
    """Remove a file, or a folder with all in it."""
    if not os.stat(path)[0] & 0x4000:
        os.remove(path)
        return
    for name in os.listdir(path):
        remove(path + "/" + name)
    os.rmdir(path)
