"""Find the verb, do it, and turn what can go wrong into one line on stderr."""

from __future__ import annotations

import argparse
import ast
import errno
import importlib
import signal
import sys
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from . import environment, paths
from .console import Failure, Misuse

_PROGRAM = "mdot" if __package__ == "mdot" else "python3 -m tools"
# Those that need the standard library alone, and those that run in .venv.
_PLAIN = ("clean", "environment", "fetch", "firmware", "run", "types")
_PACKAGED = (
    *("build", "cert", "deploy", "devices", "dist", "doctor", "flash", "image"),
    *("monitor", "ota", "rescue", "rollback", "romfs", "test", "watch", "wifi"),
)
# Those that make something of the checkout itself, which the installed tools do not have.
_IN_A_CHECKOUT = ("clean", "dist", "environment", "firmware", "types")
_NEXT_STEPS = {
    errno.ENOSPC: "free some room",
    errno.EDQUOT: "free some room",
    errno.EACCES: "change its owner or mode",
    errno.EPERM: "change its owner or mode",
    errno.EROFS: "choose a folder that can be written",
    errno.ENOENT: "check the path",
    errno.EISDIR: "give a file",
    errno.ENOTDIR: "give a folder",
    errno.EEXIST: "give a folder, or another path",
}
# What another place for the cache would help against, when it is the cache that has it.
_OF_A_PLACE = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)


class _Parser(argparse.ArgumentParser):
    """Tells what is wrong in one line, without the usage in front of it."""

    def error(self, message: str) -> NoReturn:
        raise Misuse(f"{message}: `{self.prog} --help` tells what there is")


def _overview() -> argparse.ArgumentParser:
    parser = _Parser(prog=_PROGRAM)
    verbs = parser.add_subparsers(metavar="VERB")
    for verb in sorted(_PLAIN + _PACKAGED):
        verbs.add_parser(verb, help=_description(verb).splitlines()[0])
    return parser


def _parser(verb: str) -> argparse.ArgumentParser:
    module = _module(verb)
    parser = _Parser(prog=f"{_PROGRAM} {verb}", description=_description(verb), formatter_class=argparse.RawTextHelpFormatter)
    parser.set_defaults(do=module.do)
    if hasattr(module, "add_arguments"):
        module.add_arguments(parser)
    return parser


def _module(verb: str) -> ModuleType:
    try:
        return importlib.import_module(f".{verb}", __package__)
    except ImportError as error:
        if (error.name or "").partition(".")[0] == __package__:
            raise
        step = "install mdot-tools anew, with what it needs" if paths.INSTALLED else "remove .venv and try again"
        raise Failure(f"{error}: {step}") from None


def _description(verb: str) -> str:
    """Read a verb's docstring without importing it: its packages may be missing, and take their time."""
    source = (Path(__file__).parent / f"{verb}.py").read_text(encoding="utf-8")
    return ast.get_docstring(ast.parse(source)) or ""


def _in_a_line(error: OSError) -> str:
    reason = (error.strerror or str(error)).lower()
    step = _NEXT_STEPS.get(error.errno or 0)
    if step and error.errno in _OF_A_PLACE and _may_be_of_the_cache(error.filename):
        step += ", or set MDOT_CACHE to another folder"
    parts = (error.filename, reason, step)
    return ": ".join(str(part) for part in parts if part)


def _may_be_of_the_cache(name: object) -> bool:
    # A write that finds no room tells no name.
    cache = paths.cache()
    return not isinstance(name, str) or cache.is_relative_to(name) or Path(name).is_relative_to(cache)


def _stop(signum: int, frame: object) -> None:
    # Killed politely, a verb still takes its half-made files away.
    sys.exit(128 + signum)


def main() -> int:
    verb, *options = sys.argv[1:] or [""]  # which all stand behind the verb
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _stop)
    try:
        _do(verb, options)
        return 0
    except Failure as failure:
        return _failed(verb, str(failure), failure.status)
    except OSError as error:
        return _failed(verb, _in_a_line(error))
    except KeyboardInterrupt:
        return _failed(verb, "interrupted")


def _do(verb: str, options: list[str]) -> None:
    if verb in ("-h", "--help"):
        _overview().print_help()
        return
    if verb not in _PLAIN + _PACKAGED:
        raise Misuse(f"no {'such ' if verb else ''}verb: `{_PROGRAM} --help` lists them")
    if verb in _PACKAGED:
        environment.enter()
    arguments = _parser(verb).parse_args(options)
    if paths.INSTALLED and verb in _IN_A_CHECKOUT:
        raise Failure("this needs a checkout of mdot: get one with `git clone`, and run `make` there")
    arguments.do(arguments)


def _failed(verb: str, reason: str, status: int = 1) -> int:
    print(": ".join(filter(None, ("mdot", verb, reason))), file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
