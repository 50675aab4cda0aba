# Pages from templates, with what visitors write escaped. For a board `mdot build` compiles the templates: there they are
# imported, and nothing of the compiler is.

from microdot import Microdot, redirect
from microdot.utemplate import Template

app = Microdot()
guests = []

Template.initialize(autoescape=True)
HTML = {"Content-Type": "text/html; charset=UTF-8"}


@app.get("/")
async def index(request):
    return Template("index.html").generate(guests), HTML


@app.post("/")
async def sign(request):
    name = (request.form or {}).get("name", "").strip()
    if name:
        guests.append(name[:40])
        del guests[:-20]
    return redirect("/", 303)


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
