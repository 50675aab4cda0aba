"""The page of a distribution: what is for whom, and how it gets there.  It needs nothing from elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple


class Image(NamedTuple):
    """A board's firmware: where it is in the distribution, and how it gets onto the board."""

    board: str
    title: str
    """What people call the board."""
    path: str
    micropython: str
    drive: str = ""
    """What the boot loader's drive is called; empty where there is none."""
    chip: str = ""
    """What esptool calls an ESP32's chip."""
    offset: int = 0
    """Where in an ESP32's flash the image begins."""


_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { max-width: 52rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere }
h1, h2 { line-height: 1.2; margin: 2rem 0 .5rem }
pre { background: #8882; border-radius: .3rem; overflow-x: auto; padding: .6rem .8rem; overflow-wrap: normal }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid #8886; padding: .4rem .6rem .4rem 0; text-align: left; vertical-align: top }
td:nth-child(2) { text-align: right; white-space: nowrap }
td code { font-size: .75rem }
:focus-visible { outline: 3px solid #06c; outline-offset: 2px }
"""
# The commands name the address that the page came from; without scripts they say HOST.
_SCRIPT = """
const here = new URL(".", location.href).href.replace(/\\/$/, "");
for (const place of document.querySelectorAll(".here")) place.textContent = here;
"""
_HERE = '<span class="here">http://HOST</span>'


def made(version: str, images: Sequence[Image], files: Mapping[str, bytes]) -> bytes:
    """Make the page of a distribution of these files."""
    wheels = [path for path in files if path.endswith(".whl")]
    parts = [*(_image(image) for image in images), _mip(), _python(wheels), _check(), _table(files)]
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>mdot {escape(version)}</title>
<link rel="icon" href="data:,">
<style>{_STYLE}</style>
</head>
<body>
<h1>mdot {escape(version)}</h1>
<p>Web applications on microcontrollers: firmware with a web framework in it, the framework alone, and the tools.</p>
{"".join(parts)}
<p><a href="LICENSE">Licence</a></p>
<script>{_SCRIPT}</script>
</body>
</html>
""".encode()


def _image(image: Image) -> str:
    if image.drive:
        steps = _uf2(image)
    elif image.chip:
        steps = _esptool(image)
    else:
        steps = f"""<pre>chmod +x {escape(_name(image))}
./{escape(_name(image))} main.py</pre>
<p>With the installed tools, as <code>build/unix/micropython</code> it is what <code>mdot run</code> and <code>mdot test</code>
use.</p>"""
    licences = f"firmware/licences/{image.board}.txt"
    return f"""<section>
<h2>{escape(image.title)}</h2>
<p><a href="{escape(image.path)}" download>{escape(_name(image))}</a>:
MicroPython {escape(image.micropython)} with the framework
(<a href="{escape(licences)}">licences of its parts</a>)</p>
{steps}
</section>
"""


def _name(image: Image) -> str:
    return image.path.rpartition("/")[2]


def _uf2(image: Image) -> str:
    return f"""<ol>
<li>Download the file.</li>
<li>Hold the board's BOOTSEL button while you plug it in: a drive named <b>{escape(image.drive)}</b> appears. A board that runs
MicroPython gets there with <code>mpremote bootloader</code>.</li>
<li>Drag the file onto the drive. It vanishes, and the board starts: that is the sign that all went well.</li>
</ol>
<p>Browsers cannot write to this boot loader, so this page does not either.</p>"""


def _esptool(image: Image) -> str:
    manifest = image.path.rpartition(".")[0] + ".manifest.json"
    return f"""<pre>esptool --chip {escape(image.chip)} erase-flash
esptool --chip {escape(image.chip)} write-flash {image.offset:#x} {escape(_name(image))}</pre>
<p>Installers in browsers take <a href="{escape(manifest)}">its description</a> in the form of ESP Web Tools. Without the first
command, which a new board needs, the files on the board stay.</p>"""


def _mip() -> str:
    return f"""<section>
<h2>A board with MicroPython of its own</h2>
<p>From release 1.23 on, with the files of this page on a server:</p>
<pre>mpremote mip install {_HERE}/mip/
mpremote mip --index {_HERE}/mip install microdot-websocket microdot-utemplate</pre>
<p>The first installs the framework's core, the second extensions and what they need.</p>
</section>
"""


def _python(wheels: Sequence[str]) -> str:
    commands = "\n".join(f"pip install {_HERE}/{escape(path)}" for path in wheels)
    return f"""<section>
<h2>A computer with Python</h2>
<pre>{commands}</pre>
<p>The one with <code>tools</code> in its name brings the command <code>mdot</code>, the other <code>import microdot</code>.</p>
</section>
"""


def _check() -> str:
    return """<section>
<h2>Check what you have downloaded</h2>
<p>With <a href="SHA256SUMS">SHA256SUMS</a> beside it:</p>
<pre>sha256sum --check --ignore-missing SHA256SUMS</pre>
</section>
"""


def _table(files: Mapping[str, bytes]) -> str:
    rows = "".join(
        f'<tr><td><a href="{escape(path)}">{escape(path)}</a></td><td>{len(data):,}</td>'
        f"<td><code>{hashlib.sha256(data).hexdigest()}</code></td></tr>\n"
        for path, data in sorted(files.items())
        if not path.startswith("mip/")
    )
    return f"""<section>
<h2>Files</h2>
<table>
<thead><tr><th>File</th><th>Bytes</th><th>SHA-256</th></tr></thead>
<tbody>
{rows}</tbody>
</table>
</section>
"""
