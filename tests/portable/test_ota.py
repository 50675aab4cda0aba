# Updates over the air: who may send one, what is refused before anything is changed, and what lies on the board afterwards.

import asyncio
import os
import sys
import time
import unittest

import bundles
import deploys
import onboard
from bundles import bundle, head, line, sha256, signature
from deploys import erase, holds, read, write
from folder import remove
from microdot import Microdot, Request
from microdot.ota import OTA, Refused
from microdot.test_client import TestClient
from onboard import guard, journal
from support import Random, run

OLD = {"/main.py": b"old", "/lib/a.py": b"a = 1\n" * 300, "/lib/gone.py": b"gone", "/same.txt": b"same"}
NEW = {"/main.py": b"new", "/lib/a.py": b"a = 2\n" * 400, "/lib/b/c.py": b"", "/same.txt": b"same"}
DATA = {"/data/log": b"mine", "/config.json": b"{}", "/ota.key": b"00" * 32}

FILE = line("/main.py", b"x")
# (head, status, a part of the reason)
MALFORMED = [
    (b"", 400, "ends early"),
    (b"mdot-bundle 1 0000", 400, "ends early"),
    (b"mdot-bundle 2 000021\n", 400, "not a bundle"),
    (b"mdot-bundle 1 -00021\n", 400, "not a bundle"),
    (b"mdot-bundle 1 000021\r", 400, "not a bundle"),
    (b"mdot-bundle 1 000021\n", 400, "no list"),
    (b"mdot-bundle 1 000000\n", 400, "no list"),
    (b"mdot-bundle 1 009000\n", 413, "list of files"),
    (b"mdot-bundle 1 999999\n", 413, "list of files"),
    (b"mdot-bundle 1 000100\nshort", 400, "ends early"),
    (head([FILE])[:-1] + b"x", 400, "line 3"),
    (head([FILE], app="a/b"), 400, "line 2"),
    (head([FILE], app="a" * 65), 400, "line 2"),
    (head([FILE], build="B" * 64), 400, "line 2"),
    (head([FILE], mpy=-1), 400, "line 2"),
    (head([FILE, "garbage"]), 400, "line 4"),
    (head(["* " + FILE[2:]]), 400, "line 3"),
    (head(["+ " + "g" * 64 + " 1 /a"]), 400, "line 3"),
    (head(["+ " + "a" * 64 + " 1e3 /a"]), 400, "line 3"),
    (head(["+ " + "a" * 64 + " 1234567890 /a"]), 400, "line 3"),
    (head([line("/b", b""), line("/a", b"")]), 400, "order"),
    (head([line("/a", b""), line("/a", b"")]), 400, "order"),
    (head([line("/a", b""), line("/a-b", b""), line("/a.b", b""), line("/a/b", b"")]), 400, "line 6: a file is in the place"),
    (head([line("/a", b""), line("/a/b/c", b"")]), 400, "line 4: a file is in the place"),
    (head([line("/a", b"x" * 2000), line("/b", b"x")]) + b"x", 400, "ends early"),
    (head([line("/a", b"x")]) + b"y", 400, "not what the bundle says"),
    (head([line("/a", b"x")]) + b"xy", 400, "goes on"),
    (head([line("/%03d" % i, b"") for i in range(129)]), 413, "list of files"),
]
PATHS = ["", "a", "/", "//a", "/a/", "/a//b", "/./a", "/../a", "/a/..", "/.mdot/owned", "/.MDOT/x", "/.mdot", "/config.json"]
PATHS += ["/Config.JSON", "/a\tb", "/a\x7f", "/" + "a" * 255]


class Case(unittest.TestCase):
    def setUp(self):
        os.mkdir("board")
        onboard.root = journal.root = "board"
        self.addCleanup(setattr, Request, "max_content_length", Request.max_content_length)
        for path in DATA:
            write(path, DATA[path])
        write("/ota.key", bundles.binascii.hexlify(bundles.KEY) + b"\n")
        DATA["/ota.key"] = read("/ota.key")
        self.said = []
        guard.print = self.said.append
        self.app = Microdot()
        self.restarts = []
        self.ota = OTA(self.app, restart=lambda: self.restarts.append(1))
        self.ota.leave = self.restarts.append
        self.client = TestClient(self.app)

    def tearDown(self):
        del guard.print
        onboard.root = journal.root = ""
        remove("board")

    def restarted(self):
        """Let the device be one that has started again."""
        self.ota.busy = False
        guard.begin()

    def deployed(self):
        """Lay the old application on the board, as a deploy does."""
        for path in OLD:
            write(path, OLD[path])
        write("/.mdot/owned", owned(OLD))

    def update(self, data, **options):
        return run(bundles.update(self.client, data, **options))

    def files(self):
        """Return what lies on the board, but for our own files."""
        return {path: content for path, content in holds().items() if path != "/.mdot/owned"}

    def unchanged(self, files):
        self.assertEqual(self.files(), joined(files, DATA))
        self.assertEqual(waiting(), [])


