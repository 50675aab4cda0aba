"""The files of examples/deploy as they are, with Debian's nginx and supervisor; deployment.py says what is set beside them."""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import hosted_routes
import httpx
import pytest
import uvicorn
from deployment import DEPLOY, PATIENCE, Site, deployed, eventually, missing
from helpers import ROOT
from httpx_sse import connect_sse
from servers import serving
from websockets.exceptions import ConnectionClosed

APPLICATION = DEPLOY / "app"
FORGED = [
    ("X-Forwarded-For", "203.0.113.9"),
    ("X-Forwarded-For", "203.0.113.8, 203.0.113.7"),
    ("X-Forwarded-Proto", "http"),
    ("X-Real-IP", "203.0.113.9"),
    ("Forwarded", "for=203.0.113.9;proto=http"),
]
REQUEST = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"
needs_servers = pytest.mark.skipif(bool(missing()), reason=str(missing()))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with deployed(APPLICATION) as site:
        yield site


def release(site: Site, application: Path) -> None:
    """Put an application where the workers find it when they start."""
    (site.home / "new").symlink_to(application)
    (site.home / "new").rename(site.home / "app")


# What a client gets through nginx


@needs_servers
@pytest.mark.parametrize("http2", [False, True])
def test_pages_over_tls(site: Site, http2: bool) -> None:
    with site.client(http2=http2) as client:
        response = client.get("/")
        assert (response.status_code, response.http_version) == (200, "HTTP/2" if http2 else "HTTP/1.1")
        assert "Visit number 1<" in response.text
        assert "Secure" in response.headers["Set-Cookie"]
        assert "Visit number 2<" in client.get("/").text
        assert client.post("/echo", content=b"x" * 16384).content == b"x" * 16384


@needs_servers
def test_plain_http_leads_to_tls(site: Site) -> None:
    response = httpx.get(f"http://localhost:{site.http}/a?b=c", trust_env=False)
    assert (response.status_code, response.headers["Location"]) == (308, "https://localhost/a?b=c")


@needs_servers
def test_static_files_need_no_worker(site: Site) -> None:
    with site.only("nobody"), site.client() as client:
        response = client.get("/static/style.css")
        assert response.content == (APPLICATION / "static/style.css").read_bytes()
        assert response.headers["Content-Type"] == "text/css"
        assert client.get("/static/style.css", headers={"If-None-Match": response.headers["ETag"]}).status_code == 304
        for path in ("/static/missing", "/static/", "/static/.%2fmain.py"):
            assert client.get(path).status_code in (403, 404), path


@needs_servers
@pytest.mark.parametrize("path", ["/main.py", "/static/../main.py", "/static/%2e%2e/main.py", "/static/..%2fmain.py"])
def test_the_program_is_no_static_file(site: Site, path: str) -> None:
    plain = socket.create_connection(("localhost", site.https), PATIENCE)
    with site.pair.trust().wrap_socket(plain, server_hostname="localhost") as connection:  # as it is: clients tidy paths up
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert connection.recv(65536).split()[1] == b"404"


@needs_servers
def test_streams_arrive_as_they_are_made(site: Site) -> None:
    with site.client() as client:
        with client.stream("GET", "/count/5") as response:
            assert list(response.iter_lines()) == ["0", "1", "2", "3", "4"]
        with connect_sse(client, "GET", "/events") as source:  # it never ends: nothing waits for its end
            events = source.iter_sse()
            assert [next(events).data for _ in range(2)] == ["0", "1"]
        with connect_sse(client, "GET", "/events", headers={"Last-Event-ID": "41"}) as source:
            assert next(source.iter_sse()).data == "42"


@needs_servers
def test_websocket(site: Site) -> None:
    with site.websocket() as ws:
        for message in ("hello", "x" * 10000):
            ws.send(message)
            worker, _, echo = str(ws.recv(PATIENCE)).partition(" ")
            assert int(worker) in site.workers().values()
            assert echo == message


# Who the client is


