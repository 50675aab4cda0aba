# What differs between a board and a computer, and what the page shows and changes of the settings.

import gc
import os
import sys
import time

import onboard
from microdot.ota import Refused
from onboard import journal

MAX_NETWORKS = 8
# Where these files are: a board runs its main.py without telling that where it is.
FOLDER = __file__[: __file__.rfind("/") + 1]

BOARD = sys.platform not in ("linux", "darwin", "win32")
_started = time.time()

if not BOARD:
    # A folder plays the flash.
    onboard.root = journal.root = os.getcwd() + "/.device"
    if ".device" not in os.listdir(os.getcwd()):
        os.mkdir(onboard.root)


def settings():
    """Return the settings as they are kept, an empty dictionary on a new device; refuse if they can't be read."""
    from onboard import settings

    try:
        return settings.load() if onboard.there("/config.json") else {}
    except (OSError, ValueError):  # a device whose password can't be read is no new one
        raise Refused(500, "The settings can't be read: mend /config.json over USB.")  # noqa: B904 (see main.py)


def port(secure):
    """Return the port to serve on: a computer's first thousand are not everybody's."""
    return (443 if secure else 80) if BOARD else 5000


def status():
    """Return how the device does."""
    implementation = sys.implementation
    told = {
        "machine": getattr(implementation, "_machine", sys.platform),
        "version": implementation.name + " " + ".".join([str(part) for part in implementation.version[:3]]),
        "uptime": int(time.time() - _started),
    }
    if hasattr(gc, "mem_free"):
        gc.collect()
        told["heap"] = gc.mem_free()
    return told


def shown(found):
    """Return of the settings what may be seen: of passwords only whether there is one."""
    networks = [network for network in found.get("networks", []) if isinstance(network.get("ssid"), str)]
    return {
        "hostname": found.get("hostname", ""),
        "country": found.get("country", ""),
        "networks": [{"ssid": network["ssid"], "secret": bool(network.get("password"))} for network in networks],
    }


def change(found, wanted):
    """Change the settings as the page asks; raise ``ValueError`` for what can't be.

    ``networks`` is the whole list in the order of preference; one without ``password`` keeps the one that it has.
    """
    if not isinstance(wanted, dict):
        raise ValueError("A JSON object is wanted.")
    hostname, country = _text(wanted, "hostname"), _text(wanted, "country")
    if len(hostname) > 32 or not all(c == "-" or "0" <= c <= "9" or "a" <= c <= "z" for c in hostname.lower()):
        raise ValueError("A name has up to 32 letters, digits and dashes.")
    if country and not (len(country) == 2 and all("A" <= c <= "Z" for c in country)):
        raise ValueError("A country has two capital letters.")
    networks = _networks(wanted.get("networks", []), found.get("networks", []))
    for part, value in (("hostname", hostname), ("country", country), ("networks", networks)):
        if value:
            found[part] = value
        else:
            found.pop(part, None)


def _text(wanted, name):
    value = wanted.get(name, "")
    if not isinstance(value, str):
        raise ValueError("Texts are wanted.")
    return value


def _networks(wanted, known):
    if not isinstance(wanted, list) or len(wanted) > MAX_NETWORKS:
        raise ValueError(f"Up to {MAX_NETWORKS} networks.")
    networks = []
    for network in wanted:
        if not isinstance(network, dict) or not 0 < len(_text(network, "ssid").encode()) <= 32:
            raise ValueError("A network's name has 1 to 32 bytes.")
        networks.append(_network(network, known))
    return networks


def _network(wanted, known):
    ssid, password = wanted["ssid"], wanted.get("password")
    if password is None:
        for network in known:
            if network.get("ssid") == ssid:
                return network
        return {"ssid": ssid}
    if not isinstance(password, str) or (password and not 8 <= len(password) <= 64):
        raise ValueError("A network's password has 8 to 63 characters.")
    return {"ssid": ssid, "password": password} if password else {"ssid": ssid}
