# mypy: ignore-errors
# Runs on a board: tells the settings as they lie there, and replaces them in one step.
import os


def tell(most):
    """Print the file as a literal, and no more of it than that; None when there is no file."""
    try:
        with open("/config.json", "rb") as file:
            print(file.read(most))
    except OSError:
        print(None)


def main(most, text):
    """Tell the settings, or replace them."""
    if text is None:
        tell(most)
        return
    with open("/config.json.new", "wb") as file:
        file.write(text)
    os.rename("/config.json.new", "/config.json")