@needs_servers
@pytest.mark.parametrize("http2", [False, True])
def test_the_worker_learns_the_client_from_nginx_only(site: Site, http2: bool) -> None:
    with site.client(http2=http2) as client:
        for headers in ([], FORGED):
            seen = client.get("/client", headers=headers).json()
            seen.pop("worker")
            assert seen == {"client": "127.0.0.1", "scheme": "https", "host": f"localhost:{site.https}"}


@needs_servers
def test_the_workers_socket_is_for_its_owner_and_group(site: Site) -> None:
    assert site.socket.stat().st_mode & 0o777 == 0o660
    with site.direct() as client:  # as its owner may; whoever gets here is believed
        assert client.get("/client", headers=FORGED[:1]).json()["client"] == "203.0.113.9"


@needs_servers
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_cannot_reach_the_workers(site: Site) -> None:
    program = "import os, socket, sys; os.stat(sys.argv[1]); socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    command = ["/usr/bin/python3", "-c", program, str(site.socket)]
    assert subprocess.run(command, capture_output=True, timeout=PATIENCE).returncode == 0
    done = subprocess.run(command, user="nobody", group="nogroup", extra_groups=[], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == "PermissionError: [Errno 13] Permission denied"


@pytest.mark.parametrize(("source", "believed"), [("127.0.0.1", False), ("127.0.0.2", True)])
def test_over_tcp_only_the_named_proxy_is_believed(source: str, believed: bool) -> None:
    command = "uvicorn --port {port} --log-level warning --forwarded-allow-ips 127.0.0.2 {app}"
    with serving("uvicorn", "hosted_routes:asgi_app", command) as server:
        transport = httpx.HTTPTransport(local_address=source)
        with httpx.Client(transport=transport, trust_env=False) as client:
            headers = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
            seen = client.get(f"http://127.0.0.1:{server.port}/seen/x?a=1", headers=headers).json()
    assert (seen["client"], seen["scheme"]) == (("203.0.113.9", "https") if believed else (source, "http"))


# Several workers


@needs_servers
def test_each_worker_takes_the_sessions_of_the_others(site: Site) -> None:
    cookies: Any = None
    pids = site.workers()
    for visit, worker in enumerate(("mdot:0", "mdot:1", "mdot:0"), 1):
        with site.only(worker), site.client(cookies=cookies) as client:
            assert client.get("/client").json()["worker"] == pids[worker]
            assert f"Visit number {visit}<" in client.get("/").text
            cookies = client.cookies


@needs_servers
def test_a_rolling_restart_fails_no_request(site: Site) -> None:
    before = site.workers()
    with _load(site) as answers:
        done = site.rolling_restart()
    assert done.returncode == 0, done.stdout + done.stderr
    after = site.workers()
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())
    assert set(answers) == {"GET 200", "POST 200"}, answers
    assert min(answers.values()) > 100  # there was something to fail


@contextmanager
def _load(site: Site) -> Iterator[Counter[str]]:
    answers: Counter[str] = Counter()
    over = threading.Event()

    def ask(method: str) -> None:
        with site.client() as client:
            while not over.is_set():
                try:
                    response = client.request(method, "/echo" if method == "POST" else "/client")
                    answers[f"{method} {response.status_code}"] += 1
                except httpx.TransportError as e:
                    answers[f"{method} {e!r}"] += 1

    threads = [threading.Thread(target=ask, args=[method]) for method in ("GET", "POST") * 2]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        over.set()
        for thread in threads:
            thread.join()


@needs_servers
def test_what_waits_for_a_worker_that_ends_is_answered(site: Site) -> None:
    pids = site.workers()
    with site.only("mdot:0"):
        os.kill(pids["mdot:0"], signal.SIGSTOP)
        waiting = [_asked(site) for _ in range(30)]
        os.kill(pids["mdot:0"], signal.SIGTERM)
        os.kill(pids["mdot:0"], signal.SIGCONT)
        answers = Counter(_answer(connection) for connection in waiting)
    assert answers == {b"HTTP/1.1 200 OK": 30}
    eventually(lambda: site.workers().get("mdot:0", pids["mdot:0"]) != pids["mdot:0"], site.printed)


