"""Find the verb, do it, and turn what can go wrong into one line on stderr."""

from __future__ import annotations

import argparse
import errno
import signal
import sys

from . import clean, environment, fetch, firmware, run
from .console import Failure

_VERBS = (clean, environment, fetch, firmware, run)
_NEXT_STEPS = {
    errno.ENOSPC: "free some room, or set MDOT_CACHE to a folder that has it",
    errno.EDQUOT: "free some room, or set MDOT_CACHE to a folder that has it",
    errno.EACCES: "change its owner or mode, or set MDOT_CACHE to a folder of yours",
    errno.EPERM: "change its owner or mode, or set MDOT_CACHE to a folder of yours",
    errno.EROFS: "set MDOT_CACHE to a folder that can be written",
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m tools")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for module in _VERBS:
        name, text = module.__name__.rpartition(".")[2], str(module.__doc__)
        verb = verbs.add_parser(name, help=text.splitlines()[0], description=text)
        verb.set_defaults(do=module.do)
        if hasattr(module, "add_arguments"):
            module.add_arguments(verb)
    return parser


def _in_a_line(error: OSError) -> str:
    reason = (error.strerror or str(error)).lower()
    parts = (error.filename, reason, _NEXT_STEPS.get(error.errno or 0))
    return ": ".join(str(part) for part in parts if part)


def _stop(signum: int, frame: object) -> None:
    # Killed politely, a verb still takes its half-made files away.
    sys.exit(128 + signum)


def main() -> int:
    arguments = _parser().parse_args()
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _stop)
    try:
        arguments.do(arguments)
        return 0
    except Failure as failure:
        reason = str(failure)
    except OSError as error:
        reason = _in_a_line(error)
    except KeyboardInterrupt:
        reason = "interrupted"
    print(f"mdot: {arguments.verb}: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
