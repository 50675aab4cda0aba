"""The verb `test`: an application's own tests on CPython, on the unix firmware and on a board."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from app_folders import HELLO, ROOT, application, complaint, run_verb, unix_firmware
from bridge import bridged, tree

PAGES = """
import asyncio
import unittest

from main import app
from microdot.test_client import TestClient


class TestPages(unittest.TestCase):
    def test_index(self):
        reply = asyncio.run(TestClient(app).get("/"))
        self.assertEqual((reply.status_code, reply.text), (200, "hello"))

    def test_missing(self):
        self.assertEqual(asyncio.run(TestClient(app).get("/none")).status_code, 404)
"""
SERVED = HELLO + '\n\nif __name__ == "__main__":\n    raise ValueError("served")\n'
HEAD = "import unittest\n\n\nclass TestIt(unittest.TestCase):\n"


def app_with(folder: Path, tests: Mapping[str, str], **files: str) -> Path:
    named = {f"tests/{name}": text for name, text in tests.items()}
    return application(folder / "app", {"main.py": SERVED, **named, **files})


@pytest.fixture(scope="module", autouse=True)
def firmware() -> Path:
    return unix_firmware()


def test_everywhere_the_same(tmp_path: Path) -> None:
    app = app_with(tmp_path, {"test_pages.py": PAGES, "test_more.py": HEAD + "    def test_one(self):\n        pass\n"})
    done = run_verb("test", app)
    expected = [
        f"{platform:<8} {name:<24} {count} passed"
        for platform in ("cpython", "unix")
        for name, count in (("test_more", 1), ("test_pages", 2))
    ]
    assert (done.returncode, done.stdout.splitlines(), done.stderr) == (0, expected, "6 tests passed\n")
    assert sorted(str(path.relative_to(app)) for path in app.rglob("*")) == [
        "main.py",
        "tests",
        "tests/test_more.py",
        "tests/test_pages.py",
    ]


def test_what_the_documents_show_passes(tmp_path: Path) -> None:
    text = (ROOT / "docs/tools.md").read_text().split("```python tests/test_pages.py\n")[1].split("```")[0]
    assert run_verb("test", app_with(tmp_path, {"test_pages.py": text})).stderr == "2 tests passed\n"


FAILING = (
    HEAD
    + """
    def test_equal(self):
        print("printed by the test")
        self.assertEqual(1, 2)

    def test_error(self):
        raise OSError(5, "no")

    @unittest.skip("a reason")
    def test_skipped(self):
        pass

    def test_subs(self):
        for i in range(3):
            with self.subTest(i=i):
                self.assertEqual(i, 1)
