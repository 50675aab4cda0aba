"""The framework on the emulated board, fetched from over its network: TCP/IP of ours, PPP on a UART, lwIP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ppp import BOARD

if TYPE_CHECKING:
    from network import Network

_URL = f"http://{BOARD}"


def test_hello(network: Network) -> None:
    assert network.curl(f"{_URL}/") == "hello\n"


def test_two_requests_travel_over_one_connection(network: Network) -> None:
    said = network.curl("--write-out", "%{num_connects} ", f"{_URL}/greet/ann", f"{_URL}/greet/bob")
    assert said == '{"hello": "ann"}1 {"hello": "bob"}0 '


def test_json_goes_both_ways(network: Network) -> None:
    body = ["--header", "Content-Type: application/json", "--data", json.dumps(list(range(100)))]
    assert json.loads(network.curl(*body, f"{_URL}/sum")) == {"sum": 4950}


def test_a_reply_of_many_packets(network: Network) -> None:
    assert network.curl(f"{_URL}/big") == "".join(f"line {n}\n" for n in range(1000))


def test_lwip_has_room_for_more_than_the_framework_s_cap(network: Network) -> None:
    # Six are the default: with lwIP's own five connections the sixth client would wait in vain.
    fates = json.loads(network.client("crowd.py", BOARD, "8", "idle"))
    assert fates == ["ended", "ended", "served", "served", "served", "served", "served", "served"]
