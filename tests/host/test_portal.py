"""The portal as a whole: on the firmware, its sockets on this machine, asked by a DNS client, curl, and forms."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import httpx
import pytest
from helpers import ROOT

_HERE = Path(__file__).resolve().parent
_PATIENCE = 60.0  # seconds
_PASSWORD = "pa55 & w0rd"


class Board:
    """A board whose portal is open, or about to be."""

    def __init__(self, process: subprocess.Popen[str], folder: Path, http: int, names: int) -> None:
        self.process, self.folder, self.http, self.names = process, folder, http, names
        self.url = f"http://127.0.0.1:{http}/"

    def until(self, text: str) -> str:
        """Give what the board prints up to and with the line that holds a text."""
        said = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said += line
            if text in line:
                return said
        raise AssertionError(f"the board has ended after {said}")

    def application(self) -> str:
        """Ask the application for its page, which ends it; give the page."""
        with httpx.Client(transport=httpx.HTTPTransport(retries=5), timeout=_PATIENCE) as client:
            return client.get(self.url).text

    def settings(self) -> dict[str, object]:
        found: dict[str, object] = json.loads((self.folder / "config.json").read_text())
        return found


def _free_port(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _started(firmware: Path, folder: Path, settings: object) -> Iterator[Board]:
    (folder / "config.json").write_text(json.dumps(settings))
    http, names = _free_port(socket.SOCK_STREAM), _free_port(socket.SOCK_DGRAM)
    command = [str(firmware), str(_HERE / "portal_board.py"), str(folder), str(http), str(names)]
    environment = {**os.environ, "MICROPYPATH": f".frozen:{ROOT / 'tests/portable'}"}
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    with process:
        try:
            yield Board(process, folder, http, names)
        finally:
            process.kill()


@pytest.fixture
def opened(firmware: Path, tmp_path: Path) -> Iterator[Board]:
    """Start a board that knows no network; its portal is open."""
    with _started(firmware, tmp_path, {"portal": {"ssid": "setup"}, "mine": [1, 2]}) as board:
        assert "network: portal: join setup with the password " in board.until("then open")
        _wait_for(board)
        yield board


def _wait_for(board: Board) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", board.http)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("the portal does not listen")


class Page(HTMLParser):
    """The form of a page as a browser sees it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: dict[str, str | None] = {}
        self.options: list[str | None] = []
        self.unlabelled: list[str | None] = []
        self.alert = ""
        self.tags: list[str] = []
        self._inside: list[str] = []
        self._alerted = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        self.tags.append(tag)
        self._inside.append(tag)
        self._alerted = found.get("role") == "alert"
        if tag == "option":
            self.options.append(found.get("value"))
        elif "name" in found and tag != "meta":
            self.fields[str(found["name"])] = found.get("value")
            if "label" not in self._inside and found.get("type") != "hidden":
                self.unlabelled.append(found["name"])

    def handle_endtag(self, tag: str) -> None:
        if tag in self._inside:
            del self._inside[len(self._inside) - 1 - self._inside[::-1].index(tag) :]
        self._alerted = False

    def handle_data(self, data: str) -> None:
        if self._alerted:
            self.alert += data


def _join(board: Board, ssid: str, password: str) -> httpx.Response:
    """Fill in the form as a browser does; give the page that comes of it."""
    with httpx.Client(timeout=_PATIENCE, follow_redirects=True) as client:
        page = Page(client.get(board.url).text)
        fields = {**page.fields, "ssid": ssid, "password": password}
        return client.post(board.url + "join", data={name: value or "" for name, value in fields.items()})


def _ask(board: Board, name: str, kind: str, **options: object) -> dns.message.Message:
    query = dns.message.make_query(name, kind, **options)  # type: ignore[arg-type]
    return dns.query.udp(query, "127.0.0.1", port=board.names, timeout=_PATIENCE)


@pytest.mark.parametrize(
    "name", ["captive.apple.com", "connectivitycheck.gstatic.com", "x", ".", ("a" * 63 + ".") * 3 + "b" * 61]
)
def test_every_name_leads_to_the_portal(opened: Board, name: str) -> None:
    for options in ({}, {"use_edns": 0, "payload": 4096}, {"want_dnssec": True}):
        reply = _ask(opened, name, "A", **options)
        assert reply.rcode() == dns.rcode.NOERROR
        assert [record.address for record in reply.answer[0]] == ["127.0.0.1"]
        assert reply.answer[0].ttl <= 60


def test_there_is_nothing_but_addresses(opened: Board) -> None:
    for kind in ("AAAA", "HTTPS", "MX", "TXT", "SOA"):
        reply = _ask(opened, "captive.apple.com", kind)
        assert (reply.rcode(), reply.answer) == (dns.rcode.NOERROR, [])


def test_the_name_server_outlives_noise(opened: Board) -> None:
    query = dns.message.make_query("example.com", "A").to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noise:
        for packet in (
            b"",
            b"\0",
            query[:-1],
            query[:2] + b"\x81\x80" + query[4:],
            os.urandom(512),
            b"\xc0\x0c" * 300,
            bytes(9000),
        ):
            noise.sendto(packet, ("127.0.0.1", opened.names))
        noise.sendto(query, ("127.0.0.1", opened.names))
        noise.settimeout(_PATIENCE)
        assert noise.recv(1000)[:2] == query[:2], "what comes first must be the reply to what was a query"


