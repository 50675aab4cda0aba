# Request heads for the tests of the parser (RFC 9112): what is accepted and as what, what is refused and with
# which status.

KEEP = 1  # flag: keep the connection
EXPECT = 2  # flag: the client waits for 100 Continue


def head(line, *fields):
    """Return a head of these lines; a request line without version is one of HTTP/1.1."""
    if " HTTP/" not in line:
        line += " HTTP/1.1"
    return "\r\n".join((line,) + fields + ("", "")).encode()


def with_field(field):
    """Return a head that is good but for this field, given as bytes."""
    return b"GET / HTTP/1.1\r\nHost: a\r\n" + field + b"\r\nAccept: */*\r\n\r\n"


def with_line(line):
    """Return a head that is good but for its request line, given as bytes."""
    return line + b"\r\nHost: a\r\n\r\n"


def get(*fields):
    return head("GET /", HOST, *fields)


def post(*fields):
    return head("POST /", HOST, *fields)


def put(*fields):
    return head("PUT /", HOST, *fields)


HOST = "Host: example.com"
PLAIN = ("GET", "/", 1, 0, KEEP)
CLOSED = ("GET", "/", 1, 0, 0)
BROWSER = head(
    "GET /items/7?page=2",
    "Host: 192.168.4.1:5000",
    "Connection: keep-alive",
    'sec-ch-ua: "Chromium";v="130", "Not?A_Brand";v="99"',
    "sec-ch-ua-mobile: ?0",
    'sec-ch-ua-platform: "Linux"',
    "Upgrade-Insecure-Requests: 1",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
    "Sec-Fetch-Site: none",
    "Sec-Fetch-Mode: navigate",
    "Accept-Encoding: gzip, deflate, br",
    "Accept-Language: de-DE,de;q=0.9,en;q=0.8",
    "Cookie: session=eyJhbGciOiJIUzI1NiJ9.e30.ZRrHA1JJJW8opsbCGfG_HACGpVUMN_a9IV7pAx_Zmeo; theme=dark",
)

