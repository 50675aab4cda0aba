"""Boards whose stock definition freezes modules of micropython-lib: these and ours come into an image together, each once.

micropython-lib is in no package here: a small one with the same folders stands in for it (trees.py).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import trees
from helpers import ROOT, run_tools

from tools import boards, source


@pytest.mark.parametrize(
    ("port", "board", "flags"),
    [
        ("esp32", "ESP32_GENERIC", "-march=xtensawin"),
        ("esp32", "ESP32_GENERIC_S3", "-march=xtensawin"),
        ("esp32", "ESP32_GENERIC_C3", "-march=rv32imc"),
        ("rp2", "RPI_PICO_W", "-march=armv6m"),
    ],
)
def test_ssl_is_frozen_once_and_micropython_lib_s_comes_first(
    firmware: Path, tree: Path, tmp_path: Path, port: str, board: str, flags: str
) -> None:
    trees.lay_out_library(tmp_path / "library")
    variables = {
        "MPY_DIR": tree,
        "MPY_LIB_DIR": tmp_path / "library",
        "PORT_DIR": tree / "ports" / port,
        "BOARD_DIR": tree / "ports" / port / "boards" / board,
    }
    build = tmp_path / "build"
    (build / "genhdr").mkdir(parents=True)
    shutil.copy(ROOT / "build/unix/objects/genhdr/qstrdefs.preprocessed.h", build / "genhdr")
    command = [sys.executable, str(tree / "tools/makemanifest.py"), "-o", str(build / "frozen_content.c"), "-b", str(build)]
    command += [word for name, value in variables.items() for word in ("-v", f"{name}={value}")]
    command += [f"-f={flags}", "--mpy-tool-flags=-mlongint-impl=mpz", str(ROOT / "manifest.py")]
    environment = {**os.environ, "MICROPY_MPYCROSS": str(firmware.with_name("mpy-cross")), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    names = re.findall(r'^    "([^"\\]+)\\0"$', (build / "frozen_content.c").read_text(), re.MULTILINE)
    assert names.count("ssl.py") == 1
    assert "requests/__init__.py" in names
    assert {"microdot/app.py", "microdot/_scan.py", "jwt.py", "hmac.py"} <= set(names)
    assert len(names) == len(set(names))
    compiled = (build / "frozen_mpy/ssl.mpy").read_bytes()
    assert b"micropython-lib" in compiled


@pytest.mark.timeout(900)
def test_an_image_with_both_is_built(checkout: Path, firmware: Path, tmp_path: Path) -> None:
    board = boards.named("RPI_PICO")
    original = Path(os.environ.get("MICROPYTHON") or source.packaged(board))
    tree = tmp_path / "micropython"
    shutil.copytree(original, tree, symlinks=True, ignore=shutil.ignore_patterns(".git", "__pycache__", "build-*"))
    shutil.rmtree(tree / "lib/micropython-lib", ignore_errors=True)
    trees.lay_out_library(tree / "lib/micropython-lib")
    # As that of the boards with a radio.
    with (tree / "ports/rp2/boards/manifest.py").open("a") as manifest:
        manifest.write('\nrequire("bundle-networking")\n')
    trees.seed_cache(tmp_path / "cache", tree, "rp2", firmware.with_name("mpy-cross"))
    variables = {"MICROPYTHON": str(tree), "MDOT_CACHE": str(tmp_path / "cache")}
    done = run_tools("firmware", "--board", "RPI_PICO", root=checkout, env=variables)
    assert done.returncode == 0, done.stderr
    frozen = json.loads((checkout / "build/RPI_PICO/manifest.json").read_text())["frozen"]
    assert {"ssl", "requests/__init__", "onewire", "microdot/app", "jwt"} <= set(frozen)
    assert b"micropython-lib" in (checkout / "build/RPI_PICO/firmware.bin").read_bytes()
