# Updates over the air: a new application comes as one POST of a bundle, is checked whole, committed to by `onboard.journal` and
# confirmed, or taken back, by `onboard.guard`.  docs/ota.md is for users; protocol and format are in docs/architecture.md ("A
# bundle").
#
# A request is signed with the device's own key over a number that the device gave out for one use: what was listened to can't
# be sent again.  Before the signature is known to be good nothing is written, and no more of a body read than of any request's
# (`Request.max_body_length`).  The key never travels.  The signature covers the hash of the bundle's head, and that has the
# hashes of all files: nobody on the way can change what is installed.  TLS adds that nobody can read it.
import asyncio
import binascii
import hmac
import os

from microdot.request import Request
from microdot.request_lazy import field

_SCHEME = "MDOT-OTA"
_MIN_KEY = 32  # bytes
_MAX_KEY = 256  # bytes of the key's file
_ENOSPC = 28


class Refused(Exception):
    """An update that is not taken: ``status``, of HTTP, and ``reason``, in one line."""

    def __init__(self, status, reason):
        super().__init__(reason)
        self.status = status
        self.reason = reason


class OTA:
    """The update endpoint of an application.

    ``key_file`` holds the key, 64 hexadecimal digits or more, made by ``mdot ota key``.  ``restart`` is called when an update
    is in place and the reply has left: ``machine.reset`` unless it says otherwise; where there is none, ``app.shutdown``.
    Raises ``Request.max_content_length``, for all routes, to what an update may have.
    """

    max_size = 512 * 1024  # bytes of the files in a bundle
    max_head = 8192  # bytes of a bundle's list of files, in memory
    max_files = 128
    max_seconds = 600  # for an upload
    busy = False  # an update is coming in, or the restart after it
    _nonce = None
    _build = None  # what was installed

    def __init__(self, app=None, key_file="/ota.key", url_prefix="/ota", restart=None):
        self.key_file = key_file
        self.restart = restart
        if app is not None:
            self.initialize(app, url_prefix)

    def initialize(self, app, url_prefix="/ota"):
        """Give an application the routes."""
        Request.max_content_length = max(Request.max_content_length, self.max_size + self.max_head)
        app.get(url_prefix)(self._challenge)
        app.post(url_prefix)(self._update)
        app.get(url_prefix + "/state")(self._state)
        app.get(url_prefix + "/files")(self._files)

    async def install(self, stream, digest=None):
        """Install the bundle that a stream gives; return its build.  ``self.leave`` is to be called then.

        This asks for no key: the caller knows who is sending.  ``digest`` is what the head's SHA-256 has to be.  Raises
        ``Refused``, with the application as it was; OSError once begun, and the next start carries it on.
        """
        if self.busy:
            raise Refused(409, "another update is under way")
        if _begun():
            # Making room would take away what that one is carried on with.
            raise Refused(409, "an update is half way: restart the device, which carries it on")
        self.busy = True
        self._build = None
        try:
            await asyncio.wait_for(self._installed(stream, digest), self.max_seconds)
        except asyncio.TimeoutError:
            # If the time ends while the commit blocks, MicroPython's wait_for says so, although all is in place.
            if not self._build:
                raise Refused(408, "the upload took over %d s" % self.max_seconds)
        finally:
            self.busy = bool(self._build)
        return self._build

    def leave(self, request):
        """Restart when the reply to this request has left; return at once."""
        self._leaving = asyncio.create_task(self._leave(request.app, request._connection))

    async def _installed(self, stream, digest):
        from onboard import guard

        from microdot import ota_bundle

        head = await ota_bundle.read_head(stream, self.max_head)
        if digest and digest != _sha256(head):
            raise Refused(400, "not the bundle that was signed")
        update = ota_bundle.Install(head, self.key_file, self.max_files, self.max_size)
        update.check()
        try:
            update.make_room()
            await update.stage(stream)
            update.commit()
        except BaseException as e:
            if _begun():
                guard.leave()
                raise
            ota_bundle.clear_uploads()
            if isinstance(e, OSError) and e.errno == _ENOSPC:
                raise Refused(507, "no room: the flash is full")
            raise
        # The start before may be confirmed only now, and the trial is not its own.
        guard.leave()
        self._build = update.head.build

    async def _leave(self, app, connection):
        for _ in range(100):
            if not connection or connection not in connection.server.connections:
                break
            await asyncio.sleep(0.05)
        await asyncio.sleep(1)  # for what the network's buffers hold
        restart = self.restart
        try:
            from machine import reset
        except ImportError:
            reset = app.shutdown
        (restart or reset)()

    async def _challenge(self, request):
        if not self._nonce:
            self._nonce = _hex(os.urandom(16))
        return {"nonce": self._nonce}, {"Cache-Control": "no-store"}

    async def _state(self, request):
        return await self._answer(request, "state", self._told)

    async def _files(self, request):
        return await self._answer(request, "files", self._listed)

    async def _update(self, request):
        return await self._answer(request, "install", self._taken)

    async def _answer(self, request, purpose, act):
        try:
            return await act(request, self._signed(request, purpose))
        except Refused as e:
            return {"error": e.reason}, e.status, {"Cache-Control": "no-store"}

    def _signed(self, request, purpose):
        # Return the digest that the request vouches for.
        parts = (field(request, b"authorization") or "").split(" ")
        if len(parts) != 4 or parts[0] != _SCHEME:
            raise Refused(401, "not signed")
        key = self._key()
        if not self._nonce or parts[1] != self._nonce:
            raise Refused(401, "stale: ask for another nonce")
        text = "mdot-ota 1\n{}\n{}\n{}\n".format(purpose, self._nonce, parts[2])
        wanted = hmac.new(key, text.encode(), "sha256").digest()
        if not hmac.compare_digest(_hex(wanted).encode(), parts[3].encode()):
            raise Refused(401, "signed with another key")
        self._nonce = None
        return parts[2]

    def _key(self):
        from onboard import journal

        try:
            with open(journal.root + self.key_file, "rb") as file:
                key = binascii.unhexlify(file.read(_MAX_KEY).strip())
        except (OSError, ValueError):
            key = b""
        if len(key) < _MIN_KEY:
            raise Refused(503, "no key on this device: make one with mdot ota key")
        return key

    async def _told(self, request, digest):
        return self.state(), {"Cache-Control": "no-store"}

    def state(self):
        """Return what the device says of itself, as a dictionary."""
        import sys

        from microdot import ota_bundle

        app, build = ota_bundle.owned_head()
        block, blocks = ota_bundle.free()
        return {
            "app": app,
            "build": build,
            "trial": ota_bundle.on_trial(),
            "busy": self.busy,
            "id": _identity(),
            "board": getattr(sys.implementation, "_build", ""),
            "platform": sys.platform,
            "mpy": getattr(sys.implementation, "_mpy", 0),
            "block": block,
            "free": blocks,
        }

    async def _listed(self, request, digest):
        from microdot import ota_bundle

        for _ in ota_bundle.owned():
            pass  # a damaged list is refused in words, which is too late once lines of it are sent

        def lines():
            for _, size, path in ota_bundle.owned():
                yield "{} {} {}\n".format(ota_bundle.actual(path) or "-", size, path)

        return lines(), {"Cache-Control": "no-store"}

    async def _taken(self, request, digest):
        try:
            build = await self.install(request.stream, digest)
        except OSError:
            if not _begun():
                raise
            self.leave(request)
            raise Refused(500, "interrupted half way: the restart carries it on")
        self.leave(request)
        return {"build": build}, {"Cache-Control": "no-store", "Connection": "close"}


def _begun():
    from microdot.ota_bundle import journal

    try:
        os.stat(journal.root + "/.mdot/journal")
    except OSError:
        return False
    return True


def _identity():
    try:
        from machine import unique_id
    except ImportError:
        return ""
    return _hex(unique_id())


def _sha256(data):
    import hashlib

    return _hex(hashlib.sha256(data).digest())


def _hex(data):
    return binascii.hexlify(data).decode()
