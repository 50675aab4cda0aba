# A page over HTTPS, on CPython, on the unix firmware and on boards. First make a certificate, for the names in URLs:
#
#     openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -subj /CN=localhost \
#         -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem
#
# Then copy main.py, cert.pem and key.pem to the board, or run main.py where they are. For a board `openssl x509 -in cert.pem
# -outform DER -out cert.der` and `openssl ec -in key.pem -outform DER -out key.der` make smaller files of the same.

from microdot import Microdot
from microdot.tls import server_context

app = Microdot()


@app.get("/")
async def index(request):
    return "Hello over " + request.scheme


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5001, ssl=server_context("cert.pem", "key.pem"))