def joined(*parts):
    return dict([item for part in parts for item in part.items()])


def owned(files, build="a" * 64):
    lines = ["{} {} {}".format(sha256(files[path]), len(files[path]), path) for path in sorted(files)]
    return "\n".join(["# app " + build] + lines + [""]).encode()


def waiting():
    try:
        return os.listdir("board/.mdot/new")
    except OSError:
        return []


class TestUpdate(Case):
    def test_the_board_holds_the_new_application_on_trial(self):
        self.deployed()
        res = self.update(bundle(NEW))
        self.assertEqual((res.status_code, res.json), (200, {"build": bundles.BUILD}))
        self.assertEqual(self.files(), joined(NEW, DATA))
        self.assertEqual(read("/.mdot/owned"), owned(NEW, bundles.BUILD))
        self.assertEqual(read("/.mdot/trial"), bundles.BUILD.encode())
        self.assertEqual(waiting(), [])
        self.assertEqual(len(self.restarts), 1)
        self.assertEqual(res.headers["Connection"], "close")

    def test_a_first_deploy(self):
        self.assertEqual(self.update(bundle(NEW)).status_code, 200)
        self.assertEqual(self.files(), joined(NEW, DATA))
        journal.undo()
        self.unchanged({})
        self.assertEqual(read("/.mdot/owned"), None)

    def test_only_what_changed_is_sent(self):
        self.deployed()
        data = bundle(NEW, unsent=("/same.txt",))
        self.assertEqual(self.update(data).status_code, 200)
        self.assertEqual(self.files(), joined(NEW, DATA))

    def test_three_failed_starts_bring_the_old_one_back(self):
        self.deployed()
        self.update(bundle(NEW))
        self.assertEqual([guard.begin() for _ in range(3)], [True] * 3)
        self.assertEqual(self.files(), joined(NEW, DATA))
        self.assertTrue(guard.begin())
        self.unchanged(OLD)
        self.assertEqual(read("/.mdot/owned"), owned(OLD))
        self.assertEqual(run(bundles.state(self.client))["build"], "a" * 64)

    def test_a_good_start_keeps_it_and_the_next_update_may_come(self):
        self.deployed()
        self.update(bundle(NEW))
        self.restarted()
        self.assertTrue(run(bundles.state(self.client))["trial"])
        res = self.update(bundle(OLD, build="c" * 64))
        self.assertEqual(res.status_code, 409)
        self.assertIn("on trial", res.json["error"])
        onboard.app_ok()
        self.assertEqual(self.update(bundle(OLD, build="c" * 64)).status_code, 200)
        self.assertEqual(self.files(), joined(OLD, DATA))
        journal.undo()
        self.assertEqual(self.files(), joined(NEW, DATA))

    def test_the_start_before_confirms_nothing_of_it(self):
        self.deployed()
        guard.begin()
        self.update(bundle(NEW))
        onboard.app_ok()  # or the ten seconds are over before the restart is there
        self.assertEqual(read("/.mdot/trial"), bundles.BUILD.encode())
        self.assertEqual([guard.begin() for _ in range(4)], [True] * 4)
        self.unchanged(OLD)

    def test_a_refused_one_leaves_the_start_to_be_confirmed(self):
        self.deployed()
        guard.begin()
        self.assertEqual(self.update(bundle(NEW)[:-1]).status_code, 400)
        onboard.app_ok()
        self.assertEqual(read("/.mdot/boots"), b"0")

    def test_names_that_begin_with_anothers(self):
        paths = ("/a", "/a-b", "/a-b.c", "/a.b/c", "/ab", "/ab.c/a", "/b/a", "/b/a-b", "/main.py")
        files = dict.fromkeys(paths, b"x")
        self.assertEqual(self.update(bundle(files)).status_code, 200)
        self.assertEqual(self.files(), joined(files, DATA))

    def test_the_same_application_again(self):
        self.deployed()
        self.assertEqual(self.update(bundle(OLD)).status_code, 200)
        self.assertEqual(self.files(), joined(OLD, DATA))
        journal.undo()
        self.assertEqual(self.files(), joined(OLD, DATA))

    def test_random_applications_and_ways_back(self):
        random = Random(5)
        names = ["/main.py", "/a.py", "/b/a.py", "/b/b.py", "/c/d/e.py", "/f.txt"]
        before = {}
        for _ in range(12):
            files = {name: b"%d" % random.below(2) * random.below(1500) for name in names if random.below(3)}
            self.assertEqual(self.update(bundle(files)).status_code, 200)
            self.restarted()
            self.assertEqual(self.files(), joined(files, DATA))
            if random.below(3):
                onboard.app_ok()
                before = files
            else:
                journal.undo()
                onboard.app_ok()
                self.assertEqual(self.files(), joined(before, DATA))

    def test_a_power_cut_leaves_the_old_or_the_new(self):
        finished = False
        after = 0
        while not finished:
            erase()
            for path in DATA:
                write(path, DATA[path])
            self.deployed()
            self.ota.busy = False
            with deploys.Power(journal, after) as power:
                self.update(bundle(NEW))
                finished = power.operations < after
            try:
                journal.recover()
            except ValueError:
                pass
            files = self.files()
            self.assertIn(files, (joined(OLD, DATA), joined(NEW, DATA)), after)
            self.assertEqual(read("/.mdot/trial") is not None, files["/main.py"] == b"new")
            after += 1
        self.assertEqual(files["/main.py"], b"new")

    def test_what_fails_half_way_is_carried_on_by_the_restart(self):
        """A full flash is no refusal then, and no other update may clear what the journal needs."""
        for errno in (5, 28):
            for after in range(6):
                erase()
                for path in DATA:
                    write(path, DATA[path])
                self.deployed()
                self.ota.busy = False
                self.restarts.clear()
                with Failing(after, errno):
                    res = self.update(bundle(NEW))
                self.assertEqual((res.status_code, len(self.restarts)), (500, 1), (errno, after))
                res = self.update(bundle(NEW)[:-1])
                self.assertEqual(res.status_code, 409)
                self.assertIn("half way", res.json["error"])
                self.restarted()
                self.assertEqual(self.files(), joined(NEW, DATA), (errno, after))
                self.assertEqual([guard.begin() for _ in range(3)], [True] * 3)
                self.unchanged(OLD)


