# Sessions: a dictionary that lives in a cookie, signed with a secret key so that clients can read but not change it (JWT with
# HS256; PyJWT on CPython, `lib/shims/jwt.py` on boards). Nothing is kept on the server, so a client can bring back an old
# cookie of its own: what must not be repeated does not belong in it. A token that is malformed, expired or signed with another
# key is an empty session. All cookies of a request must fit in `Request.max_readline`, and one in the 4096 bytes that browsers
# keep.
import time

from microdot.dispatch_lazy import vary
from microdot.helpers import invoke_handler, wraps

try:
    import jwt
except ImportError:
    raise ImportError("sessions need PyJWT: pip install pyjwt")


class SessionDict(dict):
    """The session of a request; ``save`` and ``delete`` go into its response."""

    def __init__(self, request, session_dict):
        super().__init__(session_dict)
        self.request = request

    def save(self):
        """Send the session, as it is now, to the client."""
        session_of(self.request).update(self.request, self)

    def delete(self):
        """Have the client forget the session."""
        session_of(self.request).delete(self.request)


class Session:
    """Sessions of an application.

    ``secret_key`` has 32 random bytes or more. ``cookie_options`` are those of ``Response.set_cookie``; the path is "/" and
    scripts can't read the cookie (``http_only``) unless they say otherwise. With ``max_age``, in seconds, a session ends when
    the client has not come back for so long; without, with the browser or the options.
    """

    secret_key = None

    def __init__(self, app=None, secret_key=None, cookie_options=None, max_age=None):
        self.cookie_options = {}
        self.max_age = max_age
        self._keep(secret_key, cookie_options)
        if app is not None:
            self.initialize(app)

    def initialize(self, app, secret_key=None, cookie_options=None):
        """Serve an application; what is given here replaces what was given before."""
        self._keep(secret_key, cookie_options)
        app._session = self

    def _keep(self, secret_key, cookie_options):
        if secret_key is not None:
            self.secret_key = secret_key
        if cookie_options is not None:
            self.cookie_options = cookie_options.copy()
        self.cookie_options.setdefault("path", "/")
        self.cookie_options.setdefault("http_only", True)

    def get(self, request):
        """Return the ``SessionDict`` of a request, always the same one; empty when the client brought none to be trusted."""
        self._check_key()
        vary(request, "Cookie")
        session = getattr(request.g, "_session", None)
        if session is None:
            token = request.cookies.get("session")
            session = self.decode(token) if token else {}
            if self.max_age:
                session.pop("exp", None)
            request.g._session = session = SessionDict(request, session)
            if self.max_age and session:
                self.update(request, session)
        return session

    def update(self, request, session):
        """Set the cookie to a session as it is now."""
        self._check_key()
        self.send_cookie(request, "session", self.encode(session, max_age=self.max_age), self.max_age)

    def delete(self, request):
        """Delete the cookie."""
        self.send_cookie(request, "session", "")

    def encode(self, payload, secret_key=None, max_age=None):
        """Return a dictionary as a token, which is good for ``max_age`` seconds, or for ever."""
        if max_age:
            payload = payload.copy()
            payload["exp"] = int(time.time()) + _EPOCH + int(max_age)
        return jwt.encode(payload, secret_key or self.secret_key, algorithm="HS256")

    def decode(self, session, secret_key=None):
        """Return the dictionary in a token, empty if the token is not to be trusted."""
        try:
            return jwt.decode(session, secret_key or self.secret_key, algorithms=["HS256"])
        except (jwt.PyJWTError, ValueError, RuntimeError):  # the latter by text that is no UTF-8, or nested too deep
            return {}

    def send_cookie(self, request, name, value, max_age=None):
        """Have the response set a cookie with the session's options, or delete it when the value is empty.

        The last call for a name counts. Responses to errors carry no cookies. Raises ``ValueError`` for a cookie so long that
        the server would refuse it, and every request with it.
        """
        if len("Cookie: =\r\n") + len(name) + len(value) > request.max_readline:
            raise ValueError("cookie over the %d bytes of Request.max_readline" % request.max_readline)
        cookies = getattr(request.g, "_cookies", None)
        if cookies is None:
            request.g._cookies = cookies = {}
            request.after_request(self._add_cookies)
        cookies[name] = value, max_age

    async def _add_cookies(self, request, response):
        for name, (value, max_age) in request.g._cookies.items():
            options = self.cookie_options.copy()
            if max_age:
                options.pop("expires", None)
                options["max_age"] = max_age
            if value:
                response.set_cookie(name, value, **options)
            else:
                response.delete_cookie(name, **options)

    def _check_key(self):
        if not self.secret_key:
            raise ValueError("session without secret key: give it to Session or initialize")


def session_of(request):
    """Return the ``Session`` of the request's application, else that of its sub-application."""
    for app in (request.app, request.subapp):
        session = getattr(app, "_session", None)
        if session:
            return session
    raise ValueError("application without sessions: make them with Session(app, secret_key=...)")


def with_session(f):
    """Decorate ``f(request, session)``: the handler gets the session, and saves it itself when it has changed."""

    @wraps(f)
    async def handler(request, *args, **kwargs):
        return await invoke_handler(f, request, session_of(request).get(request), *args, **kwargs)

    return handler


_EPOCH = 946684800 if time.gmtime(0)[0] == 2000 else 0  # some ports count from 2000
