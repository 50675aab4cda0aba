# mypy: ignore-errors
"""Runs on a board: tells what `doctor` wants to know beyond the state, as one dictionary.  Secrets do not leave the board."""

import gc
import json
import sys

# Values of other names in /config.json are nobody's business.
_PUBLIC = ("hostname", "country", "ssid", "uart", "tx", "rx", "baudrate", "minutes")


def read(path):
    try:
        with open(path) as file:
            return file.read(4096)
    except (OSError, UnicodeError):
        return None


def redacted(value, public=False):
    if isinstance(value, dict):
        return {key: redacted(item, key in _PUBLIC) for key, item in value.items()}
    if isinstance(value, list):
        return [redacted(item) for item in value]
    return value if public or value is None else "(hidden)"


def settings():
    text = read("/config.json")
    if text is None:
        return None
    try:
        return redacted(json.loads(text))
    except ValueError:
        return "damaged"


def reset_cause():
    try:
        import machine

        cause = machine.reset_cause()
    except (ImportError, AttributeError):
        return ""
    for name in ("PWRON_RESET", "HARD_RESET", "WDT_RESET", "DEEPSLEEP_RESET", "SOFT_RESET", "BROWN_OUT_RESET"):
        if getattr(machine, name, None) == cause:
            return name
    return str(cause)


def filesystems():
    try:
        import vfs

        return [(type(mounted[0]).__name__, mounted[1]) for mounted in vfs.mount()]
    except (ImportError, AttributeError, TypeError):
        return []


def rom():
    try:
        import vfs

        return vfs.rom_ioctl(1)
    except (ImportError, AttributeError, OSError):
        return None


def tls():
    """Count the ciphers that TLS could use; None where there is no TLS."""
    try:
        import tls

        return len(tls.SSLContext(tls.PROTOCOL_TLS_SERVER).get_ciphers())
    except (ImportError, AttributeError):
        return None


def frequency():
    try:
        import machine

        found = machine.freq()
        return found[0] if isinstance(found, tuple) else found
    except (ImportError, AttributeError):
        return 0


def largest():
    """Find the largest piece of memory that there is in one."""
    gc.collect()
    low, high = 0, gc.mem_free() if hasattr(gc, "mem_free") else 0
    while high - low > 1024:
        size = (low + high) // 2
        try:
            bytearray(size)
            low = size
        except MemoryError:
            high = size
        gc.collect()
    return low


def main():
    """Tell all, and then the modules that the firmware has, as `help` lists them."""
    print(
        {
            "version": sys.version,
            "path": sys.path,
            "frequency": frequency(),
            "largest": largest(),
            "cause": reset_cause(),
            "filesystems": filesystems(),
            "rom": rom(),
            "tls": tls(),
            "boots": read("/.mdot/boots"),
            "settings": settings(),
        }
    )
    try:
        help("modules")
    except NameError:
        pass
