# The guard counts starts that nothing confirmed: after three, the deploy on trial is taken back, or nothing is started.

import asyncio
import os
import unittest

import onboard
from deploys import expected, holds, install, plan, read, write
from folder import remove
from onboard import guard, journal
from support import run


class Guarded(unittest.TestCase):
    def setUp(self):
        os.mkdir("board")
        onboard.root = journal.root = "board"
        os.mkdir("board/.mdot")
        self.said = []
        guard.print = self.said.append

    def tearDown(self):
        del guard.print
        onboard.root = journal.root = ""
        remove("board")

    def starts(self, count=1):
        """Start so often; return whether the application ran, for each."""
        return [guard.begin() for _ in range(count)]


class TestStrikes(Guarded):
    def test_three_starts_without_a_confirmation_are_the_last(self):
        self.assertEqual(self.starts(6), [True, True, True, False, False, False])
        self.assertEqual(read("/.mdot/boots"), b"3")
        self.assertEqual(len(self.said), 3)
        self.assertIn("main.py not started: 3 starts were not confirmed", self.said[0])

    def test_a_confirmation_begins_anew(self):
        self.starts(3)
        onboard.app_ok()
        self.assertEqual(self.starts(4), [True, True, True, False])
        onboard.app_ok()
        self.assertEqual(self.starts(1), [True])

    def test_an_exception_counts(self):
        for started in (True, True, True, False):
            self.assertEqual(self.starts(), [started])
            guard.end(ValueError())

    def test_a_program_that_ends_is_a_good_one(self):
        for _ in range(5):
            self.assertEqual(self.starts(), [True])
            guard.end()
        self.assertEqual(read("/.mdot/boots"), b"0")

    def test_an_interrupted_start_does_not_count(self):
        for _ in range(5):
            self.assertEqual(self.starts(), [True])
            guard.end(KeyboardInterrupt())
        self.assertEqual(self.starts(2), [True, True])
        guard.end(KeyboardInterrupt())
        self.assertEqual(self.starts(3), [True, True, False])

    def test_a_start_writes_once_and_so_does_its_confirmation(self):
        writes = []

        def counting_open(path, mode):
            if mode != "rb":
                writes.append(path)
            return open(path, mode)

        guard.open = counting_open
        try:
            self.starts()
            self.assertEqual(len(writes), 1)
            onboard.app_ok()
            self.assertEqual(len(writes), 2)
            onboard.app_ok()
            guard.end(KeyboardInterrupt())
            guard.end()
            self.assertEqual(len(writes), 2)
        finally:
            del guard.open


class TestDamagedCounters(Guarded):
    def test_one_line_and_the_count_begins_anew(self):
        for content in (b"", b"x", b"-1", b" 1", b"1\n", b"1.5", b"\xff" * 3, b"\0", b"1234", b"9" * 100000):
            write("/.mdot/boots", content)
            self.assertEqual(self.starts(4), [True, True, True, False], content[:10])
            self.assertEqual([line for line in self.said if "damaged" in line], self.said[:1])
            self.said.clear()

    def test_a_counter_that_cannot_be_written_stops_nobody(self):
        os.mkdir("board/.mdot/boots")
        self.assertEqual(self.starts(5), [True] * 5)
        self.assertEqual(len(self.said), 5)
        self.assertIn("start not counted", self.said[0])
        self.said.clear()
        guard.end(KeyboardInterrupt())
        guard.end()
        self.assertEqual(self.said, [])


class TestEventLoop(Guarded):
    """Ten seconds of the application's own event loop are a confirmation."""

    def setUp(self):
        super().setUp()
        self.seconds, guard.seconds = guard.seconds, 0.01

    def tearDown(self):
        guard.seconds = self.seconds
        super().tearDown()

    def test_it_takes_ten_seconds(self):
        self.assertEqual(self.seconds, 10)

    def test_a_loop_that_runs_confirms(self):
        async def application():
            self.starts(3)
            write("/.mdot/trial", b"")
            guard.watch()
            while read("/.mdot/trial") is not None:
                await asyncio.sleep(0.01)

        run(application())
        self.assertEqual(read("/.mdot/boots"), b"0")

    def test_a_loop_that_ends_too_early_does_not(self):
        async def application():
            guard.seconds = 1000
            self.starts(1)
            guard.watch()
            await asyncio.sleep(0.01)

        run(application())
        self.assertEqual(read("/.mdot/boots"), b"1")

    def test_a_filesystem_that_fails_costs_a_line(self):
        async def application():
            self.starts(1)
            guard.confirm = self.fails
            guard.watch()
            while not self.said:
                await asyncio.sleep(0.01)

        confirm = guard.confirm
        try:
            run(application())
        finally:
            guard.confirm = confirm
        self.assertIn("/.mdot/boots: not written", self.said[0])

    def fails(self):
        raise OSError(5)

    def test_a_moment_without_memory_delays_it(self):
        """A start that is never confirmed would take a good deploy back."""

        async def application():
            self.starts(3)
            write("/.mdot/trial", b"")
            guard.open = self.lacks_memory
            guard.watch()
            for _ in range(50):
                await asyncio.sleep(0.01)

        self.lacks = 2
        try:
            run(application())
        finally:
            del guard.open
        self.assertEqual((read("/.mdot/boots"), read("/.mdot/trial")), (b"0", None))

    def lacks_memory(self, path, mode):
        self.lacks -= 1
        if self.lacks >= 0:
            raise MemoryError
        return open(path, mode)


