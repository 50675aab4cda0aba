"""examples/dashboard in a real browser: the chart moves, alarms are told, and a board that was away is noticed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from .stage import Serve
from .visitor import PATIENCE, Visit, Visitor

expect.set_options(timeout=PATIENCE)
both = pytest.mark.parametrize("interpreter", ["micropython", "cpython"])

# A sensor that rises by a tenth with each sample, many of them, so that a test need not wait for minutes.
_RISING = """
main.PERIOD = 0.02
degrees = [20]
def read():
    degrees[0] += 0.1
    return degrees[0]
main.sensor.read = read
"""
# A sensor at rest, behind minutes of history.
_RESTING = """
import math
for n in range(280):
    main.record(22 + 3 * math.sin(n / 40) + 0.4 * math.sin(n / 3))
main.sensor.read = lambda: 24.5
"""


def _set_limits(page: Page, low: str, high: str) -> None:
    page.get_by_label("Below").fill(low)
    page.get_by_label("Above").fill(high)
    page.get_by_role("button", name="Set").click()


@both
def test_it_shows_what_is_measured(serve: Serve, visitor: Visitor, interpreter: str) -> None:
    page = visitor.page(serve("dashboard", interpreter, setup=_RESTING).url)
    expect(page.locator("#value")).to_have_text("24.5")
    expect(page.locator("#state")).to_have_text("✓ Normal")
    expect(page.locator("#link")).to_have_text("Connected, simulated sensor")
    expect(page.locator("#lowest")).to_have_text(re.compile(r"18\.\d °C"))
    expect(page.locator("#highest")).to_have_text(re.compile(r"25\.\d °C"))
    expect(page).to_have_title("24.5 °C")
    expect(page.get_by_role("img")).to_have_accessible_name(re.compile("now 24.5 °C"))
    visitor.look(page, "dashboard")


def test_the_chart_has_all_samples_and_moves(serve: Serve, visitor: Visitor) -> None:
    page = visitor.page(serve("dashboard", setup=_RISING).url)
    points = "document.querySelector('.curve')?.getAttribute('d').split('L').length"
    page.wait_for_function(f"{points} >= 20")
    page.wait_for_function(f"{points} == 300")
    first = page.locator(".curve").get_attribute("d")
    page.wait_for_function("first => document.querySelector('.curve').getAttribute('d') != first", arg=first)
    # Each sample is a tenth above the one before, here as on the board: none is missing, none is there twice.
    assert page.evaluate("+(parseFloat(highest.textContent) - parseFloat(lowest.textContent)).toFixed(1)") == 29.9


def test_a_finger_on_the_chart_reads_a_value(serve: Serve, visitor: Visitor) -> None:
    page = visitor.page(serve("dashboard", setup=_RESTING).url)
    expect(page.locator("#value")).to_have_text("24.5")
    page.locator("#chart").hover(position={"x": 120, "y": 100})
    expect(page.locator("#chart .said")).to_have_text(re.compile(r"^\d\d\.\d °C, [\d.]+ min ago$"))
    visitor.look(page, "dashboard-finger")


def test_limits_are_the_same_for_all_pages_and_raise_an_alarm(serve: Serve, visit: Visit) -> None:
    url = serve("dashboard", setup=_RESTING).url
    ann, bob = visit(), visit()
    ann_page, bob_page = ann.page(url), bob.page(url)
    expect(ann_page.locator("#value")).to_have_text("24.5")
    _set_limits(ann_page, "16", "23")
    expect(ann_page.get_by_text("Alarm below 16 °C and above 23 °C.")).to_be_visible()
    for page in (ann_page, bob_page):
        expect(page.locator("#state")).to_have_text("↑ Too warm")
        expect(page).to_have_title("⚠ 24.5 °C")
        expect(page.get_by_label("Above")).to_have_value("23")
    ann.look(ann_page, "dashboard-alarm")
    _set_limits(bob_page, "26", "30")
    expect(ann_page.locator("#state")).to_have_text("↓ Too cold")


def test_limits_that_can_not_be_are_refused(serve: Serve, visitor: Visitor) -> None:
    visitor.expect("status: 400 PUT .*/limits", "console: .* 400 .*/limits")
    page = visitor.page(serve("dashboard", setup=_RESTING).url)
    expect(page.locator("#value")).to_have_text("24.5")
    _set_limits(page, "23", "22")
    expect(page.get_by_text("Not set: the upper limit must be at least 1 degree above the lower one.")).to_be_visible()


def test_limits_outlive_a_restart(stage: Serve, visitor: Visitor) -> None:
    server = stage("dashboard").start(_RESTING)
    visitor.allow("ERR_|failed: GET .*/events")
    page = visitor.page(server.url)
    expect(page.locator("#value")).to_have_text("24.5")
    _set_limits(page, "-3.5", "22")
    expect(page.locator("#state")).to_have_text("↑ Too warm")
    server.stop()
    server.start(_RESTING)
    page.reload()
    expect(page.get_by_label("Below")).to_have_value("-3.5")
    expect(page.locator("#state")).to_have_text("↑ Too warm")


@both
def test_a_board_that_restarts_is_noticed(stage: Serve, visitor: Visitor, interpreter: str) -> None:
    server = stage("dashboard", interpreter).start(_RESTING)
    visitor.allow("ERR_|failed: GET .*/events")
    page = visitor.page(server.url)
    expect(page.locator("#value")).to_have_text("24.5")
    server.stop()
    expect(page.get_by_text("Connection lost, trying again …")).to_be_visible()
    visitor.look(page, f"dashboard-lost-{interpreter}")
    server.start("main.sensor.read = lambda: 19")
    expect(page.get_by_text("The board restarted; back since")).to_be_visible()
    expect(page.locator("#value")).to_have_text("19.0")
    expect(page.locator("#highest")).to_have_text("19.0 °C")


def test_a_board_that_falls_silent_is_noticed(serve: Serve, visitor: Visitor) -> None:
    server = serve("dashboard", setup=_RESTING)
    visitor.allow("ERR_|failed: GET .*/events")
    page = visitor.page(server.url)
    expect(page.locator("#value")).to_have_text("24.5")
    server.freeze()  # no packet says that it is gone, as when the power fails
    expect(page.get_by_text("Connection lost, trying again …")).to_be_visible()
    server.thaw()
    expect(page.get_by_text("Connected, simulated sensor")).to_be_visible()
    expect(page.locator("#log")).to_have_text("")  # the same board: nothing was lost
