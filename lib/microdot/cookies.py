# The text of a Set-Cookie header (RFC 6265 4.1). Loaded when an application first sets a cookie.
from microdot.http import http_date


def format_cookie(cookie, value, path, domain, expires, max_age, secure, http_only, partitioned, same_site):
    """Return the value of a ``Set-Cookie`` header; raise ``ValueError`` for text that would end a value or the header."""
    if expires is not None and not isinstance(expires, str):
        t = expires
        expires = http_date(t.year, t.month, t.day, t.hour, t.minute, t.second, t.weekday())
    parts = [cookie + "=" + value]
    for name, option in (("Path", path), ("Domain", domain), ("Expires", expires), ("Max-Age", max_age)):
        if option is not None and option != "":
            parts.append("%s=%s" % (name, option))
    if secure:
        parts.append("Secure")
    if http_only:
        parts.append("HttpOnly")
    if partitioned:
        parts.append("Partitioned")
    if same_site:
        parts.append("SameSite=" + same_site)
    for part in parts:
        for c in ";\r\n\0":
            if c in part:
                raise ValueError("semicolon, line break or NUL in cookie")
    return "; ".join(parts)
