"""Settings of a stand-in for a board: asked for on a terminal, given as JSON, merged, shown without secrets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from app_folders import ROOT
from bridge import Bridge, tree
from deploys import lying, put

_SECRET, _OTHER = "correct horse", "battery staple"
_HOME = {"ssid": "home", "password": _SECRET}


def _wifi(board: Bridge, *arguments: str, stdin: object = None, status: int = 0) -> str:
    """Run the verb; give what it said, which never holds a secret."""
    text = stdin if isinstance(stdin, str) else json.dumps(stdin) if stdin is not None else ""
    command = [sys.executable, "-m", "tools", "wifi", "--port", board.port, *arguments]
    done = subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True, timeout=200)
    said = done.stdout + done.stderr
    assert done.returncode == status, said
    assert _SECRET not in said
    assert _OTHER not in said
    assert "Traceback" not in said
    return said


def _settings(board: Bridge) -> Any:
    return json.loads(lying(board)["/config.json"])


def test_settings_are_written_in_one_step_and_the_board_starts_again(board: Bridge) -> None:
    put(board, {"/main.py": "print('started')\n"})
    board.said = b""
    assert "settings written" in _wifi(board, "--stdin", stdin={"networks": [_HOME], "hostname": "pico"})
    board.wait_for(b"started")
    files = lying(board)
    assert json.loads(files["/config.json"]) == {"networks": [_HOME], "hostname": "pico"}
    assert sorted(files) == ["/config.json", "/main.py"]


def test_what_is_there_stays_and_the_new_network_comes_first(board: Bridge) -> None:
    before = {
        "networks": [{"ssid": "old"}, {"ssid": "home", "password": _OTHER}],
        "mine": [1],
        "country": "FR",
        "ppp": {"uart": 1},
    }
    put(board, {"/config.json": json.dumps(before)})
    _wifi(board, "--stdin", "--country", "DE", stdin={"networks": [_HOME], "ppp": None, "hostname": "a"})
    assert _settings(board) == {"networks": [_HOME, {"ssid": "old"}], "mine": [1], "country": "DE", "hostname": "a"}


def test_options_alone_ask_nothing(board: Bridge) -> None:
    _wifi(board, "--hostname", "pico-2", "--country", "DE")
    assert _settings(board) == {"hostname": "pico-2", "country": "DE"}


def test_letters_of_all_kinds_survive(board: Bridge) -> None:
    network = {"ssid": "Café 🛜 \"'\\", "password": "pässwörd \x7f\u2028"}
    _wifi(board, "--stdin", stdin={"networks": [network]})
    assert _settings(board) == {"networks": [network]}


def test_show_hides_every_secret(board: Bridge) -> None:
    settings = {"networks": [_HOME, {"ssid": "open"}], "portal": {"ssid": "p", "password": _OTHER}, "api_token": _OTHER}
    put(board, {"/config.json": json.dumps(settings)})
    assert json.loads(_wifi(board, "--show")) == {
        "networks": [{"ssid": "home", "password": "(hidden)"}, {"ssid": "open"}],
        "portal": {"ssid": "p", "password": "(hidden)"},
        "api_token": "(hidden)",
    }
    assert _settings(board) == settings


def test_a_board_without_settings_has_none_to_show(board: Bridge) -> None:
    assert _wifi(board, "--show") == "{}\n"
    assert lying(board) == {}


def test_a_network_is_forgotten(board: Bridge) -> None:
    put(board, {"/config.json": json.dumps({"networks": [_HOME, {"ssid": "old"}], "country": "DE"})})
    assert "'x': the board knows no such network: it knows 'home', 'old'" in _wifi(board, "--forget", "x", status=1)
    _wifi(board, "--forget", "home")
    assert _settings(board) == {"networks": [{"ssid": "old"}], "country": "DE"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"network": {"wait": NaN}}',
        '{"networks": 1}',
        '{"networks": [1]}',
        '{"x": "' + "y" * 4096 + '"}',
        "[" * 4000,
        _SECRET,
    ],
)
def test_damaged_settings_are_not_lost_silently(board: Bridge, text: str) -> None:
    put(board, {"/config.json": text})
    said = _wifi(board, "--stdin", stdin={"networks": [_HOME]}, status=1)
    assert "its /config.json is damaged, and the board ignores it: --anew begins a new one" in said
    _wifi(board, "--stdin", "--anew", stdin={"networks": [_HOME]})
    assert _settings(board) == {"networks": [_HOME]}


REFUSED = [
    ("no JSON", _SECRET, "stdin: not a JSON object"),
    ("nothing", "", "stdin: not a JSON object"),
    ("a list", [], "stdin: not a JSON object"),
    ("deep", "[" * 4000, "stdin: not a JSON object"),
    ("long", {"x": "y" * 5000}, "stdin: not a JSON object"),
    ("half a character", '{"hostname": "\\ud800"}', "a setting that is no valid text"),
    ("no number", '{"network": {"wait": NaN}}', "a number that JSON does not have"),
    ("too large a number", '{"network": {"wait": 1e999}}', "a number that JSON does not have"),
    ("networks as text", {"networks": _SECRET}, "networks: not of the right form"),
    ("a network as text", {"networks": [_SECRET]}, "networks: one without a name"),
    ("no name", {"networks": [{"password": _SECRET}]}, "networks: one without a name"),
    ("a long name", {"networks": [{"ssid": "ü" * 17}]}, "networks: one without a name"),
    ("a short password", {"networks": [{"ssid": "home", "password": "seven77"}]}, "'home': the password is not one of WPA"),
    ("a long password", {"networks": [{"ssid": "home", "password": "x" * 64}]}, "'home': the password is not one of WPA"),
    ("a number", {"networks": [{"ssid": "home", "password": 12345678}]}, "'home': the password is not one of WPA"),
    ("a host's name", {"hostname": "-pico"}, "hostname: not a name"),
    ("a country", {"country": "de"}, "country: not a code"),
    ("portal", {"portal": []}, "portal: not of the right form"),
]


@pytest.mark.parametrize(("given", "reason"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_the_board_would_ignore_is_refused_before_it_is_disturbed(board: Bridge, given: object, reason: str) -> None:
    said = _wifi(board, "--stdin", stdin=given, status=1)
    assert said.startswith(f"mdot: wifi: {reason}")
    assert board.turns == 0


def test_too_much_for_a_board_is_refused(board: Bridge) -> None:
    put(board, {"/config.json": json.dumps({"notes": "y" * 3500})})
    assert "and a board reads 4096" in _wifi(board, "--stdin", stdin={"more": "y" * 1000}, status=1)
    assert len(lying(board)["/config.json"]) < 4096


def test_without_a_terminal_nobody_is_asked(board: Bridge) -> None:
    assert "nobody can be asked for the network: give the settings as JSON, with --stdin" in _wifi(board, status=1)


def _typed(board: Bridge, *lines: str) -> tuple[int, str]:
    """Type lines at the verb's questions on a terminal; give its status and all that the terminal showed."""
    child, terminal = os.forkpty()
    if child == 0:
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-m", "tools", "wifi", "--port", board.port])
    shown = ""
    try:
        for line, question in zip(lines, ("(SSID):", "there is none): ")):
            while question not in shown:
                shown += os.read(terminal, 1000).decode()
            os.write(terminal, line.encode() + b"\n")
        while data := _rest(terminal):
            shown += data.decode()
    finally:
        os.close(terminal)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status, shown


