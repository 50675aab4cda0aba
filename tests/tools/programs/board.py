# ruff: noqa: SIM105, SIM115
# A stand-in for a board, for the unix port: a filesystem of its own at `/`, a start like a board's, and the REPL's raw mode
# with raw paste, which the unix port of this release lacks.  tests/tools/bridge.py runs it behind a terminal.
#
#     micropython board.py FLASH ID MAIN MODE
#
# FLASH is a file of whole blocks, for littlefs; ID is what machine.unique_id() gives,
# MAIN the frozen main.py or nothing for stock firmware, MODE how it starts: raw (after a soft reset there) or friendly.
# It ends with the status RAW or FRIENDLY to be started again in that mode.

import gc
import io
import os
import sys

import micropython
import vfs

FLASH, ID, MAIN, MODE = sys.argv[1:]
RAW, FRIENDLY = 10, 11
names = {"__name__": "__main__"}  # of all programs until the next soft reset
BLOCK, WINDOW = 4096, 16384
BANNER = "raw REPL; CTRL-B to exit\r\n>"


class Chip:
    """A flash chip in a file."""

    def __init__(self, path):
        self.file = open(path, "r+b")
        self.count = self.file.seek(0, 2) // BLOCK

    def readblocks(self, number, buffer, offset=0):
        self.file.seek(number * BLOCK + offset)
        self.file.readinto(buffer)

    def writeblocks(self, number, buffer, offset=0):
        self.file.seek(number * BLOCK + offset)
        self.file.write(buffer)
        self.file.flush()

    def ioctl(self, operation, argument):
        if operation in (4, 5):
            return self.count if operation == 4 else BLOCK
        return 0


class Machine:
    """The module `machine`, as far as a tool asks it."""

    @staticmethod
    def unique_id():
        return bytes(int(ID[at : at + 2], 16) for at in range(0, len(ID), 2))


class Micropython:
    """The module `micropython`; a board turns Ctrl-C on again when a program has ended, and here it would end the process."""

    @staticmethod
    def kbd_intr(character):
        pass


for name in dir(micropython):
    if name != "kbd_intr" and not name.startswith("__"):
        setattr(Micropython, name, getattr(micropython, name))
sys.modules["micropython"] = Micropython


def mount():
    chip = Chip(FLASH)
    vfs.umount("/")
    try:
        vfs.mount(chip, "/")
    except OSError:
        vfs.VfsLfs2.mkfs(chip)
        vfs.mount(chip, "/")
    os.chdir("/")


def write(text):
    sys.stdout.write(text)


def read():
    byte = sys.stdin.buffer.read(1)
    if not byte:
        sys.exit(0)
    return byte


def start_again(status):
    write("\r\nMPY: soft reboot\r\n")
    sys.exit(status)


def paste():
    """Take a program by raw paste; the other side sends no more than the windows that it was granted."""
    sys.stdout.buffer.write(b"R\x01" + bytes((WINDOW % 256, WINDOW // 256)))
    program, byte = [], read()
    while byte != b"\x04":
        program.append(byte)
        if len(program) % WINDOW == 0:
            write("\x01")
        byte = read()
    write("\x04")
    return b"".join(program)


def run(program):
    complaint = io.StringIO()
    try:
        exec(program, names)
    except BaseException as error:
        sys.print_exception(error, complaint)
    gc.collect()
    write("\x04" + complaint.getvalue().replace("\n", "\r\n") + "\x04>")


def raw():
    """Do what a board does in raw mode; return when it is left."""
    write(BANNER)
    line = b""
    while True:
        try:
            byte = read()
            if byte == b"\x01":
                write(BANNER)
            elif byte == b"\x02":
                return
            elif byte == b"\x04" and not line.strip():
                start_again(RAW)
            elif byte == b"\x04":
                write("OK")
                run(line)
                line = b""
            elif byte == b"\x05" and read() + read() == b"A\x01":
                line = b""
                run(paste())
            else:
                line += byte
        except KeyboardInterrupt:
            line = b""


def friendly():
    write("\r\n>>> ")
    while True:
        try:
            byte = read()
            if byte == b"\x01":
                raw()
                write("\r\n>>> ")
            elif byte == b"\x04":
                start_again(FRIENDLY)
            elif byte == b"\r":
                write("\r\n>>> ")
        except KeyboardInterrupt:
            write("\r\n>>> ")


def start_file(path):
    try:
        os.stat(path)
    except OSError:
        return
    try:
        with open(path) as file:
            exec(compile(file.read(), path, "exec"), {"__name__": "__main__"})
    except BaseException as error:
        sys.print_exception(error)


def start():
    if ID:
        sys.modules["machine"] = Machine
    sys.path[:] = ["", ".frozen", "/lib"] if MAIN else ["", "/lib"]
    start_file("boot.py")
    if MODE == "raw":
        raw()
    elif MAIN:
        exec(compile(main_source, "main.py", "exec"), {"__name__": "__main__"})
    else:
        start_file("main.py")


main_source = open(MAIN).read() if MAIN else ""
mount()
try:
    write("on\r\n")  # from here on Ctrl-C is taken as a board does
    start()
except Exception as error:
    sys.print_exception(error)
except KeyboardInterrupt:
    pass
while True:
    try:
        friendly()
    except KeyboardInterrupt:
        pass
