# HTML's escaping for templates, and the way round it: what has a method `__html__` (as those of MarkupSafe have) is markup.


def escape(value):
    """Return a value as text in which nothing is markup, in elements and in quoted attributes; markup as it is."""
    if hasattr(value, "__html__"):
        return value.__html__()
    text = str(value)
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&#34;"), ("'", "&#39;")):
        if character in text:
            text = text.replace(character, entity)
    return text


class markup:
    """Text that is markup: ``escape`` leaves it as it is."""

    def __init__(self, text):
        self._text = text if isinstance(text, str) else str(text)

    def __html__(self):
        return self._text

    def __str__(self):
        return self._text