@pytest.mark.parametrize(
    "url",
    [
        "http://connectivitycheck.gstatic.com/generate_204",
        "http://captive.apple.com/hotspot-detect.html",
        "http://www.msftconnecttest.com/connecttest.txt",
        "http://www.msftncsi.com/ncsi.txt",
        "http://detectportal.firefox.com/canonical.html",
        "http://detectportal.firefox.com/success.txt?ipv4",
        "http://example.com/any/where?at=all",
    ],
)
def test_a_device_that_looks_for_the_internet_gets_the_form(opened: Board, url: str) -> None:
    curl = ["curl", "--silent", "--show-error", "--max-time", "60", "--connect-to", f"::127.0.0.1:{opened.http}"]
    first = subprocess.run([*curl, "--include", url], capture_output=True, text=True, check=True).stdout
    assert first.startswith("HTTP/1.1 302 ")
    assert f"\nLocation: {opened.url}\n" in first
    assert first.endswith("\n\n"), "there is nothing behind the head"
    page = subprocess.run([*curl, "--location", "--fail", url], capture_output=True, text=True, check=True).stdout
    assert "<h1>Connect this device</h1>" in page


def test_the_page_is_small_and_says_what_it_wants(opened: Board) -> None:
    response = httpx.get(opened.url, timeout=_PATIENCE)
    page = Page(response.text)
    assert len(response.content) < 9000
    assert set(page.fields) == {"token", "ssid", "other", "password"}
    assert page.unlabelled == []
    assert page.options == ["<b>&'\"", "cafe", "home", "late", ""]
    assert not {"script", "link", "img", "b"} & set(page.tags)
    assert 'lang="en"' in response.text


def test_a_network_that_takes_the_board_is_kept(opened: Board) -> None:
    before = opened.settings()
    assert Page(_join(opened, "home", "wrong password").text).alert == "No connection to home: wrong password."
    assert Page(_join(opened, "nobody", "").text).alert == "No connection to nobody: not in reach."
    assert opened.settings() == before
    assert "Connected to home as 192.168.1.7." in _join(opened, "home", _PASSWORD).text
    assert opened.settings() == {**before, "networks": [{"ssid": "home", "password": _PASSWORD}]}
    assert os.listdir(opened.folder) == ["config.json"]
    said = opened.until("main starts")
    assert said.splitlines() == [
        "network: connected to home as 192.168.1.7",
        "network: portal: closed",
        "access point ['off']",
        "still there []",
        "main starts",
    ]
    assert opened.application() == "the application"


def test_a_form_without_the_pages_token_does_nothing(opened: Board) -> None:
    for token in ("", "guess"):
        fields = {"ssid": "cafe", "password": "", "token": token}
        response = httpx.post(opened.url + "join", data=fields, follow_redirects=True, timeout=_PATIENCE)
        assert Page(response.text).alert == "That form was an old one. Please try again."
    assert "networks" not in opened.settings()


def test_a_form_that_is_too_long_is_refused(opened: Board) -> None:
    response = httpx.post(opened.url + "join", data={"ssid": "x" * 2000}, timeout=_PATIENCE)
    assert response.status_code == 413
    assert httpx.get(opened.url, timeout=_PATIENCE).status_code == 200


def test_clients_that_hold_connections_keep_nobody_out(opened: Board) -> None:
    held = [socket.create_connection(("127.0.0.1", opened.http), _PATIENCE) for _ in range(12)]
    try:
        held[0].sendall(b"GET / HTTP/1.1\r\nHo")
        with httpx.Client(transport=httpx.HTTPTransport(retries=5), timeout=_PATIENCE) as client:
            assert "Connect this device" in client.get(opened.url).text
    finally:
        for connection in held:
            connection.close()


def test_its_time_is_limited(firmware: Path, tmp_path: Path) -> None:
    with _started(firmware, tmp_path, {"portal": {"minutes": 0.03, "password": "a password of ours"}}) as board:
        said = board.until("main starts")
        assert "a password of ours" not in said
        assert said.splitlines()[1:] == [
            "network: portal: closed",
            "network: not connected yet: going on without",
            "access point ['off']",
            "still there []",
            "main starts",
        ]
        assert board.application() == "the application"


def test_a_known_network_that_appears_ends_it(firmware: Path, tmp_path: Path) -> None:
    known = [{"ssid": "gone"}, {"ssid": "late", "password": "late password"}]
    with _started(firmware, tmp_path, {"networks": known, "portal": {}, "network": {"wait": 0.5}}) as board:
        said = board.until("main starts")
        assert "network: portal: join mdot-abcd" in said
        assert "network: connected to late as 192.168.1.7\nnetwork: portal: closed\n" in said


def test_who_interrupts_it_finds_its_ports_free(opened: Board) -> None:
    opened.process.send_signal(signal.SIGINT)
    said = opened.until("main starts")
    assert said.splitlines() == ["interrupted", "access point ['off']", "still there []", "main starts"]
    assert opened.application() == "the application"


def test_a_port_that_is_taken_ends_in_a_line(firmware: Path, tmp_path: Path) -> None:
    """For who runs a name server in boot.py, say."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        (tmp_path / "config.json").write_text(json.dumps({"portal": {}}))
        command = [str(firmware), str(_HERE / "portal_board.py"), str(tmp_path), str(_free_port(socket.SOCK_STREAM))]
        environment = {**os.environ, "MICROPYPATH": f".frozen:{ROOT / 'tests/portable'}"}
        process = subprocess.Popen(
            [*command, str(taken.getsockname()[1])],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with process:
            try:
                board = Board(process, tmp_path, int(command[-1]), 0)
                said = board.until("main starts")
            finally:
                process.kill()
    assert "network: portal: not opened: [Errno 98] EADDRINUSE" in said
    assert "Traceback" not in said
