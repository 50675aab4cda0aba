"""The licences of what a firmware image holds, as those who pass the image on must show them.

A part's licence is a file of its own, or the comment at the top of one of its sources.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_FILES = ("LICENSE*", "LICENCE*", "COPYING*")
# Parts of the images, and where those without such a file have their licence.
_PARTS = {
    "lib/littlefs": "lfs2.c",
    "lib/lwip": "",
    "lib/mbedtls": "",
    "lib/oofatfs": "ff.c",
    "lib/pico-sdk": "external/pico_sdk_import.cmake",
    "lib/re1.5": "re1.5.h",
    "lib/tinyusb": "src/tusb.c",
    "lib/uzlib": "tinflate.c",
}
_RULE = "\n" + "-" * 80 + "\n"


def collected(tree: Path, own: Path) -> str:
    """Put together our own licence and those that MicroPython's tree has."""
    texts = [("mdot", own.read_text(encoding="utf-8")), *_found(tree)]
    return _RULE.join(f"{name}\n\n{text.strip()}\n" for name, text in texts)


def _found(tree: Path) -> Iterator[tuple[str, str]]:
    yield "MicroPython", _of_files(tree)
    for part, source in _PARTS.items():
        text = _of_files(tree / part) or (_comment(tree / part / source) if source else "")
        if text:
            yield f"MicroPython, {part}", text


def _of_files(folder: Path) -> str:
    found = sorted(path for pattern in _FILES for path in folder.glob(pattern) if path.is_file())
    return "\n\n".join(path.read_text(encoding="utf-8", errors="replace").strip() for path in found)


def _comment(source: Path) -> str:
    """Read the comment that has the copyright, without what makes it a comment."""
    if not source.is_file():
        return ""
    text = source.read_text(encoding="utf-8", errors="replace")
    blocks = re.findall(r"/\*.*?\*/|(?:^#[^\n]*\n)+|(?:^//[^\n]*\n)+", text, re.DOTALL | re.MULTILINE)
    block = next((block for block in blocks if re.search("copyright", block, re.IGNORECASE)), "")
    return "\n".join(re.sub(r"^\s*(/?\*+/?|#|//) ?|\*/", "", line).rstrip() for line in block.splitlines())
