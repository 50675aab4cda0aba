# The journal of a deploy: whatever interrupts it, the board holds the deploy before or the new one, wholly, and the user's
# files as they were.

import os
import unittest

from deploys import Power, erase, expected, holds, install, name_of, plan, read, write
from folder import remove
from onboard import journal
from support import MICROPYTHON, Random

ROUNDS = 12
FOLDERS = ("", "/lib", "/lib/sub", "/static", "/static/img", "/ordner mit ü")
NAMES = ("a.py", "b.mpy", "index.html", "page 2.css", "größe.txt")


def random_files(random, taken=()):
    files = {"/main.py": b"run %d" % random.below(3)}
    for _ in range(random.below(7)):
        path = random.choice(FOLDERS) + "/" + random.choice(NAMES)
        if path not in taken:
            files[path] = bytes([random.below(256)]) * random.choice((0, 1, 40, 700))
    return files


class OnBoard(unittest.TestCase):
    def setUp(self):
        os.mkdir("board")
        journal.root = "board"

    def tearDown(self):
        journal.root = ""
        remove("board")

    def begin(self, old, data):
        """Make the board anew, with a deploy, unless that is None, and the user's files."""
        erase()
        for path in data:
            write(path, data[path])
        if old is not None:
            install(old)


class TestEveryCut(OnBoard):
    """The power is cut in each change of a file, and in each of the way to recover from that."""

    def cases(self):
        random = Random(6)
        for number in range(ROUNDS):
            data = {"/data/log.db": b"1", "/lib/mine.py": b"2", "/config.json": b"{}"}
            old = random_files(random) if number % 4 else None
            yield old, random_files(random), data, number % 2 == 0

    def test_a_commit(self):
        for old, new, data, keep in self.cases():
            before = data if old is None else expected(old, data)
            after = expected(new, data)
            operations = self.count(old, data, new, keep)
            outcomes = set()
            for cut in range(operations):
                self.begin(old, data)
                with Power(journal, cut):
                    self.commit(old, new, keep)
                self.recover(cut % 5)
                outcomes.add(self.judge(before, after))
                if holds() != after:
                    self.commit(old, new, keep)
                self.assertEqual(holds(), after)
            self.assertEqual(outcomes, {"before", "after"})

    def test_an_undo(self):
        for old, new, data, _ in self.cases():
            before = data if old is None else expected(old, data)
            after = expected(new, data)
            operations = self.count(old, data, new, True, journal.undo)
            outcomes = set()
            for cut in range(operations):
                self.begin(old, data)
                self.commit(old, new, keep=True)
                with Power(journal, cut):
                    journal.undo()
                self.recover(cut % 5)
                outcomes.add(self.judge(before, after))
            self.assertEqual(outcomes, {"before", "after"})

    def commit(self, old, new, keep):
        journal.commit(plan(old, new, keep))

    def count(self, old, data, new, keep, then=None):
        """Return how often a commit, or what comes after it, changes a file."""
        self.begin(old, data)
        with Power(journal) as power:
            self.commit(old, new, keep)
            before = power.operations if then else 0
            if then:
                then()
        return power.operations - before

    def recover(self, cut):
        with Power(journal, cut):
            journal.recover()
        journal.recover()
        self.assertFalse(journal.recover())

    def judge(self, before, after):
        found = holds()
        if found.get("/.mdot/owned", 0) is None:
            del found["/.mdot/owned"]
        self.assertTrue(found in (before, after), found)
        return "before" if found == before else "after"


