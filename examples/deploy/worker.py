# One worker of several: uvicorn on a socket that was listening before it came and goes on listening when it goes.
#
#     worker.py [--check] module:application
#
# supervisor (fcgi-program) and systemd (a socket unit) both open that socket once and hand it to every worker. So nothing is
# refused while a worker restarts: what comes meanwhile goes to another one, or waits in the socket's queue.
#
# A plain `uvicorn --fd` fails a few requests of a busy site at each restart: it closes connections that it has accepted but not
# read from yet. This worker stops accepting first, and closes when it has read what it took. Then it calls the function
# `stopping` of the application's module, if there is one, to end what would never end by itself. `--check` only imports.
import argparse
import asyncio
import os
import socket
import sys

import uvicorn
from uvicorn.importer import ImportFromStringError, import_from_string

GRACE = 10.0  # seconds that replies may take to end when the worker stops, unless MDOT_GRACE says otherwise
SETTLE = 0.2  # seconds for accepted connections to bring their requests; nginx writes one as soon as it has connected

# The socket's permissions say who may connect, and so who may say in X-Forwarded-For and -Proto who the client is. nginx must
# replace what its client put there (nginx/mdot.conf does), as uvicorn takes the first address of the list.
TRUSTED = "*"


class Worker(uvicorn.Server):
    """Takes nothing new before it ends, calls ``stopping`` then, and tells systemd how it is."""

    def __init__(self, config, stopping):
        super().__init__(config)
        self.stopping = stopping

    async def startup(self, sockets=None):
        await super().startup(sockets)
        notify("READY=1")

    async def shutdown(self, sockets=None):
        notify("STOPPING=1")
        loop = asyncio.get_running_loop()
        for sock in sockets:
            loop.remove_reader(sock.fileno())
        await asyncio.sleep(SETTLE)
        try:
            self.stopping()
        finally:
            await super().shutdown(sockets)


def inherited_socket():
    """Return the listening socket that systemd (sd_listen_fds(3)) or supervisor (as standard input) has given."""
    fd = 3 if os.environ.get("LISTEN_PID") == str(os.getpid()) else 0
    try:
        sock = socket.socket(fileno=fd)
        if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return sock
    except OSError:
        pass
    sys.exit("worker: no listening socket: start it through supervisord.conf or the systemd units")


def grace():
    try:
        return float(os.environ.get("MDOT_GRACE") or GRACE)
    except ValueError:
        sys.exit("worker: MDOT_GRACE: no number: give seconds, as in 10")


def notify(state):
    """Tell systemd, if it has asked to be told (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(state.encode(), "\0" + address[1:] if address[0] == "@" else address)


def load(name):
    """Import an application; return it, and the function to call before the worker ends."""
    sys.path.insert(0, os.getcwd())
    try:
        application = import_from_string(name)
    except ImportFromStringError as e:
        sys.exit(f"worker: {e}")
    module = sys.modules[name.partition(":")[0]]
    return application, getattr(module, "stopping", lambda: None)


def main():
    parser = argparse.ArgumentParser(prog="worker.py", description="serve an application on an inherited socket")
    parser.add_argument("--check", action="store_true", help="only import the application")
    parser.add_argument("application", metavar="module:application")
    arguments = parser.parse_args()
    application, stopping = load(arguments.application)
    if not arguments.check:
        config = uvicorn.Config(
            application, loop="asyncio", forwarded_allow_ips=TRUSTED, access_log=False, timeout_graceful_shutdown=grace()
        )
        Worker(config, stopping).run([inherited_socket()])


if __name__ == "__main__":
    main()