class TestRefused(Case):
    def test_malformed_bundles_change_nothing(self):
        self.deployed()
        for data, status, reason in MALFORMED:
            with self.subTest(reason=reason):
                with self.assertRaises(Refused) as caught:
                    run(self.ota.install(Stream(data)))
                self.assertEqual(caught.exception.status, status, caught.exception.reason)
                self.assertIn(reason, caught.exception.reason)
                self.unchanged(OLD)

    def test_every_truncation_changes_nothing(self):
        self.deployed()
        data = bundle(NEW)
        for length in list(range(0, len(data), 100)) + [len(data) - 1]:
            with self.assertRaises(Refused) as caught:
                run(self.ota.install(Stream(data[:length])))
            self.assertEqual(caught.exception.status, 400)
            self.unchanged(OLD)

    def test_paths_that_no_update_may_touch(self):
        self.deployed()
        for path in PATHS:
            res = self.update(head([line(path, b"x")]) + b"x")
            self.assertEqual((res.status_code, res.json["error"][:15]), (400, "bundle: line 3:"), path)
            self.unchanged(OLD)

    def test_the_key_is_never_touched(self):
        self.deployed()
        write("/.mdot/owned", owned(joined(OLD, {"/ota.key": DATA["/ota.key"]})))
        for path in ("/ota.key", "/OTA.key"):
            self.assertEqual(self.update(bundle({path: b"x"})).status_code, 400)
        self.assertEqual(self.update(bundle({"/ota.key": b"x"}, flags="force")).status_code, 400)
        self.assertEqual(self.update(bundle(NEW)).status_code, 200)
        self.assertEqual(self.files(), joined(NEW, DATA))
        self.assertIn(b"/ota.key", read("/.mdot/owned"))

    def test_limits(self):
        self.deployed()
        for name, value, data in (
            ("max_files", 3, bundle(NEW)),
            ("max_size", 1000, bundle(NEW)),
            ("max_head", 200, bundle(NEW)),
        ):
            usual = getattr(self.ota, name)
            setattr(self.ota, name, value)
            self.assertEqual(self.update(data).status_code, 413)
            setattr(self.ota, name, usual)
            self.unchanged(OLD)

    def test_a_new_folder_takes_its_room_once(self):
        files = {"/static/%s%02d" % (folder, n): b"x" for folder in ("", "a/", "a-b/") for n in range(20)}
        files["/main.py"] = b"new"
        from microdot import ota_bundle

        usual = ota_bundle.free
        self.addCleanup(setattr, ota_bundle, "free", usual)
        needed = len(files) + 3 * ota_bundle._FOLDER + ota_bundle._SPARE
        for blocks, status in ((needed - 1, 507), (needed + 8, 200)):
            ota_bundle.free = lambda blocks=blocks: (4096, blocks)
            self.assertEqual(self.update(bundle(files)).status_code, status)

    def test_more_than_there_is_room_for(self):
        self.deployed()
        self.ota.max_size = 1 << 30
        size = 999999999
        lines = ["+ {} {} /{:03d}".format("a" * 64, size, n) for n in range(60)]
        self.ota.max_size = 1 << 40
        from microdot import ota_bundle

        usual = ota_bundle.free
        ota_bundle.free = lambda: (4096, 1000)
        try:
            with self.assertRaises(Refused) as caught:
                run(self.ota.install(Stream(head(lines))))
        finally:
            ota_bundle.free = usual
        self.assertEqual(caught.exception.status, 507)
        self.unchanged(OLD)

    @unittest.skipIf(not hasattr(os, "VfsLfs2"), "needs a littlefs")
    def test_a_flash_that_is_almost_full_is_refused_or_enough(self):
        """Long names take room as well: in folders, in the journal and in the lists."""
        old = {"/lib/%s%02d" % ("o" * 180, n): b"x" * 300 for n in range(28)}
        new = {"/lib/%s%02d" % ("n" * 180, n): b"x" * 300 for n in range(28)}
        flash = Flash(112)
        onboard.root = journal.root = "/littlefs"
        self.addCleanup(os.umount, "/littlefs")
        outcomes = set()
        for blocks in (38, 41, 43, 60):
            if outcomes:
                os.umount("/littlefs")
            os.VfsLfs2.mkfs(flash)
            os.mount(os.VfsLfs2(flash), "/littlefs")
            for path in old:
                write(path, old[path])
            write("/.mdot/owned", owned(old))
            with open("/littlefs/filler", "wb") as file:
                for _ in range(os.statvfs("/littlefs")[3] - blocks - 1):
                    file.write(bytes(4096))
            self.ota.busy = False
            try:
                run(self.ota.install(Stream(bundle(new))))
                outcomes.add("enough")
            except Refused as e:
                self.assertIn("needed", e.reason)
                outcomes.add("refused")
            self.assertEqual(read("/.mdot/journal"), None)
        self.assertEqual(len(outcomes), 2)

    def test_files_that_are_not_the_deploys(self):
        for force in (False, True):
            erase()
            for path in DATA:
                write(path, DATA[path])
            self.deployed()
            write("/lib/a.py", b"changed")
            write("/foreign.py", b"mine")
            for files in (joined(NEW, {"/lib/a.py": b"new"}), joined(OLD, {"/foreign.py": b"new"}), {"/main.py": b"new"}):
                if not force:
                    before = self.files()
                    res = self.update(bundle(files))
                    self.assertEqual(res.status_code, 409)
                    self.assertIn("force", res.json["error"])
                    self.assertEqual(self.files(), before)
                    continue
                self.assertEqual(self.update(bundle(files, flags="force")).status_code, 200)
                self.restarted()
                onboard.app_ok()
                kept = {} if "/foreign.py" in files else {"/foreign.py": b"mine"}
                self.assertEqual(self.files(), joined(files, kept if files.get("/foreign.py") else self.foreign(), DATA))

    def foreign(self):
        content = read("/foreign.py")
        return {} if content is None else {"/foreign.py": content}

    def test_a_file_that_is_said_to_be_there_and_is_not(self):
        self.deployed()
        write("/same.txt", b"else")
        self.assertEqual(self.update(bundle(NEW, unsent=("/same.txt",))).status_code, 409)
        self.assertEqual(self.update(bundle(NEW, unsent=("/lib/b/c.py",))).status_code, 409)
        self.assertEqual(read("/main.py"), b"old")

    def test_a_source_that_would_be_imported_in_place_of_a_module(self):
        self.deployed()
        write("/lib/mine.py", b"mine")
        self.assertEqual(self.update(bundle({"/lib/a.mpy": b"M"})).status_code, 200)
        self.restarted()
        onboard.app_ok()
        res = self.update(bundle({"/lib/a.mpy": b"M", "/lib/mine.mpy": b"M"}, flags="force"))
        self.assertEqual(res.status_code, 409)
        self.assertIn("/lib/mine.py would be imported", res.json["error"])

    def test_a_folder_in_the_place_of_a_file(self):
        self.deployed()
        write("/taken/file", b"mine")
        before = self.files()
        for path in ("/taken", "/data/log/deep.py"):
            res = self.update(bundle(joined(OLD, {path: b"x"})))
            self.assertEqual(res.status_code, 409, res.text)
            self.assertEqual(self.files(), before)
            self.assertEqual(waiting(), [])

    def test_bytecode_of_another_version(self):
        mine = getattr(sys.implementation, "_mpy", 0)
        if not mine:
            raise unittest.SkipTest("this interpreter loads no bytecode")
        for mpy, status in ((mine ^ 1, 409), (mine ^ 0x400, 409), (mine & 0xFF, 200)):
            self.assertEqual(self.update(bundle(NEW, mpy=mpy)).status_code, status)

    def test_two_at_a_time(self):
        self.deployed()
        gate = Gate(bundle(NEW))

        async def both():
            first = asyncio.create_task(self.ota.install(gate))
            await asyncio.sleep(0.01)
            res = await bundles.update(self.client, bundle(OLD))
            gate.open = True
            await first
            return res

        self.assertEqual(run(both()).status_code, 409)
        self.assertEqual(self.files(), joined(NEW, DATA))

    def test_an_upload_that_takes_too_long(self):
        self.deployed()
        self.ota.max_seconds = 0.05
        with self.assertRaises(Refused) as caught:
            run(self.ota.install(Gate(bundle(NEW))))
        self.assertEqual(caught.exception.status, 408)
        self.unchanged(OLD)
        self.assertFalse(self.ota.busy)

    def test_a_time_that_ends_during_the_commit_is_not_over(self):
        """What is committed to is never said to be refused."""
        self.deployed()
        self.ota.max_seconds = 0.2
        commit, journal.commit = journal.commit, self.slow_commit
        self.addCleanup(setattr, journal, "commit", commit)
        self.commit = commit
        gate = Gate(bundle(NEW))

        async def late():
            installing = asyncio.create_task(self.ota.install(gate))
            await asyncio.sleep(0.05)
            gate.open = True
            return await installing

        self.assertEqual(run(late()), bundles.BUILD)
        self.assertEqual(self.files(), joined(NEW, DATA))
        self.assertTrue(self.ota.busy)

    def slow_commit(self, operations):
        time.sleep(0.3)
        self.commit(operations)

    def test_damage_of_the_boards_own_list(self):
        self.deployed()
        for text in (
            b"garbage\ngarbage\n",
            b"# app x\n" + b"a" * 64 + b" 1 /b\n" + b"a" * 64 + b" 1 /a\n",
            b"# a b\n" + b"x" * 900,
        ):
            write("/.mdot/owned", text)
            res = self.update(bundle(NEW))
            self.assertEqual(res.status_code, 409)
            self.assertIn("damaged", res.json["error"])
            res = run(self.listed())
            self.assertEqual(res.status_code, 409)
            self.assertIn("damaged: deploy over a cable", res.json["error"])

    async def listed(self):
        return await self.client.get("/ota/files", signature(await bundles.nonce(self.client), "files"))


