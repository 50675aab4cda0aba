# mypy: ignore-errors
# Runs on a board: renames its main.py, so that no start runs it, and tells the new name.
import os


def main(ending):
    """Rename /main.py, never to the name of a file that is there; print nothing if there is none."""
    names = os.listdir("/")
    if "main.py" in names:
        name, count = "main.py" + ending, 1
        while name in names:
            count += 1
            name = "main.py" + ending + str(count)
        os.rename("/main.py", "/" + name)
        print("/" + name)
