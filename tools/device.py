"""A board's REPL over its serial port: the one module that knows mpremote and pyserial.

    with device.connected(device.chosen(port)) as board:    # the application is interrupted, the board's heap is fresh
        print(board.run("import os; print(os.listdir())"))
        board.restart()                                      # the board starts again, and its application with it

A port is what pyserial opens: a path, or a URL such as `socket://127.0.0.1:4000` or `rfc2217://…`.  mpremote opens the
port and hands programs over (by raw paste where the board has it).  Whatever goes wrong is a Failure of one line; an
exception of the board's program is a ProgramFailed.

`exchanges` counts the times that the board was asked something and answered: programs, and turns of a conversation;
`sent` and `received` count bytes.
"""

from __future__ import annotations

import argparse
import errno
import os
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

import serial  # type: ignore[import-untyped]
import serial.tools.list_ports  # type: ignore[import-untyped]
from mpremote.transport import TransportError  # type: ignore[import-untyped]
from mpremote.transport_serial import SerialTransport  # type: ignore[import-untyped]

from .console import Ambiguous, Failure, say

# Seconds without a byte from the board after which it counts as gone.  A board may erase flash, collect garbage or take
# a hash of a large file for a while; a program that takes longer says something now and then.
PATIENCE = 30.0
# Seconds that a board may take to come up, with what its boot.py does, and how often it is called meanwhile.
_STARTING, _CALL_EVERY = 15.0, 2.0
# Seconds that the port may take to come back after a reset.
RETURNING = 20.0
# Seconds that the board may refuse to take bytes.
_WRITING = 10.0
# Seconds that what was on its way may take to arrive, so that it is not taken for an answer.
_TALKING = 0.2
_POLL = 0.002
# Seconds for which the reset line is held.
_RESET = 0.1
# How a port without such lines refuses.
_NO_LINES = (errno.ENOTTY, errno.EINVAL, errno.EOPNOTSUPP)
_INTERRUPT, _RAW, _FRIENDLY, _END = b"\x03", b"\x01", b"\x02", b"\x04"
_BANNER = b"raw REPL; CTRL-B to exit\r\n"
_REBOOT = b"soft reboot\r\n"


class Lost(Failure):
    """The board does not answer any more: its port is gone, or it is silent."""


class ProgramFailed(Failure):
    """A program ended on the board with an exception."""

    def __init__(self, port: str, traceback: str) -> None:
        lines = traceback.strip().splitlines() or ["an exception without a text"]
        super().__init__(f"{port}: the board's program failed: {lines[-1]}: `doctor` tells the board's state")
        self.traceback = traceback
        """What the board said, whole."""
        self.exception = lines[-1]
        """Its last line, as in `OSError: [Errno 28] ENOSPC`."""


class Port(NamedTuple):
    """A serial port of this machine."""

    path: str
    usb: str
    """Vendor and product, as in `2e8a:0005`."""
    serial: str
    """The device's own serial number; on many boards that is `machine.unique_id()`."""
    name: str


def ports() -> list[Port]:
    """List the serial ports that are USB devices; there is no list of known boards, so other devices are among them."""
    found = [port for port in serial.tools.list_ports.comports() if port.vid is not None and port.pid is not None]
    return sorted(
        Port(p.device, f"{p.vid:04x}:{p.pid:04x}", p.serial_number or "", (p.product or p.description or "").strip())
        for p in found
    )


def add_port(parser: argparse.ArgumentParser) -> None:
    """Add the option that says which board is meant."""
    text = "the board: a path, a URL as in socket://127.0.0.1:4000, or id:SERIAL (default: the only one connected)"
    parser.add_argument("--port", help=text)


def chosen(port: str | None) -> str:
    """Give the port that is meant: of several boards none is guessed."""
    if port and not port.startswith("id:"):
        return port
    candidates = ports()
    if port:
        candidates = [found for found in candidates if found.serial.lower() == port[3:].lower()]
    if len(candidates) > 1:
        listed = ", ".join(f"{found.path} ({found.name or found.usb})" for found in candidates)
        raise Ambiguous(f"{len(candidates)} boards could be meant: {listed}: choose one with --port")
    if not candidates:
        missing = f"no board with the serial number {port[3:]} is connected" if port else "no board is connected"
        raise Failure(f"{missing}: plug it in with a cable that carries data, or name its port with --port")
    if not port:
        say(f"using {candidates[0].path} ({candidates[0].name or candidates[0].usb}), the only board")
    return candidates[0].path


@contextmanager
def connected(port: str, reset: bool = True) -> Iterator[Device]:
    """Lend a board in its raw REPL; with `reset` its heap, its globals and its open files are those of a fresh start."""
    device = Device(port)
    try:
        device.enter(reset)
        yield device
    finally:
        device.close()


