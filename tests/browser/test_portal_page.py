"""The portal's page in a real browser, on a phone: the radio behind it is a fake, the portal is not."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from .stage import FIRMWARE, ROOT, free_port, wait_for
from .visitor import PATIENCE, Visitor

expect.set_options(timeout=PATIENCE)


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[str]:
    """Open the portal of a board that knows no network; give its URL."""
    (tmp_path / "config.json").write_text('{"portal": {}}')
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        names = probe.getsockname()[1]
    port = free_port()
    command = [FIRMWARE, ROOT / "tests/host/portal_board.py", tmp_path, port, names]
    environment = {**os.environ, "MICROPYPATH": f".frozen:{ROOT / 'tests/portable'}"}
    process = subprocess.Popen(list(map(str, command)), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with process:
        try:
            assert wait_for(process, port), process.communicate()[0]
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.kill()


def test_it_takes_a_network_after_a_mistake(portal: str, visitor: Visitor) -> None:
    page = visitor.page(portal)
    expect(page.get_by_role("heading")).to_have_text("Connect this device")
    visitor.look(page, "portal")
    network = page.get_by_label("Wi-Fi network")
    expect(network.get_by_role("option")).to_have_text(["<b>&'\"", "cafe", "home", "late", "Another one, named below"])
    network.select_option("home")
    page.get_by_label("Password").fill("wrong password")
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("alert")).to_have_text("No connection to home: wrong password.")
    visitor.look(page, "portal-problem")
    expect(network).to_have_value("home")
    page.get_by_label("Password").fill("pa55 & w0rd")
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("status")).to_contain_text("Connected to home as 192.168.1.7.")
    visitor.look(page, "portal-done")


def test_a_name_that_is_not_in_the_list_may_be_typed(portal: str, visitor: Visitor) -> None:
    page = visitor.page(portal)
    page.get_by_label("Name, if it is not in the list").fill("nobody")
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("alert")).to_have_text("No connection to nobody: not in reach.")
