# What went wrong, and whose fault it is: a peer that left, or the application, whose exceptions are printed.
import sys

# Error numbers that say "the client has gone": EIO, EBADF, EPIPE, ECONNRESET (BSD), EPROTO, ECONNABORTED, ECONNRESET,
# ENOTCONN, ETIMEDOUT, EHOSTUNREACH, ESTALE as lwIP uses it, and MicroPython's own for a closed socket. Applications append.
MUTED_SOCKET_ERRORS = [32, 54, 104, 128]
_GONE = (5, 9, 71, 103, 107, 110, 113, 116)


def is_gone(error):
    """Tell whether an ``OSError`` means that the peer has left, which is nobody's fault."""
    cause = error.args[0] if error.args else None
    return cause in MUTED_SOCKET_ERRORS or cause in _GONE or cause == "Connection lost" or _is_lost(error)


if sys.implementation.name == "micropython":

    def _is_lost(error):
        # From mbedTLS, the system's numbers are negative; its own mean a peer that broke the protocol or left without a word.
        cause = error.args[0] if error.args else 0
        return isinstance(cause, int) and (cause < -256 or -cause in MUTED_SOCKET_ERRORS or -cause in _GONE)

    def mro(cls):
        """Return the class and its bases, most derived first; a class reached in two ways comes last."""
        order = [cls]
        for base in cls.__bases__:
            for found in mro(base):
                if found in order:
                    order.remove(found)
                order.append(found)
        return order

    print_exception = sys.print_exception
else:
    import traceback

    def _is_lost(error):
        # asyncio's own carry no number; those of ssl mean a broken connection
        return isinstance(error, ConnectionError) or type(error).__module__ == "ssl"

    def mro(cls):
        """Return the class and its bases, most derived first."""
        return cls.__mro__

    def print_exception(exc):
        """Print an exception with its traceback."""
        traceback.print_exception(type(exc), exc, exc.__traceback__)
