# mypy: ignore-errors
import falcon.asgi


class Hello:
    async def on_get(self, request, response):
        response.content_type = falcon.MEDIA_TEXT
        response.text = "Hello, world!"


app = falcon.asgi.App()
app.add_route("/", Hello())