"""
)


@pytest.mark.parametrize("platform", ["cpython", "unix"])
def test_what_fails_is_told_with_its_place(tmp_path: Path, platform: str) -> None:
    done = run_verb("test", app_with(tmp_path, {"test_a.py": FAILING}), "--on", platform)
    assert complaint(done) == "3 of 3 tests failed: what they said is above"
    assert done.stdout.startswith(
        f"{platform:<8} test_a                   3 failed, 1 skipped\n  skipped test_a.TestIt.test_skipped: a reason\n"
    )
    assert '      File "tests/test_a.py", line 8, in test_equal\n' in done.stdout
    assert "    AssertionError: 1 != 2\n    printed:\n    printed by the test\n" in done.stdout
    assert "  FAILED test_a.TestIt.test_error\n" in done.stdout
    assert done.stdout.count("0 != 1") == done.stdout.count("2 != 1") == 1
    assert "unittest" not in done.stdout
    assert str(tmp_path) not in done.stdout


ENDS = [
    ("import", "import nothing_of_the_kind\n", "test_a", "nothing_of_the_kind"),
    ("syntax", "def f(:\n", "test_a", "SyntaxError"),
    (
        "exit",
        HEAD + "    def test_x(self):\n        import os\n        os._exit(3)\n",
        "test_a.TestIt.test_x",
        "the tests ended with 3 in",
    ),
    (
        "crash",
        HEAD + "    def test_x(self):\n        import os\n        os.kill(os.getpid(), 11)\n",
        "test_a.TestIt.test_x",
        "the tests ended with -11 in test_a.TestIt.test_x",
    ),
]


@pytest.mark.parametrize(("text", "name", "reason"), [pytest.param(*row[1:], id=row[0]) for row in ENDS])
def test_modules_that_do_not_come_to_their_end(tmp_path: Path, text: str, name: str, reason: str) -> None:
    more = {"test_b.py": HEAD + "    def test_fine(self):\n        pass\n"}
    done = run_verb("test", app_with(tmp_path, {"test_a.py": text, **more}), "--on", "cpython")
    assert complaint(done) == "1 of 2 tests failed: what they said is above"
    assert f"  FAILED {name}\n" in done.stdout
    assert reason in done.stdout
    assert "cpython  test_b                   1 passed\n" in done.stdout


@pytest.mark.parametrize("platform", ["cpython", "unix"])
def test_tests_that_hang_are_ended_with_what_they_started(
    tmp_path: Path, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tools import app_tests

    hang = HEAD + "    def test_hangs(self):\n        print('going')\n        while True:\n            pass\n"
    app = app_with(tmp_path, {"test_a.py": hang})
    where = app_tests.cpython() if platform == "cpython" else app_tests.unix(unix_firmware())
    for seconds in (3, 60):  # a busy machine may need longer to begin
        monkeypatch.setattr(app_tests, "_SECONDS", seconds)
        done = app_tests.run(where, app, "test_a", [])
        if "test_a.TestIt.test_hangs" in done.failed:
            break
    assert list(done.failed) == ["test_a.TestIt.test_hangs"]
    assert done.failed["test_a.TestIt.test_hangs"].startswith(
        f"the tests were ended after {seconds} s in test_a.TestIt.test_hangs"
    )


def test_each_module_works_in_a_fresh_copy_of_the_application(tmp_path: Path) -> None:
    write = (
        HEAD
        + """
    def test_x(self):
        self.assertEqual(open("data.txt").read(), "mine")
        open("data.txt", "w").close()
"""
    )
    app = app_with(tmp_path, {"test_a.py": write, "test_b.py": write}, **{"data.txt": "mine"})
    assert run_verb("test", app).stderr == "4 tests passed\n"
    assert (app / "data.txt").read_text() == "mine"


def test_filters_choose_modules_and_tests(tmp_path: Path) -> None:
    two = HEAD + "    def test_one(self):\n        pass\n\n    def test_two(self):\n        pass\n"
    app = app_with(tmp_path, {"test_a.py": two, "test_b.py": two, "helper.py": ""})
    counts = {
        ("test_a",): 2,
        ("TestIt.test_one",): 2,
        ("test_b.TestIt.test_two",): 1,
        ("test_a", "test_two"): 3,
    }
    for filters, count in counts.items():
        assert run_verb("test", app, "--on", "cpython", *(f"-k{name}" for name in filters)).stderr == f"{count} tests passed\n"
    nothing = complaint(run_verb("test", app, "--on", "cpython", "-k", "nothing"))
    assert nothing == "no test is named nothing: a test is a method test_… of a unittest.TestCase"


def test_json(tmp_path: Path) -> None:
    done = run_verb("test", app_with(tmp_path, {"test_pages.py": PAGES, "test_a.py": FAILING}), "--on", "unix", "--json")
    first, second = json.loads(done.stdout)
    assert (done.returncode, first["platform"], first["module"], len(first["failed"]), len(first["skipped"])) == (
        1,
        "unix",
        "test_a",
        3,
        1,
    )
    assert second["passed"] == ["test_pages.TestPages.test_index", "test_pages.TestPages.test_missing"]


def test_on_a_board(tmp_path: Path) -> None:
    board = (
        HEAD
        + """
    def test_it_is_one(self):
        import machine

        self.assertTrue(machine.unique_id())

    def test_template(self):
        from main import Template

        self.assertEqual(Template("a.html").render(), "2")
