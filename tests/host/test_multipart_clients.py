"""Uploads by clients that others made: requests and curl, over sizes around every buffer."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from forms_server import INTERPRETERS, start
from helpers import Start

# Three buffers of 1 KB and what is held back for boundaries of 32 (requests) or 46 bytes (curl), every size near their edges.
EDGES = [n * 1024 + near for n in range(1, 4) for near in range(-6, 75)]
SIZES = sorted({*range(40), *range(40, 3200, 29), 257, 258, 513, 518, *EDGES, 70000})
FILLS = (b"x", b"\r\n", b"\r\n--", bytes(range(256)))


@pytest.fixture(params=INTERPRETERS)
def url(request: pytest.FixtureRequest, serving: Start, firmware: Path, port: int, tmp_path: Path) -> str:
    return start(serving, request.param, firmware, port, tmp_path)


@pytest.fixture
def client() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False  # no proxy stands between us
        yield session


def _data(fill: bytes, size: int) -> bytes:
    return (fill * (size // len(fill) + 1))[:size]


def _seen(name: str, filename: str, content_type: str | None, data: bytes) -> list[Any]:
    return [name, filename, content_type, len(data), hashlib.sha256(data).hexdigest()]


@pytest.mark.parametrize("fill", FILLS)
def test_requests_uploads_of_every_size(url: str, client: requests.Session, fill: bytes) -> None:
    for size in SIZES:
        data = _data(fill, size)
        reply = client.post(f"{url}/parts", data={"a": "b"}, files={"f": ("name.bin", data, "a/b")}, timeout=60)
        assert reply.json() == [["a", "b"], _seen("f", "name.bin", "a/b", data)], size


def test_requests_names_and_texts(url: str, client: requests.Session) -> None:
    fields = {"ä €": "ü\r\nmore", "empty": "", "quote": 'a"b'}
    files = [("f", ("../../etc/passwd", b"1")), ("f", ('a "b" \\c', b"2")), ("g", ("ä€.txt", b"3"))]
    reply = client.post(f"{url}/parts", data=fields, files=files, timeout=60).json()
    assert reply[:3] == [[name, value] for name, value in fields.items()]
    # requests writes quotes as the WHATWG has it, %22, which no server decodes
    assert [(name, filename.replace("%22", '"')) for name, filename, *_ in reply[3:]] == [
        ("f", "../../etc/passwd"),
        ("f", 'a "b" \\c'),
        ("g", "ä€.txt"),
    ]


def test_requests_chunked_upload(url: str, client: requests.Session) -> None:
    prepared = requests.Request("POST", f"{url}/parts", files={"f": ("x", b"y" * 5000)}).prepare()
    body = prepared.body
    assert isinstance(body, bytes)
    pieces = (body[at : at + 333] for at in range(0, len(body), 333))
    reply = client.post(f"{url}/parts", data=pieces, headers={"Content-Type": prepared.headers["Content-Type"]}, timeout=60)
    assert reply.json() == [_seen("f", "x", None, b"y" * 5000)]


def test_requests_large_upload(url: str, client: requests.Session, tmp_path: Path) -> None:
    data = os.urandom(10 * 1024 * 1024)
    assert client.post(f"{url}/save", files={"f": data}, timeout=60).text == str(len(data))
    assert (tmp_path / "saved").read_bytes() == data


def test_requests_too_large(url: str, client: requests.Session) -> None:
    assert client.post(f"{url}/parts", files={"f": bytes(17 * 1024 * 1024)}, timeout=60).status_code == 413
    assert client.get(url, timeout=60).text == "index"


def test_requests_whole_form(url: str, client: requests.Session, tmp_path: Path) -> None:
    files = {"f": ("small", b"x"), "g": ("large", b"x" * 5000)}
    reply = client.post(f"{url}/gather", data={"a": "b", "c": "d"}, files=files, timeout=60).json()
    assert reply["form"] == {"a": "b", "c": "d"}
    assert sorted(reply["files"]) == [["f", "small"], ["g", "large"]]
    assert list(tmp_path.iterdir()) == []
    assert client.post(f"{url}/gather", data={"a": "b"}, timeout=60).json() == {"form": {"a": ["b"]}, "files": []}


def _curl(*arguments: str) -> Any:
    done = subprocess.run(["curl", "-sS", "--noproxy", "*", "--max-time", "60", *arguments], capture_output=True, timeout=70)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_curl_uploads_of_many_sizes(url: str, tmp_path: Path) -> None:
    path = tmp_path / "upload"
    for size in (0, 1, 2, 257, 258, 518, 960, *range(1015, 1035), 1060, 1070, 1080, 2048, 3000, 100000):
        data = _data(b"\r\n--x", size)
        path.write_bytes(data)
        reply = _curl("-F", "a=b", "-F", f"f=@{path};filename=name.bin;type=a/b", f"{url}/parts")
        assert reply == [["a", "b"], _seen("f", "name.bin", "a/b", data)], size


def test_curl_expects_to_be_told_to_go_on(url: str, tmp_path: Path) -> None:
    (tmp_path / "upload").write_bytes(b"x" * 5000)
    reply = _curl("-H", "Expect: 100-continue", "-F", f"f=@{tmp_path}/upload", f"{url}/parts")
    assert reply == [_seen("f", "upload", "application/octet-stream", b"x" * 5000)]


def test_curl_quotes_in_names(url: str, tmp_path: Path) -> None:
    (tmp_path / "upload").write_bytes(b"x")
    reply = _curl("--form-escape", "-F", f'f=@{tmp_path}/upload;filename="a \\"b\\" \\\\ ü;c"', f"{url}/parts")
    assert reply[0][1] == 'a "b" \\ ü;c'