class TestCommit(OnBoard):
    def test_the_deploy_before_comes_back_only_once(self):
        self.begin({"/main.py": b"1", "/lib/gone.py": b"g"}, {})
        journal.commit(plan({"/main.py": b"1", "/lib/gone.py": b"g"}, {"/main.py": b"2", "/x/y.py": b"y"}, True))
        self.assertEqual(holds(), expected({"/main.py": b"2", "/x/y.py": b"y"}, {}))
        self.assertTrue(journal.undo())
        self.assertEqual(holds(), expected({"/main.py": b"1", "/lib/gone.py": b"g"}, {}))
        self.assertFalse(journal.undo())

    def test_operations_may_lie_in_a_file(self):
        self.begin(None, {})
        write("/.mdot/journal.new", b"".join(journal.lines(plan(None, {"/main.py": b"1"}, False))))
        journal.commit()
        self.assertEqual(holds(), expected({"/main.py": b"1"}, {}))

    def test_a_pending_journal_comes_first(self):
        self.begin(None, {})
        planned = plan(None, {"/main.py": b"1", "/a.py": b"a"}, False)
        with Power(journal, len(planned) + 4):
            journal.commit(planned)
        self.assertTrue(read("/.mdot/journal"))
        self.assertEqual(read("/main.py"), None)
        journal.commit(plan({"/main.py": b"1", "/a.py": b"a"}, {"/main.py": b"2", "/a.py": b"a"}, False))
        self.assertEqual(holds(), expected({"/main.py": b"2", "/a.py": b"a"}, {}))

    def test_a_new_deploy_is_counted_anew(self):
        self.begin(None, {"/.mdot/boots": b"3"})
        journal.commit(plan(None, {"/main.py": b"1"}, False))
        self.assertEqual(read("/.mdot/boots"), None)

    def test_what_could_fail_half_way_is_refused_before_anything_changes(self):
        name = name_of("/main.py", b"1")
        for operation, problem in (
            (("put", name, "/main.py"), "upload is missing"),
            (("back", name, "/main.py"), "kept file is missing"),
            (("keep", name, "/main.py"), "file to keep is missing"),
            (("keep", name, "/folder"), "a folder is in its place"),
            (("del", "-", "/folder"), "a folder is in its place"),
            (("put", name_of("/folder", b"f"), "/folder"), "a folder is in its place"),
            (("put", name_of("/file/x", b"x"), "/file/x"), "a file is in the place of its folder"),
        ):
            self.begin(None, {"/folder/mine": b"m", "/file": b"f", "/old.py": b"o"})
            write("/.mdot/new/" + name_of("/folder", b"f"), b"f")
            write("/.mdot/new/" + name_of("/file/x", b"x"), b"x")
            with self.assertRaises(ValueError) as caught:
                journal.commit([("del", "-", "/old.py"), operation])
            self.assertIn(problem, str(caught.exception))
            self.assertEqual((read("/folder/mine"), read("/file"), read("/old.py")), (b"m", b"f", b"o"))
            self.assertFalse(journal.recover())

    def test_an_undo_whose_files_were_removed_is_refused(self):
        self.begin({"/main.py": b"1"}, {})
        journal.commit(plan({"/main.py": b"1"}, {"/main.py": b"2"}, True))
        os.remove("board/.mdot/old/" + name_of("/main.py", b"1"))
        self.assertRaises(ValueError, journal.undo)
        self.assertEqual(read("/main.py"), b"2")

    def test_folders_go_when_they_are_empty_and_not_before(self):
        self.begin({"/main.py": b"", "/a/b/c.py": b"c", "/d/e.py": b"e"}, {"/d/mine": b""})
        journal.commit([("del", "-", "/a/b/c.py"), ("del", "-", "/d/e.py")])
        self.assertEqual(sorted(os.listdir("board")), [".mdot", "d", "main.py"])


class TestDamagedJournals(OnBoard):
    """A journal that can't be right is put aside with nothing done."""

    GOOD = b"del - /a.py\ndel - /b.py\nend - -\n"
    NAME = b"0123456789abcdef01234567"

    def lines(self):
        name = self.NAME
        yield from (b"\n", b"del\n", b"del -\n", b"del - a.py\n", b"del x /a.py\n", b"delete - /a.py\n", b" del - /a.py\n")
        yield from (b"put - /a.py\n", b"put " + name[:-1] + b" /a.py\n", b"put " + name.upper() + b" /a.py\n")
        yield from (b"put " + name[:-1] + b"/ /a.py\n", b"drop - -\n", b"drop " + name + b" /a.py\n", b"end - /\n")
        for path in (b"/../x", b"/a/./b", b"//a", b"/a/", b"/", b"", b"/a\x07", b"/a\x7f", b"/\xff\xfe", b"/a\0b"):
            yield b"del - " + path + b"\n"
        for path in (b"/config.json", b"/CONFIG.JSON", b"/.mdot/boots", b"/.mdot/new/" + name, b"/.mdot", b"/.Mdot/x"):
            yield b"put " + name + b" " + path + b"\n"
            yield b"del - " + path + b"\n"
        yield b"del - /" + b"x" * journal.MAX_PATH + b"\n"

    def texts(self):
        for end in range(len(self.GOOD)):
            yield self.GOOD[:end]
        for line in self.lines():
            yield b"del - /a.py\n" + line + b"end - -\n"
        yield b"\xff" * 50000
        yield b"\0" * 4096
        yield b"del - /a.py\n" * 3000
        yield b"del - /a.py\r\nend - -\r\n"

    def test_nothing_is_done(self):
        for text in self.texts():
            self.begin(None, {"/a.py": b"a", "/b.py": b"b"})
            write("/.mdot/journal", text)
            with self.assertRaises(ValueError) as caught:
                journal.recover()
            self.assertIn("journal: damaged in line ", str(caught.exception))
            self.assertEqual((read("/a.py"), read("/b.py")), (b"a", b"b"), text[:80])
            self.assertFalse(journal.recover(), text[:80])

    def test_nor_does_it_begin(self):
        for text in self.texts():
            self.begin(None, {"/a.py": b"a"})
            write("/.mdot/journal.new", text)
            self.assertRaises(ValueError, journal.commit)
            self.assertEqual(read("/a.py"), b"a")
            self.assertFalse(journal.recover())

    def test_the_longest_path_is_one_that_works(self):
        path = "/" + "f" * 200 + "/" + "x" * (journal.MAX_PATH - 202)
        self.assertTrue(journal.is_safe(path))
        self.assertFalse(journal.is_safe(path + "x"))
        self.begin(None, {path: b"1", "/config.json.bak": b"2"})
        journal.commit([("del", "-", path), ("del", "-", "/config.json.bak")])
        self.assertEqual(os.listdir("board"), [".mdot"])


