# What is known of a file from its name: the headers of `Response.send_file` and the table of types. Loaded when the first file
# is sent. The table costs flash and no heap: it is one constant, searched as it lies.

_TYPES = """
aac=audio/aac
apng=image/apng
atom=application/atom+xml
avif=image/avif
bmp=image/bmp
cjs=application/javascript
conf=text/plain
csv=text/csv
epub=application/epub+zip
flac=audio/flac
geojson=application/geo+json
glb=model/gltf-binary
gltf=model/gltf+json
htm=text/html
ico=image/x-icon
ics=text/calendar
ini=text/plain
jpeg=image/jpeg
json5=application/json5
jsonld=application/ld+json
log=text/plain
m3u8=application/vnd.apple.mpegurl
m4a=audio/mp4
m4v=video/mp4
map=application/json
md=text/markdown
mjs=application/javascript
mov=video/quicktime
mp3=audio/mpeg
mp4=video/mp4
mpeg=video/mpeg
oga=audio/ogg
ogg=audio/ogg
ogv=video/ogg
opus=audio/ogg
otf=font/otf
pdf=application/pdf
rss=application/rss+xml
rtf=application/rtf
tar=application/x-tar
tif=image/tiff
tiff=image/tiff
toml=application/toml
ttf=font/ttf
vcf=text/vcard
vtt=text/vtt
wasm=application/wasm
wav=audio/wav
weba=audio/webm
webm=video/webm
webmanifest=application/manifest+json
webp=image/webp
woff=font/woff
woff2=font/woff2
xhtml=application/xhtml+xml
xml=application/xml
xsl=application/xslt+xml
yaml=application/yaml
yml=application/yaml
zip=application/zip
"""


def file_headers(cls, filename, content_type, max_age, compressed):
    """Return the headers of ``Response.send_file``; ``cls`` gives the types and the default age."""
    if compressed and filename.endswith(".gz"):
        headers = {"Content-Type": content_type or type_of(cls, filename[:-3])}
    else:
        headers = {"Content-Type": content_type or type_of(cls, filename)}
    if max_age is None:
        max_age = cls.default_send_file_max_age
    if max_age is not None:
        headers["Cache-Control"] = "max-age=%d" % max_age
    if compressed:
        headers["Content-Encoding"] = compressed if isinstance(compressed, str) else "gzip"
    return headers


def type_of(cls, filename):
    """Return the type of a file by what follows the last dot of its name; the application's ``types_map`` has precedence."""
    extension = filename[filename.rfind(".") + 1 :] if "." in filename else ""
    return cls.types_map.get(extension) or _listed(extension) or "application/octet-stream"


def _listed(extension):
    at = _TYPES.find("\n" + extension + "=")
    if at < 0:
        return None
    return _TYPES[at + len(extension) + 2 : _TYPES.find("\n", at + 1)]
