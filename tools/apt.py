"""Packages of sources from the machine's own Debian mirror, through a private apt root.

Of the machine's configuration only what it says about reaching mirrors is used (their addresses, proxies,
certificates); its lists, preferences and hooks are left alone.  apt checks the signatures against Debian's
keys and no others, so a mirror of something else may be tried but is never believed.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from .console import Failure

# The first Debian release with MicroPython's source.  A mirror serves it whatever release the machine runs.
RELEASE = "trixie"
_KEYRINGS = (
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
)

_CONFIGURATION = """\
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::sourcelist "{root}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::trusted "/dev/null";
Dir::Etc::trustedparts "/dev/null";
Dir::State "{root}/state";
Dir::State::status "/dev/null";
Dir::Cache "{root}/cache";
Acquire::Languages "none";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
"""

OWN_CHECKOUT = "give a checkout with MICROPYTHON=/path/to/micropython"

# What apt says (in the C locale), and what the user can do about it.
_ADVICE = (
    ("No space left|enough free space", "free some room, or set MDOT_CACHE to a folder that has it"),
    (
        "NO_PUBKEY|not signed|be verified",
        "update Debian's keys with `apt-get install debian-archive-keyring`",
    ),
    ("", f"check the network and this machine's apt sources, or {OWN_CHECKOUT}"),
)


def _apt(command: Sequence[str], folder: Path, configuration: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LC_ALL": "C"}
    if configuration:
        environment["APT_CONFIG"] = str(configuration)
    try:
        return subprocess.run(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, close_fds=False
        )
    except FileNotFoundError:
        raise Failure(f"no {command[0]} to fetch MicroPython's source with: {OWN_CHECKOUT}") from None


def _reason(output: str) -> str:
    """Pick the line that says why apt failed, and add what to do."""
    lines = [" ".join(line[2:].split()) for line in output.splitlines() if line.startswith(("E:", "W:"))]
    advice = next(step for pattern, step in _ADVICE if re.search(pattern, output))
    return f"{lines[0] if lines else 'no reason given'}: {advice}"


def _checked(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode:
        raise Failure(_reason(done.stderr))
    return done.stdout


def mirrors(uris: str) -> list[str]:
    """List the mirrors in the output of `apt-get --print-uris update`, the likeliest to be Debian's first."""
    suites: dict[str, set[str]] = {}
    for base, suite in re.findall(r"^'([^']*/)dists/([^']+)/InRelease'", uris, re.MULTILINE):
        if "security" not in base + suite and not base.startswith("cdrom:"):
            suites.setdefault(base, set()).add(suite)
    # Other archives may copy Debian's layout and names; few have its `-updates` suites as well.
    return sorted(suites, key=lambda base: (not base.endswith("/debian/"), -len(suites[base])))


def _keyring() -> str:
    for keyring in _KEYRINGS:
        if os.path.exists(keyring):
            return keyring
    raise Failure("no keys of Debian's: install them with `apt-get install debian-archive-keyring`")


def _private_root(root: Path) -> Path:
    """Lay out an apt root of our own; return its configuration file."""
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (root / folder).mkdir(parents=True)
    # Signatures are checked whatever the machine allows itself, and index files it adds are of no use here.
    machine = _apt(["apt-config", "dump", "Acquire"], root).stdout.splitlines()
    kept = [line for line in machine if not re.match("Acquire::(Allow|IndexTargets)", line)]
    configuration = root / "apt.conf"
    configuration.write_text("\n".join(kept) + "\n" + _CONFIGURATION.format(root=root))
    return configuration


def _update(root: Path, configuration: Path, kinds: Sequence[str]) -> None:
    """Read the release's index of these kinds of packages from the first of the machine's mirrors that has it."""
    keyring, failures = _keyring(), []
    uris = _checked(_apt(["apt-get", "--print-uris", "update"], root))
    for mirror in mirrors(uris):
        lines = [f"{kind} [signed-by={keyring}] {mirror} {RELEASE} main\n" for kind in kinds]
        (root / "sources.list").write_text("".join(lines))
        done = _apt(["apt-get", "update"], root, configuration)
        # apt before 2.1 counts a mirror that cannot be reached as a warning.
        if done.returncode == 0 and list((root / "state/lists").glob("*_InRelease")):
            return
        failures.append(_reason(done.stderr))
    raise Failure((failures or [f"this machine's apt sources name no Debian mirror: {OWN_CHECKOUT}"])[0])


def download(sources: Sequence[str], binaries: Sequence[str], root: Path) -> Path:
    """Download source and binary packages below `root`, a new folder; return the folder that holds their files."""
    configuration = _private_root(root)
    _update(root, configuration, ["deb-src", "deb"] if binaries else ["deb-src"])
    files = root / "files"
    files.mkdir()
    _checked(_apt(["apt-get", "source", "--download-only", *sources], files, configuration))
    if binaries:
        _checked(_apt(["apt-get", "download", *binaries], files, configuration))
    return files


def unpack(package: Path, folder: Path) -> None:
    """Unpack a binary package into a folder, without installing it."""
    done = _apt(["dpkg-deb", "--extract", str(package), str(folder)], folder)
    if done.returncode:
        raise Failure(f"{package.name} cannot be unpacked: {_last(done.stderr)}: {OWN_CHECKOUT}")


def _last(output: str) -> str:
    return (output.splitlines() or ["no reason given"])[-1]
