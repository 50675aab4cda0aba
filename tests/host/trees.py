"""Trees of MicroPython as the tests need them: with a mpy-cross in the cache, and with a small micropython-lib."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

from tools import checkout

_LIBRARY = {
    "micropython/bundles/bundle-networking/manifest.py": "metadata(version='1')\nrequire('ssl')\nrequire('requests')\n",
    "python-stdlib/ssl/manifest.py": "metadata(version='1')\nmodule('ssl.py', opt=3)\n",
    "python-stdlib/ssl/ssl.py": "import tls\nFROM = 'micropython-lib'\n",
    "python-ecosys/requests/manifest.py": "metadata(version='1')\npackage('requests')\n",
    "python-ecosys/requests/requests/__init__.py": "TEXT = 'requests'\n",
    "README.md": "A few packages in the folders of the real micropython-lib.\n",
}
_SINGLE = ("aioespnow", "aioble", "dht", "ds18x20", "neopixel", "onewire", "umqtt.robust", "umqtt.simple", "upysh")


def lay_out_library(folder: Path) -> None:
    """Make a micropython-lib that has what the stock boards ask for, by name; it is no code of the real one."""
    for name, text in _LIBRARY.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for name in _SINGLE:
        place = folder / "micropython" / name
        place.mkdir(parents=True)
        module = name.replace(".", "_")
        (place / "manifest.py").write_text(f"metadata(version='1')\nmodule('{module}.py')\n")
        (place / f"{module}.py").write_text(f"NAME = {name!r}\n")


def seed_cache(cache: Path, tree: Path, port: str, cross: Path) -> None:
    """Put a mpy-cross where the tools look for that of a tree, of the same sources as the one it was built of."""
    opened = checkout.opened(tree, port, ())
    key = checkout.fingerprint(opened, ("py", "mpy-cross", "shared"))[:16]
    place = cache / f"mpy-cross-{opened.version}-{platform.machine()}-{key}"
    place.mkdir(parents=True)
    shutil.copy(cross, place)
