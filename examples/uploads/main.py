# A form with a file. The file goes straight from the network into flash: 10 MB need no more memory than 10 KB. Its name is what
# the client says, so it is shown but never used as a path.

from microdot import Microdot, Request
from microdot.multipart import FileUpload, FormDataIter

app = Microdot()
Request.max_content_length = 1024 * 1024  # longer uploads get 413; the default is 16 KB

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Uploads</title>
<h1>Upload a file</h1>
<form method="post" enctype="multipart/form-data">
<p><label>What is it? <input name="note"></label></p>
<p><input type="file" name="file" required></p>
<p><button>Upload</button></p>
</form>
"""


@app.get("/")
async def form(request):
    return PAGE, {"Content-Type": "text/html; charset=UTF-8"}


@app.post("/")
async def upload(request):
    lines = []
    async for name, value in FormDataIter(request):
        if isinstance(value, FileUpload):
            size = await value.save("upload.bin")  # the application's own name
            lines.append(f"{name}: {value.filename}, {size} bytes")
        else:
            lines.append(f"{name}: {value}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
