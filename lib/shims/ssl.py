# Python's `ssl` on boards, over MicroPython's own module `tls`: the part that asyncio and applications use. Certificates and
# keys are DER: bytes, or names of files. There are no passwords, no certificate chains, no trusted authorities that come with
# the system, and what goes wrong on the wire is an OSError with mbedTLS's number. Only boards have this file on their path.
import tls
from tls import CERT_NONE, CERT_REQUIRED, PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER

SSLError = OSError


def __getattr__(name):
    return getattr(tls, name)  # CERT_OPTIONAL, and what some builds have: DTLS, the version of mbedTLS


def _contents(source):
    if not isinstance(source, str):
        return source
    with open(source, "rb") as file:
        return file.read()


class SSLContext:
    """What the connections of a client or server have in common: certificates, and how to check the peer's."""

    def __init__(self, protocol):
        self._context = tls.SSLContext(protocol)
        self._context.verify_mode = CERT_REQUIRED if protocol == PROTOCOL_TLS_CLIENT else CERT_NONE

    @property
    def verify_mode(self):
        """Whether the peer must have a certificate that verifies: CERT_NONE, CERT_OPTIONAL or CERT_REQUIRED."""
        return self._context.verify_mode

    @verify_mode.setter
    def verify_mode(self, mode):
        self._context.verify_mode = mode

    def load_cert_chain(self, certfile, keyfile):
        """Load the own certificate and its key; raise ``ValueError`` for what is neither."""
        self._context.load_cert_chain(_contents(certfile), _contents(keyfile))

    def load_verify_locations(self, cafile=None, cadata=None):
        """Load the certificate that the peer's must be signed with, from a file or from bytes."""
        self._context.load_verify_locations(_contents(cafile) if cadata is None else cadata)

    def get_ciphers(self):
        """Return the names of the cipher suites."""
        return self._context.get_ciphers()

    def set_ciphers(self, ciphers):
        """Use only the cipher suites with these names."""
        self._context.set_ciphers(ciphers)

    def wrap_socket(self, sock, server_side=False, do_handshake_on_connect=True, server_hostname=None):
        """Return a stream that speaks TLS over a socket."""
        return self._context.wrap_socket(
            sock,
            server_side=server_side,
            do_handshake_on_connect=do_handshake_on_connect,
            server_hostname=server_hostname,
        )


def create_default_context(cafile=None, cadata=None):
    """Return a client's context, which asks for a certificate signed with the one given."""
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    if cafile or cadata:
        context.load_verify_locations(cafile, cadata)
    return context


def wrap_socket(
    sock,
    server_side=False,
    keyfile=None,
    certfile=None,
    cert_reqs=CERT_NONE,
    cadata=None,
    server_hostname=None,
    do_handshake=True,
):
    """Return a stream that speaks TLS over a socket, with a context of its own; as MicroPython's programs call it."""
    context = SSLContext(PROTOCOL_TLS_SERVER if server_side else PROTOCOL_TLS_CLIENT)
    context.verify_mode = cert_reqs
    if certfile or keyfile:
        context.load_cert_chain(certfile, keyfile)
    if cadata:
        context.load_verify_locations(cadata=cadata)
    return context.wrap_socket(sock, server_side, do_handshake, server_hostname)
