"""Run MicroPython's makefiles quietly: output to a log, and of a failure the line that says why."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .console import Failure
from .paths import shown

# Nothing else gets in: make takes the environment's variables (DEBUG, CFLAGS, MAKEFLAGS, …) for its own.
_KEPT = ("PATH", "HOME", "TMPDIR", "SOURCE_DATE_EPOCH")


NO_SPACE = "No space left on device"
_LINE = 300  # characters of a line that may be shown as the reason


def check_compiler() -> None:
    """Raise Failure when what compiles C programs is not installed."""
    for program in ("make", "gcc"):
        if not shutil.which(program):
            what = "C compiler" if program == "gcc" else "make"
            raise Failure(f"no {what} found: install it with `apt-get install gcc libc6-dev make`")
    if not compiles("gcc", "-E"):
        raise Failure("the C compiler finds no <stdio.h>: install it with `apt-get install libc6-dev`")


def compiles(*command: str) -> bool:
    """Tell whether a compiler does, given these arguments, as it should with a program of one line."""
    program = b"#include <stdio.h>\nint main(void) { return 0; }\n"
    command = (*command, "-x", "c", "-o", os.devnull, "-")
    return subprocess.run(command, input=program, capture_output=True).returncode == 0


def _date(tree: Path) -> str:
    # An image says when it was built; that of the same source is the same on each day.
    return str(int((tree / "py/mpconfig.h").stat().st_mtime))


def _environment(tree: Path, more: Mapping[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    # Python must leave no __pycache__ in the tree, nor git describe a repository that is around it.
    fixed = {"LC_ALL": "C", "PYTHONDONTWRITEBYTECODE": "1", "GIT_CEILING_DIRECTORIES": str(tree.parent)}
    # Some of MicroPython's generators write sets down in the order of their hashes.
    fixed["PYTHONHASHSEED"] = "0"
    return {"SOURCE_DATE_EPOCH": _date(tree), **kept, **fixed, **more}


def _reason(log: Path) -> str:
    """Find the line of a frozen module that does not compile, or the last line in which not make itself complains."""
    text = log.read_text(errors="replace")
    module = re.search(r"^error compiling (\S+):\n.*?, line (\d+)\b.*?^(\w+Error.*?)$", text, re.MULTILINE | re.DOTALL)
    if module:
        return f"{module[1]}, line {module[2]}: {module[3].strip()}"
    lines = [line.strip() for line in text.splitlines()]
    # The command that failed may be echoed, on a line of many kilobytes.
    lines = [line[:_LINE] for line in lines if line and not line.startswith(("make", "gmake"))]
    complaint = re.compile("error|no space left|not found|cannot|overflowed", re.IGNORECASE)
    short = [line for line in lines if len(line) < _LINE]
    return ([line for line in short if complaint.search(line)] or lines or ["it said nothing"])[-1]


def jobs() -> int:
    """Count the processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def make(tree: Path, folder: str, arguments: Sequence[str], log: Path, **more: str) -> str:
    """Run make in a folder of the tree; return why it failed and where the log is, or nothing."""
    # A later compiler's new warning must not stop a user's build, so -Werror goes.
    command = ["make", "-C", str(tree / folder), f"-j{jobs()}", "CFLAGS_EXTRA=-Wno-error", *arguments]
    return run([command], tree, folder, log, **more)


def run(commands: Sequence[Sequence[str]], tree: Path, what: str, log: Path, **more: str) -> str:
    """Run commands that build `what` from the tree; return why one failed and where the log is, or nothing."""
    environment = _environment(tree, more)
    with log.open("w") as output:
        for command in commands:
            print(*command, file=output, flush=True)
            done = subprocess.run(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, close_fds=False
            )
            if done.returncode:
                break
        else:
            return ""
    reason = _reason(log)
    step = "free some room; " if NO_SPACE in reason else ""
    return f"the build of {what} failed: {reason}: {step}its whole output is in {shown(log)}"