# (name, bytes, (method, target, minor version, body length, flags))
ACCEPTED = [
    ("shortest 1.1", head("GET /", "Host:"), PLAIN),
    ("shortest 1.0", head("GET / HTTP/1.0"), ("GET", "/", 0, 0, 0)),
    ("1.0 with host", head("GET /x HTTP/1.0", HOST), ("GET", "/x", 0, 0, 0)),
    ("1.0 keep-alive is not kept", head("GET / HTTP/1.0", "Connection: keep-alive"), ("GET", "/", 0, 0, 0)),
    ("later minor version", head("GET / HTTP/1.9", HOST), PLAIN),
    ("browser", BROWSER, ("GET", "/items/7?page=2", 1, 0, KEEP)),
    ("curl", get("User-Agent: curl/8", "Accept: */*"), PLAIN),
    ("post", head("POST /form", HOST, "Content-Length: 11"), ("POST", "/form", 1, 11, KEEP)),
    ("length zero", post("Content-Length: 0"), ("POST", "/", 1, 0, KEEP)),
    ("length with zeros ahead", post("Content-Length: 0012"), ("POST", "/", 1, 12, KEEP)),
    ("length of nine digits", put("Content-Length: 999999999"), ("PUT", "/", 1, 999999999, KEEP)),
    ("length of ten digits", put("Content-Length: 5000000000"), ("PUT", "/", 1, 5000000000, KEEP)),
    ("length in 1.0", head("POST / HTTP/1.0", "Content-Length: 3"), ("POST", "/", 0, 3, 0)),
    ("chunked", post("Transfer-Encoding: chunked"), ("POST", "/", 1, -1, KEEP)),
    ("chunked in capitals", post("TRANSFER-ENCODING: Chunked"), ("POST", "/", 1, -1, KEEP)),
    ("close", get("Connection: close"), CLOSED),
    ("close in capitals", get("CONNECTION: CLOSE"), CLOSED),
    ("close in a list", get("Connection: TE ,close"), CLOSED),
    ("close in a second field", get("Connection: te", "connection: close"), CLOSED),
    ("close wins over keep-alive", get("Connection: keep-alive, close"), CLOSED),
    ("keep-alive after close", head("GET /", "Connection: close", HOST, "Connection: keep-alive"), CLOSED),
    ("other connection option", get("Connection: Upgrade"), PLAIN),
    ("option that starts with close", get("Connection: closed"), PLAIN),
    ("empty connection", get("Connection:"), PLAIN),
    ("expect", put("Expect: 100-continue", "Content-Length: 5"), ("PUT", "/", 1, 5, KEEP | EXPECT)),
    ("expect in capitals", put("EXPECT: 100-Continue"), ("PUT", "/", 1, 0, KEEP | EXPECT)),
    ("expect and close", put("Expect: 100-continue", "Connection: close"), ("PUT", "/", 1, 0, EXPECT)),
    ("1.0 expects nothing", head("PUT / HTTP/1.0", "Expect: 100-continue"), ("PUT", "/", 0, 0, 0)),
    ("method in small letters", head("get /", HOST), ("get", "/", 1, 0, KEEP)),
    ("method with a dash", head("M-SEARCH /", HOST), ("M-SEARCH", "/", 1, 0, KEEP)),
    (
        "method of all token marks",
        head("!#$%&'*+-.^_`|~09azAZ /", HOST),
        ("!#$%&'*+-.^_`|~09azAZ", "/", 1, 0, KEEP),
    ),
    ("methods that start alike", head("GETS /", HOST), ("GETS", "/", 1, 0, KEEP)),
    ("three-letter method", head("PUT /", HOST), ("PUT", "/", 1, 0, KEEP)),
    ("escapes stay", head("GET /a%20b?c=%zz", HOST), ("GET", "/a%20b?c=%zz", 1, 0, KEEP)),
    ("odd marks in a target", head('GET /"<>\\^`{|}~?#[]@', HOST), ("GET", '/"<>\\^`{|}~?#[]@', 1, 0, KEEP)),
    ("two slashes are a path", head("GET //evil.example/x", HOST), ("GET", "//evil.example/x", 1, 0, KEEP)),
    ("url in a query", head("GET /?next=http://a/b", HOST), ("GET", "/?next=http://a/b", 1, 0, KEEP)),
    ("absolute form", head("GET http://a.example:80/x?y=1", HOST), ("GET", "/x?y=1", 1, 0, KEEP)),
    ("absolute form without path", head("GET http://a.example", HOST), PLAIN),
    (
        "absolute form with query alone",
        head("GET http://a.example?y=/1", HOST),
        ("GET", "/?y=/1", 1, 0, KEEP),
    ),
    ("absolute form in capitals", head("GET HTTP://A.EXAMPLE/X", HOST), ("GET", "/X", 1, 0, KEEP)),
    ("absolute form of https", head("GET https://a.example/", HOST), PLAIN),
    ("asterisk for options", head("OPTIONS *", HOST), ("OPTIONS", "*", 1, 0, KEEP)),
    ("host in capitals", head("GET /", "HOST: A"), PLAIN),
    ("host and port", head("GET /", "Host: a-1.b:80"), PLAIN),
    ("empty host", head("GET /", "Host:"), PLAIN),
    ("ipv6 host", head("GET /", "Host: [::1]:5000"), PLAIN),
    ("host and empty port", head("GET /", "Host: a:"), PLAIN),
    ("ipv6 host of nobody", head("GET /", "Host: [::]"), PLAIN),
    ("host with an underscore", head("GET /", "Host: my_pico"), PLAIN),
    ("host last", head("GET /", "Accept: */*", "X-Host: b", "host:a"), PLAIN),
    ("look-alike names", get("Hose: a", "Connectiom: close", "Content-Lengti: 5"), PLAIN),
    ("no space after the colon", head("POST /", "Host:a", "Content-Length:4"), ("POST", "/", 1, 4, KEEP)),
    ("spaces and tabs around a value", post("Content-Length: \t 4\t "), ("POST", "/", 1, 4, KEEP)),
    ("empty value", with_field(b"X-Empty:"), PLAIN),
    ("value of blanks", with_field(b"X-Blank: \t "), PLAIN),
    ("colons in a value", with_field(b"X: a:b: c"), PLAIN),
    ("tab in a value", with_field(b"X: a\tb"), PLAIN),
    ("bytes above 127 in a value", with_field(b"X: \x80\xff\xc3\xa9"), PLAIN),
    ("name of all token marks", with_field(b"!#$%&'*+-.^_`|~09azAZ: x"), PLAIN),
    ("empty line ahead", b"\r\n" + head("GET /x", HOST), ("GET", "/x", 1, 0, KEEP)),
]

