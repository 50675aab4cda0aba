"""Updates over the air with the real tool and with hostile clients, to the unix firmware and CPython over real connections."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ota.devices import KEY, PATIENCE, ROOT, Device, device, head_of, interpreters
from tls.servers import make_pair

from tools import build, bundles, deploy_host, paths
from tools.console import Failure

_FILES = {"main.py": "print('on')\n", "static/page.txt": "page\n" * 900, "data.bin": "x" * 5000}


@pytest.fixture(autouse=True)
def _quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    monkeypatch.setattr(deploy_host, "_ASK_EVERY", 0.2)


@pytest.fixture(params=["micropython", "cpython"])
def interpreter(request: pytest.FixtureRequest, firmware: Path) -> list[str]:
    return interpreters(firmware)[request.param]


@pytest.fixture
def updated(interpreter: list[str], tmp_path: Path) -> Iterator[Device]:
    """Give a device with nothing but its key."""
    with device(tmp_path / "device", interpreter) as started:
        yield started


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "pico.key"
    path.write_text(KEY.hex() + "\n")
    return path


def _app(folder: Path, **changed: str) -> Path:
    for name, content in {**_FILES, **{name.replace("_", "."): text for name, text in changed.items()}}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def _bundle(app: Path) -> bytes:
    return b"".join(bundles.made(build.built(app, "unix", as_source=True)).pieces())


def _deploy(started: Device, app: Path, key: Path, **options: bool) -> deploy_host.Outcome:
    return deploy_host.deployed(app, deploy_host.address(f"127.0.0.1:{started.port}", None), key, as_source=True, **options)


def _built(outcome: deploy_host.Outcome) -> dict[str, bytes]:
    made = outcome.bundle.build
    return {file.path: made.local(file).read_bytes() for file in made.files}


# With the tool


def test_the_tool_brings_what_changed_and_waits_for_the_confirmation(updated: Device, tmp_path: Path, key: Path) -> None:
    first = _deploy(updated, _app(tmp_path / "app"), key)
    assert (updated.files(), updated.starts) == (_built(first), 2)
    second = _deploy(updated, _app(tmp_path / "app", data_bin="y" * 6000), key)
    assert [file.path for file in second.bundle.sent] == ["/data.bin"]
    assert second.before == first.bundle.build.build
    assert (updated.files(), updated.starts) == (_built(second), 3)
    third = _deploy(updated, tmp_path / "app", key)
    assert (third.same, third.sent, updated.starts) == (True, 0, 3)


def test_what_is_protected_is_neither_replaced_nor_removed(updated: Device, tmp_path: Path, key: Path) -> None:
    app = _app(tmp_path / "app", log_txt="none yet\n", x_db="default\n", deploy_toml='protect = ["log.txt"]\n')
    _deploy(updated, app, key)
    (updated.folder / "log.txt").write_text("mine\n")
    (app / "main.py").write_text("print('new')\n")
    with pytest.raises(Failure, match=r"/log\.txt is protected, and would be replaced: deploy over a cable"):
        _deploy(updated, app, key, force=True)
    (updated.folder / "log.txt").write_text("none yet\n")
    (app / "x.db").unlink()
    with pytest.raises(Failure, match=r"/x\.db is protected, and would be removed"):
        _deploy(updated, app, key)
    assert (updated.folder / "x.db").read_text() == "default\n"
    assert updated.starts == 2


def test_an_application_goes_to_the_board_that_it_is_pinned_to(updated: Device, tmp_path: Path, key: Path) -> None:
    app = _app(tmp_path / "app", deploy_toml='[board]\nid = "bb02"\n')
    with pytest.raises(Failure, match="this device does not tell who it is, and bb02 is wanted"):
        _deploy(updated, app, key)
    assert (updated.files(), updated.starts) == ({}, 1)


@pytest.mark.parametrize(("found", "right"), [("aa01", True), ("bb02", False), ("", False)])
def test_which_board_that_is(found: str, right: bool) -> None:
    where = deploy_host.address("pico.local", None)
    with contextlib.nullcontext() if right else pytest.raises(Failure, match="and aa01 is wanted"):
        deploy_host._check_id(where, found, "aa01")


def test_what_is_not_confirmed_in_three_starts_is_taken_back(updated: Device, tmp_path: Path, key: Path) -> None:
    first = _deploy(updated, _app(tmp_path / "app"), key)
    before = _built(first)
    (updated.folder / "unwell").write_text("")
    made = build.built(_app(tmp_path / "app", data_bin="crash"), "unix", as_source=True)
    count = updated.starts
    assert updated.update(b"".join(bundles.made(made).pieces()))[0] == 200
    for _ in range(3):
        # Each start ends in a failure of the power, as with an application that crashes.
        updated.wait_for_start(count := count + 1)
        updated.fail()
    updated.wait_for_start(count + 1)
    where = deploy_host.address(f"127.0.0.1:{updated.port}", None)
    with pytest.raises(Failure, match="not confirmed in three starts: the application before is back"):
        deploy_host._await(deploy_host.Link(where, KEY), first.bundle.build.build, made.build)
    (updated.folder / "unwell").unlink()
    assert updated.files() == before


def test_the_verb_and_its_reports(updated: Device, tmp_path: Path, key: Path, request: pytest.FixtureRequest) -> None:
    app = _app(tmp_path / "over-the-air-verb")
    request.addfinalizer(lambda: shutil.rmtree(ROOT / "build" / app.name, ignore_errors=True))
    command = [sys.executable, "-m", "tools", "deploy", str(app), "--host", f"127.0.0.1:{updated.port}", "--source"]

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=200)

    done = run("--key", str(key), "--dry-run")
    assert "nothing was changed" in done.stdout
    assert updated.files() == {}
    done = run("--key", str(key), "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["committed"], told["app"]) == (0, True, app.name)
    for options, complaint in (
        (("--key", str(tmp_path / "none")), "no such file"),
        (("--key", str(app / "main.py")), "not a key of ours"),
        (("--key", str(key), "--cert", str(key)), "no certificate in PEM"),
    ):
        done = run(*options)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
        assert complaint in done.stderr


def test_the_tool_refuses_a_wrong_key_and_another_device(updated: Device, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.key"
    wrong.write_text("ff" * 32)
    with pytest.raises(Failure, match="signed with another key"):
        _deploy(updated, _app(tmp_path / "app"), wrong)
    updated.off()
    with pytest.raises(Failure, match="no answer: connection refused: is it"):
        _deploy(updated, tmp_path / "app", wrong)


def test_over_tls_with_a_pinned_certificate(interpreter: list[str], tmp_path: Path, key: Path) -> None:
    pair, other = make_pair(tmp_path / "pair"), make_pair(tmp_path / "other")
    with device(tmp_path / "device", interpreter, tls=(pair.cert_pem, pair.key_pem)) as started:
        where = deploy_host.address(f"127.0.0.1:{started.port}", other.cert_pem)
        with pytest.raises(Failure, match="not the device of"):
            deploy_host.deployed(_app(tmp_path / "app"), where, key, as_source=True)
        assert started.files() == {}
        where = deploy_host.address(f"https://127.0.0.1:{started.port}", pair.cert_pem)
        done = deploy_host.deployed(tmp_path / "app", where, key, as_source=True)
        assert started.files() == _built(done)


def test_a_bundle_of_the_build_verb(updated: Device, tmp_path: Path) -> None:
    made = build.built(_app(tmp_path / "app"), "unix", as_source=True)
    path = bundles.written(made)
    assert updated.update(path.read_bytes())[0] == 200
    assert sorted(updated.files()) == sorted(file.path for file in made.files)


_NO_HOSTS = ["", "a b", "a:b", "a:0", "a:99999", "a/b", "ftp://a", "u@a", "https://a", "pico..local", f"{'a' * 64}.local"]


@pytest.mark.parametrize("text", _NO_HOSTS)
def test_what_is_no_host(text: str) -> None:
    with pytest.raises(Failure, match="--host"):
        deploy_host.address(text, None)


@pytest.mark.parametrize("inside", ["abc", "", "YWJj", "%"])
def test_what_is_no_certificate(tmp_path: Path, inside: str) -> None:
    path = tmp_path / "cert.pem"
    path.write_text(f"-----BEGIN CERTIFICATE-----\n{inside}\n-----END CERTIFICATE-----\n")
    with pytest.raises(Failure, match="no certificate in PEM"):
        deploy_host.address("pico.local", path)


def test_an_answer_that_is_too_deep_is_one_line() -> None:
    link = deploy_host.Link(deploy_host.address("pico.local", None), KEY)
    with pytest.raises(Failure, match="the answer makes no sense"):
        link._json(b"[" * 100_000)
    assert link._reason(500, b"[" * 100_000) == "status 500"


# Hostile


def test_hostile_requests_change_nothing(updated: Device, tmp_path: Path) -> None:
    good = _bundle(_app(tmp_path / "app"))
    digest = hashlib.sha256(head_of(good)).hexdigest()
    headers = updated.signed(head_of(good))
    assert updated.ask("POST", "/ota", {}, good)[0] == 401
    assert updated.update(good, key=b"x" * 32)[0] == 401
    assert updated.ask("POST", "/ota", {"Authorization": "MDOT-OTA " + "x" * 1500}, good)[0] == 401
    assert updated.ask("GET", "/ota/files", {"Authorization": headers["Authorization"]})[0] == 401
    stale = {"Authorization": bundles.signature(KEY, "install", "0" * 32, digest)}
    assert updated.ask("POST", "/ota", stale, good)[0] == 401
    for name, status in (("huge list", 413), ("many files", 413), ("oversize", 413)):
        assert updated.update(_hostile(name))[0] == status, name
    for path in ("/.mdot/owned", "/config.json", "/ota.key", "/../x", "x", "/a/./b"):
        assert updated.update(_with_path(path))[0] == 400, path
    assert (updated.files(), updated.waiting()) == ({}, [])
    assert updated.ask("GET", "/")[1] == b"on"


def _hostile(name: str) -> bytes:
    if name == "huge list":
        return _head([f"+ {'a' * 64} 0 /{n:0200d}" for n in range(60)])
    if name == "many files":
        return _head([f"= {'a' * 64} 0 /{n:03d}" for n in range(2000)])
    return _head([f"+ {'a' * 64} 400000 /a", f"+ {'a' * 64} 400000 /b"]) + b"x" * 800000


def _with_path(path: str) -> bytes:
    return _head([f"+ {hashlib.sha256(b'x').hexdigest()} 1 {path}"]) + b"x"


def _head(lines: list[str]) -> bytes:
    rest = "\n".join([f"app {'a' * 64} 0 -", *lines, ""]).encode()
    return b"mdot-bundle 1 %06d\n" % (21 + len(rest)) + rest


def test_a_captured_update_is_good_once(updated: Device, tmp_path: Path) -> None:
    data = _bundle(_app(tmp_path / "app"))
    headers = updated.signed(head_of(data))
    assert updated.ask("POST", "/ota", headers, data)[0] == 200
    # In the same run of the device, and after its restart.
    assert updated.ask("POST", "/ota", headers, data)[0] in (0, 401)
    updated.wait_for_start(2)
    assert updated.ask("POST", "/ota", headers, data)[0] == 401


def test_uploads_cut_at_every_hundredth_byte_leave_nothing(updated: Device, tmp_path: Path) -> None:
    data = _bundle(_app(tmp_path / "app"))
    for length in range(0, len(data), 100):
        header = updated.signed(head_of(data))["Authorization"]
        with socket.create_connection(("127.0.0.1", updated.port), PATIENCE) as client:
            lines = ["POST /ota HTTP/1.1", "Host: x", f"Authorization: {header}", f"Content-Length: {len(data)}", "", ""]
            client.sendall("\r\n".join(lines).encode() + data[:length])
    # The last one may still be noticing.
    status = 409
    while status == 409:
        status, body = updated.update(data[:-1])
    assert (status, body) == (400, b'{"error": "the bundle ends early"}') or b"ends early" in body
    assert (updated.files(), updated.waiting()) == ({}, [])
    assert updated.update(data)[0] == 200
    assert "/main.py" in updated.files()


def test_a_second_upload_is_refused_while_one_is_coming_in(updated: Device, tmp_path: Path) -> None:
    data = _bundle(_app(tmp_path / "app"))
    header = updated.signed(head_of(data))["Authorization"]
    with socket.create_connection(("127.0.0.1", updated.port), PATIENCE) as client:
        lines = ["POST /ota HTTP/1.1", "Host: x", f"Authorization: {header}", f"Content-Length: {len(data)}", "", ""]
        client.sendall("\r\n".join(lines).encode() + data[:-1])
        status = 0
        while status != 409:
            status, body = updated.ask("POST", "/ota", updated.signed(head_of(data)), data[:100])
        assert b"under way" in body
        client.sendall(data[-1:])
        assert client.recv(100).startswith(b"HTTP/1.1 200")


def test_a_sender_that_falls_silent_is_given_up(updated: Device, tmp_path: Path) -> None:
    data = _bundle(_app(tmp_path / "app"))
    header = updated.signed(head_of(data))["Authorization"]
    with socket.create_connection(("127.0.0.1", updated.port), PATIENCE) as client:
        lines = ["POST /ota HTTP/1.1", "Host: x", f"Authorization: {header}", f"Content-Length: {len(data)}", "", ""]
        client.sendall("\r\n".join(lines).encode() + data[:-1])
        assert client.recv(100)[:12] in (b"HTTP/1.1 408", b"")
    deadline = time.monotonic() + PATIENCE
    while updated.waiting():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert updated.files() == {}
    assert updated.update(data)[0] == 200


def test_a_full_flash_leaves_the_application_as_it_was(firmware: Path, tmp_path: Path) -> None:
    with device(tmp_path / "device", [str(firmware)], blocks=64) as started:
        small, large = _head([]), _bundle(_app(tmp_path / "app", data_bin="z" * 60000))
        status, body = started.update(large)
        assert (status, b"no room" in body) == (507, True), body
        assert started.update(small)[0] == 200
