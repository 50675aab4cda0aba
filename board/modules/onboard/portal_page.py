# The portal's one page, for phones first: no script, nothing from elsewhere, at most some 9 KB.  Everything that others chose,
# names of networks above all, is escaped.

MAX_LISTED = 16  # networks, the strongest

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Connect this device</title><style>
:root{color-scheme:light dark}
body{font:1.1em/1.5 system-ui,sans-serif;max-width:26em;margin:0 auto;padding:1em}
label{display:block;margin-top:1em}
select,input,button{font:inherit;box-sizing:border-box;width:100%;min-height:2.75em;padding:0 .6em;border-radius:.4em}
input,select{border:1px solid #777}
button{margin:1.5em 0;border:0;background:#0b57d0;color:#fff}
[role]{border-left:.3em solid #b3261e;padding:.5em .8em}[role=status]{border-color:#146c2e}
</style></head><body><main><h1>Connect this device</h1>
"""
_FORM = """<form method="post" action="/join"><input type="hidden" name="token" value="{}">
<label>Wi-Fi network<select name="ssid">
"""
_REST = """<option value="">Another one, named below</option></select></label>
<label>Name, if it is not in the list<input name="other" maxlength="32" autocomplete="off" autocapitalize="none"
 spellcheck="false"></label>
<label>Password<input name="password" type="password" maxlength="64" autocomplete="off" aria-describedby="hint"></label>
<p id="hint">Leave it empty for an open network. The device keeps it, readable for whoever has the device.</p>
<button>Connect</button></form>
<p>Trying takes up to {} seconds. Stay on this network meanwhile.</p><p><a href="/?again">Look for networks again</a></p>
"""
_END = "</main></body></html>\n"


def escaped(text):
    """Return a text for use in HTML, in attributes too."""
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")):
        text = text.replace(char, entity)
    return text


def form(names, chosen, token, seconds, problem):
    """Return the page that asks: names to choose from, the one chosen before, and what was wrong with it, if anything."""
    parts = [_HEAD]
    if problem:
        parts.append(f'<p role="alert">{escaped(problem)}</p>\n')
    parts.append(_FORM.format(token))
    for name in names:
        selected = " selected" if name == chosen else ""
        # The value is given beside the text because browsers strip the latter.
        parts.append(f'<option value="{escaped(name)}"{selected}>{escaped(name)}</option>\n')
    parts.append(_REST.format(seconds))
    parts.append(_END)
    return "".join(parts)


def done(message):
    """Return the page that says that all went well."""
    return f'{_HEAD}<p role="status">{escaped(message)}</p>\n{_END}'


def listed(found):
    """Return the names of a scan's networks that have one in UTF-8: each once, the strongest first, MAX_LISTED at most."""
    names = []
    for network in sorted(found, key=lambda network: -network[3]):
        try:
            name = network[0].decode()
        except ValueError:
            continue  # /config.json could not hold it
        # ESP32 fills up with zeros.
        if name.strip("\0") and name not in names and len(names) < MAX_LISTED:
            names.append(name)
    return names