class TestAuthentication(Case):
    def test_what_is_not_signed_with_the_key_reads_no_byte(self):
        self.deployed()
        data = bundle(NEW)
        digest = sha256(bundles.head_of(data))

        async def tries():
            for purpose, path, method in (
                ("install", "/ota", "POST"),
                ("state", "/ota/state", "GET"),
                ("files", "/ota/files", "GET"),
            ):
                nonce = await bundles.nonce(self.client)
                good = signature(nonce, purpose, digest)["Authorization"]
                wrong = [
                    "",
                    "MDOT-OTA",
                    good[:-1],
                    good + "0",
                    good.upper(),
                    good.replace(nonce, "0" * 32),
                    good.replace(digest, "0" * 64),
                    good.replace("MDOT-OTA", "Basic"),
                    signature(nonce, purpose, digest, b"x" * 32)["Authorization"],
                    signature(nonce, "other", digest)["Authorization"],
                    good[:-64] + "é" * 64,
                ]
                for value in wrong:
                    res = await self.client.request(method, path, {"Authorization": value}, data if method == "POST" else None)
                    self.assertEqual(res.status_code, 401, value)
                res = await self.client.request(method, path, None, data if method == "POST" else None)
                self.assertEqual(res.status_code, 401)

        run(tries())
        self.unchanged(OLD)

    def test_a_request_is_good_once(self):
        data = bundle(NEW)

        async def twice():
            header = signature(await bundles.nonce(self.client), "install", sha256(bundles.head_of(data)))
            first = await self.client.post("/ota", header, data)
            self.restarted()
            onboard.app_ok()
            return first.status_code, (await self.client.post("/ota", header, data)).status_code

        self.assertEqual(run(twice()), (200, 401))

    def test_a_nonce_is_good_for_whoever_uses_it_first(self):
        async def nonces():
            first = await bundles.nonce(self.client)
            self.assertEqual(await bundles.nonce(self.client), first)
            self.assertEqual((await self.client.get("/ota/state", signature(first, "state"))).status_code, 200)
            self.assertNotEqual(await bundles.nonce(self.client), first)

        run(nonces())

    def test_another_bundle_than_the_signed_one(self):
        self.deployed()

        async def swapped():
            header = signature(await bundles.nonce(self.client), "install", sha256(bundles.head_of(bundle(OLD))))
            return await self.client.post("/ota", header, bundle(NEW))

        self.assertEqual(run(swapped()).status_code, 400)
        self.unchanged(OLD)

    def test_no_key_no_updates(self):
        for key in (None, b"", b"00" * 31, b"xyz" * 40, b"\xff" * 300):
            os.remove("board/ota.key")
            if key is not None:
                write("/ota.key", key)
            self.assertEqual(self.update(bundle(NEW)).status_code, 503)
            write("/ota.key", b"")

    def test_the_list_of_files_tells_what_they_are_now(self):
        self.deployed()
        write("/lib/a.py", b"changed")
        os.remove("board/same.txt")

        async def files():
            return (await self.client.get("/ota/files", signature(await bundles.nonce(self.client), "files"))).text

        lines = run(files()).split("\n")
        self.assertEqual(lines[0], "{} 1800 /lib/a.py".format(sha256(b"changed")))
        self.assertEqual(lines[3], "- 4 /same.txt")


