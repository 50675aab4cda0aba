"""A stand-in for a board on a serial line: the unix firmware behind a TCP port, where the tools reach it as `socket://`.

What runs there is `programs/board.py`.  The line can be cut after a number of bytes or of turns (a turn begins with the first
byte to the board after the board has said something), by pulling the cable or by pulling the plug.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import littlefs

ROOT = Path(__file__).resolve().parent.parent.parent
MICROPYTHON = ROOT / "build/unix/micropython"
_PROGRAM = Path(__file__).parent / "programs/board.py"
_MODES = {10: "raw", 11: "friendly"}
BLOCK = 4096


def _plain(terminal: int) -> None:
    """Let bytes pass as they are, but for Ctrl-C, which interrupts as it does on a board."""
    settings = termios.tcgetattr(terminal)
    settings[0] = settings[1] = 0
    settings[3] = termios.ISIG | termios.NOFLSH
    for character in range(len(settings[6])):
        settings[6][character] = b"\0"
    settings[6][termios.VINTR] = b"\x03"
    settings[6][termios.VMIN] = 1
    termios.tcsetattr(terminal, termios.TCSANOW, settings)


class Bridge:
    """A board that is switched on, and its port."""

    def __init__(self, flash: Path, identity: str = "", stock: bool = False, heap: str = "2m") -> None:
        self.flash = flash
        self._arguments = [str(flash), identity, "" if stock else str(ROOT / "board/modules/main.py")]
        self._heap = heap
        self._master, self._terminal = os.openpty()
        _plain(self._terminal)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._client: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._wake, self._waker = os.pipe()
        self._lock = threading.RLock()
        self._closing = False
        self._board_spoke = True
        self.turns = self.sent = 0
        self.restarts = 0
        self._cut_turns: int | None = None
        self._cut_bytes: int | None = None
        self._plug = False
        self.cut = False
        self.said = b""
        self.port = f"socket://127.0.0.1:{self._server.getsockname()[1]}"
        self.power_on()
        self._thread = threading.Thread(target=self._pass, daemon=True)
        self._thread.start()

    # What a test does to it

    def power_on(self, mode: str = "friendly") -> None:
        """Start the board, with whatever its filesystem holds."""
        with self._lock:
            command = [str(MICROPYTHON), "-X", f"heapsize={self._heap}", str(_PROGRAM), *self._arguments, mode]
            self._process = subprocess.Popen(
                command, stdin=self._terminal, stdout=self._terminal, stderr=self._terminal, preexec_fn=self._take_terminal
            )
            # Until it says something, Ctrl-C would end it.
            assert select.select([self._master], [], [], 60)[0], "the board does not start"
            os.write(self._waker, b"x")

    def _take_terminal(self) -> None:
        # Ctrl-C is for who has the terminal for his own.
        os.setsid()
        import fcntl

        fcntl.ioctl(self._terminal, termios.TIOCSCTTY, 0)

    def power_off(self) -> None:
        """Pull the plug."""
        with self._lock:
            self.unplug()
            if self._process:
                self._process.kill()
                self._process.wait()
                self._process = None
                termios.tcflush(self._terminal, termios.TCIOFLUSH)

    def wait_for(self, text: bytes, seconds: float = 60) -> None:
        """Wait until the board has said something since `said` was last emptied."""
        deadline = time.monotonic() + seconds
        while text not in self.said:
            assert time.monotonic() < deadline, self.said
            time.sleep(0.005)

    def unplug(self) -> None:
        """Pull the cable; another client may connect."""
        with self._lock:
            if self._client:
                with contextlib.suppress(OSError):
                    self._client.shutdown(socket.SHUT_RDWR)
                self._client.close()
                self._client = None

    def cut_after(self, *, turns: int | None = None, count: int | None = None, plug: bool = False) -> None:
        """Cut the line after so many more turns, or bytes to the board: the cable, or with `plug` the power too."""
        with self._lock:
            self._cut_turns = None if turns is None else self.turns + turns
            self._cut_bytes = None if count is None else self.sent + count
            self._plug, self.cut = plug, False

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Let no byte pass during the block."""
        with self._lock:
            yield

    def mend(self) -> None:
        """Cut nothing any more."""
        with self._lock:
            self._cut_turns = self._cut_bytes = None

    def close(self) -> None:
        """Switch everything off."""
        if self._closing:
            return
        self._closing = True
        os.write(self._waker, b"x")
        self._thread.join()
        self.power_off()
        self._server.close()
        for descriptor in (self._master, self._terminal, self._wake, self._waker):
            os.close(descriptor)

    # Passing bytes on

    def _pass(self) -> None:
        while not self._closing:
            with self._lock:
                watched: list[object] = [self._server, self._master, self._wake]
                watched += [self._client] if self._client else []
                pidfd = os.pidfd_open(self._process.pid) if self._process else -1
            try:
                ready = select.select([*watched, *([pidfd] if pidfd >= 0 else [])], [], [], 1)[0]
                with self._lock:
                    self._serve(ready, pidfd)
            except (OSError, ValueError):
                continue  # the test took something away meanwhile
            finally:
                if pidfd >= 0:
                    os.close(pidfd)

    def _serve(self, ready: list[object], pidfd: int) -> None:
        if self._wake in ready:
            os.read(self._wake, 64)
        if self._server in ready:
            self.unplug()
            self._client = self._server.accept()[0]
            self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._master in ready and select.select([self._master], [], [], 0)[0]:
            self._from_board()
        elif pidfd in ready:  # and all it said has been passed on
            self._ended()
        if self._client and self._client in ready:
            self._to_board(self._client)

    def _from_board(self) -> None:
        data = os.read(self._master, 65536)
        self._board_spoke = True
        self.said += data
        if self._client:
            with contextlib.suppress(OSError):
                self._client.sendall(data)

    def _to_board(self, client: socket.socket) -> None:
        try:
            data = client.recv(2048)
        except OSError:
            data = b""
        if not data:
            self.unplug()
            return
        if self._board_spoke:
            self._board_spoke = False
            self.turns += 1
        if self._cut_turns is not None and self.turns > self._cut_turns:
            self._cut()
            return
        if self._cut_bytes is not None and self.sent + len(data) > self._cut_bytes:
            data = data[: self._cut_bytes - self.sent]
            os.write(self._master, data)
            self.sent += len(data)
            self._cut()
            return
        self.sent += len(data)
        os.write(self._master, data)

    def _cut(self) -> None:
        self.cut = True
        self.mend()
        if self._plug:
            self.power_off()
        else:
            self.unplug()

    def _ended(self) -> None:
        # It may be another one already: the test may have switched it off and on.
        status = self._process.poll() if self._process else None
        if status is None:
            return
        self._process = None
        if status in _MODES:
            self.restarts += 1
            self.power_on(_MODES[status])


# How a test gets boards: a function with `bridged`'s arguments, but for a name instead of the flash chip's file.
Boards = Callable[..., Bridge]


@contextlib.contextmanager
def bridged(flash: Path, identity: str = "", stock: bool = False, heap: str = "2m", blocks: int = 256) -> Iterator[Bridge]:
    """Switch a board on for the block; its flash chip is a file, which is made if it is not there."""
    if not flash.exists():
        flash.write_bytes(b"\xff" * (BLOCK * blocks))
    bridge = Bridge(flash, identity, stock, heap)
    try:
        yield bridge
    finally:
        bridge.close()


def tree(flash: Path) -> dict[str, bytes]:
    """Read the files of a chip that is switched off, by their paths."""
    files = {}
    chip = littlefs.LittleFS(block_size=BLOCK, block_count=flash.stat().st_size // BLOCK, mount=False)
    chip.context.buffer[:] = flash.read_bytes()
    chip.mount()
    for folder, _, names in chip.walk("/"):
        for name in names:
            path = f"{folder.rstrip('/')}/{name}"
            with chip.open(path, "rb") as file:
                files[path] = file.read()
    return files
