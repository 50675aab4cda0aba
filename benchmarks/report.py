"""Tables of figures, each with its goal beside it, as Markdown that reads well in a terminal too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from .errors import Unavailable
from .goals import GOALS, Goal


@dataclass(frozen=True)
class Row:
    """Figures side by side; `figure` is the one that the goal of the same key judges."""

    key: str
    name: str
    cells: tuple[str, ...]
    figure: float | None = None

    @property
    def goal(self) -> Goal | None:
        return GOALS.get(self.key) if self.figure is not None else None

    @property
    def met(self) -> bool:
        return self.goal is None or self.figure is None or self.goal.met(self.figure)

    def texts(self) -> list[str]:
        judgement = [str(self.goal), "met" if self.met else "missed"] if self.goal else ["", ""]
        return [self.name, *self.cells, *judgement]


@dataclass
class Table:
    title: str
    columns: list[str]
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)  # why rows or columns are not there

    def add(self, group: str, name: str, cells: Iterable[str], figure: float | None = None, label: str = "") -> None:
        """Append a row; the goal for its figure is the one under `group: name`, and the label is the name if there is none."""
        self.rows.append(Row(f"{group}: {name}", label or name, tuple(cells), figure))

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Turn what is not available into a line below the table: rows of it are missing, and it says why."""
        try:
            yield
        except Unavailable as reason:
            self.missing.append(str(reason))

    def __str__(self) -> str:
        header = ["", *self.columns, "goal", "verdict"]
        lines = _aligned([header, *(row.texts() for row in self.rows)]) if self.rows else []
        missing = [f"Not all was measured: {reason}." for reason in self.missing]
        return "\n\n".join(["## " + self.title, *(["\n".join(lines)] if lines else []), *self.notes, *missing])


def summary(tables: Sequence[Table]) -> str:
    """How many goals were met, and by name those that were missed or not measured."""
    judged = {row.key: row.met for table in tables for row in table.rows if row.goal}
    missed = [key for key, met in judged.items() if not met]
    absent = [key for key in GOALS if key not in judged]
    met = len(judged) - len(missed)
    lines = [f"{len(GOALS)} goals: {met} met, {len(missed)} missed, {len(absent)} not measured"]
    lines += [f"- missed: {key}" for key in missed]
    lines += ["- not measured: " + "; ".join(absent)] if absent else []
    return "\n".join(lines)


def lost(tables: Sequence[Table]) -> list[str]:
    """The held goals that were missed, or that were not even measured."""
    met = {row.key for table in tables for row in table.rows if row.goal and row.met}
    return [key for key, goal in GOALS.items() if goal.held and key not in met]


def number(value: float | None) -> str:
    """A count or a number of microseconds, with as many digits as mean something."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def ratio(value: float | None) -> str:
    return "-" if value is None else f"x{value:.2f}"


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(line[n]) for line in lines) for n in range(len(lines[0]))]
    rule = ["-" * width for width in widths]
    return [
        "| " + " | ".join(text.ljust(width) for text, width in zip(line, widths)) + " |"
        for line in (lines[0], rule, *lines[1:])
    ]
