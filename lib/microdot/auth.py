# HTTP authentication (RFC 9110 11): user and password (Basic, RFC 7617) or a token (Bearer, RFC 6750). The application's
# callback decides who it is; it should compare secrets with `hmac.compare_digest`. Both are readable on the way: use them over
# TLS.
from microdot.helpers import invoke_handler, wraps
from microdot.http import HTTPException
from microdot.request_lazy import field
from microdot.response import Response


class BaseAuth:
    """What the kinds of authentication share. An instance decorates the routes that need a user."""

    auth_callback = None
    error_callback = None

    def authenticate(self, f):
        """Decorate ``f(request, *credentials)``, which returns the user, or None."""
        self.auth_callback = f
        return f

    def errorhandler(self, f):
        """Decorate ``f(request)``, whose result is the response to a request without a user."""
        self.error_callback = f
        return f

    def __call__(self, f):
        """Decorate a route that needs a user, who is in ``request.g.current_user``."""
        return self._wrap(f, True)

    def optional(self, f):
        """Decorate a route that takes a user if there is one."""
        return self._wrap(f, False)

    def _wrap(self, f, needed):
        @wraps(f)
        async def handler(request, *args, **kwargs):
            credentials = self._credentials(request)
            user = None
            if credentials:
                user = await invoke_handler(self.auth_callback, request, *credentials)
            if needed and not user:
                return await invoke_handler(self.error_callback, request)
            request.g.current_user = user
            return await invoke_handler(f, request, *args, **kwargs)

        return handler


class BasicAuth(BaseAuth):
    """Authentication by user name and password; ``authenticate`` decorates ``f(request, username, password)``."""

    def __init__(self, realm="Please login", charset="UTF-8", scheme="Basic", error_status=401):
        self.realm = realm
        self.charset = charset
        self.scheme = scheme
        self.error_status = error_status
        self.error_callback = self._challenge

    def _credentials(self, request):
        from binascii import a2b_base64

        from microdot.text import decode_utf8

        try:
            name, colon, password = decode_utf8(a2b_base64(_token(request, "Basic"))).partition(":")
        except ValueError:  # no base64, or no UTF-8
            return None
        return (name, password) if colon else None

    async def _challenge(self, request):
        challenge = '%s realm="%s", charset="%s"' % (self.scheme, self.realm, self.charset)
        return Response("", self.error_status, {"WWW-Authenticate": challenge})


class TokenAuth(BaseAuth):
    """Authentication by a token; ``authenticate`` decorates ``f(request, token)``.

    The token follows ``scheme`` in the ``Authorization`` header, or is all of another header. A request without a good one is
    told the scheme and ``realm`` if it is the former.
    """

    realm = "Please login"

    def __init__(self, header="Authorization", scheme="Bearer", error_status=401):
        self.header = header
        self.scheme = scheme
        self.error_status = error_status
        self.error_callback = self._refuse

    def _credentials(self, request):
        if self.header.lower() == "authorization":
            token = _token(request, self.scheme)
        else:
            token = field(request, self.header.lower().encode())
        return (token,) if token else None

    async def _refuse(self, request):
        error = HTTPException(self.error_status)
        if self.error_status == 401 and self.header.lower() == "authorization":
            error.headers = {"WWW-Authenticate": '%s realm="%s"' % (self.scheme, self.realm)}  # RFC 9110 15.5.2, RFC 6750 3
        raise error


def _token(request, scheme):
    # Schemes match in any case (RFC 9110 11.1).
    given, _, token = (field(request, b"authorization") or "").partition(" ")
    return token.strip() if given.lower() == scheme.lower() else ""
