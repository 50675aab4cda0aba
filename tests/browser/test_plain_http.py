"""Pages at an address that browsers do not trust, as a board has without TLS: there they send no Sec-Fetch-Site."""

from __future__ import annotations

import pytest

from .stage import Serve
from .visitor import Visitor

both = pytest.mark.parametrize("interpreter", ["micropython", "cpython"])


@both
def test_csrf_lets_the_site_s_own_form_pass(serve: Serve, visitor: Visitor, interpreter: str) -> None:
    server = serve("csrf", interpreter)
    page = visitor.page(server.url.replace("127.0.0.1", "board.test"))
    assert not page.evaluate("isSecureContext")
    with page.expect_navigation():
        page.get_by_role("button", name="Switch").click()
    assert page.locator("h1").all_inner_texts() == ["The lamp is on"]


@both
def test_login(serve: Serve, visitor: Visitor, interpreter: str) -> None:
    page = visitor.page(serve("login", interpreter).url.replace("127.0.0.1", "board.test"))
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill("secret")
    with page.expect_navigation():
        page.get_by_role("button").click()
    assert page.locator("h1").all_inner_texts() == ["Hello, ann"]
