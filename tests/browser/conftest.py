"""Fixtures of the browser tests: Chromium, visitors with profiles of their own, applications on a stage."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from .stage import ROOT, Serve, Stage
from .visitor import Visit, Visitor

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Browsers trust loopback addresses; a board has a name or an address of its own, and is not trusted.
    "--host-resolver-rules=MAP board.test 127.0.0.1",
)


@pytest.fixture(scope="session")
def chromium() -> list[str]:
    """Give the path of Chromium and the flags to start it with."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no chromium: `apt-get install chromium`")
    return [path, *_FLAGS]


# Of a module, not of the session: Playwright's event loop would be in the way of tests that run their own.
@pytest.fixture(scope="module")
def browser(chromium: list[str]) -> Iterator[Browser]:
    """Start Chromium, without a window."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium[0], args=chromium[1:])
        yield started
        started.close()


@pytest.fixture(scope="session")
def firmware() -> None:
    """Build the unix firmware if it is not up to date with the checkout."""
    done = subprocess.run([sys.executable, "-m", "tools", "firmware"], cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def stage(firmware: None, tmp_path: Path) -> Iterator[Serve]:
    """Give a function that puts an application on stage, not started yet; at the end none may have failed in secret."""
    stages: list[Stage] = []

    def prepared(application: str, interpreter: str = "micropython") -> Stage:
        stages.append(Stage(application, tmp_path, interpreter))
        return stages[-1]

    yield prepared
    for each in stages:
        each.stop()
    printed = "".join(each.printed() for each in stages)
    assert "Traceback" not in printed, printed


@pytest.fixture
def serve(stage: Serve) -> Serve:
    """Give a function that serves an application."""

    def started(application: str, interpreter: str = "micropython", setup: str = "", options: str = "") -> Stage:
        return stage(application, interpreter).start(setup, options)

    return started


@pytest.fixture
def visit(browser: Browser, stage: Serve) -> Iterator[Visit]:
    """Give a function that makes a visitor, who leaves before the stage is cleared; nothing unexpected may have gone wrong."""
    visitors: list[Visitor] = []

    def visitor(**options: object) -> Visitor:
        visitors.append(Visitor(browser, **options))
        return visitors[-1]

    yield visitor
    for each in visitors:
        each.leave()


@pytest.fixture
def visitor(visit: Visit) -> Visitor:
    """Give a visitor with a new profile."""
    return visit()
