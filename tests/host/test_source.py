"""Fetching MicroPython's source: whole or not at all, whatever apt, the disk or a signal does.

The programs of apt are stand-ins here, so that each failure can be had without a network; the last test looks
at what the real ones got.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from helpers import ROOT, one_line, run_tools

from tools.apt import mirrors
from tools.files import digest, digest_of_tree

_URIS = "'http://mirror.example/debian/dists/stable/InRelease' mirror_InRelease 0 "


class Machine:
    """A machine with an apt-get that does as the test says, and an empty cache."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.archives, self.cache = folder / "bin", folder / "archives", folder / "cache"
        self.variables = {"PATH": f"{self.bin}:{os.environ['PATH']}", "MDOT_CACHE": str(self.cache)}
        self.bin.mkdir()
        self.archives.mkdir()
        self._program("apt-config", "exit 0")
        self.archive("micropython", {"py/mpconfig.h": "version", "lib/mbedtls/README": "none"})
        self.archive("mbedtls", {"library/aes.c": "code"})
        self.apt()

    def _program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.bin / name).chmod(0o755)

    def archive(self, package: str, files: dict[str, str]) -> None:
        top = self.archives / f"{package}-1.0"
        for name, text in files.items():
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).write_text(text)
        with tarfile.open(self.archives / f"{package}_1.0.orig.tar.xz", "w:xz") as tar:
            tar.add(top, top.name)
        (self.archives / f"{package}_1.0-1.dsc").write_text("signed")

    def apt(self, update: str = ":", source: str = ":") -> None:
        """Make apt-get work, after running these shell commands in its update and source steps."""
        index = '"$(dirname "$APT_CONFIG")"/state/lists/mirror_InRelease'
        self._program(
            "apt-get",
            f"""case "$*" in
            "--print-uris update") echo "{_URIS}" ;;
            update) {update}; touch {index} ;;
            download*) cp {self.archives}/*.deb . ;;
            source*) {source}; cp {self.archives}/*.xz {self.archives}/*.dsc . ;;
            esac""",
        )

    def fetch(self, board: str = "unix") -> subprocess.CompletedProcess[str]:
        return run_tools("fetch", "--board", board, env=self.variables)

    def installed(self, package: str, place: str) -> None:
        """Make a package that would install a file at a place."""
        top = self.archives / f"{package}-1.0"
        (top / "DEBIAN").mkdir(parents=True)
        control = f"Package: {package}\nVersion: 1.0\nArchitecture: all\nMaintainer: x <x@example>\nDescription: x\n"
        (top / "DEBIAN/control").write_text(control)
        (top / place).mkdir(parents=True)
        (top / place / "code.c").write_text(package)
        file = self.archives / f"{package}_1.0_all.deb"
        subprocess.run(["dpkg-deb", "--build", "--root-owner-group", top, file], check=True, capture_output=True)

    def left(self) -> list[str]:
        return sorted(path.name for path in self.cache.iterdir() if path.name != ".lock")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_tree_is_put_together_and_recorded(machine: Machine) -> None:
    done = machine.fetch()
    assert done.returncode == 0, done.stderr
    tree = Path(done.stdout.strip())
    assert (tree / "py/mpconfig.h").read_text() == "version"
    assert [path.name for path in (tree / "lib/mbedtls").rglob("*.*")] == ["aes.c"]
    record = json.loads((tree.parent / "source.json").read_text())
    assert record["packages"] == {"micropython": "1.0-1", "mbedtls": "1.0-1"}
    fetched = [path for path in machine.archives.iterdir() if path.is_file()]
    assert record["files"] == {path.name: digest(path) for path in fetched}
    assert record["tree"] == digest_of_tree(tree)
    assert sorted(path.name for path in tree.parent.iterdir()) == ["micropython", "source.json"]


def test_a_tree_takes_what_packages_install_as_sources(machine: Machine) -> None:
    machine.archive("lwip", {"src/core/tcp.c": "code"})
    machine.installed("pico-sdk-source", "usr/src/pico-sdk/src")
    machine.installed("tinyusb-source", "usr/src/tinyusb/src")
    done = machine.fetch("RPI_PICO")
    assert done.returncode == 0, done.stderr
    tree = Path(done.stdout.strip())
    assert (tree / "lib/pico-sdk/src/code.c").read_text() == "pico-sdk-source"
    assert (tree / "lib/tinyusb/src/code.c").read_text() == "tinyusb-source"
    assert (tree / "lib/lwip/src/core/tcp.c").read_text() == "code"
    record = json.loads((tree.parent / "source.json").read_text())
    assert record["packages"]["pico-sdk-source"] == "1.0"
    assert record["tree"] == digest_of_tree(tree)


def test_a_package_cut_short_leaves_nothing(machine: Machine) -> None:
    machine.archive("lwip", {"src/core/tcp.c": "code"})
    machine.installed("pico-sdk-source", "usr/src/pico-sdk/src")
    machine.installed("tinyusb-source", "usr/src/tinyusb/src")
    package = machine.archives / "tinyusb-source_1.0_all.deb"
    package.write_bytes(package.read_bytes()[:200])
    assert package.name in one_line(machine.fetch("RPI_PICO"))
    assert machine.left() == []


