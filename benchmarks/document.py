"""A document whose tables are written by a run: between two markers. What stands around them is its author's."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import BenchmarkError
from .report import Table

BEGIN = "<!-- Figures: `make bench` writes what follows. -->"
END = "<!-- End of the figures. -->"


@dataclass(frozen=True)
class Document:
    """What stands before, between and after the markers of a file."""

    path: Path
    before: str
    figures: str
    after: str

    def write(self, heading: str, tables: Sequence[Table], whole: bool) -> list[str]:
        """Put the tables in; returns the titles of those that keep the figures they had.

        A table that is not complete keeps its last figures. Tables that were not measured go if the run was a `whole` one,
        and stay, with the heading that tells what was measured, if it was not.
        """
        last_heading, last = self._sections()
        kept = [table.title for table in tables if table.missing and table.title in last]
        measured = {table.title: last[table.title] if table.title in kept else str(table) for table in tables}
        sections = measured if whole else {**last, **measured}
        head = heading if whole or not last_heading else last_heading
        figures = "\n\n".join([BEGIN, head, *sections.values(), END])
        self.path.write_text(self.before + figures + self.after, encoding="utf-8")
        return kept

    def _sections(self) -> tuple[str, dict[str, str]]:
        """The heading, and each table with its notes by its title."""
        heading, *sections = re.split(r"^(?=## )", self.figures, flags=re.MULTILINE)
        return heading.strip(), {text.partition("\n")[0][3:].strip(): text.strip() for text in sections}


def document(path: Path) -> Document:
    """Read a document; fails before anything is measured if the figures could not be written into it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise BenchmarkError(f"{path}: not read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}") from error
    before, begin, rest = text.partition(BEGIN)
    figures, end, after = rest.partition(END)
    if not begin or not end:
        raise BenchmarkError(f"{path}: has no place for figures: put `{BEGIN}` and `{END}` there")
    if not os.access(path, os.W_OK):
        raise BenchmarkError(f"{path}: --document cannot be written there")
    return Document(path, before, figures, after)
