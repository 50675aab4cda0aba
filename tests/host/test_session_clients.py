"""Sessions and logins by clients that keep cookies as browsers do: http.cookiejar and requests."""

from __future__ import annotations

import urllib.parse
import urllib.request
from http.cookiejar import Cookie, CookieJar
from pathlib import Path

import jwt
import pytest
import requests
from forms_server import INTERPRETERS, start
from helpers import Start

KEY = "a key of the tests, and of nobody else"


@pytest.fixture(params=INTERPRETERS)
def url(request: pytest.FixtureRequest, serving: Start, firmware: Path, port: int, tmp_path: Path) -> str:
    return start(serving, request.param, firmware, port, tmp_path)


class Browser:
    """The standard library's client with its cookie jar."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.jar = CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.jar)
        )

    def get(self, path: str, **form: str) -> tuple[str, str]:
        """Return the path that redirects led to, and the text there; with a form it is posted."""
        data = urllib.parse.urlencode(form).encode() if form else None
        try:
            reply = self._opener.open(self.url + path, data, timeout=60)
        except urllib.error.HTTPError as error:
            reply = error
        with reply:
            return reply.url.removeprefix(self.url), reply.read().decode()

    def cookie(self, name: str) -> Cookie | None:
        return next((cookie for cookie in self.jar if cookie.name == name), None)


def test_session(url: str) -> None:
    browser = Browser(url)
    assert [browser.get("/visits")[1] for _ in range(3)] == ["1", "2", "3"]
    cookie = browser.cookie("session")
    assert cookie
    assert (cookie.path, cookie.expires, cookie.has_nonstandard_attr("HttpOnly")) == ("/", None, True)
    assert cookie.get_nonstandard_attr("SameSite") == "Lax"
    assert jwt.decode(cookie.value or "", KEY, algorithms=["HS256"]) == {"visits": 3}
    browser.get("/forget")
    assert browser.cookie("session") is None
    assert browser.get("/visits")[1] == "1"


def test_cookies_made_by_pyjwt_are_taken(url: str) -> None:
    seven = {"visits": 7}
    for payload, key, visits in ((seven, KEY, "8"), (seven, "x" * 32, "1"), ({**seven, "exp": 1}, KEY, "1")):
        cookies = {"session": jwt.encode(payload, key, algorithm="HS256")}
        assert requests.get(f"{url}/visits", cookies=cookies, timeout=60).text == visits


def test_malformed_cookies_start_anew(url: str) -> None:
    for value in ("", "x", "a.b.c", "W1tb." * 300, "=" * 100, "{}"):
        assert requests.get(f"{url}/visits", headers={"Cookie": f"session={value}"}, timeout=60).text == "1"


def test_login(url: str) -> None:
    browser = Browser(url)
    assert browser.get("/private?x=y")[0] == "/login?next=/private%3Fx%3Dy"  # and there a GET is not allowed
    assert browser.get("/login?next=/private%3Fx%3Dy", name="ann") == ("/private?x=y", "private ann")
    assert browser.get("/fresh") == ("/fresh", "fresh ann")
    browser.get("/logout", now="yes")
    assert browser.get("/private")[0] == "/login?next=/private"


def test_login_leads_to_no_other_server(url: str) -> None:
    for target in ("//example.com/", "/\\example.com/", "https://example.com/", "/\t/example.com", "\\\\example.com"):
        assert Browser(url).get("/login?next=" + urllib.parse.quote(target, safe=""), name="ann") == ("/", "index")


def test_remembered_login(url: str) -> None:
    browser = Browser(url)
    browser.get("/login", name="ann", remember="yes")
    cookie = browser.cookie("_remember")
    assert cookie
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "Lax"
    browser.jar.clear_session_cookies()  # as when a browser is closed
    assert [cookie.name for cookie in browser.jar] == ["_remember"]
    assert browser.get("/private") == ("/private", "private ann")
    assert browser.get("/fresh")[0] == "/login?next=/fresh"
    browser.get("/logout", now="yes")
    assert browser.cookie("_remember") is None


def test_login_of_a_session_alone_ends_with_it(url: str) -> None:
    browser = Browser(url)
    browser.get("/login", name="ann")
    browser.jar.clear_session_cookies()
    assert browser.get("/private")[0] == "/login?next=/private"
