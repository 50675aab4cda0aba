"""The board's `jwt` and `hmac` beside PyJWT and CPython's hmac: each takes what the other makes; both refuse the same."""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import jwt
import pytest
from helpers import ROOT
from hypothesis import given
from hypothesis import strategies as st

KEY = "k" * 32
ON_FIRMWARE = """
import json, sys, jwt
for line in sys.stdin:
    do, value, key = json.loads(line)
    try:
        print(json.dumps(jwt.encode(value, key) if do == "encode" else jwt.decode(value, key, ["HS256"])))
    except jwt.InvalidTokenError as e:
        print(json.dumps("refused"))
"""
Ask = Callable[[str, Any, str], Any]


def _shim(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"board_{name}", ROOT / f"lib/shims/{name}.py")
    assert spec
    assert spec.loader
    module = sys.modules[f"board_{name}"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BOARD_JWT = _shim("jwt")
BOARD_HMAC = _shim("hmac")


def _on_cpython(do: str, value: Any, key: str) -> Any:
    try:
        return BOARD_JWT.encode(value, key) if do == "encode" else BOARD_JWT.decode(value, key, ["HS256"])
    except BOARD_JWT.InvalidTokenError:
        return "refused"


@pytest.fixture(params=("cpython", "micropython"))
def board(request: pytest.FixtureRequest, firmware: Path) -> Any:
    """Give a function that asks the board's jwt, run by CPython or by the firmware."""
    if request.param == "cpython":
        yield _on_cpython
        return
    with subprocess.Popen([firmware, "-c", ON_FIRMWARE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def ask(do: str, value: Any, key: str) -> Any:
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps([do, value, key], ensure_ascii=False) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield ask
        process.kill()


PAYLOADS: list[dict[str, Any]] = [
    {},
    {"a": 1, "b": [1, 2.5, None, True, {"c": "d"}]},
    {"text": 'ä€😀"\\\n\x01', "long": "x" * 3000},
    {"exp": 4000000000, "nbf": 1},
]


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("key", [KEY, "ä" * 20, "long" * 40])
def test_each_takes_the_tokens_of_the_other(board: Ask, payload: dict[str, Any], key: str) -> None:
    assert jwt.decode(board("encode", payload, key), key, algorithms=["HS256"]) == payload
    assert board("decode", jwt.encode(payload, key, algorithm="HS256"), key) == payload


def test_same_header(board: Ask) -> None:
    assert board("encode", {"a": 1}, KEY) == jwt.encode({"a": 1}, KEY, algorithm="HS256")


def _pyjwt_refuses(token: str) -> bool:
    try:
        jwt.decode(token, KEY, algorithms=["HS256"])
    except jwt.InvalidTokenError:
        return True
    return False


def _signed(header: bytes, payload: bytes) -> str:
    parts = [base64.urlsafe_b64encode(part).rstrip(b"=") for part in (header, payload)]
    digest = hmac.digest(KEY.encode(), b".".join(parts), "sha256")
    return b".".join([*parts, base64.urlsafe_b64encode(digest).rstrip(b"=")]).decode()


def _unsigned() -> str:
    return jwt.encode({"a": 1}, "", algorithm="none")


def _refused() -> list[str]:
    now = int(time.time())
    good = jwt.encode({"a": 1}, KEY, algorithm="HS256")
    payloads: list[dict[str, Any]] = [
        {"exp": now},
        {"exp": now - 60},
        {"exp": "x"},
        {"exp": None},
        {"nbf": now + 1_000_000},
        {"nbf": []},
        {"aud": "x"},
    ]
    tokens = [jwt.encode(payload, KEY, algorithm="HS256") for payload in payloads[:2]]
    tokens += [_signed(b'{"alg":"HS256"}', json.dumps(payload).encode()) for payload in payloads]
    tokens += [jwt.encode({"a": 1}, "x" * 64, algorithm=name) for name in ("HS256", "HS384", "HS512")]
    tokens += [jwt.encode({"a": 1}, "k" * 64, algorithm="HS512"), _unsigned()]
    tokens += [_signed(header, b"{}") for header in (b"", b"[]", b"{}", b'{"alg":"none"}', b'{"alg":"HS512"}', b"\xff")]
    tokens += [_signed(b'{"alg":"HS256","crit":["x"],"x":1}', b"{}"), _signed(b'{"alg":"HS256"}', b"[]")]
    return [*tokens, "", ".", "..", good[:-1], good + ".", "x" + good, good.replace(".", "..", 1)]


@pytest.mark.parametrize("token", _refused())
def test_both_refuse(board: Ask, token: str) -> None:
    assert _pyjwt_refuses(token)
    assert board("decode", token, KEY) == "refused"


def test_any_change_is_refused_by_both(board: Ask) -> None:
    token = jwt.encode({"a": 1}, KEY, algorithm="HS256")
    for at in range(len(token)):
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        assert board("decode", changed, KEY) == "refused"
        # The last character of a signature has bits that mean nothing; the board wants them right all the same.
        assert _pyjwt_refuses(changed) or at == len(token) - 1


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.text().filter(lambda name: name not in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")), _json))
def test_any_payload(payload: dict[str, Any]) -> None:
    assert jwt.decode(BOARD_JWT.encode(payload, KEY), KEY, algorithms=["HS256"]) == payload
    assert BOARD_JWT.decode(jwt.encode(payload, KEY, algorithm="HS256"), KEY, ["HS256"]) == payload


@given(st.text())
def test_no_text_upsets_it(token: str) -> None:
    with pytest.raises(BOARD_JWT.InvalidTokenError):
        BOARD_JWT.decode(token, KEY, ["HS256"])


@given(st.binary(min_size=1, max_size=200), st.binary(), st.sampled_from(["sha256", "sha1", "md5"]))
def test_hmac_is_that_of_cpython(key: bytes, data: bytes, name: str) -> None:
    assert BOARD_HMAC.new(key, data, name).digest() == hmac.digest(key, data, name)
    assert BOARD_HMAC.new(key, data, getattr(hashlib, name)).hexdigest() == hmac.new(key, data, name).hexdigest()


@given(st.binary(max_size=5), st.binary(max_size=5))
def test_compare_digest_is_that_of_cpython(a: bytes, b: bytes) -> None:
    assert BOARD_HMAC.compare_digest(a, b) == hmac.compare_digest(a, b)
    assert BOARD_HMAC.compare_digest(a, a)


def test_short_keys_are_warned_about(capsys: pytest.CaptureFixture[str]) -> None:
    BOARD_JWT.encode({}, "short")
    BOARD_JWT.encode({}, "short")
    assert capsys.readouterr().out == "jwt: key of 5 bytes: use 32 random bytes or more\n"
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        jwt.encode({}, "short", algorithm="HS256")
