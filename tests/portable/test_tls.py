# What `server_context` and, on MicroPython, our `ssl` make of certificates and keys; connections over TLS between the two.

import asyncio
import os
import ssl
import unittest

from client import Client, request
from microdot.errors import is_gone
from microdot.tls import server_context
from served import HOST, Served, ServedCase, open_files
from support import MICROPYTHON, run


def openssl(arguments):
    """Run openssl, silently; tell whether it did what it was asked."""
    return os.system("openssl " + arguments + " 2>/dev/null >/dev/null") == 0


def make_pair(name):
    """Leave NAME.pem (certificate and key), NAME-cert.der and NAME-key.der in the current directory."""
    key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout " + name + "-key.pem"
    made = openssl("req -x509 " + key + " -days 3650 -subj /CN=localhost -out " + name + "-cert.pem")
    made = made and openssl("x509 -in " + name + "-cert.pem -outform DER -out " + name + "-cert.der")
    return made and openssl("ec -in " + name + "-key.pem -outform DER -out " + name + "-key.der")


FILES = {}  # name -> contents, of all that is made once for this run
for pair in ("one", "two"):
    if not make_pair(pair):
        raise unittest.SkipTest("no openssl to make certificates with: apt-get install openssl")
openssl("pkcs8 -topk8 -in one-key.pem -passout pass:x -out locked-key.pem")
openssl("pkcs8 -topk8 -nocrypt -in one-key.pem -outform DER -out pkcs8-key.der")
openssl("genrsa -traditional -out rsa-key.pem 2048")
openssl("req -x509 -key rsa-key.pem -days 3650 -subj /CN=localhost -outform DER -out rsa-cert.der")
openssl("rsa -in rsa-key.pem -traditional -outform DER -out rsa-key.der")
openssl("pkcs8 -topk8 -nocrypt -in rsa-key.pem -outform DER -out rsa8-key.der")
for name in os.listdir("."):
    if name[-4:] in (".pem", ".der"):
        with open(name, "rb") as file:
            FILES[name] = file.read()
        os.remove(name)


class TestServerContext(unittest.TestCase):
    def accepts(self, cert, key=None):
        self.assertIsInstance(server_context(cert, key), ssl.SSLContext)

    def refuses(self, cert, key, reason):
        with self.assertRaises(ValueError) as caught:
            server_context(cert, key)
        self.assertIn(reason, str(caught.exception))

    def test_der_and_pem_as_bytes(self):
        for form in ("pem", "der"):
            self.accepts(FILES["one-cert." + form], FILES["one-key." + form])
        self.accepts(FILES["one-cert.pem"], FILES["one-key.der"])
        self.accepts(FILES["one-cert.der"], FILES["one-key.pem"])
        self.accepts(bytearray(FILES["one-cert.der"]), memoryview(FILES["one-key.der"]))

    def test_both_in_one_pem(self):
        self.accepts(FILES["one-key.pem"] + FILES["one-cert.pem"])

    def test_other_forms_of_keys(self):
        self.accepts(FILES["one-cert.der"], FILES["pkcs8-key.der"])
        self.accepts(FILES["rsa-cert.der"], FILES["rsa-key.der"])
        self.accepts(FILES["rsa-cert.der"], FILES["rsa8-key.der"])

    def test_files(self):
        names = ["one-cert.der", "one-key.der"]
        for name in names:
            with open(name, "wb") as file:
                file.write(FILES[name])
        try:
            self.accepts(*names)
        finally:
            for name in names:
                os.remove(name)
        with self.assertRaises(OSError) as caught:
            server_context(*names)
        self.assertIn("can't read one-cert.der", str(caught.exception))

    def test_no_pair(self):
        reason = "are no pair"
        for key in ("two-key.der", "two-key.pem", "rsa-key.der"):
            with self.subTest(key=key):
                self.refuses(FILES["one-cert.der"], FILES[key], reason)
        for key in ("one-key.der", "pkcs8-key.der"):
            with self.subTest(key=key):
                self.refuses(FILES["rsa-cert.der"], FILES[key], reason)
                self.refuses(FILES["two-cert.der"], FILES[key], reason)

    def test_encrypted_key(self):
        self.refuses(FILES["one-cert.pem"], FILES["locked-key.pem"], "key is encrypted")

    def test_what_is_neither(self):
        for cert, key in ((b"", b""), (b"x", b"y"), (FILES["one-cert.der"], b""), (b"\x30\x82", FILES["one-key.der"])):
            with self.subTest(cert=cert[:5], key=key[:5]):
                with self.assertRaises(ValueError):
                    server_context(cert, key)
        with self.assertRaises(ValueError):
            server_context(FILES["one-cert.pem"])

    @unittest.skipUnless(MICROPYTHON, "a chain is welcome on CPython")
    def test_chain(self):
        self.refuses(FILES["one-cert.pem"] + FILES["two-cert.pem"], FILES["one-key.pem"], "more than one certificate")


def client_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if MICROPYTHON:
        context.load_verify_locations(cadata=FILES["one-cert.der"])
    else:
        context.load_verify_locations(cadata=FILES["one-cert.pem"].decode())
    return context


