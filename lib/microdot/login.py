# Logins over sessions: who the user of a request is, and routes for users alone. The session holds the user's id; "remember me"
# is a second cookie, `_remember`, with the session's options, that starts a new session when the first has gone, though not a
# fresh one. It is a signed token with an end: logging out deletes it, but a copy stays good until then. After a login clients
# are sent to paths of this server alone.
from microdot.helpers import invoke_handler, wraps
from microdot.response import Response
from microdot.session import session_of

_REMEMBER_DAYS = 30


class Login:
    """Logins of an application with sessions; users without one are sent to ``login_url``.

    An instance decorates the routes that need a user, its method ``fresh`` those that need one who has given the password in
    this session. Any object with an attribute ``id`` is a user.
    """

    user_loader_callback = None

    def __init__(self, login_url="/login"):
        self.login_url = login_url

    def user_loader(self, f):
        """Decorate ``f(user_id)``, which returns the user of an id, or None."""
        self.user_loader_callback = f
        return f

    async def login_user(self, request, user, remember=False, redirect_url="/"):
        """Log a user in; return a redirect to where the user wanted to go, else to ``redirect_url``.

        With ``remember`` the login outlives the session for that number of days (True: 30).
        """
        self._begin(request, user, user.id, True)
        if remember:
            self._remember(request, user.id, _REMEMBER_DAYS if remember is True else remember)
        target = request.args.get("next", "")
        return Response.redirect(target if _is_local(target) else redirect_url)

    async def logout_user(self, request):
        """Log the user out."""
        session = session_of(request).get(request)
        session.pop("_user_id", None)
        session.pop("_fresh", None)
        session.save()
        request.g.current_user = None
        if "_remember" in request.cookies or "_remember" in request.g._cookies:
            session_of(request).send_cookie(request, "_remember", "")

    async def get_current_user(self, request):
        """Return the user of a request, None if there is none."""
        if not hasattr(request.g, "current_user"):
            user_id = session_of(request).get(request).get("_user_id")
            if user_id is None:
                request.g.current_user = await self._remembered(request)
            else:
                request.g.current_user = await self._load(user_id)
        return request.g.current_user

    def __call__(self, f):
        """Decorate a route that needs a user."""
        return self._guard(f, False)

    def fresh(self, f):
        """Decorate a route that needs a user who has logged in during this session."""
        return self._guard(f, True)

    def _guard(self, f, fresh):
        @wraps(f)
        async def handler(request, *args, **kwargs):
            user = await self.get_current_user(request)
            if user and (not fresh or session_of(request).get(request).get("_fresh")):
                return await invoke_handler(f, request, *args, **kwargs)
            return self._to_login(request)

        return handler

    def _to_login(self, request):
        from microdot.text import urlencode

        mark = "&" if "?" in self.login_url else "?"
        return Response.redirect(self.login_url + mark + "next=" + urlencode(request.url))

    async def _load(self, user_id):
        if not self.user_loader_callback:
            raise ValueError("login without user loader: decorate one with user_loader")
        return await invoke_handler(self.user_loader_callback, user_id)

    def _begin(self, request, user, user_id, fresh):
        session = session_of(request).get(request)
        session["_user_id"] = user_id
        session["_fresh"] = fresh
        session.save()
        request.g.current_user = user

    def _remember(self, request, user_id, days):
        session = session_of(request)
        seconds = int(days * 24 * 3600)
        token = session.encode({"user_id": user_id, "days": days}, max_age=seconds)
        session.send_cookie(request, "_remember", token, seconds)

    async def _remembered(self, request):
        # Log in whom the cookie names. Only a token of ours has all three: sessions are signed with the same key.
        token = session_of(request).decode(request.cookies.get("_remember", ""))
        if not ("user_id" in token and "days" in token and "exp" in token):
            return None
        user = await self._load(token["user_id"])
        if user:
            self._begin(request, user, token["user_id"], False)
            self._remember(request, token["user_id"], token["days"])
        return user


def _is_local(target):
    # Browsers take "//host" and "/\host" for another server, and leave out tabs and line breaks before they look.
    for c in target:
        if c < " ":
            return False
    return target[:1] == "/" and target[1:2] not in ("/", "\\")
