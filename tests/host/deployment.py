"""The files of examples/deploy in service: nginx, supervisor and two workers below one temporary folder, on loopback ports."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Callable, NamedTuple

import httpx
from helpers import ROOT
from servers import free_port
from tls.servers import Pair, make_pair
from websockets.sync.client import ClientConnection, connect

DEPLOY = ROOT / "examples/deploy"
PATIENCE = 60.0  # seconds
GRACE = 5  # seconds
# Debian has them where a user's PATH may not lead.
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])

# What Debian's nginx.conf does, at places that any user may write to.
_NGINX = """
{user}
pid {home}/run/nginx.pid;
worker_processes 1;
events {{}}
http {{
    include /etc/nginx/mime.types;
    access_log {home}/run/access.log;
    client_body_temp_path {home}/run/body;
    proxy_temp_path {home}/run/proxy;
    fastcgi_temp_path {home}/run/fastcgi;
    scgi_temp_path {home}/run/scgi;
    uwsgi_temp_path {home}/run/uwsgi;
    include {site};
}}
"""


class Site(NamedTuple):
    """A site in service, and its clients' view of it."""

    home: Path
    http: int
    https: int
    pair: Pair
    environment: Mapping[str, str]

    @property
    def url(self) -> str:
        return f"https://localhost:{self.https}"

    @property
    def socket(self) -> Path:
        """Where the workers listen."""
        return self.home / "run/web.sock"

    def client(self, **options: Any) -> httpx.Client:
        # Each reads the certificates anew otherwise, and of the proxies in the environment none is meant.
        return httpx.Client(base_url=self.url, verify=self.pair.trust(), timeout=PATIENCE, trust_env=False, **options)

    def websocket(self, **options: Any) -> ClientConnection:
        trust = self.pair.trust_of_threads()
        return connect(f"wss://localhost:{self.https}/socket", ssl=trust, open_timeout=PATIENCE, proxy=None, **options)

    def direct(self) -> httpx.Client:
        """Return a client of the workers' socket, past nginx."""
        transport = httpx.HTTPTransport(uds=str(self.socket))
        return httpx.Client(base_url="http://workers", transport=transport, timeout=PATIENCE, trust_env=False)

    def control(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run("supervisorctl", "-c", str(DEPLOY / "supervisord.conf"), *arguments)

    def rolling_restart(self) -> subprocess.CompletedProcess[str]:
        return self._run(str(self.home / "deploy/rolling-restart"))

    @contextmanager
    def only(self, worker: str) -> Iterator[None]:
        """Have one worker take the connections: the others are stopped meanwhile."""
        others = [pid for name, pid in self.workers().items() if name != worker]
        try:
            for pid in others:
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in others:
                with suppress(ProcessLookupError):  # killed meanwhile
                    os.kill(pid, signal.SIGCONT)

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=PATIENCE * 3)

    def workers(self) -> dict[str, int]:
        """Return the process numbers of the workers that run, by name."""
        rows = [line.split() for line in self.control("status").stdout.splitlines()]
        return {row[0]: int(row[3].rstrip(",")) for row in rows if row[1] == "RUNNING"}

    def printed(self) -> str:
        return "\n".join(f"{path.name}: {path.read_text(errors='replace')}" for path in sorted(self.home.glob("run/*log*")))


def missing() -> str | None:
    """Say what the machine lacks for a deployment."""
    lacking = [name for name in ("nginx", "supervisord") if not shutil.which(name, path=PATH)]
    return f"no {' and no '.join(lacking)}: apt-get install nginx-light supervisor" if lacking else None


@contextmanager
def deployed(application: Path, **environment: str) -> Iterator[Site]:
    """Put an application into service as docs/deploy.md says."""
    # Not below pytest's folder, which other users may not enter: the socket itself has to keep them out.
    with TemporaryDirectory(prefix="site-") as folder:
        Path(folder).chmod(0o755)
        yield from _deployed(Path(folder), application, environment)


def _deployed(home: Path, application: Path, environment: Mapping[str, str]) -> Iterator[Site]:
    _lay_out(home, application)
    site = Site(home, free_port(), free_port(), make_pair(home / "tls"), _environment(home, environment))
    _place_nginx(site)
    commands = (
        ["supervisord", "-c", str(DEPLOY / "supervisord.conf")],
        [
            "nginx",
            "-p",
            str(home),
            "-c",
            str(home / "nginx/nginx.conf"),
            "-e",
            str(home / "run/error.log"),
            "-g",
            "daemon off;",
        ],
    )
    processes = []
    try:
        with (home / "run/output.log").open("wb") as output:
            for command in commands:
                processes.append(subprocess.Popen(command, env=site.environment, stdout=output, stderr=output))
        eventually(lambda: len(site.workers()) == 2 and _answers(site), site.printed)
        yield site
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            _end(process)


def _lay_out(home: Path, application: Path) -> None:
    for name, place in {"app": application, "deploy": DEPLOY, "lib": ROOT / "lib", "venv": Path(sys.prefix)}.items():
        (home / name).symlink_to(place)
    (home / "run").mkdir()
    (home / "secret.key").write_text("0123456789abcdef" * 4)
    (home / "secret.key").chmod(0o600)


def _environment(home: Path, more: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MDOT_", "COVERAGE"))}
    return {**inherited, "PATH": PATH, "MDOT_HOME": str(home), "MDOT_GRACE": str(GRACE), **more}


def _place_nginx(site: Site) -> None:
    # The folder mdot/ of examples/deploy/nginx, as it is to be written for each machine.
    place = site.home / "nginx/mdot"
    place.mkdir(parents=True)
    (place / "upstream.conf").write_text(f"server unix:{site.socket};\n")
    (place / "http.conf").write_text(f"listen 127.0.0.1:{site.http};\nserver_name localhost;\n")
    (place / "https.conf").write_text(
        f"listen 127.0.0.1:{site.https} ssl http2;\nserver_name localhost;\nroot {site.home}/app;\n"
        f"ssl_certificate {site.pair.cert_pem};\nssl_certificate_key {site.pair.key_pem};\n"
    )
    user = "user root;" if os.geteuid() == 0 else ""
    main = _NGINX.format(user=user, home=site.home, site=DEPLOY / "nginx/mdot.conf")
    (site.home / "nginx/nginx.conf").write_text(main)


def _answers(site: Site) -> bool:
    try:
        with site.client() as client:
            return client.get("/").status_code == 200
    except httpx.TransportError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(PATIENCE)
    finally:
        process.kill()
        process.wait()


def eventually(holds: Callable[[], object], story: Callable[[], str] = str) -> None:
    """Return when something holds; fail with the story when it takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, story()
        time.sleep(0.05)
