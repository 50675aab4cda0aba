# What the framework's parser says of request heads, for a host that asks: it writes a head in hexadecimal on a line and
# gets a line of JSON.

import binascii
import json
import sys

from microdot import http


def verdict(data):
    """Return null for an incomplete head, the status of a refusal, or what was found in the head."""
    try:
        head = http.parse_head(bytearray(data), 0, len(data))
    except http.ClientError as e:
        return e.status_code
    if head is None:
        return None
    found = list(head[:6])
    found.append(binascii.hexlify(head[6]).decode())
    return found


def answer_all():
    line = sys.stdin.readline()
    while line:
        print(json.dumps(verdict(binascii.unhexlify(line.strip()))))
        line = sys.stdin.readline()


if __name__ == "__main__":
    answer_all()
