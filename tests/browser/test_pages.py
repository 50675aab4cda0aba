"""Every small example in a real browser: it loads without a word in the console, does its thing, and looks right."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Error, expect

from .stage import ROOT, Serve, free_port, wait_for
from .visitor import PATIENCE, Visit, Visitor

expect.set_options(timeout=PATIENCE)
both = pytest.mark.parametrize("interpreter", ["micropython", "cpython"])

# (example, what its heading says): those that need no more than a look
LOOKS = [
    ("hello", "Hello from Microdot"),
    ("static", "A site of files"),
    ("templates", "Guest book"),
    ("uploads", "Upload a file"),
    ("sessions", "Visit number 1"),
    ("login", "Who are you?"),
    ("websocket", "Chat"),
    ("sse", "Uptime"),
    ("cors", "A lamp, from afar"),
    ("csrf", "The lamp is off"),
]
# Those that have a test of their own for it, or no page.
ELSEWHERE = {"auth", "dashboard", "deploy", "redis", "remote", "settings", "tls"}


@pytest.mark.parametrize(("example", "heading"), LOOKS)
def test_it_loads_and_looks_right(serve: Serve, visitor: Visitor, example: str, heading: str) -> None:
    page = visitor.page(serve(example).url)
    expect(page.get_by_role("heading")).to_have_text(heading)
    visitor.look(page, example)


def test_no_example_is_left_out() -> None:
    names = {path.parent.name for path in (ROOT / "examples").glob("*/main.py")}
    assert names - ELSEWHERE == {name for name, _ in LOOKS}


def test_hello_on_cpython(serve: Serve, visitor: Visitor) -> None:
    page = visitor.page(serve("hello", "cpython").url)
    expect(page.get_by_role("heading")).to_have_text("Hello from Microdot")


@both
def test_static_files_work_together(serve: Serve, visitor: Visitor, interpreter: str) -> None:
    page = visitor.page(serve("static", interpreter).url)
    expect(page.locator("#visits")).to_have_text("1")
    page.get_by_role("link", name="About this page").click()
    expect(page.get_by_role("heading")).to_have_text("About")
    page.get_by_role("link", name="Back").click()
    expect(page.locator("#visits")).to_have_text("2")


def test_templates_escape_what_visitors_write(serve: Serve, visitor: Visitor) -> None:
    page = visitor.page(serve("templates").url)
    expect(page.get_by_text("Nobody has been here yet.")).to_be_visible()
    for name in ("Ann", "<script>alert(1)</script>", "<b onclick='x'>&amp; “日本”"):
        page.get_by_label("Your name").fill(name)
        page.get_by_role("button").click()
        expect(page.get_by_text(f"{name} was here.", exact=True)).to_be_visible()
    assert page.locator("script, b").count() == 0
    expect(page.get_by_text("Nobody has been here yet.")).to_be_hidden()


@both
def test_an_upload_arrives(serve: Serve, visitor: Visitor, tmp_path: Path, interpreter: str) -> None:
    stage = serve("uploads", interpreter)
    file = tmp_path / "two\nlines “ä” 100%.bin"
    file.write_bytes(bytes(range(256)) * 2000)
    page = visitor.page(stage.url)
    page.get_by_label("What is it?").fill("a note")
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("status")).to_contain_text("note: a note")
    expect(page.get_by_role("status")).to_contain_text("512000 bytes")
    assert (stage.folder / "upload.bin").read_bytes() == file.read_bytes()


def test_an_upload_that_is_too_large_is_told(serve: Serve, visitor: Visitor, tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.write_bytes(bytes(3 * 1024 * 1024))
    visitor.expect("413|failed: POST|ERR_CONNECTION")
    page = visitor.page(serve("uploads").url)
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("status")).to_contain_text("too large")


def test_an_upload_without_scripts(serve: Serve, visit: Visit, tmp_path: Path) -> None:
    stage = serve("uploads")
    visitor = visit(java_script_enabled=False)
    visitor.allow("/favicon.ico")  # the reply is plain text, which can't name an icon
    page = visitor.page(stage.url)
    page.get_by_label("File").set_input_files({"name": "small", "mimeType": "text/plain", "buffer": b"hello"})
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("body")).to_contain_text("file: small, 5 bytes")
    assert (stage.folder / "upload.bin").read_bytes() == b"hello"


@both
def test_a_session_counts_for_each_visitor(serve: Serve, visit: Visit, interpreter: str) -> None:
    url = serve("sessions", interpreter).url
    page, other = visit().page(url), visit().page(url)
    for number in (2, 3):
        page.get_by_role("link", name="Come again").click()
        expect(page.get_by_role("heading")).to_have_text(f"Visit number {number}")
    other.reload()
    expect(other.get_by_role("heading")).to_have_text("Visit number 2")
    page.get_by_role("button", name="Forget me").click()
    expect(page.get_by_role("heading")).to_have_text("Visit number 1")


@both
def test_login(serve: Serve, visitor: Visitor, interpreter: str) -> None:
    url = serve("login", interpreter).url
    visitor.expect("403")
    page = visitor.page(url + "settings")
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_have_text("No such name and password.")
    visitor.look(page, "login-wrong")
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button").click()
    expect(page.get_by_role("heading")).to_have_text("Settings")
    page.get_by_role("link", name="Back").click()
    expect(page.get_by_role("heading")).to_have_text("Hello, ann")
    visitor.look(page, "login-home")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading")).to_have_text("Who are you?")
    page.wait_for_load_state()  # what is left in the middle of its loading has failed
    page.goto(url)
    expect(page.get_by_role("heading")).to_have_text("Who are you?")


def test_a_login_is_remembered_when_the_session_is_gone(serve: Serve, visitor: Visitor) -> None:
    url = serve("login").url
    page = visitor.page(url)
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill("secret")
    page.get_by_label("Remember me").check()
    page.get_by_role("button").click()
    expect(page.get_by_role("heading")).to_have_text("Hello, ann")
    visitor.context.clear_cookies(name="session")
    page.wait_for_load_state()
    page.goto(url)
    expect(page.get_by_role("heading")).to_have_text("Hello, ann")


def test_basic_and_token_authentication(serve: Serve, visit: Visit) -> None:
    url = serve("auth").url
    visitor = visit(http_credentials={"username": "ann", "password": "secret"})
    visitor.expect("status: 401 GET .*/api", "console: .* 401 .*/api")  # for the wrong token
    page = visitor.page(url)
    expect(page.get_by_role("heading")).to_have_text("Hello, ann")
    page.get_by_role("button").click()
    expect(page.get_by_role("status")).to_have_text('200 {"user": "thermostat"}')
    visitor.look(page, "auth")
    page.get_by_label("Token").fill("guess")
    page.get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("401")


def test_a_wrong_password_is_refused(serve: Serve, visit: Visit) -> None:
    visitor = visit(http_credentials={"username": "ann", "password": "wrong"})
    visitor.expect("ERR_HTTP_RESPONSE_CODE_FAILURE")
    visitor.allow("401")
    url = serve("auth").url
    # The refusal has no page of its own, so the browser shows its own.
    with pytest.raises(Error, match="ERR_HTTP_RESPONSE_CODE_FAILURE"):
        visitor.page(url)


@both
def test_events_tick_and_go_on_after_a_restart(stage: Serve, visitor: Visitor, interpreter: str) -> None:
    server = stage("sse", interpreter).start()
    visitor.allow("ERR_|failed: GET .*/events")
    page = visitor.page(server.url)
    # Kept in the page, because who looks in now and then may miss one of them.
    page.evaluate("window.seen = []; new MutationObserver(() => seen.push(+id.textContent)).observe(id, {childList: true})")
    page.wait_for_function("seen.length >= 2")
    server.stop()
    expect(page.get_by_text("Connection lost, trying again …")).to_be_visible()
    before = page.evaluate("seen.length")
    server.start()
    expect(page.get_by_text("Connected.")).to_be_visible()
    page.wait_for_function("before => seen.length >= before + 2", arg=before)
    seen = page.evaluate("seen")
    assert seen == list(range(seen[0], seen[0] + len(seen)))


@both
def test_a_chat_reaches_everybody(serve: Serve, visit: Visit, interpreter: str) -> None:
    url = serve("websocket", interpreter).url
    ann, bob = visit().page(url), visit().page(url)
    for page in (ann, bob):
        expect(page.get_by_text("Connected.")).to_be_visible()
    said = ["hello", "<img src=x onerror=alert(1)>", "日本 “ä” 🙂"]
    for text, page in zip(said, (ann, bob, ann)):
        page.get_by_label("Message").fill(text)
        page.get_by_role("button", name="Send").click()
        expect(bob.get_by_role("listitem").last).to_have_text(text)
    for page in (ann, bob):
        expect(page.get_by_role("listitem")).to_have_text(said)


def test_the_chat_connects_again(stage: Serve, visitor: Visitor) -> None:
    server = stage("websocket").start()
    visitor.allow("WebSocket connection to")
    page = visitor.page(server.url)
    expect(page.get_by_text("Connected.")).to_be_visible()
    server.stop()
    expect(page.get_by_text("Connection lost, trying again …")).to_be_visible()
    server.start()
    expect(page.get_by_text("Connected.")).to_be_visible()
    page.get_by_label("Message").fill("again")
    page.get_by_label("Message").press("Enter")
    expect(page.get_by_role("listitem")).to_have_text("again")


@both
def test_cors_lets_the_listed_origin_in_and_no_other(serve: Serve, visit: Visit, interpreter: str) -> None:
    page_server = serve("cors")
    allowed = f"http://localhost:{page_server.port}/"
    lamp = serve("cors", interpreter, setup=f"main.cors.allowed_origins = [{allowed[:-1]!r}]")

    page = visit().page(f"{allowed}?api=http://127.0.0.1:{lamp.port}")
    expect(page.locator("#lamp")).to_have_text("off")
    page.get_by_role("button").click()
    expect(page.locator("#lamp")).to_have_text("on")

    stranger = visit()
    stranger.expect("blocked by CORS policy", "failed: GET .*/lamp", "failed: PUT .*/lamp", "console: .*ERR_FAILED .*/lamp")
    page = stranger.page(f"{page_server.url}?api=http://127.0.0.1:{lamp.port}")
    expect(page.get_by_text("does not let pages from")).to_be_visible()
    page.get_by_role("button").click()
    expect(page.locator("#lamp")).to_have_text("…")
    stranger.look(page, "cors-refused")

    page = visit().page(lamp.url)
    expect(page.locator("#lamp")).to_have_text("on")


@both
def test_csrf_refuses_the_form_of_another_site(serve: Serve, visit: Visit, tmp_path: Path, interpreter: str) -> None:
    lamp = serve("csrf", interpreter)
    owner = visit()
    page = owner.page(lamp.url)
    page.get_by_role("button", name="Switch").click()
    expect(page.get_by_role("heading")).to_have_text("The lamp is on")

    forged = tmp_path / "forged"
    forged.mkdir()
    (forged / "index.html").write_text(
        "<!doctype html><title>Prizes</title><link rel=icon href=data:,>"
        f"<form method=post action={lamp.url}switch><button>A prize!</button></form>"
    )
    port = free_port()
    # Another server and another site: `localhost` is not 127.0.0.1.
    server = subprocess.Popen(
        [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(forged), str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert wait_for(server, port)
        owner.expect("status: 403 POST .*/switch", "console: .* 403 .*/switch")
        owner.allow("/favicon.ico")  # the refusal is plain text, which can't name an icon
        other = owner.page(f"http://localhost:{port}/")
        other.get_by_role("button").click()
        expect(other.locator("body")).to_have_text("Forbidden")
    finally:
        server.kill()
        server.wait()
    page.reload()
    expect(page.get_by_role("heading")).to_have_text("The lamp is on")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Make a certificate for 127.0.0.1, as PEM; give its folder."""
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -subj /CN=localhost"
    names = "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem"
    subprocess.run([*command.split(), *names.split()], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


@both
def test_a_page_over_tls(stage: Serve, visit: Visit, certificate: Path, interpreter: str) -> None:
    server = stage("tls", interpreter)
    for name in ("cert.pem", "key.pem"):
        (server.folder / name).write_bytes((certificate / name).read_bytes())
    server.start(options="ssl=main.server_context('cert.pem', 'key.pem')")
    visitor = visit(ignore_https_errors=True)  # as a person who has accepted the certificate
    page = visitor.page(server.url.replace("http:", "https:"))
    expect(page.get_by_role("heading")).to_have_text("Hello over https")
    assert page.evaluate("isSecureContext")
    visitor.look(page, "tls")
