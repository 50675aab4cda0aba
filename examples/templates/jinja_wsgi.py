# A page from a Jinja template, for CPython: gunicorn jinja_wsgi:app, or alone with python3 jinja_wsgi.py

import os

from microdot.jinja import Template
from microdot.wsgi import Microdot

app = Microdot()
Template.initialize(os.path.join(os.path.dirname(os.path.abspath(__file__)), "jinja"))
HTML = {"Content-Type": "text/html; charset=UTF-8"}


@app.get("/")
async def index(request):
    return Template("index.html").generate(headers=sorted(request.headers.items())), HTML


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
