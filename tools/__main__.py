"""Find the verb, do it, and turn what can go wrong into one line on stderr."""

from __future__ import annotations

import argparse
import ast
import errno
import importlib
import signal
import sys
from pathlib import Path

from . import environment, paths
from .console import Failure

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


def _parser(chosen: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mdot" if __package__ == "mdot" else "python3 -m tools")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name in sorted(_PLAIN + _PACKAGED):
        text = _description(name)
        verb = verbs.add_parser(
            name, help=text.splitlines()[0], description=text, formatter_class=argparse.RawTextHelpFormatter
        )
        if name == chosen:
            module = importlib.import_module(f".{name}", __package__)
            verb.set_defaults(do=module.do)
            if hasattr(module, "add_arguments"):
                module.add_arguments(verb)
    return parser


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
    # Every option stands behind the verb.
    verb = (sys.argv[1:] or [""])[0]
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _stop)
    try:
        if verb in _PACKAGED:
            environment.enter()
        arguments = _parser(verb).parse_args()
        if paths.INSTALLED and verb in _IN_A_CHECKOUT:
            raise Failure("this needs a checkout of mdot: get one with `git clone`, and run `make` there")
        arguments.do(arguments)
        return 0
    except Failure as failure:
        print(f"mdot: {verb}: {failure}", file=sys.stderr)
        return failure.status
    except OSError as error:
        reason = _in_a_line(error)
    except KeyboardInterrupt:
        reason = "interrupted"
    print(f"mdot: {verb}: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
