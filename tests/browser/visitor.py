"""A person with a browser: opens pages, keeps what went wrong in them, looks at them on a phone and on a desk."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Callable

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response

from .stage import ROOT

PICTURES = ROOT / "build/browser"
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
PATIENCE = 60_000  # milliseconds for anything to happen on a busy machine
LOOK = (Path(__file__).parent / "look.js").read_text()


class Visitor:
    """One browser profile: cookies and storage of its own. `problems` has what no page should ever cause."""

    def __init__(self, browser: Browser, **options: object) -> None:
        self.context: BrowserContext = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, **options)  # type: ignore[arg-type]
        self.context.set_default_timeout(PATIENCE)
        self.problems: list[str] = []
        self._expected: list[str] = []
        self._allowed: list[str] = []

    def page(self, url: str) -> Page:
        """Open a page in a new tab; wait until it is loaded."""
        page = self.context.new_page()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)
        page.goto(url)
        return page

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"console: {message.text} {message.location.get('url', '')}")

    def _failed(self, request: Request) -> None:
        self.problems.append(f"failed: {request.method} {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.problems.append(f"status: {response.status} {response.request.method} {response.url}")

    def expect(self, *patterns: str) -> None:
        """Say which problems belong to the test: each pattern must match one or more, and no other may be left."""
        self._expected.extend(patterns)

    def allow(self, *patterns: str) -> None:
        """Say which problems may come of what the test does, depending on who is faster."""
        self._allowed.extend(patterns)

    def leave(self) -> None:
        """Close the browser's windows, and judge what went wrong in them."""
        problems = list(self.problems)
        self.context.close()
        for pattern in self._expected:
            assert any(re.search(pattern, problem) for problem in problems), f"{pattern} did not happen: {problems}"
        known = self._expected + self._allowed
        unexpected = [text for text in problems if not any(re.search(pattern, text) for pattern in known)]
        assert not unexpected, "\n".join(unexpected)

    def look(self, page: Page, name: str) -> None:
        """Judge a page as a phone shows it, and keep pictures of it on a phone and on a desk, in light and in dark."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(PHONE)  # type: ignore[arg-type]
            complaints = page.evaluate(LOOK)
            page.screenshot(path=PICTURES / f"{name}-phone-{scheme}.png", full_page=True)
            assert not complaints, f"{name}, {scheme}: {json.dumps(complaints, indent=1)}"
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(DESK)  # type: ignore[arg-type]
        page.screenshot(path=PICTURES / f"{name}-desk.png")
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]


Visit = Callable[..., Visitor]
