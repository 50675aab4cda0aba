"""What a deploy tells: a bar while it uploads, and then its outcome as text or as JSON."""

from __future__ import annotations

import json
import sys
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from .console import Failure
from .deploying import Done
from .transfer import Progress as Report

_SIGNS = {"add": "+", "replace": "~", "remove": "-", "keep": "="}


class Reporter:
    """Bars on stderr, one a board; without a terminal there are none."""

    def __init__(self) -> None:
        columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        self._bars = Progress(
            TextColumn("{task.description}"),
            *columns,
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )

    def __enter__(self) -> Reporter:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bars.stop()

    def bar(self, port: str) -> Report:
        """Give the function that moves a board's bar; the bar appears with the first call."""
        task = self._bars.add_task(port, visible=False)

        def moved(done: int, of: int) -> None:
            self._bars.update(task, completed=done, total=of, visible=True)

        return moved


def as_text(done: Done) -> str:
    """Write a deploy's outcome for a reader."""
    return "\n".join([*_plan(done), _summary(done), *_start(done)])


def _plan(done: Done) -> list[str]:
    lines = []
    if done.state.about.damage:
        lines.append(f"{done.target.port}: an interrupted deploy could not be carried on: {done.state.about.damage}")
    if done.state.app and done.state.app != done.build.app:
        lines.append(f"{done.target.port}: {done.build.app} takes the place of {done.state.app}")
    for change in done.plan.of(*_SIGNS):
        size = f"{change.size:8}" if change.what in ("add", "replace") else " " * 8
        lines.append(f"  {_SIGNS[change.what]} {size}  {change.path}" + (f"  ({change.note})" if change.note else ""))
    if done.dry:
        lines += [f"  ! {refusal}" for refusal in done.plan.refusals]
    return lines


def _summary(done: Done) -> str:
    counts = [(len(done.plan.of(what)), what) for what in ("add", "replace", "remove", "same")]
    text = ", ".join(f"{count} {what}" for count, what in counts if count) or "an empty application"
    head = f"{done.target.port}: {done.build.app}: {text}"
    if done.dry:
        free = done.state.about.free * done.state.about.block // 1024
        needs = max(0, done.plan.needed) // 1024
        return f"{head}; {done.plan.sent} bytes to send, {needs} KiB of {free} free needed; nothing was changed"
    if not done.plan.journal:
        return f"{head}; the board had it all"
    rate = done.plan.sent / 1024 / max(done.uploading, 0.001)
    return f"{head}; {done.plan.sent} bytes in {done.uploading:.1f} s ({rate:.1f} KiB/s), {done.exchanges} exchanges"


def _start(done: Done) -> list[str]:
    if done.dry:
        return []
    if done.failed:
        return [done.said.rstrip()]
    if done.said.endswith(">>> "):
        return [f"{done.target.port}: the application ran to its end; the board is at its prompt"]
    return [f"{done.target.port}: the application runs"]


def as_json(done: Done) -> str:
    """Write a deploy's outcome for a program."""
    about = done.state.about
    return json.dumps(
        {
            "port": done.target.port,
            "id": about.id,
            "app": done.build.app,
            "build": done.build.build,
            "dry_run": done.dry,
            "changes": [change._asdict() for change in done.plan.of(*_SIGNS)],
            "refusals": done.plan.refusals,
            "committed": bool(done.plan.journal) and not done.dry,
            "bytes": done.plan.sent,
            "exchanges": done.exchanges,
            "wire_bytes": done.sent,
            "uploading": round(done.uploading, 3),
            "seconds": round(done.seconds, 3),
            "failed": done.failed,
        }
    )


def failure_as_json(port: str, failure: Failure) -> str:
    """Write what went wrong with one board for a program."""
    return json.dumps({"port": port, "error": str(failure)})
