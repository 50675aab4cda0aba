"""The pages of the documentation as the tests read them: their blocks of code, their links and headings.

What a block is, its info string says:

    python              a complete program, served by CPython and by the firmware
    python cpython      the same, for CPython alone
    python asgi         an application for ASGI servers
    python board        for boards alone, whose modules are not on this machine
    python fragment     runs after `PREPARED`
    python NAME.py      a file beside the program, as are `html templates/index.html` and the like
    console             commands after `$ ` and what they print, run while the program above is served
    sh                  commands that are checked but not run, as in indented blocks
    text                neither
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from helpers import ROOT
from markdown_it import MarkdownIt
from markdown_it.token import Token

PAGES = [*sorted((ROOT / "docs").glob("*.md")), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "tests/README.md"))]
NAMES = [path.relative_to(ROOT).as_posix() for path in PAGES]

# What the fragments of the pages may take for granted.
PREPARED = """\
import asyncio
import os

from microdot import Microdot, Request, Response, URLPattern, abort, redirect, send_file

app = Microdot()
"""
KINDS = ("", "cpython", "asgi", "board", "fragment")


@dataclass(frozen=True)
class Block:
    """A block of code: `kind` is the second word of its info string, or the name of a file."""

    language: str
    kind: str
    text: str
    line: int

    @property
    def is_program(self) -> bool:
        return self.language == "python" and self.kind in ("", "cpython", "asgi")

    @property
    def is_file(self) -> bool:
        return "." in self.kind


@cache
def tokens(name: str) -> list[Token]:
    """Parse a page, as GitHub and MyST both would."""
    return MarkdownIt("commonmark").enable("table").parse((ROOT / name).read_text(encoding="utf-8"))


def blocks(name: str) -> list[Block]:
    """Return a page's fenced blocks; an indented one has no language."""
    return list(_blocks(name))


def _blocks(name: str) -> Iterator[Block]:
    for token in tokens(name):
        if token.type in ("fence", "code_block"):
            language, _, kind = token.info.strip().partition(" ")
            yield Block(language, kind, token.content, (token.map or [0])[0] + 1)


def inline(name: str, kind: str) -> Iterator[Token]:
    """Give the parts of a page's text that are of one kind, `link_open` or `code_inline`."""
    for token in tokens(name):
        for child in token.children or ():
            if child.type == kind:
                yield child


def anchors(name: str) -> set[str]:
    """Return the anchors that GitHub gives to a page's headings."""
    found: dict[str, int] = {}
    made = set()
    page = tokens(name)
    for at, token in enumerate(page):
        if token.type == "heading_open":
            text = "".join(child.content for child in page[at + 1].children or ())
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            count = found.get(slug, 0)
            found[slug] = count + 1
            made.add(f"{slug}-{count}" if count else slug)
    return made


def commands(name: str) -> Iterator[tuple[int, str]]:
    """Give the lines of a page that a user may type into a shell, with their line numbers; continued lines are joined."""
    for block in blocks(name):
        if block.language in ("", "sh", "console"):
            text = block.text.replace("\\\n", " ")
            for number, line in enumerate(text.splitlines()):
                if block.language != "console" or line.startswith("$ "):
                    # What stands far behind a command is about it.
                    yield block.line + number, re.split(r" {3,}", line.removeprefix("$ ").strip())[0]
    # The architecture is a contract too, and names what is still to be made.
    for code in inline(name, "code_inline") if name != "docs/architecture.md" else ():
        yield 0, code.content


def files(pattern: str) -> list[Path]:
    """Return what the repository has for a path or a pattern of paths."""
    return list(ROOT.glob(pattern.rstrip("/")))
