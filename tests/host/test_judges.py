"""Requests before three judges: the framework, h11 and httptools.

What the framework accepts the two others accept as well, as the same request, but for the exceptions listed here with
their reasons; what both refuse the framework refuses; what both take for complete it does not wait for.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Union

import pytest
from hypothesis import given, settings
from wire import probe, verdicts
from wire.client import CHUNKED, LAST, exchange_and_leave, request, status_of
from wire.judges import read_replies
from wire.servers import INTERPRETERS, Server, serving
from wire.strategies import FIELDS, FOUND, FRAMING, ODD_FIELDS, ODD_SIZES, ODD_TRAILERS, SIZES, TRAILERS, chunked_bodies, heads
from wire.verdicts import ACCEPTED, INCOMPLETE, REFUSED, Verdict

Said = Union[None, int, list[Union[int, str]]]
Ask = Callable[[bytes], Said]
PROBE = Path(probe.__file__)
KEEP, EXPECT, IN_CHUNKS = 1, 2, -1  # as the parser gives them


@dataclass(frozen=True)
class Excepted:
    """What the framework accepts and a judge refuses, rightly."""

    why: str
    judge: str
    reason: str  # a part of what the judge says
    applies: Callable[[bytes], bool] = lambda data: True


def _has_a_tab(data: bytes) -> bool:
    return re.search(rb"(?i)chunked *\t[\t ]*\r\n", data) is not None


def _has_a_blank_before_an_extension(data: bytes) -> bool:
    return re.search(rb"\n[0-9a-fA-F]+[ \t]+;", data) is not None


EXCEPTIONS = [
    Excepted("RFC 9112 2.2: an empty line ahead is ignored", "h11", "no request line", lambda d: d.startswith(b"\r\n")),
    Excepted("RFC 9110 2.5: a later minor version is understood as 1.1", "httptools", "HTTP version"),
    Excepted("RFC 9110 9.1: a method may be any token", "httptools", "nvalid method"),
    Excepted("RFC 9110 9.1: a method may be any token", "httptools", "after method"),
    Excepted("RFC 9110 5.5: blanks behind a value are none of it", "httptools", "Transfer-Encoding", _has_a_tab),
    Excepted("RFC 9112 7.1.1: an unknown extension is ignored, whatever it is", "httptools", "chunk extension"),
    Excepted("RFC 9112 7.1.1: blanks before an extension", "h11", "chunk header", _has_a_blank_before_an_extension),
    Excepted("RFC 9112 7.1.1: blanks before an extension", "httptools", "chunk size", _has_a_blank_before_an_extension),
]


def _is_excepted(judge: str, verdict: Verdict, data: bytes) -> bool:
    return any(e.judge == judge and e.reason in verdict.reason and e.applies(data) for e in EXCEPTIONS)


def _both_refuse(h11: Verdict, httptools: Verdict, data: bytes) -> bool:
    rightly = [not _is_excepted(*named, data) for named in (("h11", h11), ("httptools", httptools))]
    return h11.opinion == httptools.opinion == REFUSED and any(rightly)


@pytest.fixture(scope="module", params=INTERPRETERS)
def ask(request: pytest.FixtureRequest, firmware: Path) -> Iterator[Ask]:
    """Give a function that has an interpreter's parser look at a head."""
    if request.param == "cpython":
        yield probe.verdict
        return
    process = subprocess.Popen([str(firmware), str(PROBE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    with process:  # which closes its input, and so ends it
        yield lambda data: _ask(process, data)


def _ask(process: subprocess.Popen[bytes], data: bytes) -> Said:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(data.hex().encode() + b"\n")
    process.stdin.flush()
    answer: Said = json.loads(process.stdout.readline())
    return answer


def _check(ask: Ask, data: bytes) -> None:
    said = ask(data)
    h11, httptools = verdicts.h11_on_head(data), verdicts.httptools_on_head(data)
    if isinstance(said, list):
        _check_accepted(said, data, "h11", h11)
        _check_accepted(said, data, "httptools", httptools)
    elif said is None:
        assert (h11.opinion, httptools.opinion) != (ACCEPTED, ACCEPTED), f"waits for more of {data!r}"
    else:
        assert said in (400, 413, 414, 417, 431, 501, 505), data
    if _both_refuse(h11, httptools, data):
        # It may wait for the end of the head before it looks.
        said = ask(data + b"\r\n\r\n") if said is None else said
        assert isinstance(said, int), f"{said} for {data!r}, which both refuse"


def _check_accepted(said: list[int | str], data: bytes, name: str, verdict: Verdict) -> None:
    if _is_excepted(name, verdict, data):
        return
    assert verdict.opinion == ACCEPTED, f"{name} finds it {verdict.opinion}: {verdict.reason}: {data!r}"
    size, method, target, minor, length, flags, fields = said
    assert size == data.find(b"\r\n\r\n", 4) + 4
    assert (method, minor) == (verdict.method, 0 if verdict.version == "1.0" else 1)
    assert target == _origin_form(verdict.target)
    assert isinstance(length, int)
    assert isinstance(flags, int)
    assert isinstance(fields, str)
    _check_fields(bytes.fromhex(fields), verdict)
    _check_framing(length, flags, verdict)


def _origin_form(target: str) -> str:
    # RFC 9112 3.2.2: what is behind the authority of the absolute form.
    _, separator, rest = target.partition("://")
    if target.startswith("/") or not separator:
        return target
    cut = min((rest.find(mark) for mark in "/?" if mark in rest), default=len(rest))
    path = rest[cut:]
    return path if path.startswith("/") else "/" + path


def _check_fields(fields: bytes, verdict: Verdict) -> None:
    lines = [line.partition(b":") for line in fields.split(b"\r\n") if line]
    ours = [(str(name, "latin-1").lower(), str(value.strip(b" \t"), "latin-1")) for name, _, value in lines]
    if not verdict.target.startswith("/") and verdict.target != "*":
        assert ours.pop()[0] == "host"  # the authority of the absolute form, which replaces the field
    assert _comparable(ours) == _comparable(verdict.fields)


def _comparable(fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
    # h11 writes numbers and codings in a form of its own
    return [(name, value.lower() if name == "transfer-encoding" else value.strip(" \t")) for name, value in fields]


def _check_framing(length: int, flags: int, verdict: Verdict) -> None:
    fields = dict(verdict.fields)
    if length == IN_CHUNKS:
        assert fields["transfer-encoding"].lower() == "chunked"
    else:
        assert length == int(fields.get("content-length", 0))
        assert "transfer-encoding" not in fields
    options = [option.strip().lower() for name, value in verdict.fields if name == "connection" for option in value.split(",")]
    assert bool(flags & KEEP) == ("close" not in options and verdict.version != "1.0")
    assert bool(flags & EXPECT) == (fields.get("expect", "").lower() == "100-continue" and verdict.version != "1.0")


@settings(FOUND, max_examples=1000)
@given(head=heads())
def test_heads(ask: Ask, head: bytes) -> None:
    _check(ask, head)


@pytest.mark.parametrize("field", [*FIELDS, *FRAMING, *ODD_FIELDS])
def test_every_field_alone(ask: Ask, field: bytes) -> None:
    for version in (b"1.1", b"1.0"):
        head = b"POST / HTTP/" + version + b"\r\nHost: a\r\n" + field + b"\r\n\r\n"
        _check(ask, head)


# A head with a place for one more byte.
PLACES = [
    "?GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "G?T / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET?/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /? HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.?\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1?\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r?Host: a\r\n\r\n",
    "GET / HTTP/1.1\r\n?Host: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX?: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX:?a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: a?\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1?\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length?: 1\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked?\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding?: chunked\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n?\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\r?",
]


@pytest.mark.parametrize("place", PLACES)
def test_every_byte_in_a_place(ask: Ask, place: str) -> None:
    before, after = place.encode().split(b"?")
    for byte in range(256):
        _check(ask, before + bytes([byte]) + after)


# RFC 9112 3.2: "a Host header field with an invalid field value" is answered with 400. The judges leave that to others.
BAD_HOSTS = [b"a b", b"a,b", b"a/b", b"http://a", b"a@b", b"a?b", b"a#b", b"\xc3\xa9", b"a\\b", b"<a>"]


def test_a_host_that_is_none_is_refused(ask: Ask) -> None:
    taken = [host for host in BAD_HOSTS if ask(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n") != 400]
    assert taken == []


# Bodies in chunks, through the whole server: what it echoes is what both judges read, up to the same byte.


@pytest.fixture(scope="module", params=INTERPRETERS)
def server(request: pytest.FixtureRequest, firmware: Path) -> Iterator[Server]:
    with serving(request.param, firmware, "max_connections=50") as server:
        yield server


def _check_body(server: Server, body: bytes) -> None:
    head = request("POST", "/echo", CHUNKED)
    received = exchange_and_leave(server.port, head + body + LAST)
    status = status_of(received)
    h11 = verdicts.h11_on_request(head + body + LAST)
    # httptools takes what is behind for the next request, and might complain of that.
    cut = len(head + body) + len(LAST) - len(h11.rest) if h11.opinion == ACCEPTED else len(head + body)
    httptools = verdicts.httptools_on_request((head + body + LAST)[:cut])
    if status == 200:
        # A fault may have made trailers of the lines behind the body.
        behind = () if h11.opinion == ACCEPTED and not h11.rest else ("GET",)
        echoed = read_replies(received, "POST", *behind)[0].body
        _check_accepted_body(echoed, head + body, "h11", h11)
        _check_accepted_body(echoed, head + body, "httptools", httptools)
        return
    if status == 0:
        assert INCOMPLETE in (h11.opinion, httptools.opinion), f"no reply to {body!r}"
    else:
        assert status in (400, 413), body
        assert (h11.opinion, httptools.opinion) != (ACCEPTED, ACCEPTED), f"{status} for {body!r}"
    if _both_refuse(h11, httptools, head + body):
        assert status in (400, 413), f"{status} for {body!r}, which both refuse"


def _check_accepted_body(echoed: bytes, data: bytes, name: str, verdict: Verdict) -> None:
    if not _is_excepted(name, verdict, data):
        assert verdict.opinion == ACCEPTED, f"{name} finds it {verdict.opinion}: {verdict.reason}: {data!r}"
        assert verdict.body == echoed
        assert verdict.rest in (LAST, b"")


@settings(FOUND, max_examples=250)
@given(body=chunked_bodies())
def test_chunked_bodies(server: Server, body: bytes) -> None:
    _check_body(server, body)


@pytest.mark.parametrize("size", [*set(SIZES), *ODD_SIZES])
def test_every_chunk_size_alone(server: Server, size: bytes) -> None:
    line = size % 5 if b"%" in size else size
    _check_body(server, line + b"\r\nhello\r\n0\r\n\r\n")


@pytest.mark.parametrize("trailer", [*set(TRAILERS), *ODD_TRAILERS])
def test_every_trailer_alone(server: Server, trailer: bytes) -> None:
    _check_body(server, b"5\r\nhello\r\n0\r\n" + trailer + b"\r\n")


def test_the_servers_have_nothing_to_complain_of(server: Server) -> None:
    assert server.printed() == ""
