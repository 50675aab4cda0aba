"""examples/remote in real browsers: what one changes, the others show at once."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from .stage import Serve
from .visitor import PATIENCE, Visit, Visitor

expect.set_options(timeout=PATIENCE)
both = pytest.mark.parametrize("interpreter", ["micropython", "cpython"])

_TOKEN = "main.settings.TOKEN = 'sesame'"


def _connected(page: Page) -> Page:
    expect(page.locator("#link")).to_have_text("Connected, simulated outputs")
    return page


def _slide(page: Page, name: str, value: int) -> None:
    slider = page.get_by_label(name)
    slider.evaluate("(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }", value)


def test_it_looks_right(serve: Serve, visitor: Visitor) -> None:
    page = _connected(visitor.page(serve("remote").url))
    page.get_by_label("Lamp").check()
    _slide(page, "Dimmer", 40)
    visitor.look(page, "remote")


@both
def test_two_browsers_see_each_other_s_changes(serve: Serve, visit: Visit, interpreter: str) -> None:
    url = serve("remote", interpreter).url
    ann, bob = _connected(visit().page(url)), _connected(visit().page(url))
    ann.get_by_label("Lamp").check()
    expect(bob.get_by_label("Lamp")).to_be_checked()
    expect(bob.get_by_label("Relay")).not_to_be_checked()
    bob.get_by_label("Servo").focus()
    bob.get_by_label("Servo").press("End")
    expect(ann.get_by_label("Servo")).to_have_value("180")
    expect(ann.get_by_text("180°")).to_be_visible()
    bob.get_by_label("Lamp").uncheck()
    expect(ann.get_by_label("Lamp")).not_to_be_checked()
    late = _connected(visit().page(url))
    expect(late.get_by_label("Servo")).to_have_value("180")


def test_a_slider_that_moves_fast_ends_where_it_is_left(serve: Serve, visit: Visit) -> None:
    url = serve("remote").url
    ann, bob = _connected(visit().page(url)), _connected(visit().page(url))
    box = ann.get_by_label("Dimmer").bounding_box()
    assert box
    ann.mouse.move(box["x"] + 10, box["y"] + box["height"] / 2)
    ann.mouse.down()
    for _ in range(5):
        ann.mouse.move(box["x"] + box["width"] - 10, box["y"] + box["height"] / 2, steps=40)
        ann.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=40)
    ann.mouse.up()
    value = ann.get_by_label("Dimmer").input_value()
    assert 40 < int(value) < 60
    expect(bob.get_by_label("Dimmer")).to_have_value(value)
    expect(ann.get_by_label("Dimmer")).to_have_value(value)


@both
def test_it_connects_again_and_shows_what_the_board_says(stage: Serve, visitor: Visitor, interpreter: str) -> None:
    server = stage("remote", interpreter).start()
    visitor.allow("WebSocket connection to")
    page = _connected(visitor.page(server.url))
    page.get_by_label("Lamp").check()
    server.stop()
    expect(page.get_by_text("Connection lost, trying again …")).to_be_visible()
    expect(page.get_by_label("Lamp")).to_be_disabled()
    visitor.look(page, f"remote-lost-{interpreter}")
    server.start("main.outputs.change('dimmer', 70)")
    _connected(page)
    expect(page.get_by_label("Lamp")).not_to_be_checked()
    expect(page.get_by_label("Dimmer")).to_have_value("70")


def test_a_board_that_falls_silent_is_noticed(serve: Serve, visitor: Visitor) -> None:
    server = serve("remote")
    visitor.allow("WebSocket connection to")
    page = _connected(visitor.page(server.url))
    server.freeze()  # no packet says that it is gone, as when the power fails
    expect(page.get_by_text("Connection lost, trying again …")).to_be_visible()
    server.thaw()
    _connected(page)
    page.get_by_label("Lamp").check()


@both
def test_a_token_is_asked_for_and_remembered(serve: Serve, visitor: Visitor, interpreter: str) -> None:
    url = serve("remote", interpreter, setup=_TOKEN).url
    page = visitor.page(url)
    expect(page.get_by_label("Token")).to_be_focused()
    expect(page.get_by_label("Lamp")).to_have_count(0)
    visitor.look(page, "remote-token")
    page.get_by_label("Token").fill("guess")
    page.get_by_role("button", name="Enter").click()
    expect(page.get_by_label("Token")).to_be_hidden()
    expect(page.get_by_label("Token")).to_be_visible()
    page.get_by_label("Token").fill("sesame")
    page.get_by_label("Token").press("Enter")
    _connected(page).reload()
    _connected(page).get_by_label("Lamp").check()


def test_a_page_of_another_site_can_not_connect(serve: Serve, visit: Visit) -> None:
    remote, other = serve("remote"), serve("hello")
    stranger = visit()
    stranger.expect("WebSocket connection to .* 403")
    page = stranger.page(other.url)
    code = page.evaluate(
        "url => new Promise((done) => { new WebSocket(url).onclose = (event) => done(event.code); })",
        remote.url.replace("http", "ws") + "control",
    )
    assert code == 1006
    # The same page, by a name that browsers do not trust, as a board in the home has.
    _connected(visit().page(remote.url.replace("127.0.0.1", "board.test")))
