"""Where the bytes of an ELF file go, as its own tools tell."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

# What MicroPython's mpy-tool puts before a module's name in the names of its objects.
_OBJECTS = re.compile(r"(?:const_(?:qstr|obj)_table_data|const_obj|fun_data|raw_code|children|frozen_module|proto_fun)_(\w+)")


def output(program: str, *arguments: str) -> str:
    """Give what a program of the cross compiler's prints."""
    return subprocess.run([f"arm-none-eabi-{program}", *arguments], check=True, capture_output=True, text=True).stdout


def sections(elf: Path) -> dict[str, int]:
    """Count the bytes of code and constants, of variables with a first value, and of variables without."""
    names, numbers = output("size", "--format=berkeley", str(elf)).splitlines()[:2]
    return dict(zip(names.split()[:3], map(int, numbers.split()[:3])))


def _modules(folder: Path) -> dict[str, str]:
    """Map names as they are in symbols to modules, longer names first, as one may be the start of another."""
    names = [path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.mpy")]
    return {re.sub(r"\W", "_", name): name for name in sorted(names, key=len, reverse=True)}


def frozen(compiled: Path, folder: Path) -> dict[str, int]:
    """Count the bytes of flash that each frozen module takes, from the object file that holds all and the folder of modules."""
    modules, found = _modules(folder), dict.fromkeys(sorted(_modules(folder).values()), 0)
    for line in output("nm", "--print-size", "--defined-only", str(compiled)).splitlines():
        _, size, _, symbol = (line.split() + [""] * 4)[:4]
        name = _OBJECTS.fullmatch(symbol.split(".")[0])
        key = next((key for key in modules if name and re.match(f"{key}(_|$)", name[1])), None)
        if key:
            found[modules[key]] += int(size, 16)
    # The rest is what modules share: every name once, and the table of modules.
    return {**found, "(names)": sections(compiled)["text"] - sum(found.values())}