def _asked(site: Site) -> socket.socket:
    connection = _connected(site.socket)
    connection.sendall(REQUEST)
    return connection


def _connected(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PATIENCE)
    connection.connect(str(path))
    return connection


def _answer(connection: socket.socket) -> bytes:
    with connection:
        try:
            return connection.recv(65536).split(b"\r\n")[0]
        except ConnectionError as e:
            return repr(e).encode()


@needs_servers
def test_open_streams_are_told_of_a_restart(site: Site) -> None:
    with site.only("mdot:0"), site.client() as client, ExitStack() as stack:
        source = stack.enter_context(connect_sse(client, "GET", "/events"))
        ws = stack.enter_context(site.websocket())
        events = source.iter_sse()
        first = next(events)
        reply = stack.enter_context(client.stream("GET", "/count/20"))  # takes two seconds: less than MDOT_GRACE
        ws.send("which")
        ws.recv(PATIENCE)
        control = threading.Thread(target=site.control, args=["restart", "mdot:0"])
        control.start()
        last = [first, *events][-1]  # the stream ends as it should: otherwise this raises
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(PATIENCE)
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 1012  # "service restart"
        assert list(reply.iter_lines()) == [str(i) for i in range(20)]
        control.join()
        with connect_sse(client, "GET", "/events", headers={"Last-Event-ID": last.id}) as source:
            assert next(source.iter_sse()).data == str(int(last.data) + 1)