def _rest(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1000)
    except OSError:  # the other side has ended
        return b""


@pytest.mark.parametrize("password", [_SECRET, ""])
def test_the_password_is_asked_for_and_not_shown(board: Bridge, password: str) -> None:
    status, shown = _typed(board, "home", password)
    assert status == 0, shown
    assert _SECRET not in shown
    assert _settings(board) == {"networks": [_HOME if password else {"ssid": "home"}]}


def test_a_cut_in_the_middle_leaves_the_old_settings_or_the_new_ones(board: Bridge) -> None:
    old, new = {"networks": [{"ssid": "old"}]}, {"networks": [_HOME, {"ssid": "old"}]}
    outcomes = []
    for turns in range(12):
        put(board, {"/config.json": json.dumps(old)})
        board.cut_after(turns=turns, plug=True)
        command = [sys.executable, "-m", "tools", "wifi", "--port", board.port, "--stdin"]
        done = subprocess.run(
            command, cwd=ROOT, input=json.dumps({"networks": [_HOME]}), capture_output=True, text=True, timeout=200
        )
        board.mend()
        board.power_off()
        assert _SECRET not in done.stdout + done.stderr
        outcomes.append(json.loads(tree(board.flash)["/config.json"]))
        board.power_on()
        if done.returncode == 0:
            break
    assert outcomes[0] == old
    assert outcomes[-1] == new
    assert all(outcome in (old, new) for outcome in outcomes)


def test_a_board_of_another_id_is_left_alone(board: Bridge, tmp_path: Path) -> None:
    (tmp_path / "boards.toml").write_text(f'[kitchen]\nid = "bb02"\nport = "{board.port}"\n')
    command = [sys.executable, "-m", "tools", "wifi", "--port", "kitchen", "--hostname", "x"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200)
    assert done.stderr == f"mdot: wifi: {board.port}: this board is aa01, and bb02 is wanted: choose the other port\n"
    assert lying(board) == {}
