"""The framework for `mip`: a folder that any server of static files can offer, in the two forms that `mip` takes.

    mpremote mip install http://HOST/mip/                                        the core: package.json
    mpremote mip install http://HOST/mip/microdot-sse.json                       an extension, and all that it needs
    mpremote mip --index http://HOST/mip install microdot-sse microdot-session   by name, each file once

A description that is installed by its URL lists files by paths relative to itself.  `mip` knows no dependencies relative to a
URL, so it lists those of all packages needed.  An index has `package/BYTECODE/NAME/VERSION.json` with dependencies by name,
and files under the first eight digits of their SHA-256, by which `mip` sees what a board has already (MicroPython's
tools/mpremote/mpremote/mip.py; micropython-lib's tools/build.py describes the index).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from . import framework
from .framework import CORE, Package

_DIGITS = 8
_SOURCE, _BYTECODE = "py", str(framework.MPY.version)


def folder() -> dict[str, bytes]:
    """Make all files of the folder."""
    files: dict[str, bytes] = {}
    for package in framework.packages():
        modules = [module for part in framework.closure(package.name) for module in part.modules]
        files[f"{package.name}.json"] = _by_url({f"{module}.mpy": f"{module}.mpy" for module in modules})
        files.update({f"{module}.mpy": framework.compiled(module) for module in package.modules})
        files.update(_listed(_BYTECODE, package, {f"{module}.mpy": framework.compiled(module) for module in package.modules}))
        files.update(_listed(_SOURCE, package, {f"{module}.py": framework.source(module) for module in package.modules}))
    files["package.json"] = files[f"{CORE}.json"]
    for processor in framework.PROCESSORS:
        files.update(_native(processor))
    return files


def _native(processor: str) -> dict[str, bytes]:
    """Make the package that adds machine code to the core; a board of another processor would refuse its files."""
    code = {f"{module}.mpy": data for module, data in framework.native(processor).items()}
    package = Package(f"{CORE}-{processor}", (), (CORE,))
    plain = {f"{module}.mpy": f"{module}.mpy" for part in framework.closure(CORE) for module in part.modules}
    files = {f"{processor}/{path}": data for path, data in code.items()}
    files[f"{package.name}.json"] = _by_url({**plain, **{path: f"{processor}/{path}" for path in code}})
    return {**files, **_listed(_BYTECODE, package, code)}


def _by_url(urls: Mapping[str, str]) -> bytes:
    return _json({"version": framework.version(), "urls": sorted(urls.items())})


def _listed(kind: str, package: Package, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Make a package's entry in the index, and its files there."""
    version = framework.version()
    hashes = {path: hashlib.sha256(data).hexdigest()[:_DIGITS] for path, data in files.items()}
    needs = [(name, version) for name in package.needs]
    entry = _json({"v": 1, "version": version, "hashes": sorted(hashes.items()), "deps": needs})
    made = {f"file/{hashes[path][:2]}/{hashes[path]}": data for path, data in files.items()}
    return {**made, **{f"package/{kind}/{package.name}/{name}.json": entry for name in (version, "latest")}}


def _json(content: Mapping[str, str | int | Iterable[tuple[str, str]]]) -> bytes:
    return (json.dumps(content, indent=1) + "\n").encode()
