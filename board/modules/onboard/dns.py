# The portal's name server: whatever name is asked for, its address (A) is ours, so that every first request of a phone that has
# joined comes to the portal.  There is nothing of any other type.  RFC 1035 4; one question a packet, as everybody sends.
#
# What is no such question is not answered at all: no reply can be aimed at a third party, or answered by one.

MAX_PACKET = 512  # bytes, RFC 1035 4.2.1; without EDNS of ours nobody may send more
MAX_NAME = 255  # bytes with all length bytes, RFC 1035 3.1
MAX_LABEL = 63
TTL = 10  # seconds for which a client may believe it: soon it is on another network

_HEADER = 12
_A, _ANY, _IN = 1, 255, 1


def answer(packet, address):
    """Return the reply to a packet, with an IPv4 address of four bytes for every name; None to what deserves no reply."""
    # Of the flags only "recursion desired" may be set: anything else is a reply or no standard query (RFC 1035 4.1.1), or has
    # bits that have no meaning in a query; AD and CD (RFC 4035 3.2) a client may set.
    if len(packet) > MAX_PACKET or len(packet) < _HEADER or packet[2] & 0xFE or packet[3] & 0xCF:
        return None
    if packet[4:6] != b"\0\1" or packet[6:8] != b"\0\0":  # one question, and no answers with it
        return None
    end = _end_of_name(packet)
    if not end or len(packet) < end + 4:
        return None
    kind = packet[end] << 8 | packet[end + 1]
    found = kind in (_A, _ANY) and packet[end + 2 : end + 4] == b"\0\1"
    # Authoritative, recursion available, no error; the question again, and the answer's name is a pointer to it.
    head = packet[:2] + bytes([0x84 | packet[2], 0x80, 0, 1, 0, found, 0, 0, 0, 0])
    record = b"\xc0\x0c\0\1\0\1\0\0" + bytes([TTL >> 8, TTL & 255, 0, 4]) + address if found else b""
    return head + packet[_HEADER : end + 4] + record


def _end_of_name(packet):
    # Return where the name of the first question ends, 0 if it doesn't.  There is nothing a pointer could lead to.
    at = _HEADER
    while at < len(packet) and packet[at] <= MAX_LABEL:
        if not packet[at]:
            return at + 1 if at + 1 - _HEADER <= MAX_NAME else 0
        at += packet[at] + 1
    return 0


def listen(host, port):
    """Return a socket on a UDP port of our address; raise OSError if it can't be had."""
    import socket

    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.bind(socket.getaddrinfo(host, port)[0][-1])
    except OSError:
        sock.close()
        raise
    return sock


async def serve(sock, host):
    """Answer on a socket until cancelled, with our address in the usual notation.  MicroPython only."""
    import asyncio
    from asyncio import core  # type: ignore[attr-defined] # the stubs lack it

    address = bytes([int(part) for part in host.split(".")])
    while True:
        yield core._io_queue.queue_read(sock)
        try:
            packet, sender = sock.recvfrom(MAX_PACKET + 1)
            reply = answer(packet, address)
            if reply:
                sock.sendto(reply, sender)
        except (OSError, MemoryError):
            await asyncio.sleep(0.02)  # the client will ask again
