"""Run the portable tests on CPython and on the frozen MicroPython firmware.

    python tests/run_portable.py [--only cpython|micropython] [--micropython PATH] [FILTER…]

FILTER is a module (`test_cookies`) or a part of `module.Class.test`. CPython takes the framework from `lib`,
and what boards run first from `board/modules`; the firmware has them frozen, and neither folder is on its path.
Every module gets a process and an empty folder of its own, so that a crash or a file left behind names its
module. Exits 1 when a test failed, a module crashed or hung, or an interpreter did not run or had no test to run.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PORTABLE = ROOT / "tests" / "portable"
RECORD = "\x1e"  # as in run_module.py
HANG_SECONDS = 180  # the slowest module needs a few seconds on a busy machine
TAIL_LINES = 30  # of what was printed before a failure


@dataclass
class Interpreter:
    """How to start an interpreter, and where it finds the framework."""

    name: str
    command: list[str]
    path_variable: str
    path: list[str]

    def environment(self) -> dict[str, str]:
        env = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "MICROPYPATH")}
        env["PYTHONDONTWRITEBYTECODE"] = "1"
        env["PYTHONUNBUFFERED"] = "1"  # keeps what a test printed between its own records
        env[self.path_variable] = os.pathsep.join(self.path)
        return env


@dataclass
class ModuleResult:
    """What one module's tests did on one interpreter."""

    module: str
    interpreter: str = ""
    passed: set[str] = field(default_factory=set)
    failed: dict[str, list[str]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    running: str = ""
    printed: list[str] = field(default_factory=list)
    complete: bool = False

    def take(self, event: str, test: str, text: str) -> None:
        """Note one event that run_module.py told."""
        if event == "interpreter":
            self.interpreter = test
        elif event == "start":
            self.running = test
            self.printed.clear()
        elif event == "passed":
            self.passed.add(test)
        elif event == "skipped":
            self.skipped[test] = text
        elif event == "failed":
            self.fail(test, text)
        elif event == "end":
            self.complete = True

    def fail(self, test: str, reason: str) -> None:
        """Note a failure, with what was printed before it."""
        tail = "\n".join(["printed:", *self.printed[-TAIL_LINES:]]) if self.printed else ""
        self.printed.clear()
        self.failed.setdefault(test, []).append(f"{reason.rstrip()}\n{tail}".rstrip())

    def count(self) -> Counts:
        return Counts(1, len(self.passed - set(self.failed)), len(self.failed), len(self.skipped))


@dataclass
class Counts:
    modules: int = 0
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.modules + other.modules,
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
        )

    def line(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


@dataclass
class Run:
    """One interpreter's row in the table; `problem` says why it did not run."""

    name: str
    counts: Counts = field(default_factory=Counts)
    seconds: float = 0.0
    problem: str = ""


def cpython() -> Interpreter:
    return Interpreter("cpython", [sys.executable], "PYTHONPATH", [str(ROOT / "lib"), str(ROOT / "board/modules")])


def micropython(binary: Path) -> Interpreter:
    # `.frozen` and nothing of lib: a module missing from the firmware must not be found elsewhere.
    return Interpreter("micropython", [str(binary)], "MICROPYPATH", [".frozen", str(PORTABLE / "shims")])


def missing(binary: Path) -> str:
    """Say why this firmware cannot be started, or nothing."""
    if not binary.is_file():
        return f"did not run: no {binary}: build it with `make firmware`, or name it with --micropython"
    if not os.access(binary, os.X_OK):
        return f"did not run: {binary} is not executable: build it with `make firmware`"
    return ""


def run_module(interpreter: Interpreter, module: str, filters: list[str]) -> ModuleResult:
    """Run one test module in a process and a folder of its own."""
    result = ModuleResult(module)
    with tempfile.TemporaryDirectory(prefix="portable-") as folder:
        status, output = execute(interpreter, [str(PORTABLE / "run_module.py"), module, *filters], folder)
        take_report(result, output)
        judge_exit(result, status)
        left = sorted(os.listdir(folder))
        if left:
            result.fail(module, "left behind: " + ", ".join(left))
    return result


def execute(interpreter: Interpreter, arguments: list[str], folder: str) -> tuple[int | None, str]:
    """Return exit status, None for a process that hung and was killed, and output."""
    process = subprocess.Popen(
        interpreter.command + arguments,
        cwd=folder,
        env=interpreter.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=HANG_SECONDS)
        status: int | None = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        status = None
    return status, output.decode("utf-8", "replace")


def take_report(result: ModuleResult, output: str) -> None:
    for line in output.split("\n"):
        record = parse_record(line)
        if record:
            result.take(*record)
        elif line:
            result.printed.append(line)


def parse_record(line: str) -> tuple[str, str, str] | None:
    if not line.startswith(RECORD):
        return None
    try:
        event, test, text = json.loads(line[1:])
    except ValueError:  # cut by a crash
        return None
    return event, test, text


def judge_exit(result: ModuleResult, status: int | None) -> None:
    place = result.running or "its import"
    if status is None:
        result.fail(result.module, f"hung in {place}: killed after {HANG_SECONDS} s")
    elif not result.complete or status != 0:
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        result.fail(result.module, f"ended with {how} in {place}")


def show_module(result: ModuleResult) -> None:
    counts = result.count()
    print(f"  {result.module:<28}{counts.line()}", flush=True)
    reasons: dict[str, int] = {}
    for reason in result.skipped.values():
        reasons[reason] = reasons.get(reason, 0) + 1
    for reason, times in reasons.items():
        print(f"    skipped {times}: {reason}")
    for test, texts in result.failed.items():
        for text in texts:
            print(f"    FAILED {test}\n" + indent(text), flush=True)


def indent(text: str) -> str:
    return "".join(f"      {line}\n" for line in text.rstrip().split("\n"))


def run_all(interpreter: Interpreter, modules: list[str], filters: list[str]) -> Run:
    run = Run(interpreter.name)
    started = time.monotonic()
    print(f"{interpreter.name}: {' '.join(interpreter.command)}", flush=True)
    for module in modules:
        result = run_module(interpreter, module, filters)
        run.name = result.interpreter or run.name
        counts = result.count()
        if counts.passed or counts.failed or counts.skipped:
            show_module(result)
            run.counts += counts
    run.seconds = time.monotonic() - started
    if not run.counts.passed and not run.counts.failed:
        run.problem = "ran no test"
    return run


def run_firmware(binary: Path, modules: list[str], filters: list[str]) -> Run:
    problem = missing(binary)
    return Run("micropython", problem=problem) if problem else run_all(micropython(binary), modules, filters)


def show_table(runs: list[Run]) -> None:
    print(f"\n{'interpreter':<22}{'modules':>8}{'passed':>8}{'failed':>8}{'skipped':>9}{'time':>9}")
    for run in runs:
        counts = run.counts
        if run.problem:
            print(f"{run.name:<22}  {run.problem}")
        else:
            numbers = f"{counts.modules:>8}{counts.passed:>8}{counts.failed:>8}{counts.skipped:>9}"
            print(f"{run.name:<22}{numbers}{run.seconds:>7.1f} s")


def modules_for(filters: list[str]) -> list[str]:
    """Return the test modules that can hold what the filters name."""
    modules = sorted(path.stem for path in PORTABLE.glob("test_*.py"))
    names = [text.split(".")[0] for text in filters]
    if any(not any(name in module for module in modules) for name in names):
        return modules  # a part of a test's name: it may be in any of them
    return [module for module in modules if not names or any(name in module for name in names)]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, usage=argparse.SUPPRESS
    )
    parser.add_argument("--only", choices=("cpython", "micropython"), help="run on this interpreter alone")
    parser.add_argument(
        "--micropython",
        type=Path,
        metavar="PATH",
        default=ROOT / "build" / "unix" / "micropython",
        help="the firmware to test (build/unix/micropython)",
    )
    parser.add_argument("filters", nargs="*", metavar="FILTER", help="module, or part of module.Class.test")
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    modules = modules_for(arguments.filters)
    runs = []
    if arguments.only != "micropython":
        runs.append(run_all(cpython(), modules, arguments.filters))
    if arguments.only != "cpython":
        runs.append(run_firmware(arguments.micropython.resolve(), modules, arguments.filters))
    show_table(runs)
    total = sum((run.counts for run in runs), Counts())
    print(f"\n{total.line()}")
    return 1 if total.failed or any(run.problem for run in runs) else 0


if __name__ == "__main__":
    sys.exit(main())
