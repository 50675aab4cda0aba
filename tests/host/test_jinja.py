"""microdot.jinja, with Jinja2 itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest
from microdot import Microdot
from microdot.jinja import Template
from microdot.test_client import TestClient


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder of templates in the current directory, and an application that has not initialized them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Template, "jinja_env", None)
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "hello.html").write_text("<b>Hello, {{ name }}!</b>")
    (folder / "hello.txt").write_text("Hello, {{ name }}!")
    (folder / "awaits.txt").write_text("{% for n in numbers() %}{{ n }}{% endfor %}")
    return folder


async def numbers() -> AsyncIterator[int]:
    for n in range(3):
        await asyncio.sleep(0)
        yield n


async def joined(pieces: AsyncIterator[str]) -> str:
    return "".join([piece async for piece in pieces])


def test_first_use_initializes_and_escapes_html() -> None:
    assert Template("hello.html").render(name="<i>") == "<b>Hello, &lt;i&gt;!</b>"
    assert Template("hello.txt").render(name="<i>") == "Hello, <i>!"


def test_attributes() -> None:
    template = Template("hello.txt")
    assert template.name == "hello.txt"
    assert isinstance(template.template, jinja2.Template)
    assert isinstance(Template.jinja_env, jinja2.Environment)


def test_generate() -> None:
    assert "".join(Template("hello.txt").generate(name="x")) == "Hello, x!"


def test_asynchronous_templates() -> None:
    Template.initialize("templates", enable_async=True)
    template = Template("awaits.txt")
    assert asyncio.run(template.render_async(numbers=numbers)) == "012"
    assert asyncio.run(joined(template.generate_async(numbers=numbers))) == "012"


def test_initialize_again_with_options(folder: Path) -> None:
    (folder / "other").mkdir()
    (folder / "other/hello.html").write_text("[[ name ]]")
    Template.initialize()
    assert "Hello" in Template("hello.html").render(name="x")
    Template.initialize("templates/other", variable_start_string="[[", variable_end_string="]]", autoescape=False)
    assert Template("hello.html").render(name="<i>") == "<i>"


def test_arguments_for_get_template() -> None:
    assert Template("hello.txt", globals={"name": "global"}).render() == "Hello, global!"


def test_names_never_leave_the_directory(folder: Path) -> None:
    (folder.parent / "secret").write_text("secret")
    for name in ("../secret", "/etc/passwd", "a/../../secret", "none"):
        with pytest.raises(jinja2.TemplateNotFound):
            Template(name)


@pytest.mark.parametrize("way", ["render", "generate", "render_async", "generate_async"])
def test_bodies(way: str) -> None:
    Template.initialize(enable_async=way.endswith("async"))
    app = Microdot()

    async def index(request: object) -> Any:
        make: Callable[..., Any] = getattr(Template("hello.txt"), way)
        body = make(name="é")
        return (await body if way == "render_async" else body), {"Content-Type": "text/plain; charset=UTF-8"}

    app.get("/")(index)
    response = asyncio.run(TestClient(app).get("/"))
    assert (response.status_code, response.text) == (200, "Hello, é!")
