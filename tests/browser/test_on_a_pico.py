"""The whole applications on the emulated Pico, in a real browser that is on its network."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserType, Page, expect, sync_playwright

from .stage import ROOT
from .visitor import PATIENCE, PICTURES, Visitor

sys.path.insert(0, str(ROOT / "tests/board"))
import pico
from network import LINK, Network, linked
from ppp import BOARD

expect.set_options(timeout=PATIENCE)

# Run on the board. No network is there before: a board that is on one needs `main.py` alone.
_PROGRAM = f"from main import app\n{LINK}\napp.run(port=80)\n"


@pytest.fixture(scope="session")
def image() -> Path:
    """Give the image of the RP2040, up to date with the checkout."""
    return pico.firmware("RPI_PICO") / "firmware.bin"


@contextmanager
def _serving(image: Path, application: str, folder: Path) -> Iterator[Network]:
    """Serve an application on a new board; give the network that it is on."""
    source = folder / application
    shutil.copytree(ROOT / "examples" / application, source, ignore=shutil.ignore_patterns("__pycache__"))
    program = folder / "program.py"
    program.write_text(_PROGRAM)
    with pico.started(image) as board, linked(board) as network:
        board.mpremote("cp", "--recursive", *map(str, source.iterdir()), ":")
        board.mpremote("run", "--no-follow", str(program))
        network.wait_until_served()
        yield network


@contextmanager
def _browser(chromium: BrowserType, network: Network, folder: Path, flags: list[str]) -> Iterator[Browser]:
    """Start Chromium on the board's network."""
    starter = folder / "chromium"
    starter.write_text(f'#!/bin/sh\nexec {shlex.join(network.command(flags[0]))} "$@"\n')
    starter.chmod(0o755)
    browser = chromium.launch(executable_path=starter, args=flags[1:])
    yield browser
    browser.close()


@contextmanager
def _pages(image: Path, application: str, folder: Path, flags: list[str]) -> Iterator[tuple[Page, Page]]:
    """Open an application's page on two phones."""
    with (
        sync_playwright() as playwright,
        _serving(image, application, folder) as network,
        _browser(playwright.chromium, network, folder, flags) as browser,
    ):
        visitors = Visitor(browser), Visitor(browser)
        ann, bob = [visitor.page(f"http://{BOARD}/") for visitor in visitors]
        yield ann, bob
        for visitor in visitors:
            visitor.leave()


def test_the_dashboard(image: Path, tmp_path: Path, chromium: list[str]) -> None:
    with _pages(image, "dashboard", tmp_path, chromium) as pages:
        for page in pages:
            expect(page.locator("#link")).to_have_text("Connected")
            # The emulator has no analogue parts: its sensor says 0 V, which is hotter than the samples can tell.
            expect(page.locator("#value")).to_have_text("327.7")
            expect(page.locator("#state")).to_have_text("↑ Too warm")
        pages[0].wait_for_function("document.querySelector('.curve').getAttribute('d').split('L').length > 5")
        pages[0].get_by_label("Below").fill("-5")
        pages[0].get_by_role("button", name="Set").click()
        expect(pages[0].get_by_text("Alarm below -5 °C and above 30 °C.")).to_be_visible()
        expect(pages[1].get_by_label("Below")).to_have_value("-5")


def test_the_remote(image: Path, tmp_path: Path, chromium: list[str]) -> None:
    with _pages(image, "remote", tmp_path, chromium) as (ann, bob):
        for page in (ann, bob):
            expect(page.locator("#link")).to_have_text("Connected")
        for name in ("Lamp", "Relay"):
            ann.get_by_label(name).check()
            expect(bob.get_by_label(name)).to_be_checked()
        for name, most in (("Dimmer", "100"), ("Servo", "180")):
            bob.get_by_label(name).press("End")
            expect(ann.get_by_label(name)).to_have_value(most)
        ann.screenshot(path=PICTURES / "remote-on-a-pico.png")