# (name, bytes, status)
REFUSED = [
    ("no version", b"GET /\r\n\r\n", 400),
    ("no target", with_line(b"GET HTTP/1.1"), 400),
    ("empty target", with_line(b"GET  HTTP/1.1"), 400),
    ("no method", with_line(b" / HTTP/1.1"), 400),
    ("two spaces after the method", with_line(b"GET  / HTTP/1.1"), 400),
    ("two spaces before the version", with_line(b"GET /  HTTP/1.1"), 400),
    ("space at the end of the line", with_line(b"GET / HTTP/1.1 "), 400),
    ("space in the target", with_line(b"GET /a b HTTP/1.1"), 400),
    ("tabs for spaces", with_line(b"GET\t/\tHTTP/1.1"), 400),
    ("method with a parenthesis", with_line(b"G(T / HTTP/1.1"), 400),
    ("method with a colon", with_line(b"GET: / HTTP/1.1"), 400),
    ("method above 127", with_line(b"G\xcb\x87T / HTTP/1.1"), 400),
    ("control byte in the method", with_line(b"GE\x01T / HTTP/1.1"), 400),
    ("nul in the target", with_line(b"GET /\0 HTTP/1.1"), 400),
    ("control byte in the target", with_line(b"GET /\x1f HTTP/1.1"), 400),
    ("delete in the target", with_line(b"GET /\x7f HTTP/1.1"), 400),
    ("byte above 127 in the target", with_line(b"GET /\xc3\xa9 HTTP/1.1"), 400),
    ("carriage return in the request line", with_line(b"GET /\rx HTTP/1.1"), 400),
    ("relative target", with_line(b"GET x HTTP/1.1"), 400),
    ("asterisk for get", with_line(b"GET * HTTP/1.1"), 400),
    ("scheme of something else", with_line(b"GET ftp://a/x HTTP/1.1"), 400),
    ("absolute form without a host", with_line(b"GET http:///x HTTP/1.1"), 400),
    ("absolute form without host field", b"GET http://a/ HTTP/1.1\r\n\r\n", 400),
    ("connect", with_line(b"CONNECT a:443 HTTP/1.1"), 501),
    ("version in small letters", with_line(b"GET / http/1.1"), 400),
    ("version of another protocol", with_line(b"GET / HTCP/1.1"), 400),
    ("version without minor", with_line(b"GET / HTTP/1"), 400),
    ("version with an empty minor", with_line(b"GET / HTTP/1."), 400),
    ("version with two digits", with_line(b"GET / HTTP/1.10"), 400),
    ("version with a comma", with_line(b"GET / HTTP/1,1"), 400),
    ("version with a letter", with_line(b"GET / HTTP/1.x"), 400),
    ("version with a sign", with_line(b"GET / HTTP/+1.1"), 400),
    ("http/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("http/2", with_line(b"GET / HTTP/2.0"), 505),
    ("http/3", with_line(b"GET / HTTP/3.0"), 505),
    ("http/0.9 by name", with_line(b"GET / HTTP/0.9"), 505),
    ("tls handshake", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n", 400),
    ("line feeds alone", b"GET / HTTP/1.1\nHost: a\n\n", 400),
    ("line feed after the request line", b"GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
    ("line feed after a field", with_field(b"X: a\nY: b"), 400),
    ("line feed hiding a field", with_field(b"X: a\nContent-Length: 5"), 400),
    ("two carriage returns", with_field(b"X: a\r"), 400),
    ("carriage return in a value", with_field(b"X: a\rY: b"), 400),
    ("carriage return in a name", with_field(b"X\r: a"), 400),
    ("no colon", with_field(b"Nonsense"), 400),
    ("empty name", with_field(b": a"), 400),
    ("space before the colon", with_field(b"X : a"), 400),
    ("tab before the colon", with_field(b"X\t: a"), 400),
    ("space in a name", with_field(b"X Y: a"), 400),
    ("length with space before the colon", with_field(b"Content-Length : 5"), 400),
    ("folded line", with_field(b"X: a\r\n b"), 400),
    ("folded line with a tab", with_field(b"X: a\r\n\tb"), 400),
    ("folded line of blanks", with_field(b"X: a\r\n "), 400),
    ("space before the first field", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
    ("name with a parenthesis", with_field(b"X(: a"), 400),
    ("name with a quote", with_field(b'X": a'), 400),
    ("name above 127", with_field(b"X\xc3\xa9: a"), 400),
    ("nul in a name", with_field(b"X\0: a"), 400),
    ("nul in a value", with_field(b"X: a\0b"), 400),
    ("control byte in a value", with_field(b"X: a\x01b"), 400),
    ("backspace in a value", with_field(b"X: a\x08b"), 400),
    ("escape in a value", with_field(b"X: \x1b[2J"), 400),
    ("delete in a value", with_field(b"X: a\x7f"), 400),
    ("no host", b"GET / HTTP/1.1\r\nAccept: */*\r\n\r\n", 400),
    ("no field at all", b"GET / HTTP/1.1\r\n\r\n", 400),
    ("host with a space", b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    ("host with a path", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    ("port that is no number", b"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400),
    ("port with a sign", b"GET / HTTP/1.1\r\nHost: a:-1\r\n\r\n", 400),
    ("port with a dot", b"GET / HTTP/1.1\r\nHost: a:1.2\r\n\r\n", 400),
    ("two ports", b"GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", 400),
    ("ipv6 host without brackets", b"GET / HTTP/1.1\r\nHost: ::1\r\n\r\n", 400),
    ("ipv6 host that does not end", b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400),
    ("ipv6 host and more", b"GET / HTTP/1.1\r\nHost: [::1]a:80\r\n\r\n", 400),
    ("brackets around nothing", b"GET / HTTP/1.1\r\nHost: []\r\n\r\n", 400),
    ("brackets in a host", b"GET / HTTP/1.1\r\nHost: a[1]\r\n\r\n", 400),
    ("port that is no number in a target", b"GET http://a:b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("host with a user", b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400),
    ("list of hosts", b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
    ("host beyond ascii", b"GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n", 400),
    ("malformed host in 1.0", b"GET / HTTP/1.0\r\nHost: a b\r\n\r\n", 400),
    ("absolute form with a user", with_line(b"GET http://u@a/ HTTP/1.1"), 400),
    ("two hosts", with_field(b"Host: b"), 400),
    ("two equal hosts", with_field(b"HOST: a"), 400),
    ("two hosts in 1.0", b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    ("length with a plus", with_field(b"Content-Length: +5"), 400),
    ("length with a minus", with_field(b"Content-Length: -5"), 400),
    ("length with an underscore", with_field(b"Content-Length: 1_0"), 400),
    ("length in hexadecimal", with_field(b"Content-Length: 0x10"), 400),
    ("length with a fraction", with_field(b"Content-Length: 1.0"), 400),
    ("length with a space inside", with_field(b"Content-Length: 1 0"), 400),
    ("length of letters", with_field(b"Content-Length: five"), 400),
    ("length of other digits", with_field(b"Content-Length: \xd9\xa3"), 400),
    ("superscript length", with_field(b"Content-Length: \xb2"), 400),
    ("empty length", with_field(b"Content-Length:"), 400),
    ("list of lengths", with_field(b"Content-Length: 5, 5"), 400),
    ("two lengths", with_field(b"Content-Length: 5\r\nContent-Length: 6"), 400),
    ("two equal lengths", with_field(b"Content-Length: 5\r\nContent-Length: 5"), 400),
    ("length beyond every number", with_field(b"Content-Length: " + b"9" * 40), 413),
    ("length and coding", with_field(b"Content-Length: 5\r\nTransfer-Encoding: chunked"), 400),
    ("coding and length", with_field(b"Transfer-Encoding: chunked\r\nContent-Length: 5"), 400),
    ("coding in 1.0", b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    ("two codings", with_field(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), 400),
    ("unknown coding", with_field(b"Transfer-Encoding: gzip"), 501),
    ("coding under chunked", with_field(b"Transfer-Encoding: gzip, chunked"), 501),
    ("chunked not last", with_field(b"Transfer-Encoding: chunked, gzip"), 501),
    ("identity", with_field(b"Transfer-Encoding: identity"), 501),
    ("chunked with a letter more", with_field(b"Transfer-Encoding: xchunked"), 501),
    ("unknown expectation", with_field(b"Expect: 200-ok"), 417),
    ("two expectations", with_field(b"Expect: 100-continue, other"), 417),
]
