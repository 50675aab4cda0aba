# What a board does before and beside the application.  docs/architecture.md ("A board's start") has the whole; what is not
# needed at a start is imported when it is.

root = ""  # goes before each path, for tests


def app_ok():
    """Confirm that the application works: the count of unconfirmed starts ends, and the trial of a deploy.

    An application on asyncio need not call it, unless its event loop runs for less than `onboard.guard.seconds` or is
    replaced by a new one.  Raises OSError when the filesystem can't be written.
    """
    from onboard import guard

    guard.confirm()


def there(path):
    """Tell whether anything is at a path that can be read."""
    import os

    try:
        os.stat(root + path)
    except OSError:
        return False
    return True
