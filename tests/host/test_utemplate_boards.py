"""Templates that the host compiles to Python and to bytecode, and that the firmware only loads."""

from __future__ import annotations

import subprocess
from pathlib import Path

from utemplate.source import Loader

from tools import checkout, mpy_cross

PROGRAM = """
import sys
from microdot.utemplate import Template
from utemplate import compiled
Template.initialize(sys.argv[1], loader_class=compiled.Loader, autoescape=True)
print(Template("pages/index.html").render("<i>"))
print("utemplate.source" in sys.modules)
"""


def test_bytecode_alone(firmware: Path, tree: Path, tmp_path: Path) -> None:
    source, board = tmp_path / "source", tmp_path / "board"
    for folder in (source / "pages", board / "templates/pages"):
        folder.mkdir(parents=True)
    (source / "pages/index.html").write_text(
        "{% args name %}{% include 'row.html' %}<{{ name }}\\n>{% include {{ 'row.html' }} %}"
    )
    (source / "row.html").write_text("{{ 'é' }}")
    cross = mpy_cross.built(checkout.opened(tree, "unix", ()))
    loader = Loader(None, str(source), autoescape=True)
    for name in ("pages/index.html", "row.html"):
        python = tmp_path / "template.py"
        python.write_text(loader.compile(name), encoding="utf-8")
        bytecode = board / "templates" / (name.replace(".", "_") + ".mpy")
        subprocess.run([cross, "-o", bytecode, python], check=True, capture_output=True)
    (board / "main.py").write_text(PROGRAM)
    for directory in ("templates", str(board / "templates")):
        done = subprocess.run([firmware, "main.py", directory], cwd=board, capture_output=True, text=True)
        assert (done.stdout, done.stderr) == ("é<&lt;i&gt;\\n>é\nFalse\n", "")