class RamFlash:
    """A block device that tears the write or erase after so many and then stands still."""

    SIZE = 512

    def __init__(self, content, after=1 << 30):
        self.content = content
        self._after = after
        self.operations = 0

    def readblocks(self, block, buffer, offset=0):
        at = block * self.SIZE + offset
        buffer[:] = self.content[at : at + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        return self._change(block * self.SIZE + offset, buffer)

    def ioctl(self, op, block):
        if op == 4:
            return len(self.content) // self.SIZE
        if op == 5:
            return self.SIZE
        if op == 6:
            return self._change(block * self.SIZE, b"\xff" * self.SIZE)

    def _change(self, at, data):
        if self.operations >= self._after:
            data = data[: len(data) // 2] if self.operations == self._after else b""
        self.content[at : at + len(data)] = data
        self.operations += 1
        return 0 if self.operations <= self._after else -5


@unittest.skipUnless(MICROPYTHON, "littlefs is MicroPython's")
class TestLittlefs(unittest.TestCase):
    """The same on the filesystem of boards, whose power fails in each write and each erase of the flash."""

    BLOCKS = 96
    OLD = {"/main.py": b"1" * 300, "/lib/a.py": b"a" * 900, "/lib/b.py": b"b"}
    NEW = {"/main.py": b"2" * 200, "/lib/a.py": b"A" * 1200, "/static/c.css": b"c" * 50}
    DATA = {"/data/log.db": b"l" * 700}

    def setUp(self):
        import vfs

        self.vfs = vfs
        journal.root = "/flash"

    def tearDown(self):
        journal.root = ""

    def mounted(self, content, act, after=1 << 30):
        """Do something on the flash; return how often it was written to."""
        flash = RamFlash(content, after)
        self.vfs.mount(self.vfs.VfsLfs2(flash, progsize=32), "/flash")
        try:
            act()
        except OSError:
            if flash.operations <= after:
                raise
        finally:
            self.vfs.umount("/flash")
        return flash.operations

    def prepared(self, act):
        content = bytearray(RamFlash.SIZE * self.BLOCKS)
        self.vfs.VfsLfs2.mkfs(RamFlash(content), progsize=32)
        self.mounted(content, act)
        return content

    def planned(self):
        for path in self.DATA:
            write(path, self.DATA[path])
        install(self.OLD)
        write("/.mdot/journal.new", b"".join(journal.lines(plan(self.OLD, self.NEW, True))))

    def check(self, begun, act):
        states = (expected(self.OLD, self.DATA), expected(self.NEW, self.DATA))
        seen = set()

        def judge():
            journal.recover()
            found = holds()
            self.assertTrue(found in states, found)
            seen.add(states.index(found))

        operations = self.mounted(bytearray(begun), act)
        for cut in range(operations):
            content = bytearray(begun)
            self.mounted(content, act, cut)
            self.mounted(content, journal.recover, cut % 7)
            self.mounted(content, judge)
        self.assertEqual(seen, {0, 1})

    def test_a_commit_cut_at_every_write(self):
        self.check(self.prepared(self.planned), journal.commit)

    def test_an_undo_cut_at_every_write(self):
        def committed():
            self.planned()
            journal.commit()

        self.check(self.prepared(committed), journal.undo)


if __name__ == "__main__":
    unittest.main()
