"""Make build/docs/html of the pages in docs/: `python docs/build.py`. Warnings are errors.

Nothing is done when no page, no docstring and no setting has changed since the last build that was without warnings.
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_OUTPUT = ROOT / "build/docs"
_STAMP = _OUTPUT / "made-of"
_SOURCES = ("docs/*", "lib/microdot/*.py", "lib/utemplate/*.py")
# -E reads every page anew: a page that was read before would not tell its warnings again.
_SPHINX = ("-m", "sphinx", "-E", "-W", "-n", "-q", "-b", "html", "-d", "build/docs/doctrees", "docs", "build/docs/html")


def main() -> int:
    _OUTPUT.mkdir(parents=True, exist_ok=True)
    with (_OUTPUT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _build()


def _build() -> int:
    made_of = _digest()
    if not (_STAMP.exists() and _STAMP.read_text() == made_of):
        _STAMP.unlink(missing_ok=True)
        done = subprocess.run([sys.executable, *_SPHINX], cwd=ROOT)
        if done.returncode:
            return done.returncode
        _STAMP.write_text(made_of)
    print("build/docs/html/index.html")
    return 0


def _digest() -> str:
    total = hashlib.sha256(sys.version.encode())
    for pattern in _SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file():
                total.update(f"{path.relative_to(ROOT)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
