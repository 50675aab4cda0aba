# mypy: ignore-errors
# Runs on a board: removes a folder with all that is in it, if it is there.
import os


def remove(path):
    for entry in os.ilistdir(path):
        name = path + "/" + entry[0]
        if entry[1] == 0x4000:
            remove(name)
        else:
            os.remove(name)
    os.rmdir(path)


def main(folder):
    """Remove a folder at the top."""
    os.chdir("/")
    if folder[1:] in os.listdir("/"):
        remove(folder)
