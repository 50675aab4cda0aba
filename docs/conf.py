"""How Sphinx makes HTML of these pages; `docs/build.py` runs it."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "lib")]

project = "mdot"
author = "the authors of mdot"
version = release = "0.1.0"
extensions = ["myst_parser", "sphinx.ext.autodoc"]

# Anchors of headings are those that GitHub makes, so that a link works in both.
myst_heading_anchors = 4
# Files of the repository are no pages: a link to one leads from build/docs/html back to the checkout.
myst_url_schemes = {
    "http": None,
    "https": None,
    "repository": {"url": os.path.relpath(ROOT, ROOT / "build/docs/html") + "/{{path}}"},
}

# The tables of docs/benchmarks.md are written by a program, under headings of one level.
suppress_warnings = ["myst.header"]

html_theme = "furo"
html_title = "mdot"
html_copy_source = html_show_sourcelink = False

autodoc_member_order = "bysource"
autodoc_typehints = "none"
# What a class overrides of `dict` does what that does.
autodoc_inherit_docstrings = False


def _mark_links_to_files(app: Sphinx, page: str, source: list[str]) -> None:
    source[0] = re.sub(r"\]\(\.\./", "](repository:", source[0])


def setup(app: Sphinx) -> None:
    app.connect("source-read", _mark_links_to_files)
