from typing import Protocol, TextIO

from _typeshed import SupportsWrite

from utemplate import compiled

class TemplateError(ValueError): ...

class _Opener(Protocol):
    def input_open(self, template: str, /) -> TextIO: ...

class Compiler:
    file_in: TextIO
    file_out: SupportsWrite[str]
    indent: int
    seq: int
    loader: _Opener | None
    name: str
    autoescape: bool
    files: list[str]
    def __init__(
        self,
        file_in: TextIO,
        file_out: SupportsWrite[str],
        indent: int = 0,
        seq: int = 0,
        loader: _Opener | None = None,
        name: str = "template",
        autoescape: bool = False,
    ) -> None: ...
    def compile(self) -> None: ...

class Loader(compiled.Loader):
    def input_open(self, template: str) -> TextIO: ...
    def compiled_path(self, template: str) -> str: ...
    def compile(self, name: str) -> str: ...
    def is_current(self, name: str, header: str) -> bool: ...