def test_what_is_in_the_cache_is_not_fetched_again(machine: Machine) -> None:
    first = machine.fetch()
    machine.apt(update="exit 1")
    again = machine.fetch()
    assert (again.returncode, again.stdout, again.stderr) == (0, first.stdout, "")


@pytest.mark.parametrize(
    ("step", "said", "complaint"),
    [
        ("update", "E: Failed to fetch x  Temporary failure resolving 'mirror.example'", "check the network"),
        ("update", "E: x: No space left on device", "free some room"),
        ("update", "E: The repository 'x' is not signed.", "apt-get install debian-archive-keyring"),
        ("source", "E: Unable to find a source package for micropython", "MICROPYTHON=/path"),
    ],
)
def test_a_failure_of_apt_is_one_line(machine: Machine, step: str, said: str, complaint: str) -> None:
    machine.apt(**{step: f'echo "{said}" >&2; exit 100'})
    line = one_line(machine.fetch())
    assert " ".join(said[3:].split()) in line
    assert complaint in line
    assert machine.left() == []
    machine.apt()
    assert machine.fetch().returncode == 0


def test_a_mirror_that_only_warns_is_not_believed(machine: Machine) -> None:
    # As apt before 2.1: the index could not be fetched, and yet the exit status is 0.
    machine.apt(update='echo "W: Failed to fetch x" >&2; exit 0')
    assert "Failed to fetch x" in one_line(machine.fetch())


def test_an_archive_cut_short_leaves_nothing(machine: Machine) -> None:
    archive = machine.archives / "mbedtls_1.0.orig.tar.xz"
    archive.write_bytes(archive.read_bytes()[:100])
    assert archive.name in one_line(machine.fetch())
    assert machine.left() == []


_ON_A_SMALL_DISK = """
mount -t tmpfs -o size=1m none "$MDOT_CACHE" && "$0" -m tools fetch
status=$?
ls -A "$MDOT_CACHE"
exit $status
"""


def test_a_full_disk_leaves_nothing(machine: Machine) -> None:
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        pytest.skip("this machine grants no name space to mount a small disk in")
    machine.archive("micropython", {"big": "x" * 3_000_000})
    machine.cache.mkdir()
    command = ["unshare", "-rm", "sh", "-c", _ON_A_SMALL_DISK, sys.executable]
    environment = {**os.environ, **machine.variables}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert "free some room" in one_line(done)
    assert done.stdout.split() == [".lock"]


@pytest.mark.parametrize("name", ["TERM", "KILL"])
def test_a_fetch_that_is_killed_does_not_count(machine: Machine, name: str) -> None:
    # What the killed run started goes on writing for a while.
    machine.apt(source=f"kill -{name} $PPID; for i in 1 2 3 4 5 6 7 8 9; do sleep 0.05; mkdir -p late/$i; done")
    assert machine.fetch().returncode not in (0, 1)
    machine.apt()
    done = machine.fetch()
    assert done.returncode == 0, done.stderr
    assert machine.left() == [Path(done.stdout.strip()).parent.name]


def test_without_apt_a_checkout_is_asked_for(tmp_path: Path) -> None:
    line = one_line(run_tools("fetch", env={"PATH": str(tmp_path), "MDOT_CACHE": str(tmp_path / "cache")}))
    assert "MICROPYTHON=/path/to/micropython" in line


def test_a_cache_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert f"{tmp_path}/file/cache" in one_line(run_tools("fetch", env={"MDOT_CACHE": f"{tmp_path}/file/cache"}))


def _listing(*lines: str) -> str:
    return "".join(f"'{line}/InRelease' some_file 0 \n" for line in lines)


@pytest.mark.parametrize(
    ("uris", "expected"),
    [
        (_listing("http://a/debian/dists/bookworm"), ["http://a/debian/"]),
        (
            _listing("http://a/debian/dists/bookworm", "http://a/debian/dists/bookworm-updates"),
            ["http://a/debian/"],
        ),
        (_listing("http://a/debian-security/dists/bookworm-security"), []),
        (_listing("http://security.a/debian/dists/buster/updates"), []),
        (_listing("cdrom:[Debian 12]/dists/bookworm"), []),
        (
            _listing("http://node/node_20.x/dists/nodistro", "http://a/debian/dists/sid"),
            ["http://a/debian/", "http://node/node_20.x/"],
        ),
        (
            _listing(
                "http://d/linux/debian/dists/trixie",
                "http://a/debian/dists/trixie",
                "http://a/debian/dists/trixie-updates",
            ),
            ["http://a/debian/", "http://d/linux/debian/"],
        ),
        (
            _listing("mirror+file:/etc/apt/mirrors/debian.list/dists/trixie"),
            ["mirror+file:/etc/apt/mirrors/debian.list/"],
        ),
        ("'http://a/debian/dists/sid/main/binary-amd64/Packages.xz' packages 0 \n", []),
        ("", []),
    ],
)
def test_the_likeliest_mirror_comes_first(uris: str, expected: list[str]) -> None:
    assert mirrors(uris) == expected


def test_building_leaves_the_fetched_tree_as_recorded(firmware: Path, tree: Path) -> None:
    record = tree.parent / "source.json"
    if not record.exists():
        pytest.skip("the firmware is built from a checkout of the user's")
    assert digest_of_tree(tree) == json.loads(record.read_text())["tree"]
