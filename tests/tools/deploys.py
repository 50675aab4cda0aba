"""What the tests of deploys have in common."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from app_folders import application
from bridge import Bridge, tree

from tools import deploying, device
from tools.deploying import Done, Options
from tools.known_boards import Target
from tools.plan import Rules

Files = Mapping[str, "str | bytes"]


def says(name: str) -> str:
    """Give a main.py that tells that it has been started, and with it the helper module of the same deploy."""
    return f"import helper\nprint('started', '{name}', helper.NAME)\n"


def app(folder: Path, name: str, files: Files | None = None) -> Path:
    """Write an application that says its name when it starts."""
    return application(folder, {"main.py": says(name), "helper.py": f"NAME = '{name}'\n", **(files or {})})


def deploy(board: Bridge, folder: Path, identity: str = "", dry_run: bool = False, yes: bool = False, **rules: object) -> Done:
    """Deploy an application in this process."""
    options = Options(Rules(**rules), dry_run=dry_run, yes=yes)  # type: ignore[arg-type]
    return deploying.deployed(folder, Target(board.port, identity), options)


def run(board: Bridge, program: str) -> str:
    """Run a program on a board, and start it again."""
    with device.connected(board.port) as connected:
        said = connected.run(program)
        connected.restart()
        return said


def put(board: Bridge, files: Mapping[str, str]) -> None:
    """Write files on a board behind the tools' back."""
    lines = ["import os"]
    for path, text in files.items():
        for end in (at for at, letter in enumerate(path) if letter == "/" and at):
            lines.append(f"try: os.mkdir({path[:end]!r})\nexcept OSError: pass")
        lines.append(f"with open({path!r}, 'w') as file: file.write({text!r})")
    run(board, "\n".join(lines))


def lying(board: Bridge) -> dict[str, bytes]:
    """Switch a board off and read what lies on it, but for what is the deploy's own."""
    board.power_off()
    return {path: content for path, content in tree(board.flash).items() if not path.startswith("/.mdot/")}


def built(done: Done) -> dict[str, bytes]:
    """Read what a deploy should have brought."""
    return {file.path: done.build.local(file).read_bytes() for file in done.build.files}
