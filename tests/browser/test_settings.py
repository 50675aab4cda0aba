"""examples/settings in a real browser: the password, the settings, and an update that is confirmed or taken back."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import pytest
from playwright.sync_api import Page, expect

from .stage import Serve, Stage
from .visitor import PATIENCE, Visit, Visitor

expect.set_options(timeout=PATIENCE)

_PASSWORD = "correct horse"
# What a board does before its main.py, and a confirmation that comes soon.
_GUARDED = """
import asyncio, onboard
from onboard import guard
guard.seconds = 2
guard.begin()
if {well}:
    guard.watch()
"""


def _enter(page: Page, password: str = _PASSWORD) -> Page:
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Enter").click()
    expect(page.get_by_role("heading", name="Status")).to_be_visible()
    return page


def _visited(visitor: Visitor, stage: Stage) -> Page:
    visitor.expect("401")  # by which the page learns that it has to ask
    return visitor.page(stage.url)


def _bundle(path: Path, content: bytes) -> Path:
    line = f"+ {hashlib.sha256(content).hexdigest()} {len(content)} /main.py\n"
    rest = f"newer {'b' * 64} 0 -\n{line}".encode()
    path.write_bytes(b"mdot-bundle 1 %06d\n" % (21 + len(rest)) + rest + content)
    return path


@contextmanager
def _restarting(stage: Stage, setup: str) -> Iterator[list[Popen[bytes]]]:
    """Start the application again each time that it ends, as a board does with a reset; give the processes that serve."""
    over = threading.Event()
    started: list[Popen[bytes]] = []

    def watch() -> None:
        while not over.is_set():
            if stage._process and stage._process.poll() is not None:
                process = stage.start(setup)._process
                assert process
                started.append(process)
            time.sleep(0.1)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield started
    finally:
        over.set()
        watcher.join()


def test_it_looks_right(serve: Serve, visitor: Visitor) -> None:
    stage = serve("settings")
    page = _visited(visitor, stage)
    expect(page.get_by_text("This device is new")).to_be_visible()
    visitor.look(page, "settings-new")
    _enter(page)
    page.get_by_label("Name", exact=True).fill("kitchen-sensor")
    page.get_by_label("Add a wireless network").fill("<b>Home & “Garden”</b>")
    page.get_by_label("Its password").fill("long enough")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    expect(page.get_by_text("<b>Home & “Garden”</b>")).to_be_visible()
    expect(page).to_have_title("kitchen-sensor")
    visitor.look(page, "settings")
    kept = json.loads((stage.folder / ".device/config.json").read_text())
    assert kept["networks"] == [{"ssid": "<b>Home & “Garden”</b>", "password": "long enough"}]
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("listitem")).to_have_count(0)
    assert "networks" not in json.loads((stage.folder / ".device/config.json").read_text())


def test_a_wrong_password_is_told_and_a_session_outlives_a_restart(stage: Serve, visit: Visit) -> None:
    server = stage("settings").start()
    owner, stranger = visit(), visit()
    page = _enter(_visited(owner, server))
    other = _visited(stranger, server)
    stranger.expect("403")
    other.get_by_label("Password", exact=True).fill("a good guess")
    other.get_by_role("button", name="Enter").click()
    expect(other.get_by_role("alert")).to_have_text("That is not the password.")
    stranger.look(other, "settings-wrong")
    page.get_by_label("Present password").fill(_PASSWORD)
    page.get_by_label("New password").fill("battery staple")
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_role("status")).to_have_text("The password is changed.")
    server.stop()
    server.start()
    page.reload()
    expect(page.get_by_role("heading", name="Status")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Password", exact=True)).to_be_visible()
    _enter(page, "battery staple")


def test_an_update_is_confirmed(stage: Serve, visitor: Visitor, tmp_path: Path) -> None:
    setup = _GUARDED.format(well=True)
    server = stage("settings").start(setup)
    visitor.allow("ERR_|failed: GET .*/status")
    page = _enter(_visited(visitor, server))
    with _restarting(server, setup):
        page.get_by_label("Bundle").set_input_files(_bundle(tmp_path / "new.bundle", b"print('new')\n" * 2000))
        page.get_by_role("button", name="Install").click()
        expect(page.get_by_text("The new application is confirmed.")).to_be_visible()
    expect(page.get_by_text("newer bbbbbbbb")).to_be_visible()
    visitor.look(page, "settings-updated")
    assert (server.folder / ".device/main.py").read_bytes() == b"print('new')\n" * 2000


def test_an_update_that_does_not_start_well_is_told(stage: Serve, visitor: Visitor, tmp_path: Path) -> None:
    setup = _GUARDED.format(well=False)
    server = stage("settings").start(setup)
    visitor.allow("ERR_|failed: GET .*/status")
    page = _enter(_visited(visitor, server))
    with _restarting(server, setup) as started:
        page.get_by_label("Bundle").set_input_files(_bundle(tmp_path / "new.bundle", b"1 / 0\n"))
        page.get_by_role("button", name="Install").click()
        expect(page.get_by_role("status")).to_contain_text("tries it")
        for number in range(3):
            # Once it is there again, its power fails before it is confirmed.
            while len(started) <= number:
                page.wait_for_timeout(100)
            started[number].kill()
        expect(page.get_by_role("alert")).to_contain_text("the one before is back")
    assert not (server.folder / ".device/main.py").exists()


@pytest.mark.parametrize(
    ("content", "complaint"), [(b"GIF89a" * 100, "not a bundle"), (b"mdot-bundle 1 999999\n", "list of files")]
)
def test_what_is_no_bundle_is_told(serve: Serve, visitor: Visitor, tmp_path: Path, content: bytes, complaint: str) -> None:
    page = _enter(_visited(visitor, serve("settings")))
    visitor.expect("/update")
    (tmp_path / "wrong.bundle").write_bytes(content)
    page.get_by_label("Bundle").set_input_files(tmp_path / "wrong.bundle")
    page.get_by_role("button", name="Install").click()
    expect(page.get_by_role("alert")).to_contain_text(complaint)
    visitor.look(page, "settings-refused")
