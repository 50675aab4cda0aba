# The structure of a JSON text (RFC 8259 2 to 7). MicroPython's parser takes commas and colons for spaces, and the end of the
# text for the end of everything open: what a client sent by mistake would pass for something else.
#
# Looks at each byte once and keeps a byte for each open array or object, `MAX_DEPTH` at most.
from microdot.grammar import is_hex

MAX_DEPTH = 64

# what may come next
_VALUE, _VALUE_OR_END, _KEY, _KEY_OR_END, _COLON, _COMMA_OR_END, _NOTHING = range(7)


def check(data):
    """Raise ``ValueError`` unless the bytes are one JSON value, as far as brackets, commas and colons tell."""
    stack = bytearray()  # the closing bracket of each open array and object
    next_ = _VALUE
    i = 0
    while i < len(data):
        c = data[i]
        i += 1
        if c in b" \t\r\n":
            continue
        if c == 34:
            i = _string_end(data, i)
            next_ = _COLON if next_ in (_KEY, _KEY_OR_END) else _after_value(next_, stack)
        elif c in b"[{":
            next_ = _open(c, next_, stack)
        elif c in b"]},:":
            next_, stack = _go_on(c, next_, stack)
        else:
            next_ = _after_value(next_, stack)
            start = i - 1
            while i < len(data) and data[i] not in b' \t\r\n,:[]{}"':
                i += 1
            _check_word(data[start:i])
    if next_ != _NOTHING:
        raise ValueError("malformed json")


def _open(c, next_, stack):
    _after_value(next_, stack)
    if len(stack) == MAX_DEPTH:
        raise ValueError("json nested too deep")
    stack.append(c + 2)
    return _VALUE_OR_END if c == 91 else _KEY_OR_END


def _go_on(c, next_, stack):
    # Return what may follow a comma, a colon or a closing bracket, and the stack.
    if c == 44 and next_ == _COMMA_OR_END:
        return (_VALUE if stack[-1] == 93 else _KEY), stack
    if c == 58 and next_ == _COLON:
        return _VALUE, stack
    if next_ in (_VALUE_OR_END, _KEY_OR_END, _COMMA_OR_END) and stack[-1] == c:
        stack = stack[:-1]
        return (_COMMA_OR_END if stack else _NOTHING), stack
    raise ValueError("malformed json")


def _after_value(next_, stack):
    if next_ not in (_VALUE, _VALUE_OR_END):
        raise ValueError("malformed json")
    return _COMMA_OR_END if stack else _NOTHING


def _check_word(word):
    # Refuse what is neither a number nor one of the three words.
    if word in (b"true", b"false", b"null"):
        return
    number, _, exponent = word.lstrip(b"-").lower().partition(b"e")
    whole, dot, fraction = number.partition(b".")
    good = whole.isdigit() and (whole[0] != 48 or len(whole) == 1) and (not dot or fraction.isdigit())
    if word[:2] == b"--" or not good or (b"e" in word.lower() and not _is_exponent(exponent)):
        raise ValueError("malformed json")


def _is_exponent(text):
    return (text[1:] if text[:1] in (b"+", b"-") else text).isdigit()


def _string_end(data, start):
    # Return the position behind the quote that ends the string begun before start.
    i = start
    while True:
        end = data.find(b'"', i)
        if end < 0:
            raise ValueError("malformed json")
        slashes = end
        while data[slashes - 1] == 92:
            slashes -= 1
        i = end + 1
        if not (end - slashes) & 1:
            _check_string(data[start:end])
            return i


def _check_string(text):
    if text and min(text) < 32:
        raise ValueError("control character in json string")
    at = text.find(b"\\")
    while at >= 0:
        c = text[at + 1]
        if c == 117:
            if len(text) < at + 6 or not is_hex(text[at + 2 : at + 6]):
                raise ValueError("malformed escape in json string")
        elif c not in b'"\\/bfnrt':
            raise ValueError("malformed escape in json string")
        at = text.find(b"\\", at + 2)


def joined(data):
    """Return the text with each pair of escapes that stands for one character as that character (RFC 8259 7)."""
    # MicroPython's parser makes two of them, which are no UTF-8.
    pieces = []
    done = 0
    at = data.find(b"\\u")
    while at >= 0:
        high = _escape(data, at)
        low = _escape(data, at + 6)
        if 0xD800 <= high < 0xDC00 <= low < 0xE000 and not _slashes_before(data, at) & 1:
            pieces.append(data[done:at])
            pieces.append(chr(0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF)).encode())
            done = at = at + 12
        else:
            at += 2
        at = data.find(b"\\u", at)
    pieces.append(data[done:])
    return b"".join(pieces)


def _escape(data, at):
    digits = data[at + 2 : at + 6]
    return int(digits, 16) if data[at : at + 2] == b"\\u" and len(digits) == 4 and is_hex(digits) else 0


def _slashes_before(data, at):
    n = 0
    while at > n and data[at - 1 - n] == 92:
        n += 1
    return n