class TestTrials(Guarded):
    OLD = {"/main.py": b"good"}
    NEW = {"/main.py": b"bad", "/x.py": b"x"}

    def setUp(self):
        super().setUp()
        install(self.OLD)
        journal.commit(plan(self.OLD, self.NEW, True))
        write("/.mdot/trial", b"")

    def test_three_bad_starts_bring_the_deploy_before_back(self):
        self.assertEqual(self.starts(3), [True] * 3)
        self.assertEqual(holds(), expected(self.NEW, {}))
        self.assertEqual(self.starts(), [True])
        self.assertEqual(holds(), expected(self.OLD, {}))
        self.assertEqual(self.said, ["onboard: the deploy before is back"])
        self.assertEqual(self.starts(3), [True, True, False])

    def test_a_good_start_ends_the_trial(self):
        self.starts(3)
        onboard.app_ok()
        self.assertEqual((read("/.mdot/trial"), read("/.mdot/boots")), (None, b"0"))
        self.assertEqual(self.starts(4), [True, True, True, False])
        self.assertEqual(holds(), expected(self.NEW, {}))

    def test_a_program_that_ends_is_not_what_was_tried(self):
        for _ in range(3):
            self.starts()
            guard.end()
        self.starts()
        self.assertEqual(holds(), expected(self.OLD, {}))

    def test_without_a_deploy_before_the_trial_only_ends(self):
        os.remove("board/.mdot/undo")
        self.assertEqual(self.starts(7), [True] * 6 + [False])
        self.assertEqual(self.said[0], "onboard: no deploy before to bring back")
        self.assertEqual(read("/.mdot/trial"), None)

    def test_a_damaged_way_back_ends_the_trial(self):
        write("/.mdot/undo", b"back")
        self.assertEqual(self.starts(7), [True] * 6 + [False])
        self.assertIn("the deploy before is not back: journal: damaged in line 1", self.said[0])
        self.assertEqual(holds(), expected(self.NEW, {}))

    def test_a_way_back_that_fails_half_way_is_tried_again(self):
        self.starts(3)
        rename = journal.os.rename
        journal.os = self
        self.rename = self.fails
        try:
            self.assertEqual(self.starts(2), [False, False])
        finally:
            journal.os = os
        self.assertIn("not back, main.py not started", self.said[0])
        self.rename = rename
        self.assertEqual(self.starts(), [True])
        self.assertEqual(holds(), expected(self.OLD, {}))

    def fails(self, *paths):
        raise OSError(28)

    def __getattr__(self, name):
        return getattr(os, name)


class TestJournals(Guarded):
    def test_an_interrupted_deploy_is_carried_on_and_counted_anew(self):
        self.starts(3)
        write("/.mdot/journal", b"".join(journal.lines(plan(None, {"/main.py": b"new"}, False))))
        self.assertEqual(self.starts(4), [True, True, True, False])
        self.assertEqual(holds(), expected({"/main.py": b"new"}, {}))

    def test_a_damaged_one_is_put_aside(self):
        install({"/main.py": b"old"})
        write("/.mdot/journal", b"put\n")
        self.assertEqual(self.starts(2), [True, True])
        self.assertEqual(self.said, ["onboard: deploy not finished: journal: damaged in line 1: deploy again"])
        self.assertEqual(read("/.mdot/journal.bad"), b"put\n")

    def test_one_that_fails_starts_nothing_until_it_is_done(self):
        operations = plan(None, {"/folder/x.py": b"new"}, False)
        write("/folder", b"a file in the way")
        write("/.mdot/journal", b"".join(journal.lines(operations)))
        self.assertEqual(self.starts(5), [False] * 5)
        self.assertIn("deploy not finished, main.py not started", self.said[0])
        os.remove("board/folder")
        self.assertEqual(self.starts(), [True])
        self.assertEqual(holds(), expected({"/folder/x.py": b"new"}, {}))


if __name__ == "__main__":
    unittest.main()
