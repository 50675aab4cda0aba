# Templates by Jinja2, which CPython has and boards have not: `utemplate.py` serves both.
from jinja2 import Environment, FileSystemLoader, select_autoescape


class Template:
    """A Jinja template; further arguments go to the environment's ``get_template``."""

    jinja_env = None

    @classmethod
    def initialize(cls, template_dir="templates", enable_async=False, **kwargs):
        """Say where templates are, and whether they may await; further arguments go to Jinja's ``Environment``."""
        kwargs.setdefault("autoescape", select_autoescape())
        cls.jinja_env = Environment(loader=FileSystemLoader(template_dir), enable_async=enable_async, **kwargs)

    def __init__(self, template, **kwargs):
        if self.jinja_env is None:
            self.initialize()
        self.name = template
        self.template = self.jinja_env.get_template(template, **kwargs)

    def generate(self, *args, **kwargs):
        """Return a generator of the page's text."""
        return self.template.generate(*args, **kwargs)

    def render(self, *args, **kwargs):
        """Return the page as text."""
        return self.template.render(*args, **kwargs)

    async def generate_async(self, *args, **kwargs):
        """Return an asynchronous generator of the page's text, for templates that may await."""
        async for piece in self.template.generate_async(*args, **kwargs):
            yield piece

    async def render_async(self, *args, **kwargs):
        """Return the page as text, for templates that may await."""
        return await self.template.render_async(*args, **kwargs)