@needs_servers
def test_a_version_that_cannot_be_imported_changes_nothing(site: Site, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import no_such_module\n")
    before = site.workers()
    release(site, tmp_path)
    try:
        done = site.rolling_restart()
    finally:
        release(site, APPLICATION)
    assert done.returncode == 1
    assert "no_such_module" in done.stderr.splitlines()[-1]
    assert site.workers() == before


@needs_servers
def test_a_version_that_fails_as_it_starts_leaves_a_worker_serving(site: Site, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        "from microdot.asgi import Microdot\n\n\nasync def start(scope):\n    raise OSError\n\n\napp = Microdot(start)\n"
    )
    before = site.workers()
    release(site, tmp_path)
    try:
        assert site.rolling_restart().returncode != 0
        assert site.workers() == {"mdot:1": before["mdot:1"]}
        with site.client() as client:
            assert client.get("/client").json()["worker"] == before["mdot:1"]
    finally:
        release(site, APPLICATION)
    done = site.rolling_restart()
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(site.workers()) == 2


@needs_servers
def test_a_worker_that_is_killed_comes_back(site: Site) -> None:
    pids = site.workers()
    with site.only("mdot:0"), site.client() as client:
        os.kill(pids["mdot:1"], signal.SIGKILL)
        assert client.get("/client").json()["worker"] == pids["mdot:0"]
    eventually(lambda: site.workers().get("mdot:1", pids["mdot:1"]) != pids["mdot:1"], site.printed)


# The worker alone, and systemd


def test_a_worker_that_ends_serves_what_it_accepted_and_accepts_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The moment in which a plain uvicorn fails requests, held still: it runs here, told to wait longer for what it accepted.
    monkeypatch.syspath_prepend(DEPLOY)
    module = importlib.import_module("worker")
    ending = threading.Event()
    monkeypatch.setattr(module, "SETTLE", 4)
    monkeypatch.setattr(module, "notify", lambda state: ending.set() if state == "STOPPING=1" else None)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.listen()
        config = uvicorn.Config(hosted_routes.asgi_app, loop="asyncio", lifespan="off", log_config=None)
        server = module.Worker(config, lambda: None)
        thread = threading.Thread(target=server.run, args=[[listener.dup()]])
        thread.start()
        accepted = _connected(tmp_path / "socket")
        eventually(lambda: server.server_state.connections)
        server.should_exit = True
        assert ending.wait(PATIENCE)
        with _connected(tmp_path / "socket") as late:
            late.sendall(REQUEST)
            accepted.sendall(REQUEST)
            assert _answer(accepted) == b"HTTP/1.1 200 OK"
            thread.join()
            with listener.accept()[0] as waited:
                assert waited.recv(65536) == REQUEST


def worker(*arguments: str, cwd: Path = APPLICATION, secret: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "lib"), "MDOT_SECRET": secret}
    command = [sys.executable, str(DEPLOY / "worker.py"), *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["main:app"], "worker: no listening socket: start it through supervisord.conf or the systemd units"),
        (["--check", "nowhere:app"], 'worker: could not import module "nowhere"'),
        (["--check", "main:nothing"], 'worker: attribute "nothing" not found in module "main"'),
    ],
)
def test_a_worker_started_wrongly_says_so(arguments: list[str], line: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s" * 64)
    done = worker(*arguments, secret=str(tmp_path / "secret"))
    assert (done.returncode, done.stderr.strip().rstrip(".").lower()) == (1, line.lower())


def test_an_application_without_its_secret_says_so() -> None:
    done = worker("--check", "main:app", secret="/nowhere/secret.key")
    assert done.returncode == 1
    assert done.stderr.startswith("/nowhere/secret.key: not readable: make it once with")
    assert done.stderr.count("\n") == 1


needs_systemd = pytest.mark.skipif(not shutil.which("systemd-socket-activate"), reason="no systemd: apt-get install systemd")


@needs_systemd
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    units = tmp_path / "etc/systemd/system"
    shutil.copytree(DEPLOY / "systemd", units)
    shutil.copytree("/usr/lib/systemd/system", tmp_path / "usr/lib/systemd/system", symlinks=True)
    (tmp_path / "srv/mdot/venv/bin").mkdir(parents=True)
    shutil.copy(shutil.which("true") or "", tmp_path / "srv/mdot/venv/bin/python")
    assert _verified(tmp_path) == ""
    service = units / "mdot@.service"
    service.write_text(service.read_text().replace("Sockets=", "Socket="))
    assert "Unknown key" in _verified(tmp_path)


def _verified(root: Path) -> str:
    command = ["systemd-analyze", "verify", f"--root={root}", "mdot.socket", "mdot@1.service", "mdot@2.service"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    return done.stdout + done.stderr


@needs_systemd
def test_a_worker_takes_its_socket_from_systemd_and_reports_to_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s" * 64)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as reports:
        reports.bind(str(tmp_path / "notify"))
        reports.settimeout(PATIENCE)
        variables = {"PYTHONPATH": ROOT / "lib", "MDOT_SECRET": tmp_path / "secret", "NOTIFY_SOCKET": tmp_path / "notify"}
        setting = [f"--setenv={name}={value}" for name, value in variables.items()]
        program = [sys.executable, str(DEPLOY / "worker.py"), "main:app"]
        command = ["systemd-socket-activate", f"--listen={tmp_path}/web.sock", *setting, *program]
        with subprocess.Popen(command, cwd=APPLICATION, stderr=subprocess.PIPE, text=True) as process:
            try:
                eventually((tmp_path / "web.sock").exists)
                transport = httpx.HTTPTransport(uds=str(tmp_path / "web.sock"))
                with httpx.Client(transport=transport, trust_env=False, timeout=PATIENCE) as client:
                    seen = client.get("http://a/client", headers={"X-Forwarded-For": "203.0.113.9"}).json()
                assert (seen["client"], seen["worker"]) == ("203.0.113.9", process.pid)
                assert reports.recv(100) == b"READY=1"
                process.terminate()
                assert reports.recv(100) == b"STOPPING=1"
                process.communicate(timeout=PATIENCE)
            finally:
                process.kill()


def test_what_differs_from_machine_to_machine_is_the_same_in_the_tests() -> None:
    # The three files of nginx/mdot that the site above writes for itself have the directives of those that are given away.
    home = {name: _directives(DEPLOY / "nginx/mdot" / name) for name in ("upstream.conf", "http.conf", "https.conf")}
    assert home == {
        "upstream.conf": {"server"},
        "http.conf": {"listen", "server_name"},
        "https.conf": {"listen", "server_name", "ssl_certificate", "ssl_certificate_key", "root"},
    }


def _directives(path: Path) -> set[str]:
    return {line.split()[0] for line in path.read_text().splitlines() if line and not line.startswith("#")}
