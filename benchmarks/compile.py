"""Compiling a contender's modules, and the smallest servers, to .mpy files for one interpreter."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .contenders import SERVERS, Contender, MicroPython
from .errors import BenchmarkError, Unavailable

# Of sys.implementation._mpy, bits 10 and up: the machine code that the interpreter can load.
_ARCHITECTURES = {1: "x86", 2: "x64", 5: "armv7m", 11: "rv32imc"}
_SMALLEST = ("floor", "hello")


def compiled(mpy_cross: Path | None, program: MicroPython, who: Contender, source: Path | None, folder: Path) -> Contender:
    """The same contender as .mpy files in `folder`: its package, if it has one, and the smallest servers."""
    compiler = _compiler(mpy_cross, program)
    for module in _SMALLEST:
        _compile(compiler, SERVERS / f"{module}.py", folder / f"{module}.mpy")
    if source:
        for module_file in sorted((source / "microdot").glob("*.py")):
            _compile_if_it_can(compiler, module_file, folder / "microdot" / f"{module_file.stem}.mpy")
    return Contender(who.name, str(folder))


def _compiler(mpy_cross: Path | None, program: MicroPython) -> list[str]:
    if mpy_cross is None or not mpy_cross.is_file():
        raise Unavailable(f"{mpy_cross or 'mpy-cross'}: no such program: `--mpy-cross PATH` tells where it is")
    code = int(program.evaluate(Contender(""), "import sys; print(sys.implementation._mpy >> 10)"))
    architecture = _ARCHITECTURES.get(code)
    return [str(mpy_cross), *([f"-march={architecture}"] if architecture else [])]


def _compile(compiler: list[str], source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([*compiler, "-o", str(target), str(source)], capture_output=True, text=True)
    if done.returncode:
        raise BenchmarkError(f"{source.name}: not compiled: {done.stderr.strip().splitlines()[-1]}")


def _compile_if_it_can(compiler: list[str], source: Path, target: Path) -> None:
    # A package may hold modules for CPython alone; one that is needed is missed by the import that follows.
    try:
        _compile(compiler, source, target)
    except BenchmarkError:
        target.unlink(missing_ok=True)
