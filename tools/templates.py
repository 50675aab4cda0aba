"""Templates compiled on the host, under the names that `utemplate.compiled.Loader` looks for on a board."""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import paths
from .console import Failure

_GENERATED = b"# utemplate "


def is_generated(data: bytes) -> bool:
    """Tell whether a module is a template that a loader compiled on the host."""
    return data.startswith(_GENERATED)


def module_path(name: str) -> str:
    """Give the path of the module, without its suffix, that a template of this name is looked for at."""
    return name.replace(".", "_")


def to_python(folder: str, sources: Mapping[str, Path], autoescape: bool) -> dict[str, bytes]:
    """Compile the templates of a folder, by their names in it, to Python; raise Failure with file and line."""
    compiler = _compiler()
    if "." in folder.replace("/", ""):
        raise Failure(f"{folder}: a template folder with a dot in its name cannot be imported from: rename it")
    opened = _Opened(sources)
    return {name: _compiled(compiler, folder, name, opened, autoescape) for name in sources}


class _Opened:
    """Opens included templates, by the interface of utemplate's loaders."""

    def __init__(self, sources: Mapping[str, Path]) -> None:
        self._sources = sources

    def input_open(self, name: str) -> io.StringIO:
        if name not in self._sources:
            raise OSError(2, "no such template")
        return io.StringIO(self._sources[name].read_text(encoding="utf-8"))


def _compiled(compiler: Any, folder: str, name: str, opened: _Opened, autoescape: bool) -> bytes:
    output = io.StringIO()
    try:
        compiler.Compiler(opened.input_open(name), output, 0, 0, opened, name, autoescape).compile()
    except UnicodeDecodeError:
        raise Failure(f"{folder}/{name}: not in utf-8: a template is text; keep other files in another folder") from None
    except compiler.TemplateError as error:
        raise Failure(f"{folder}/{error}") from None
    return output.getvalue().encode()


def _compiler() -> Any:
    library = str(paths.SOURCES / "lib")
    if library not in sys.path:
        sys.path.append(library)
    try:
        return importlib.import_module("utemplate.source")
    except ImportError:
        raise Failure("templates: no compiler for them here: run the tools in a checkout of mdot") from None
