"""Which modules of a library import which, read from their source: also those that are imported late, by their names."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping

# What imports a module of the framework by a name in its arguments (microdot/helpers.py).
_BY_NAME = ("borrow", "fill", "load")
_FRAMEWORK = "microdot"


def imports(sources: Mapping[str, bytes]) -> dict[str, set[str]]:
    """Find, for each module by its dotted name, the others that it imports, and the top-level names of what is not there."""
    return {name: set(_imported(ast.parse(source), sources)) for name, source in sources.items()}


def reached(graph: Mapping[str, Collection[str]], roots: Collection[str], border: Collection[str]) -> tuple[set[str], set[str]]:
    """Follow imports from some modules up to those of a border; give what was passed, and what of the border was met."""
    passed, met, waiting = set[str](), set[str](), list(roots)
    while waiting:
        name = waiting.pop()
        if name in border and name not in roots:
            met.add(name)
        elif name not in passed:
            passed.add(name)
            waiting += graph.get(name, ())
    return passed, met


def _imported(tree: ast.Module, known: Collection[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield _known(alias.name, known)
        elif isinstance(node, ast.ImportFrom):
            # What is imported from a package may be a module.
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in known else _known(node.module or "", known) for name in names)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _BY_NAME:
            words = [word.value for argument in node.args for word in ast.walk(argument) if isinstance(word, ast.Constant)]
            names = [f"{_FRAMEWORK}.{word}" for word in words if isinstance(word, str)]
            yield from (name for name in names if name in known)


def _known(name: str, known: Collection[str]) -> str:
    return name if name in known else name.partition(".")[0]
