"""HTTPS on both interpreters, with curl, openssl's own client and Python's as peers, and with what is no peer at all."""

from __future__ import annotations

import random
import socket
import ssl
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tls.servers import HOST, INTERPRETERS, PATIENCE, Pair, Server, make_pair, serving
from websockets.sync.client import ClientConnection, connect

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_pair(tmp_path_factory.mktemp("tls") / "pair")


@pytest.fixture(params=INTERPRETERS)
def interpreter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(interpreter: str, firmware: Path, pair: Pair) -> Iterator[Server]:
    with serving(interpreter, firmware, pair, "head_timeout=30", "idle_timeout=30", "max_connections=4") as running:
        yield running


@pytest.fixture
def hasty(interpreter: str, firmware: Path, pair: Pair) -> Iterator[Server]:
    """Serve with no patience for those who say nothing."""
    with serving(interpreter, firmware, pair, "head_timeout=1", "idle_timeout=1") as running:
        yield running


def read_all(connection: socket.socket) -> bytes:
    """Read until the server closes, however it does."""
    data = b""
    while True:
        try:
            piece = connection.recv(65536)
        except TimeoutError:
            raise AssertionError("the server keeps the connection") from None
        except OSError:
            return data
        if not piece:
            return data
        data += piece


def unchunked(data: bytes) -> bytes:
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        body += data[: int(size, 16)]
        data = data[int(size, 16) + 2 :]
    return body


def websocket(server: Server, path: str) -> ClientConnection:
    url = server.url(path).replace("https:", "wss:")
    return connect(
        url,
        sock=server.connect(65536),
        ssl=server.pair.trust_of_threads(),
        compression=None,
        max_size=None,
        open_timeout=PATIENCE,
    )


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def client_hello() -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


# Those who speak TLS


def test_page_over_one_connection(server: Server) -> None:
    printed = server.curl("-w", "|%{num_connects}|%{http_version}\n", server.url("/"), server.url("/"))
    assert printed == "https 127.0.0.1|1|1.1\nhttps 127.0.0.1|0|1.1\n"


def test_openssl_client_verifies_the_certificate(server: Server) -> None:
    command = ["openssl", "s_client", "-connect", f"{HOST}:{server.port}", "-servername", "localhost", "-tls1_2"]
    command += ["-CAfile", str(server.pair.cert_pem), "-verify_return_error", "-ign_eof"]
    done = subprocess.run(command, input=LAST, capture_output=True, timeout=PATIENCE)
    assert b"Verify return code: 0 (ok)" in done.stdout
    assert b"HTTP/1.1 200 OK" in done.stdout
    assert b"https 127.0.0.1" in done.stdout


@pytest.mark.parametrize("kind", ["pkcs8", "rsa"])
@pytest.mark.parametrize("pem", [False, True], ids=["der", "pem"])
def test_other_keys_and_forms(interpreter: str, firmware: Path, tmp_path: Path, kind: str, pem: bool) -> None:
    with serving(interpreter, firmware, make_pair(tmp_path / "pair", kind), pem=pem) as server:
        assert server.answers()


def test_long_bodies_arrive_whole(server: Server) -> None:
    lines = "".join(f"line {i} {'x' * (i % 100)}\n" for i in range(3000))
    assert server.curl(server.url("/lines")) == lines
    assert server.curl(server.url("/big")) == "b" * 300000


