"""The framework for boards that do not have it in their firmware: its modules, compiled, in packages that need one another.

What belongs together is read from the modules themselves: the core is what `import microdot` may ever import, an extension
is a module with a stub of its own outside of it, and a package needs those whose modules its own import.  Modules that need
`onboard` are left out, since only our firmware has it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from . import bytecode, import_graph, paths
from .bytecode import Mpy
from .console import Failure

CORE = "microdot"
MPY = Mpy(6, 3)
"""What all files but those of `PROCESSORS` need."""
PROCESSORS = ("armv6m", "x64")
"""Those that the machine code is tested on; Cortex-M cores of more recent kinds run armv6m's."""
_OPTIMIZE = 1  # as in manifest.py
_OURS_ALONE = "onboard"


class Package(NamedTuple):
    """Modules that are installed together."""

    name: str
    modules: tuple[str, ...]
    """Their paths on the board without a suffix, as in `microdot/app`."""
    needs: tuple[str, ...]


def version() -> str:
    """Tell the framework's version."""
    found = re.search(r'^__version__ = "(.+)"', (paths.ROOT / "lib/microdot/__init__.py").read_text(), re.MULTILINE)
    if not found:
        raise Failure("lib/microdot/__init__.py: no __version__ there: restore it")
    return found[1]


@cache
def packages() -> tuple[Package, ...]:
    """Divide the portable modules into packages, sorted by name."""
    sources = _sources()
    graph = import_graph.imports(sources)
    roots = _roots(sources, graph)
    places = {name: _path(name) for name in sources}
    found = {
        name: _package(name, graph, roots, places)
        for name in roots
        if _OURS_ALONE not in import_graph.reached(graph, roots[name], ())[0]
    }
    return tuple(_without_repetition(found[name], found) for name in sorted(found))


def closure(name: str) -> list[Package]:
    """List a package and all that it needs, those that are needed first."""
    known = {package.name: package for package in packages()}
    found: dict[str, Package] = {}

    def add(wanted: str) -> None:
        for needed in known[wanted].needs:
            if needed not in found:
                add(needed)
        found[wanted] = known[wanted]

    add(name)
    return list(found.values())


def source(module: str) -> bytes:
    """Read a module by its path on the board without a suffix."""
    return _file(module).read_bytes()


@cache
def compiled(module: str) -> bytes:
    """Compile a portable module."""
    return bytecode.compiled(source(module), module + ".py", MPY, _OPTIMIZE)


def native(processor: str) -> dict[str, bytes]:
    """Compile the modules of machine code, which the others do without where they are missing; by their paths."""
    modules = [f"{CORE}/{name[:-3]}" for name in sorted(_named_in_manifest("_NATIVE"))]
    mpy = MPY._replace(arch=processor)
    return {module: bytecode.compiled(source(module), module + ".py", mpy, _OPTIMIZE) for module in modules}


def _named_in_manifest(name: str) -> set[str]:
    """Read a set of file names from manifest.py, which only MicroPython's build can run."""
    for node in ast.parse((paths.ROOT / "manifest.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            return set(ast.literal_eval(node.value))
    raise Failure(f"manifest.py: no {name} there: restore it")


def _file(module: str) -> Path:
    folder = paths.ROOT / "lib" if "/" in module else paths.ROOT / "lib/shims"
    return folder / f"{module}.py"


def _path(name: str) -> str:
    """Give the path of a module by its dotted name."""
    path = name.replace(".", "/")
    return f"{path}/__init__" if (paths.ROOT / "lib" / path).is_dir() else path


def _sources() -> dict[str, bytes]:
    left_out = _named_in_manifest("_HOST_ONLY") | _named_in_manifest("_NATIVE")
    found = [path for path in (paths.ROOT / "lib/microdot").glob("*.py") if path.name not in left_out]
    found += (paths.ROOT / "lib/utemplate").glob("*.py")
    sources = {f"{path.parent.name}.{path.stem}".removesuffix(".__init__"): path.read_bytes() for path in sorted(found)}
    sources.update((path.stem, path.read_bytes()) for path in sorted((paths.ROOT / "lib/shims").glob("*.py")))
    return sources


def _roots(sources: Mapping[str, bytes], graph: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    """Name the packages, and for each the modules that others may import."""
    core, _ = import_graph.reached(graph, {CORE, f"{CORE}.microdot"}, ())
    roots = {CORE: core & sources.keys(), "utemplate": {name for name in sources if name.partition(".")[0] == "utemplate"}}
    for name in sources.keys() - roots[CORE] - roots["utemplate"]:
        top, _, last = name.partition(".")
        if top != CORE:
            roots[name] = {name}
        elif (paths.ROOT / f"lib/{top}/{last}.pyi").exists():
            roots[f"{CORE}-{last.replace('_', '-')}"] = {name}
    return roots


def _package(
    name: str, graph: Mapping[str, Collection[str]], roots: Mapping[str, set[str]], places: Mapping[str, str]
) -> Package:
    owners = {module: owner for owner, modules in roots.items() for module in modules}
    passed, met = import_graph.reached(graph, roots[name], owners.keys())
    modules = tuple(sorted(places[module] for module in passed if module in places))
    needs = {owners[module] for module in met} | _parents(passed, owners)
    return Package(name, modules, tuple(sorted(needs - {name})))


def _parents(modules: Collection[str], owners: Mapping[str, str]) -> set[str]:
    # Importing a module imports the package around it.
    return {owners[module.partition(".")[0]] for module in modules if "." in module}


def _without_repetition(package: Package, known: Mapping[str, Package]) -> Package:
    """Leave a module to the package that is needed anyway, where several have it."""
    theirs = {module for name in package.needs for module in known[name].modules}
    return package._replace(modules=tuple(module for module in package.modules if module not in theirs))
