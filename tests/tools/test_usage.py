"""Wrong usage of any verb ends with status 2 and one line, which says what to give instead."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from app_folders import ROOT, application, complaint, run_verb

MISUSED = [
    (("frob",), "no such verb: `python3 -m tools --help` lists them"),
    (("--verbose",), "no such verb: `python3 -m tools --help` lists them"),
    (("deploy",), "the following arguments are required: APP: `python3 -m tools deploy --help` tells what there is"),
    (("deploy", "x", "--nothing"), "unrecognized arguments: --nothing: `python3 -m tools deploy --help` tells what there is"),
    (("doctor", "--port"), "argument --port: expected one argument: `python3 -m tools doctor --help` tells what there is"),
    (("build", "APP", "--mpy", "6.9"), "--mpy 6.9: no bytecode version: give one as in 6.3, which the board's doctor tells"),
    (("build", "APP", "--mpy", "6.3", "--arch", "z80"), "--arch z80: no such processor: give one of x86, "),
    (("build", "APP", "--board", "NONE"), "--board NONE: no board of ours: say what it speaks, as in --mpy 6.3, "),
    (("build", "APP", "--board", "a/b"), "--board: no name of a board: use letters, digits, dots, dashes and underscores"),
    (("deploy", "APP", "--all", "--port", "x"), "--all and --port exclude each other: give one of them"),
    (("deploy", "APP", "--key", "x"), "--key and --cert are for a deploy over the network: add --host NAME"),
    (("deploy", "APP", "--host", "a"), "--host needs the device's key: add --key FILE; mdot ota key makes one"),
    (("deploy", "APP", "--host", "a", "--all"), "--all is for boards on a cable: leave it out, or --host"),
    (("deploy", "APP", "--host", "a:b", "--key", "x"), "--host 'a:b': no host: give a name or an address, "),
    (("dist", "--board", "NONE"), "BOARD=NONE: no such board: "),
    (("firmware", "--board", "NONE"), "BOARD=NONE: no such board: the firmware can be built for unix, "),
    (("flash",), "what firmware: give --board, as in --board RPI_PICO, or a file"),
    (("flash", "x.uf2", "--board", "RPI_PICO"), "what firmware: give --board, as in --board RPI_PICO, or a file"),
    (("flash", "--board", "unix"), "--board unix: that is this machine: `run` runs applications here"),
    (("image", "APP", "--board", "unix"), "BOARD=unix: it has no flash: choose a board that has, as in BOARD=RPI_PICO"),
    (("image", "APP", "--flash-size", "3M"), "--flash-size 3M: no size of a flash: give one of 1M, 2M"),
    (("test", "APP", "--on", "mars"), "--on mars: no such platform: give some of cpython, unix, board"),
]


@pytest.mark.parametrize(("arguments", "expected"), MISUSED, ids=[" ".join(words) for words, _ in MISUSED])
def test_wrong_usage_is_told_in_a_line(arguments: tuple[str, ...], expected: str, tmp_path: Path) -> None:
    app = application(tmp_path / "app", {})
    done = run_verb(*(app if word == "APP" else word for word in arguments))
    assert complaint(done, 2).startswith(expected)
    assert done.stdout == ""


def test_no_verb_is_told_in_a_line() -> None:
    done = run_verb()
    assert (done.returncode, done.stderr) == (2, "mdot: no verb: `python3 -m tools --help` lists them\n")


def test_a_missing_package_is_told_in_a_line() -> None:
    program = "import sys\nfrom tools.__main__ import main\nsys.modules['mpremote'] = None\nsys.exit(main())"
    done = subprocess.run([sys.executable, "-c", program, "devices"], cwd=ROOT, capture_output=True, text=True)
    assert complaint(done).endswith(": remove .venv and try again")