def test_client_that_reads_slowly_gets_all(server: Server) -> None:
    lines = "".join(f"line {i} {'x' * (i % 100)}\n" for i in range(3000))
    for path, body in (("/lines", lines), ("/big", "b" * 300000)):
        with server.secure(65536) as client:
            client.sendall(LAST.replace(b"/ ", path.encode() + b" ", 1))
            time.sleep(0.3)
            received = b""
            while piece := client.recv(10000):
                time.sleep(0.01 if len(received) // 10000 < (len(received) + len(piece)) // 10000 else 0)
                received += piece
        head, _, rest = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK")
        assert (unchunked(rest) if b"chunked" in head else rest).decode() == body


def test_uploads(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "upload"
    for path, size in (("/echo", 5000), ("/echo", 16000), ("/length", 16384)):
        file.write_bytes(bytes(range(32, 127)) * (size // 95 + 1))
        data = file.read_bytes()[:size]
        file.write_bytes(data)
        printed = server.curl("--data-binary", f"@{file}", server.url(path))
        assert printed == (data.decode() if path == "/echo" else str(size))


def test_body_that_is_too_long_is_answered(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "upload"
    file.write_bytes(b"x" * 200000)
    for expect in ("Expect:", "Expect: 100-continue"):
        printed = server.curl("-w", "|%{http_code}", "-H", expect, "--data-binary", f"@{file}", server.url("/echo"))
        assert printed.endswith("|413")


def test_records_of_any_size(server: Server) -> None:
    with server.secure() as client:
        for byte in GET:  # a record for each
            client.sendall(bytes([byte]))
        client.sendall(GET * 30 + LAST)  # many requests in one
        received = read_all(client)
    assert received.count(b"HTTP/1.1 200 OK") == 32
    assert received.count(b"https 127.0.0.1") == 32


def test_malformed_request_is_answered(server: Server) -> None:
    with server.secure() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost : x\r\n\r\n")
        assert read_all(client).startswith(b"HTTP/1.1 400 ")


def test_idle_connection_is_closed(interpreter: str, firmware: Path, pair: Pair) -> None:
    with serving(interpreter, firmware, pair, "head_timeout=30", "idle_timeout=1") as server, server.secure() as client:
        client.sendall(GET)
        assert read_all(client).startswith(b"HTTP/1.1 200 OK")


def test_secure_websocket_echoes(server: Server) -> None:
    with websocket(server, "/socket") as client:
        for size in (0, 1, 125, 126, 4095, 4096, 4097, 10000):
            data = bytes(i % 251 for i in range(size))
            client.send(data)
            assert client.recv(PATIENCE) == data


def test_secure_websocket_with_several_writers_and_a_slow_reader(server: Server) -> None:
    with websocket(server, "/flood") as client:
        time.sleep(0.5)
        received = [str(client.recv(PATIENCE)) for _ in range(600)]
    for letter in "abc":
        lengths = [len(message) for message in received if message.startswith(letter)]
        assert lengths == [i * 371 % 30000 for i in range(200) if i * 371 % 30000]
        assert all(set(message) <= {message[:1]} for message in received)


# Those who do not


def test_silent_clients_are_closed(hasty: Server) -> None:
    started = time.monotonic()
    with hasty.connect() as client:
        assert read_all(client) == b""
        assert time.monotonic() - started > 0.9


def test_silent_handshakes_make_room(server: Server) -> None:
    hello = client_hello()
    crowd = []
    for i in range(8):  # of four
        crowd.append(server.connect())
        if i % 2:
            crowd[-1].sendall(hello)
    assert server.answers()
    for client in crowd:
        client.close()


def test_plain_http_is_turned_away(server: Server) -> None:
    with server.connect() as client:
        client.sendall(LAST)
        assert b"HTTP" not in read_all(client)
    assert server.answers()


def test_garbage(server: Server) -> None:
    generator = random.Random(5)
    beginnings = (b"", b"\x16\x03\x01", b"\x16\x03\x01\xff\xff", b"\x16\x03\x01\x00\x05", b"\x17\x03\x03\x00\x20", b"\x80")
    for _ in range(5):
        for beginning in beginnings:
            with server.connect() as client:
                client.sendall(beginning + generator.randbytes(generator.choice((0, 1, 5, 300, 20000))))
                client.shutdown(socket.SHUT_WR)
                read_all(client)
    assert server.answers()


def test_handshake_cut_anywhere(server: Server) -> None:
    hello = client_hello()
    for end in range(1, len(hello), 23):
        for leave in (reset, socket.socket.close):
            client = server.connect()
            client.sendall(hello[:end])
            leave(client)
    assert server.answers()


def test_handshake_that_stops_is_ended(hasty: Server) -> None:
    hello = client_hello()
    for data in (hello[:1], hello[:100], hello):
        started = time.monotonic()
        with hasty.connect() as client:
            client.sendall(data)
            read_all(client)
            assert time.monotonic() - started > 0.9


def test_client_that_resets_after_the_handshake(server: Server) -> None:
    for data in (b"", GET[:10], GET, LAST.replace(b"/ ", b"/big ", 1), LAST.replace(b"/ ", b"/lines ", 1)):
        client = server.secure()
        client.sendall(data)
        time.sleep(0.05)
        reset(client)
    assert server.answers()


def test_client_that_breaks_a_record(server: Server) -> None:
    client = server.secure()
    raw = socket.socket(fileno=client.detach())
    raw.settimeout(PATIENCE)
    raw.sendall(b"\x17\x03\x03\x00\x30" + bytes(48))
    with raw:
        read_all(raw)
    assert server.answers()


def test_client_that_does_not_trust_the_certificate(server: Server) -> None:
    with pytest.raises(ssl.SSLCertVerificationError), server.connect() as client:
        ssl.create_default_context().wrap_socket(client, server_hostname="localhost")
    assert server.answers()


def test_client_that_never_reads_is_ended(interpreter: str, firmware: Path, pair: Pair) -> None:
    with serving(interpreter, firmware, pair, "write_timeout=1", "max_connections=1") as server:
        client = server.secure(4096)
        client.sendall(GET.replace(b"/ ", b"/big ", 1) * 40)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                if server.answers():
                    break
            except AssertionError:
                time.sleep(0.2)
        assert server.answers()
        client.close()


def test_low_heap_turns_tls_away_and_serves_the_rest(firmware: Path, pair: Pair) -> None:
    with serving("micropython", firmware, pair, "tls_heap=1000000000") as server:
        with server.connect() as client:
            client.sendall(client_hello())
            assert read_all(client) == b""
        assert server.curl(f"http://localhost:{server.port + 1}/") == "http 127.0.0.1"


def test_many_connections_leave_nothing_behind(server: Server) -> None:
    for _ in range(60):
        assert server.answers()