class TestConnections(ServedCase):
    def serve(self, test, count_files=True):
        async def served():
            async with Served(self.app, ssl=server_context(FILES["one-cert.der"], FILES["one-key.der"])) as server:
                await test(server)

        before = open_files()
        run(served())
        if count_files:
            self.assertEqual(open_files(), before)

    async def connect(self, server):
        streams = await asyncio.open_connection(HOST, server.port, ssl=client_context(), server_hostname="localhost")
        client = Client(*streams)
        server.clients.append(client)
        return client

    def test_requests_over_one_connection(self):
        @self.app.post("/echo")
        async def echo(request):
            return request.body

        @self.app.get("/scheme")
        async def scheme(request):
            return request.scheme

        async def test(server):
            client = await self.connect(server)
            self.assertEqual((await client.get("/")).text, "index")
            self.assertEqual((await client.get("/scheme")).text, "https")
            for size in (1, 4095, 4096, 4097, 16000):
                body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
                await client.send(request("POST", "/echo", body=body))
                self.assertEqual((await client.reply()).body, body)

        self.serve(test)

    def test_several_connections_at_once(self):
        async def test(server):
            clients = []
            for _ in range(4):
                clients.append(await self.connect(server))
            for client in clients + clients:
                self.assertEqual((await client.get("/")).text, "index")

        self.serve(test)

    def test_shutdown_with_an_idle_and_a_silent_connection(self):
        async def test(server):
            idle = await self.connect(server)
            await idle.get("/")
            await server.connect()
            self.app.shutdown()
            await asyncio.wait_for(server.task, 3)
            server.task = None

        self.serve(test)

    @unittest.skipIf(MICROPYTHON, "MicroPython has no start_serving")
    def test_listening_for_somebody_elses_loop(self):
        async def served():
            context = server_context(FILES["one-cert.der"], FILES["one-key.der"])
            listener = await self.app.start_server(HOST, 0, ssl=context, start_serving=False)
            async with listener:
                await listener.start_serving()
                address = listener.sockets[0].getsockname()
                client = Client(*await asyncio.open_connection(*address, ssl=client_context(), server_hostname="localhost"))
                self.assertEqual((await client.get("/")).text, "index")
                await client.close()

        run(served())

    def test_client_that_speaks_no_tls(self):
        async def test(server):
            client = await server.connect()
            await client.send(request())
            try:
                self.assertNotIn(b"HTTP", await client.rest())
            except OSError:
                pass
            self.assertEqual((await (await self.connect(server)).get("/")).text, "index")

        self.serve(test)

    @unittest.skipUnless(MICROPYTHON, "CPython's heap is no concern")
    def test_new_connections_need_heap_and_old_ones_go_on(self):
        async def test(server):
            client = await self.connect(server)
            await client.get("/")
            self.app.tls_heap = 1000000000
            with self.assertRaises(OSError):
                await (await self.connect(server)).get("/")
            self.assertEqual((await client.get("/")).text, "index")

        self.serve(test, count_files=False)  # MicroPython's client keeps the socket of a handshake that failed


@unittest.skipUnless(MICROPYTHON, "CPython has its own")
class TestShim(unittest.TestCase):
    def test_names(self):
        for name in ("CERT_NONE", "CERT_OPTIONAL", "CERT_REQUIRED", "PROTOCOL_TLS_CLIENT", "PROTOCOL_TLS_SERVER"):
            self.assertIsInstance(getattr(ssl, name), int)
        with self.assertRaises(AttributeError):
            ssl.no_such_name  # noqa: B018

    def test_defaults_and_ciphers(self):
        client = ssl.create_default_context(cadata=FILES["one-cert.der"])
        self.assertEqual(client.verify_mode, ssl.CERT_REQUIRED)
        client.verify_mode = ssl.CERT_NONE
        self.assertEqual(client.verify_mode, ssl.CERT_NONE)
        self.assertEqual(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).verify_mode, ssl.CERT_NONE)
        client.set_ciphers(client.get_ciphers()[:1])

    def test_certificates_as_files_and_a_context_in_one_call(self):
        import socket

        for name in ("one-cert.der", "one-key.der"):
            with open(name, "wb") as file:
                file.write(FILES[name])
        sock = socket.socket()
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain("one-cert.der", "one-key.der")
            ssl.create_default_context(cafile="one-cert.der")
            options = {"keyfile": "one-key.der", "certfile": "one-cert.der", "do_handshake": False}
            self.assertTrue(hasattr(ssl.wrap_socket(sock, server_side=True, **options), "readinto"))
        finally:
            sock.close()
            os.remove("one-cert.der")
            os.remove("one-key.der")

    def test_numbers_of_mbedtls_mean_a_departure(self):
        for number, gone in ((-104, True), (-29312, True), (-0x7780, True), (-2, False), (-12, False)):
            self.assertEqual(is_gone(OSError(number)), gone, number)
        self.assertFalse(is_gone(OSError()))

    def test_untrusted_certificate(self):
        case = TestConnections()
        case.setUp()

        async def test(server):
            context = ssl.create_default_context(cadata=FILES["two-cert.der"])
            streams = await asyncio.open_connection(HOST, server.port, ssl=context, server_hostname="localhost")
            client = Client(*streams)
            server.clients.append(client)
            with self.assertRaises(ValueError):
                await client.get("/")

        case.serve(test, count_files=False)  # as above