class TestRestart(Case):
    def test_it_comes_after_the_reply(self):
        del self.ota.leave

        async def updated():
            res = await bundles.update(self.client, bundle(NEW))
            self.assertEqual((res.status_code, self.restarts), (200, []))
            while not self.restarts:
                await asyncio.sleep(0.05)

        run(updated())


class Failing:
    """Lets one operation of the journal's fail: the rename `after` + 1 behind that which commits."""

    def __init__(self, after, errno):
        self.left = after + 1
        self.errno = errno

    def __enter__(self):
        journal.os = self

    def __exit__(self, kind, exc, trace):
        journal.os = os

    def __getattr__(self, name):
        return getattr(os, name)

    def rename(self, path, target):
        self.left -= 1
        if self.left == -1:
            raise OSError(self.errno, "failed")
        os.rename(path, target)


class Stream:
    def __init__(self, data):
        self._data = data

    async def read(self, n=-1):
        piece = self._data[:n]
        self._data = self._data[n:]
        return piece


class Gate(Stream):
    """Gives the last byte when it is opened."""

    open = False

    async def read(self, n=-1):
        while len(self._data) <= 1 and not self.open:
            await asyncio.sleep(0.01)
        return await super().read(n if self.open else min(n, max(1, len(self._data) - 1)))


class Flash:
    """A flash in memory."""

    def __init__(self, blocks):
        self._data = bytearray(blocks * 4096)

    def readblocks(self, block, buffer, offset=0):
        start = block * 4096 + offset
        buffer[:] = self._data[start : start + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        start = block * 4096 + offset
        self._data[start : start + len(buffer)] = buffer

    def ioctl(self, operation, argument):
        return {4: len(self._data) // 4096, 5: 4096}.get(operation, 0)


if __name__ == "__main__":
    unittest.main()
