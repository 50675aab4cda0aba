from collections.abc import Callable
from typing import Any, ClassVar

class URLPattern:
    segment_patterns: ClassVar[dict[str, str]]
    segment_parsers: ClassVar[dict[str, Callable[[str], Any] | None]]
    url_pattern: str
    regex: None
    segments: list[Any] | tuple[()]
    def __init__(self, url_pattern: str) -> None: ...
    @classmethod
    def register_type(cls, type_name: str, pattern: str = "[^/]+", parser: Callable[[str], Any] | None = None) -> None: ...
    def compile(self) -> None: ...
    def match(self, path: str) -> dict[str, Any] | None: ...
