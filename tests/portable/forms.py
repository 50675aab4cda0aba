# Multipart bodies for the tests of uploads.

BOUNDARY = "----boundary0123456789"
TYPE = "multipart/form-data; boundary=" + BOUNDARY


def part(name, data, filename=None, content_type=None):
    """Return one part as bytes."""
    head = 'Content-Disposition: form-data; name="%s"' % name
    if filename is not None:
        head += '; filename="%s"' % filename
    if content_type:
        head += "\r\nContent-Type: " + content_type
    if isinstance(data, str):
        data = data.encode()
    return ("--%s\r\n%s\r\n\r\n" % (BOUNDARY, head)).encode() + data + b"\r\n"


def form(*parts):
    """Return the body of these parts."""
    return b"".join(parts) + ("--%s--\r\n" % BOUNDARY).encode()
