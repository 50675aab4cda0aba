"""remove all that was built in the checkout; the cache outside it stays

What is removed is made again by what needs it.

  mdot clean
"""

from __future__ import annotations

import argparse
import shutil

from . import paths
from .console import say

_MADE = ("build", "dist", ".venv", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis")


def do(arguments: argparse.Namespace) -> None:
    for name in _MADE:
        if (paths.ROOT / name).exists():
            shutil.rmtree(paths.ROOT / name)
    for folder in list(paths.ROOT.rglob("__pycache__")):
        shutil.rmtree(folder)
    if paths.cache().exists():
        say(f"MicroPython's source stays in {paths.cache()}: `rm -rf {paths.cache()}` removes it as well")