class Device:
    """A board behind an open port."""

    def __init__(self, port: str) -> None:
        """Open the port; the board is not disturbed yet."""
        self.port = port
        self.exchanges = self.sent = self.received = 0
        self._transport = _opened(port)
        self._input = b""

    # The raw REPL

    def enter(self, reset: bool = True) -> None:
        """Interrupt what runs and enter the raw REPL; with `reset` after a soft reset, which runs boot.py but not main.py."""
        self._call()
        if reset:
            self._write(_END)
            self._expect(_REBOOT, _STARTING)
            self._expect(_BANNER, _STARTING)

    def _call(self) -> None:
        # A board that is just starting, or an application that is slow to give up, may miss the first call.
        deadline = time.monotonic() + _STARTING
        calls = 0
        while True:
            self._write(b"\r" + _INTERRUPT)
            self._drop()
            self._write(b"\r" + _RAW)
            calls += 1
            try:
                self._expect(_BANNER, _CALL_EVERY)
                break
            except Lost:
                if self._gone() or time.monotonic() > deadline:
                    raise self._no_answer() from None
        if calls > 1:  # answers to the earlier calls may follow yet; the one to this call is the last
            time.sleep(0.2)
            self._drop()
            self._write(_RAW)
            self._expect(_BANNER, _STARTING)

    def _no_answer(self) -> Lost:
        reason = "nothing answers there as MicroPython does"
        return Lost(f"{self.port}: {reason}: check the port, reset the board, or flash its firmware again")

    def run(self, program: str, seconds: float = PATIENCE) -> str:
        """Run a program to its end and give what it printed; `seconds` is how long it may be silent."""
        self.start(program)
        return self.finish(seconds)

    # A conversation with a running program

    def start(self, program: str) -> None:
        """Start a program, which may then read from `sys.stdin.buffer`; byte 3 (Ctrl-C) would interrupt it."""
        source = program.encode()
        with self._mapped():
            # What was received already belongs to us, but mpremote waits for the prompt.
            self._transport.serial = _Rest(self._transport.serial, self._input)
            try:
                self._transport.exec_raw_no_follow(source)
            finally:
                rest = self._transport.serial
                self._transport.serial, self._input = rest.serial, rest.rest
        self.sent += len(source)
        self.exchanges += 1

    def write(self, data: bytes) -> None:
        """Send bytes to the running program; the caller never sends more than the program waits for."""
        self._write(data)
        self.sent += len(data)
        self.exchanges += 1

    def read(self, length: int, seconds: float = PATIENCE) -> bytes:
        """Wait for the running program to have printed so many bytes; raise ProgramFailed if it ends before."""
        while len(self._input) < length and _END not in self._input:
            self._fill(seconds)
        if _END in self._input[:length]:
            self.finish(seconds)
            raise Lost(f"{self.port}: the board's program ended early: reset the board and try again")
        return self._taken(length)

    def finish(self, seconds: float = PATIENCE) -> str:
        """Wait for the running program's end and give what it has printed since."""
        said = self._await(_END, seconds)[:-1]
        complaint = self._await(_END, seconds)[:-1]
        if complaint:
            raise ProgramFailed(self.port, complaint.decode("utf-8", "replace"))
        return said.decode("utf-8", "replace").replace("\r\n", "\n")

    def abandon(self) -> None:
        """Interrupt the running program, as when a conversation went wrong, and be ready for the next."""
        self._call()

    # Starting again, and the application's own output

    def restart(self) -> None:
        """Leave the raw REPL and start the board's programs again: boot.py, and main.py with the application."""
        self._write(b"\r" + _FRIENDLY)
        self._write(_END)
        self._expect(_REBOOT, _STARTING)

    def output(self, seconds: float) -> bytes:
        """Give what the board says within that time, at once when there is something."""
        deadline = time.monotonic() + seconds
        while not self._input and time.monotonic() < deadline:
            self._poll()
        return self._taken(len(self._input))

    def type(self, data: bytes) -> None:
        """Send what a user types to the application or the REPL."""
        self._write(data)
        self.sent += len(data)

    def reconnect(self, seconds: float = RETURNING) -> None:
        """Open the port again, which may vanish for a while when the board resets."""
        self.close()
        deadline = time.monotonic() + seconds
        while True:
            try:
                self._transport = _opened(self.port)
                self._input = b""
                return
            except Failure:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def pulse(self) -> bool:
        """Reset a board whose reset hangs on the port's lines, as on many ESP32; tell whether the port has such lines."""
        lines = self._transport.serial
        if not isinstance(lines, serial.Serial):  # a socket
            return False
        before = lines.dtr, lines.rts
        try:
            # RTS alone pulls the reset; DTR alone would choose the boot loader, and both together, as mostly, do nothing.
            lines.dtr, lines.rts = False, True
            time.sleep(_RESET)
            lines.dtr, lines.rts = before
        except OSError as error:
            if error.errno in _NO_LINES:
                return False
            raise Lost(f"{self.port}: the port went with the reset: plug the board in again if it does not return") from None
        return True

    def close(self) -> None:
        """Close the port; the board stays as it is."""
        link = getattr(self._transport.serial, "_socket", None)
        with suppress(OSError):  # it was unplugged
            self._transport.close()
        if link:
            link.close()  # pyserial leaves it open when the other side was first

    # Bytes

    def _write(self, data: bytes) -> None:
        with self._mapped():
            self._transport.serial.write(data)

    def _poll(self) -> bool:
        """Take what has come; tell whether there was something, else wait for a moment."""
        with self._mapped():
            data = self._transport.serial.read(waiting) if (waiting := self._transport.serial.in_waiting) else b""
        if not data:
            time.sleep(_POLL)
        self._input += data
        self.received += len(data)
        return bool(data)

    def _fill(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self._poll():
            if time.monotonic() > deadline:
                raise Lost(f"{self.port}: the board has been silent for {seconds:.0f} s: reset it and try again")

    def _await(self, ending: bytes, seconds: float) -> bytes:
        searched = 0
        while (at := self._input.find(ending, max(0, searched - len(ending)))) < 0:
            searched = len(self._input)
            self._fill(seconds)
        return self._taken(at + len(ending))

    def _expect(self, ending: bytes, seconds: float) -> None:
        """Pass over what comes until the ending of a handshake: unlike a program, that may not take for ever."""
        deadline = time.monotonic() + seconds
        while (at := self._input.find(ending)) < 0:
            if time.monotonic() > deadline:
                raise Lost(f"{self.port}: no answer within {seconds:.0f} s: reset the board and try again")
            self._input = self._input[-len(ending) :]
            self._poll()
        self._taken(at + len(ending))

    def _taken(self, length: int) -> bytes:
        data, self._input = self._input[:length], self._input[length:]
        return data

    def _drop(self) -> None:
        # Something that never stops talking is not waited for.
        deadline = time.monotonic() + _TALKING
        while self._poll() and time.monotonic() < deadline:
            pass
        self._input = b""

    def _gone(self) -> bool:
        try:
            self._poll()
        except Failure:
            return True
        return False

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        """Turn what pyserial and mpremote raise into one line."""
        try:
            yield
        except (OSError, struct.error, TransportError) as error:
            lost = isinstance(error, OSError)
            reason = "the connection to the board was cut" if lost else "the board stopped answering in the middle"
            raise Lost(f"{self.port}: {reason}: plug it in or reset it, and try again") from None


class _Rest:
    """A serial port with what was read from it too early in front."""

    def __init__(self, port: serial.SerialBase, rest: bytes) -> None:
        self.serial, self.rest = port, rest

    def read(self, size: int = 1) -> bytes:
        data, self.rest = self.rest[:size], self.rest[size:]
        return data + (self.serial.read(size - len(data)) if len(data) < size else b"")

    def inWaiting(self) -> int:
        return len(self.rest) + int(self.serial.in_waiting)

    def write(self, data: bytes) -> object:
        return self.serial.write(data)


def _opened(port: str) -> SerialTransport:
    try:
        # Its timeout is for a board that dies while a program is handed over.
        transport = SerialTransport(port, timeout=PATIENCE)
    except (TransportError, OSError, ValueError):
        raise Failure(f"{port}: {_why_closed(port)}") from None
    transport.serial.write_timeout = _WRITING
    return transport


_REASONS: Sequence[tuple[Sequence[int], str]] = (
    ((errno.EACCES, errno.EPERM), "no permission: join the group that owns it, as with `sudo usermod -aG dialout $USER`"),
    ((errno.EAGAIN, errno.EBUSY), "it is in use by another program: close that one (a monitor, an editor, mpremote)"),
    ((errno.ENOENT, errno.ENODEV, errno.ENXIO), "no such port: `devices` lists those there are"),
    ((errno.ECONNREFUSED,), "nothing listens there: start what serves the port"),
)


def _why_closed(port: str) -> str:
    """Say why a port cannot be opened: mpremote keeps that to itself."""
    try:
        serial.serial_for_url(port, exclusive=True).close()
    except ValueError:
        return "not a port that can be opened: give a path or a URL as in socket://127.0.0.1:4000"
    except OSError as error:
        return _reason(port, error)
    return "it could not be opened for a moment: try again"


def _reason(port: str, error: OSError) -> str:
    # pyserial puts the number of what happened below a socket into the text only.
    number = error.errno or next((n for n in errno.errorcode if f"[Errno {n}]" in str(error)), 0)
    for numbers, reason in _REASONS:
        if number in numbers:
            return reason
    known = os.strerror(number).lower() if number else "it cannot be opened"
    return f"{known}: check the name, or let `devices` list the ports there are"
