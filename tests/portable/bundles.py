# Bundles and signed requests for the tests of updates over the air, made as docs/architecture.md says.

import binascii
import hashlib
import hmac
import json

KEY = bytes(range(32))
BUILD = "b" * 64


def sha256(data):
    return binascii.hexlify(hashlib.sha256(data).digest()).decode()


def head(lines, app="app", build=BUILD, mpy=0, flags="-"):
    """Return the head of a bundle with these lines for its files."""
    rest = "\n".join(["{} {} {} {}".format(app, build, mpy, flags)] + lines + [""]).encode()
    return b"mdot-bundle 1 %06d\n" % (21 + len(rest)) + rest


def line(path, content, sign="+"):
    return "{} {} {} {}".format(sign, sha256(content), len(content), path)


def bundle(files, unsent=(), **options):
    """Return the bundle of {path: content}; the contents of `unsent` are not in it."""
    lines = [line(path, files[path], "=" if path in unsent else "+") for path in sorted(files)]
    contents = [files[path] for path in sorted(files) if path not in unsent]
    return head(lines, **options) + b"".join(contents)


def head_of(data):
    return data[: int(data[14:20])]


def signature(nonce, purpose, digest="-", key=KEY):
    """Return the header that signs a request."""
    text = "mdot-ota 1\n{}\n{}\n{}\n".format(purpose, nonce, digest)
    mac = binascii.hexlify(hmac.new(key, text.encode(), "sha256").digest()).decode()
    return {"Authorization": "MDOT-OTA {} {} {}".format(nonce, digest, mac)}


async def nonce(client):
    return json.loads((await client.get("/ota")).body)["nonce"]


async def update(client, data, key=KEY):
    """Send a bundle; return the response."""
    return await client.post("/ota", signature(await nonce(client), "install", sha256(head_of(data)), key), data)


async def state(client):
    return (await client.get("/ota/state", signature(await nonce(client), "state"))).json
