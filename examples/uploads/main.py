# A form with a file. The file goes straight from the network into flash: 10 MB need no more memory than 10 KB. Its name is what
# the client says, so it is shown but never used as a path.

from microdot import Microdot, Request, send_file
from microdot.multipart import FileUpload, FormDataIter

app = Microdot()
here, slash, _ = __file__.rpartition("/")  # the folder of this file, wherever the program was started
Request.max_content_length = 1024 * 1024  # longer uploads get 413; the default is 16 KB


@app.get("/")
async def form(request):
    return send_file(here + slash + "index.html")


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
