# mypy: ignore-errors
# Runs on a board: moves what was uploaded to `/.mdot/new` to where tests run, and leaves no trace of the upload.
import os


def make(path):
    try:
        os.mkdir(path)
    except OSError as error:
        if error.args[0] != 17:  # EEXIST
            raise


def main(folder, placed):
    """Rename uploaded files to their paths in a folder, making folders in the order of `placed`."""
    make(folder)
    for name, path in placed:
        parts = path.split("/")
        for count in range(1, len(parts)):
            make(folder + "/" + "/".join(parts[:count]))
        os.rename("/.mdot/new/" + name, folder + "/" + path)
    for path in ("/.mdot/new", "/.mdot"):
        if not os.listdir(path):
            os.rmdir(path)
