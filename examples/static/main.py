# A site of files beside a route of the program. `static` sends type, length and validators, so that a page that is loaded again
# costs a 304 a file; browsers get `style.css.gz` for `style.css`, and may ask for a part of a file.

from microdot import Microdot

app = Microdot()

visits = 0


@app.get("/visits")
async def count(request):
    global visits
    visits += 1
    return {"visits": visits}


# The folder beside this file, wherever the program was started. After the other routes: a prefix of "/" matches every path.
here, slash, _ = __file__.rpartition("/")
app.static("/", here + slash + "site")

if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
