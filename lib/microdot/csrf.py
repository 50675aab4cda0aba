# Protection from forged requests: pages of other sites that make a browser send one, with the user's cookies. It needs no
# tokens: browsers say where a request comes from (Sec-Fetch-Site in the Fetch Metadata draft, Origin in the Fetch Standard),
# and scripts can't change that. A client that sends neither is no browser and carries nobody's cookies.
from microdot.dispatch_lazy import vary
from microdot.http import HTTPException


class CSRF:
    """Refuses, with 403, what pages of other sites send.

    Checked are all routes with methods that change something, or those with ``protect`` alone if ``protect_all`` is false. The
    origins that ``cors`` lists are trusted; with ``allow_subdomains`` the subdomains of this site and of theirs are too. Where
    the browser says no more than its Origin, this site's own is that whose host and port are those of the request's Host.
    """

    SAFE_METHODS = ["GET", "HEAD", "OPTIONS"]

    def __init__(self, app=None, cors=None, protect_all=True, allow_subdomains=False):
        self.cors = cors
        self.protect_all = protect_all
        self.allow_subdomains = allow_subdomains
        self.exempt_routes = []
        self.protected_routes = []
        if app is not None:
            self.initialize(app)

    def initialize(self, app, cors=None):
        """Protect an application; ``cors``, if given, replaces what was given before."""
        if cors is not None:
            self.cors = cors
        app.before_request(self._before_request)

    def exempt(self, f):
        """Decorate a route that is not checked; must stand directly below the route's decorator."""
        self.exempt_routes.append(f)
        return f

    def protect(self, f):
        """Decorate a route that is checked whatever its method; must stand directly below the route's decorator."""
        self.protected_routes.append(f)
        return f

    async def _before_request(self, request):
        if self._is_checked(request) and not self._is_trusted(request):
            raise HTTPException(403, "Forbidden")

    def _is_checked(self, request):
        if request.route in self.protected_routes:
            return True
        return self.protect_all and request.method not in self.SAFE_METHODS and request.route not in self.exempt_routes

    def _is_trusted(self, request):
        site = request.headers.get("Sec-Fetch-Site")
        if site in ("same-origin", "none") or (site == "same-site" and self.allow_subdomains):
            vary(request, "Sec-Fetch-Site")
            return True
        origin = request.headers.get("Origin")
        if site is None and origin and origin.partition("://")[2] == request.headers.get("Host"):
            vary(request, "Origin")  # browsers send no Sec-Fetch-Site to plain HTTP, where most boards are
            return True
        return self._is_listed(origin) if origin else site is None and origin is None

    def _is_listed(self, origin):
        allowed = self.cors and self.cors.allowed_origins
        if not allowed or allowed == "*":
            return False
        return origin in allowed or (self.allow_subdomains and any(_is_below(origin, parent) for parent in allowed))


def _is_below(origin, parent):
    # Tell whether one origin is a subdomain of another, with the same scheme and port.
    scheme, _, host = origin.partition("://")
    parent_scheme, _, parent_host = parent.partition("://")
    return scheme == parent_scheme and host.endswith("." + parent_host)
