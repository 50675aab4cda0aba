# Asks for a network: an access point, a name server that sends everybody here, and a page with a form.  A network is stored
# once we have been connected to it, and only then.  It runs before the application and instead of it, so no route of an
# application can stand before its own, and is over after some minutes in any case.
#
# A device finds out whether it is captive by fetching a page that it knows over plain HTTP, and comparing.  The page is at
#   Android    http://connectivitycheck.gstatic.com/generate_204, wants 204 (AOSP, NetworkStack's NetworkMonitor.java)
#   Apple      http://captive.apple.com/hotspot-detect.html, wants a page with the title Success
#   Windows    http://www.msftconnecttest.com/connecttest.txt, wants "Microsoft Connect Test", and before Windows 10
#              http://www.msftncsi.com/ncsi.txt, wants "Microsoft NCSI" (Microsoft Learn, "NCSI overview")
#   Firefox    http://detectportal.firefox.com/canonical.html and /success.txt, which wants "success"
#   GNOME      http://nmcheck.gnome.org/check_network_status.txt, wants "NetworkManager is online"
# and all of them take a redirect for a portal, and show where it leads to.  So there is one rule for these and all others:
# what is asked of another host, or of a path that we don't have, is redirected to our page.  (The better way, RFC 8910 and
# 8908, needs an option of the DHCP server that MicroPython does not have, and a certificate that a board cannot have.)
#
# The same rule keeps out pages of other sites whose names now resolve to us: they see redirects, never the form's token.

import asyncio

from microdot import Microdot, Request

from onboard import network, portal_page