"""
    )
    main = "from microdot.utemplate import Template\n" + SERVED
    app = app_with(
        tmp_path, {"test_pages.py": PAGES, "test_board.py": board}, **{"main.py": main, "templates/a.html": "{{ 1 + 1 }}"}
    )
    with bridged(tmp_path / "flash", "0123") as bridge:
        done = run_verb("test", app, "--on", "board", "--port", bridge.port)
        assert (done.returncode, done.stdout.splitlines()) == (
            0,
            ["board    test_board               2 passed", "board    test_pages               2 passed"],
        )
        (app / "tests/test_pages.py").write_text(FAILING)
        done = run_verb("test", app, "--on", "board", "--port", bridge.port)
        assert complaint(done) == "3 of 5 tests failed: what they said is above"
        assert 'File "tests/test_pages.py", line 8, in test_equal' in done.stdout
        bridge.power_off()
    assert tree(tmp_path / "flash") == {}


def test_what_is_on_the_board_stays_and_what_a_cut_left_goes(tmp_path: Path) -> None:
    app = app_with(tmp_path, {"test_pages.py": PAGES})
    with bridged(tmp_path / "flash", "0123") as bridge:
        (app / "main.py").write_text(
            SERVED.replace('raise ValueError("served")', "import time\n\n    while True:\n        time.sleep(1)")
        )
        (app / "deploy.toml").write_text('name = "test-cut"')
        assert run_verb("deploy", app, "--port", bridge.port).returncode == 0
        shutil.rmtree(ROOT / "build/test-cut")
        bridge.cut_after(count=9000)
        cut = run_verb("test", app, "--on", "board", "--port", bridge.port)
        assert "\n" not in complaint(cut)
        bridge.mend()
        assert run_verb("test", app, "--on", "board", "--port", bridge.port).stderr.endswith("2 tests passed\n")
        bridge.power_off()
    there = tree(tmp_path / "flash")
    assert {"/main.py", "/_main.mpy"} <= set(there)
    assert not [path for path in there if path.startswith(("/.mdot-test", "/.mdot/new"))]


def test_a_board_that_is_too_small(tmp_path: Path) -> None:
    app = app_with(tmp_path, {"test_pages.py": PAGES}, **{"large.bin": "".join(chr(33 + i * 7919 % 90) for i in range(90_000))})
    with bridged(tmp_path / "flash", "0123", blocks=16) as bridge:
        said = complaint(run_verb("test", app, "--on", "board", "--port", bridge.port))
        assert said.startswith(f"{bridge.port}: the board's flash is full: application and tests need 9")
        bridge.power_off()
    assert not [path for path in tree(tmp_path / "flash") if path.startswith("/.mdot-test")]


NOTHING_TO_TEST: list[tuple[Mapping[str, str], tuple[str, ...], str]] = [
    ({}, (), "/tests: no test_*.py there: write one, with unittest, as docs/tools.md shows"),
    (
        {"test_a.py": "x = 1\n"},
        ("--on", "cpython"),
        "no test is in the modules: a test is a method test_… of a unittest.TestCase",
    ),
    (
        {"test_a.py": PAGES},
        ("--on", "board", "--port", "/dev/nothing"),
        "/dev/nothing: no such port: `devices` lists those there are",
    ),
]


@pytest.mark.parametrize(("tests", "arguments", "expected"), NOTHING_TO_TEST)
def test_what_cannot_be_tested_is_told_in_a_line(
    tmp_path: Path, tests: Mapping[str, str], arguments: tuple[str, ...], expected: str
) -> None:
    assert complaint(run_verb("test", app_with(tmp_path, tests), *arguments)).endswith(expected)


def test_an_application_that_cannot_be_copied(tmp_path: Path) -> None:
    app = app_with(tmp_path, {"test_a.py": PAGES})
    os.mkfifo(app / "pipe")
    said = complaint(run_verb("test", app, "--on", "cpython"))
    assert said.startswith(f"{app}/pipe: cannot be copied to test in: ")
    (app / "pipe").unlink()
    (app / "loop").symlink_to(".")
    assert complaint(run_verb("test", app, "--on", "cpython")).endswith(": remove it")


def test_no_application(tmp_path: Path) -> None:
    assert complaint(run_verb("test", tmp_path)).endswith(
        ": no main.py there: give the folder of an application, as in examples/hello"
    )


def test_help_has_examples() -> None:
    assert "\n  mdot test . --on unix,board --port /dev/ttyACM0\n" in run_verb("test", "--help").stdout


def test_what_sessions_need_on_cpython_comes_with_the_tools() -> None:
    """A new checkout has no other packages, and the tutorial's login is tested there."""
    (needed,) = re.findall(r"pip install (\w+)", (ROOT / "lib/microdot/session.py").read_text())
    assert re.search(rf"^{needed}\b", (ROOT / "tools/requirements.txt").read_text(), re.MULTILINE)
