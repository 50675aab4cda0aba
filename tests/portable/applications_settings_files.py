# The files beside the settings page of applications_settings.py: its templates and what it serves as it is.

import os

from folder import remove

FOLDERS = ("templates", "static", "uploads")
FILES = {
    "templates/head.html": "{% args title, theme %}<!doctype html><title>{{ title }}</title><body class={{ theme }}>\n",
    "templates/login.html": """{% args theme, problem %}
{% include "head.html" "Log in", theme %}
<form method=post>{% if problem %}<b>{{ problem }}</b>{% endif %}<input name=user><input name=password type=password></form>
""",
    "templates/index.html": """{% args theme, e, user, device, flash %}
{% include "head.html" e(device["name"]), theme %}
{% if flash %}<b>{{ e(flash) }}</b>{% endif %}
<p>{{ user.name }}: {{ e(device["name"]) }} every {{ device["interval"] }} s</p>
{% for feature in device["features"] %}<li>{{ e(feature) }}</li>{% endfor %}
""",
    "templates/wifi.html": """{% args theme, e, networks %}
{% include "head.html" "Networks", theme %}
{% set count = len(networks) %}{% for ssid in sorted(networks) %}<li>{{ e(ssid) }}</li>
{% endfor %}<p>{{ count }} known</p>
""",
    "templates/error.html": """{% args theme, status, reason %}
{% include "head.html" "Error", theme %}<h1>{{ status }}</h1><p>{{ reason }}</p>
""",
    "static/style.css": "body.dark { background: black }\n",
    "static/icons/led.svg": "<svg/>",
    "static/app.js.gz": "\x1f\x1d not really compressed",
}


def create():
    """Put the files into the current directory."""
    for name in FOLDERS + ("static/icons",):
        os.mkdir(name)
    for name, text in FILES.items():
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)


def delete():
    """Remove them, with all that was added to them."""
    for name in FOLDERS:
        remove(name)
