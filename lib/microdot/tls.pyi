from ssl import SSLContext

from _typeshed import ReadableBuffer

# Text is the name of a file, bytes are what such a file holds.
def server_context(cert: str | ReadableBuffer, key: str | ReadableBuffer | None = None) -> SSLContext: ...