HTTP_PORT, DNS_PORT = 80, 53
MINUTES, MAX_MINUTES = 10, 60  # that it is open, unless the settings say otherwise, and at most
MAX_FORM = 1024  # bytes of the form; the longest sound one has some 450
MAX_CLIENTS = 4  # connections at a time
GOODBYE = 10  # seconds for the last page to be fetched
MIN_PASSWORD, MAX_PASSWORD = 8, 63  # characters of WPA2's passphrases (IEEE 802.11, Annex J)

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # 32 that nobody mistakes for each other
_HEADERS = {
    "Content-Type": "text/html; charset=UTF-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


def ask(radio, link, known, settings):
    """Open the portal until a network has taken us or the time is over; return whether we are connected.

    `link` is the wireless one of `network`, `known` its list of networks, which the new one joins.
    """
    wanted = settings["portal"]
    access = radio.WLAN(radio.WLAN.IF_AP)
    try:
        name = _switch_on(radio, access, wanted, settings.get("hostname"))
        address = access.ifconfig()[0]
        print(f"network: portal: join {name}, then open {_url(address)}")
        return _run(Portal(link, known, access, address), network.number(wanted.get("minutes"), MINUTES, MAX_MINUTES))
    except (OSError, RuntimeError, ValueError) as exc:
        print(f"network: portal: not opened: {exc}")
        return False
    finally:
        access.active(False)


def _run(portal, minutes):
    limit = Request.max_content_length
    Request.max_content_length = MAX_FORM
    try:
        connected = asyncio.run(portal.serve(minutes * 60))
    except BaseException:
        # Nothing of it may go on in an event loop that somebody starts at the prompt.
        portal.drop()
        asyncio.new_event_loop()
        raise
    finally:
        Request.max_content_length = limit
    print("network: portal: closed")
    return connected


def _switch_on(radio, access, wanted, hostname):
    # Return how to join.  A password that the settings hold is not shown.
    password = wanted.get("password")
    shown = ""
    if not _is_passphrase(password):
        if password is not None:
            print(f"network: portal: password: not {MIN_PASSWORD} to {MAX_PASSWORD} characters: another one instead")
        password = random_text(12)
        shown = f" with the password {password}"
    names = (wanted.get("ssid"), hostname, "mdot-{:02x}{:02x}".format(*access.config("mac")[-2:]))
    ssid = next(name for name in names if isinstance(name, str) and 0 < len(name.encode()) <= 32)
    options = {"ssid": ssid, "key": password}
    if hasattr(radio.WLAN, "SEC_WPA2"):  # ESP32 would be open; the Pico W's radio knows nothing else
        options["security"] = radio.WLAN.SEC_WPA2
    try:
        access.config(**options)  # the Pico W would be there with its default password for a moment
        access.active(True)
    except (OSError, RuntimeError):
        access.active(True)  # ESP32 has to be on first
        access.config(**options)
    return network.shown(ssid) + shown


def _is_passphrase(text):
    return isinstance(text, str) and MIN_PASSWORD <= len(text) <= MAX_PASSWORD and all(" " <= c <= "~" for c in text)


def random_text(length):
    """Return a random text of small letters and digits, five bits each."""
    import os

    return "".join([_LETTERS[byte & 31] for byte in os.urandom(length)])


def _url(address):
    return f"http://{address}/" if HTTP_PORT == 80 else f"http://{address}:{HTTP_PORT}/"


class Portal:
    """The portal while it is open: its page, and what came of the form."""

    problem = ""  # with the network tried last
    chosen = ""
    welcome = ""  # what to say when all went well; then it is over
    busy = False
    app = sock = None

    def __init__(self, link, known, access, address):
        self.link = link
        self.known = known
        self.access = access
        self.address = address
        self.url = _url(address)
        self.token = random_text(26)
        self.names = []

    async def serve(self, seconds):
        """Serve until there is a connection or the time is over; return whether there is one."""
        from onboard import dns

        self.look()
        self.sock = dns.listen(self.address, DNS_PORT)
        self.app = app = self.application()
        server = asyncio.create_task(_told(app.start_server(self.address, HTTP_PORT)))
        names = asyncio.create_task(_told(dns.serve(self.sock, self.address)))
        while not (app.server or server.done()):
            await asyncio.sleep(0.01)
        await self.wait(seconds, server)
        app.shutdown()
        names.cancel()
        await server
        await names
        self.sock.close()
        return self.link.up

    def drop(self):
        """Close the sockets, as nobody else will."""
        if self.sock:
            self.sock.close()
        if self.app and self.app.server:
            self.app.server.sock.close()

    async def wait(self, seconds, server):
        """Wait for the end, while known networks are tried as long as nobody is here to be disturbed."""
        while self.busy or (not self.link.up and seconds > 0):
            await asyncio.sleep(1)
            seconds -= 1
            if server.done():
                return
            if self.access.isconnected():
                self.link.rest()
            elif self.known and not self.busy:
                network.check()
        if self.welcome:
            await asyncio.sleep(GOODBYE)

    def look(self):
        """Scan; blocks for some seconds."""
        try:  # noqa: SIM105 (MicroPython has no contextlib)
            self.names = portal_page.listed(self.link.nic.scan())
        except (OSError, RuntimeError):
            pass  # a radio that is busy; names may be typed

    def application(self):
        """Return the portal's own application."""
        app = Microdot()
        app.max_connections = MAX_CLIENTS
        app.before_request(self.turned_away)
        app.get("/")(self.page)
        app.post("/join")(self.join)
        for status in (404, 405):
            app.errorhandler(status)(self.redirect)
        return app

    async def turned_away(self, request):
        """Redirect what is asked of another host."""
        if request.headers.get("Host") != self.url[7:-1]:
            return await self.redirect(request)

    async def redirect(self, request):
        """Send the client to our page."""
        return "", 302, {"Location": self.url, "Cache-Control": "no-store"}

    async def page(self, request):
        """Show the form, or that all went well."""
        if self.welcome:
            return portal_page.done(self.welcome), _HEADERS
        if "again" in request.args and not self.busy:
            self.look()
        return portal_page.form(self.names, self.chosen, self.token, network.JOIN, self.problem), _HEADERS

    async def join(self, request):
        """Try the network of the form; send the client to what came of it."""
        from hmac import compare_digest

        form = request.form or {}
        ssid = form.get("other", "") or form.get("ssid", "")
        password = form.get("password", "")
        if not compare_digest(form.get("token", "").encode(), self.token.encode()):
            self.problem = "That form was an old one. Please try again."
        elif self.busy:
            self.problem = "Another network is being tried. Please wait."
        elif not 0 < len(ssid.encode()) <= 32:
            self.problem = "A network's name has 1 to 32 bytes."
        elif password and not _is_passphrase(password) and not _is_key(password):
            self.problem = f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters."
        elif not self.welcome:
            await self.attempt(ssid, password)
        return "", 303, {"Location": self.url, "Cache-Control": "no-store"}

    async def attempt(self, ssid, password):
        """Connect; keep the network if that worked."""
        self.busy = True
        self.chosen, self.problem = ssid, ""
        try:
            self.link.rest()
            problem = await _paced(network.join(self.link.nic, ssid, password))
            if problem:
                self.problem = f"No connection to {ssid}: {problem}."
                return
            self.known[:] = [(ssid, password)] + [known for known in self.known if known[0] != ssid]
            stored = _stored(ssid, password)
            self.welcome = f"Connected to {ssid} as {self.link.nic.ifconfig()[0]}. {stored} You may close this page."
            self.link.arrived(ssid)
        finally:
            self.busy = False


async def _told(serving):
    # A task that ends by an exception would have it printed with a traceback.
    try:
        await serving
    except OSError as exc:
        print(f"network: portal: {exc}")
    except asyncio.CancelledError:
        pass


async def _paced(steps):
    while True:
        try:
            pause = next(steps)
        except StopIteration as exc:
            return exc.value
        await asyncio.sleep(pause / 1000)


def _is_key(text):
    return len(text) == 64 and all(c in "0123456789abcdefABCDEF" for c in text)


def _stored(ssid, password):
    # Return what became of it; what else the settings hold stays.
    from onboard import settings

    found = settings.read()
    networks = [known for known in found.get("networks", []) if known.get("ssid") != ssid]
    networks.insert(0, {"ssid": ssid, "password": password} if password else {"ssid": ssid})
    found["networks"] = networks
    try:
        settings.write(found)
    except (OSError, ValueError) as exc:
        print(f"network: config.json: not written: {exc}")
        return f"It could not be stored ({exc}): at the next start the device asks again."
    return "The device keeps it, and this network disappears now."
