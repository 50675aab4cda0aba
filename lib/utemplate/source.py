# The template compiler, and the loader that compiles what has not been compiled.
#
#     {% args name, n=1 %}                     parameters; without it a template takes any arguments and names none
#     {{ expression }}  {# comment #}
#     {% if %} {% elif %} {% else %} {% endif %}, the same with for, while, with and try (except, finally)
#     {% set a = 1 %} {% import x %} {% from x import y %} {% break %} {% continue %} {% pass %}
#     {% include "name" arguments %}           compiled in, and sees what surrounds it
#     {% include {{ expression }} arguments %}  loaded when the page is made
#     {% autoescape on %} {% autoescape off %}  from here on {{ }} is escaped, or not; escape(x) always is, markup(x) never;
#                                              on holds for what is included by name too, off does not
#
# Expressions are Python. A newline after a tag other than {{ }} is left out. A template becomes a generator function, so a page
# leaves piece by piece. The compiler holds a template and its Python in memory: for boards, compile on the host.
import io
import os

from utemplate import compiled
from utemplate.compiled import checked

_CLOSING = {"{{": "}}", "{%": "%}", "{#": "#}"}
_BLOCKS = "if", "for", "while", "with", "try"
_BRANCHES = {"elif": ("if",), "else": ("if", "for", "while", "try"), "except": ("try",), "finally": ("try",)}
_BARE = "else", "finally", "try"  # nothing follows these words
_PIECE = 512  # characters of a literal that leave at once
_HEADER = "# utemplate 1 "
_END = "# end\n"


class TemplateError(ValueError):
    """A mistake in a template: ``FILE:LINE: what is wrong``."""


class Compiler:
    """Compiles a template, from a file to a file.

    ``loader`` opens what is included, ``name`` stands in messages. ``seq`` numbers the functions of included templates.
    """

    def __init__(self, file_in, file_out, indent=0, seq=0, loader=None, name="template", autoescape=False):
        self.file_in = file_in
        self.file_out = file_out
        self.indent = indent
        self.seq = seq
        self.loader = loader
        self.name = name
        self.autoescape = autoescape
        self.files = [name]  # all that was read

    def compile(self):
        """Write the Python of the template, all at once; raise ``TemplateError``."""
        text = _text_of(self.file_in)
        lines = _Function(self, self.name, text, "render", self.indent).compile()
        code = "\n".join(lines) + "\n"
        if "escape(" in code or "markup(" in code:
            code = "from utemplate.escape import escape, markup\n_escape = escape\n" + code
        if self.autoescape:
            code = "_autoescape = True\n" + code
        _check(code, self.name, 0)
        self.file_out.write(code)


class _Function:
    # One template on its way to a function; those it includes become functions inside of it.

    def __init__(self, compiler, name, text, function, indent, including=()):
        self.compiler = compiler
        self.name = name
        self.text = text
        self.function = function
        self.indent = indent
        self.including = including + (name,)
        self.escaping = compiler.autoescape
        self.args = None
        self.line = 1
        self.blocks = []  # (tag, line) of those that are open
        self.functions = []  # lines of what is included
        self.included = {}  # (name, whether it escapes) -> function
        self.lines = []
        self.empty = True  # nothing yet where Python wants a statement

    def compile(self):
        for mark, content in self.tokens():
            if mark == "{{":
                self.expression(content)
            elif mark == "{%":
                self.statement(content)
            elif not mark:
                self.literal(content)
        if self.blocks:
            tag, self.line = self.blocks[-1]
            self.fail("%s without end%s" % (tag, tag))
        if not any("yield " in line for line in self.lines):
            self.put("yield ''")
        args = self.args
        if args is None:  # what is included must not hide the names around it
            args = "*_a, **_d" if self.including[1:] else "*a, **d"
        head = "    " * self.indent + "def %s(%s):" % (self.function, args)
        return [head] + self.functions + self.lines

    def tokens(self):
        text = self.text
        at = 0
        while at < len(text):
            begin = _next_tag(text, at)
            if begin > at:
                yield "", text[at:begin]
                self.line += text.count("\n", at, begin)
            if begin == len(text):
                return
            mark = text[begin : begin + 2]
            end = _end(text, begin + 2, _CLOSING[mark])
            if end < 0:
                self.fail("%s without %s" % (mark, _CLOSING[mark]))
            yield mark, text[begin + 2 : end].strip().replace("\r", "").replace("\n", " ")
            at = end + 2
            if mark != "{{":
                at = _past_newline(text, at)
            self.line += text.count("\n", begin, at)

    def literal(self, text):
        for i in range(0, len(text), _PIECE):
            self.put("yield " + repr(text[i : i + _PIECE]))

    def expression(self, text):
        self.check_expression(text)
        self.put("yield %s(%s)" % ("_escape" if self.escaping else "str", text))

    def statement(self, text):
        tag, _, rest = text.partition(" ")
        rest = rest.strip()
        if tag in _BLOCKS:
            self.open(tag, rest)
        elif tag in _BRANCHES:
            self.branch(tag, rest)
        elif tag[:3] == "end":
            self.close(tag, rest)
        elif tag in ("import", "from"):
            self.check(text)
            self.put(text)
        elif tag in ("break", "continue", "pass"):
            self.jump(tag, rest)
        elif tag in ("args", "set", "include", "autoescape"):
            getattr(self, "tag_" + tag)(rest)
        else:
            self.fail("unknown tag")

    # Tags

    def tag_args(self, text):
        if self.args is not None or any(line.strip(" yield'\\nrt") for line in self.lines):
            self.fail("args must come once, and first")
        self.check("def f(%s): pass" % text)
        self.args = text
        self.lines.clear()

    def tag_set(self, text):
        self.check(text)
        if "=" not in text:
            self.fail("set takes name = expression")
        self.put(text)

    def tag_autoescape(self, text):
        if text not in ("on", "off"):
            self.fail("autoescape takes on or off")
        self.escaping = text == "on"

    def tag_include(self, text):
        if text[:2] == "{{":
            end = _end(text, 2, "}}")
            name = text[2:end].strip()
            self.check_expression(name)
            function = "_load(%s)" % name
            arguments = text[end + 2 :]
        else:
            end = text.find(text[0], 1) if text[:1] in ("'", '"') else -1
            if end < 0:
                self.fail('include takes a name in quotes, or {{ expression }}, as in include "name" arguments')
            function = self.included_function(text[1:end])
            arguments = text[end + 1 :]
        arguments = arguments.strip().lstrip(",")
        self.check("f(%s)" % arguments)
        self.put("yield from %s(%s)" % (function, arguments))

    def included_function(self, name):
        compiler = self.compiler
        escaping = self.escaping or compiler.autoescape  # what is escaped here is escaped there, off is for this file alone
        function = self.included.get((name, escaping))
        if function is None:
            if name in self.including:
                self.fail("%s includes itself" % name)
            compiler.seq += 1
            self.included[name, escaping] = function = "_render%d" % compiler.seq
            text = self.included_text(name)
            if name not in compiler.files:
                compiler.files.append(name)
            inner = _Function(compiler, name, text, function, self.indent + 1, self.including)
            inner.escaping = escaping
            self.functions += inner.compile()
        return function

    def included_text(self, name):
        if not self.compiler.loader:
            self.fail("include needs a loader")
        try:
            return _text_of(self.compiler.loader.input_open(name))
        except (OSError, ValueError) as e:
            self.fail("can't include %s: %s" % (name, "no such template" if isinstance(e, OSError) else e))

    def open(self, tag, rest):
        if tag in _BARE and rest:
            self.fail("%s takes nothing" % tag)
        if tag not in _BARE:
            self.check("%s %s: pass" % (tag, rest))
        self.put((tag + " " + rest).strip() + ":")
        self.blocks.append((tag, self.line))
        self.empty = True

    def branch(self, tag, rest):
        if not self.blocks or self.blocks[-1][0] not in _BRANCHES[tag]:
            self.fail("%s outside of %s" % (tag, " and ".join(_BRANCHES[tag])))
        if tag in _BARE and rest:
            self.fail("%s takes nothing" % tag)
        before = "try" if tag in ("except", "finally") else "if 0"
        self.check("%s:\n pass\n%s %s:\n pass" % (before, tag, rest))
        self.fill()
        opened = self.blocks.pop()
        self.put((tag + " " + rest).strip() + ":")
        self.blocks.append(opened)
        self.empty = True

    def close(self, tag, rest):
        if rest or not self.blocks or tag != "end" + self.blocks[-1][0]:
            self.fail("%s where %s is open" % (tag, self.blocks[-1][0] if self.blocks else "nothing"))
        self.fill()
        self.blocks.pop()

    def jump(self, tag, rest):
        if rest or (tag != "pass" and not any(block[0] in ("for", "while") for block in self.blocks)):
            self.fail("%s outside of a loop" % tag if not rest else "%s takes nothing" % tag)
        self.put(tag)

    # Output

    def put(self, code):
        self.lines.append("    " * (self.indent + 1 + len(self.blocks)) + code)
        self.empty = False

    def fill(self):
        if self.empty:
            self.put("pass")

    def check_expression(self, text):
        # By itself, and where it will stand: neither a second argument nor a comment may change the line around it.
        _check(text, self.name, self.line, "eval")
        _check("str(%s)" % text, self.name, self.line)

    def check(self, code):
        _check(code, self.name, self.line)

    def fail(self, reason):
        raise TemplateError("%s:%d: %s" % (self.name, self.line, reason))


def _check(code, name, line, kind="exec"):
    try:
        compile(code, name, kind)
    except SyntaxError:
        raise TemplateError("%s:%d: invalid syntax" % (name, line) if line else "%s: invalid syntax" % name)


def _text_of(file):
    try:
        text = file.read()
    finally:
        file.close()
    return text[1:] if text[:1] == "\ufeff" else text


def _next_tag(text, at):
    # The next opening mark; the end of the text if there is none.
    while True:
        at = text.find("{", at)
        if at < 0:
            return len(text)
        if text[at : at + 2] in _CLOSING:
            return at
        at += 1


def _end(text, at, mark):
    # The mark that closes a tag, which none in a string or inside of braces does.
    if mark == "#}":
        return text.find(mark, at)
    quote = ""
    depth = 0
    while at < len(text):
        c = text[at]
        if quote:
            if c == "\\":
                at += 1
            elif c == quote:
                quote = ""
        elif not depth and text[at : at + 2] == mark:
            return at
        elif c in "'\"":
            quote = c
        elif c == "{":
            depth += 1
        elif c == "}" and depth:
            depth -= 1
        at += 1
    return -1


def _past_newline(text, at):
    if text[at : at + 2] == "\r\n":
        return at + 2
    return at + 1 if text[at : at + 1] == "\n" else at


class Loader(compiled.Loader):
    """Loads templates, compiling those that were not yet; the Python is kept beside the template where that can be written."""

    def __init__(self, pkg, dir, autoescape=False):
        super().__init__(pkg, dir, autoescape)
        self._loaded = {}  # name -> (header, render)

    def input_open(self, template):
        """Return a template's source, open for reading."""
        return open(self.dir + "/" + checked(template), encoding="utf-8")

    def compiled_path(self, template):
        """Return the name of the file that a template is compiled to."""
        return self.dir + "/" + checked(template).replace(".", "_") + ".py"

    def load(self, name):
        loaded = self._loaded.get(name)
        if not loaded or not self.is_current(name, loaded[0]):
            self._loaded[name] = loaded = self._load(name)
        return loaded[1]

    def compile(self, name):
        """Return the Python of a template as text, with a header that says what it is made of."""
        out = io.StringIO()
        compiler = Compiler(self.input_open(name), out, 0, 0, self, name, self.autoescape)
        stamps = self._stamps(name)
        compiler.compile()
        for included in compiler.files[1:]:
            stamps += self._stamps(included)
        return _HEADER + ("autoescape\n" if self.autoescape else "plain\n") + stamps + out.getvalue() + _END

    def is_current(self, name, header):
        """Tell whether what was compiled can be used, going by its header."""
        return True

    def _load(self, name):
        path = self.compiled_path(name)
        try:
            self.input_open(name).close()
        except OSError:
            return "", super().load(name)  # only the compiled one is here
        text = _written(path)
        header = text and self._header(text, name, path)
        if not header or not self.is_current(name, header):
            text = self.compile(name)
            header = self._header(text, name, path)
            _write(path, text)
        names = {}
        exec(compile(text, path, "exec"), names)
        return header, self._ready(names, name)

    def _header(self, text, name, path):
        # The header of a compiled file; nothing if it was compiled in another way.
        end = text.find("\n", text.find("\n# ") + 1)
        first, stamp = text[:end].split("\n")
        if first != _HEADER + ("autoescape" if self.autoescape else "plain"):
            return ""
        other = stamp[2:].rsplit(" ", 2)[0]
        if other != name and _exists(self.dir + "/" + other):
            raise ValueError("templates %s and %s compile to one file, %s: rename one" % (name, other, path))
        while text[end + 1 : end + 3] == "# ":
            end = text.find("\n", end + 1)
        return text[:end] if other == name else ""

    def _stamps(self, name):
        status = os.stat(self.dir + "/" + name)
        return "# %s %d %d\n" % (name, status[6], getattr(status, "st_mtime_ns", status[8]))


def _written(path):
    # A file that an older compiler wrote, or that was left half-written, does not count.
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError:
        return ""
    return text if text[: len(_HEADER)] == _HEADER and text[-len(_END) :] == _END else ""


def _write(path, text):
    # In one step: nobody finds a file that is half there. If it can't be written, a read-only or full disk say, the template
    # works from memory.
    temporary = "%s.%d.tmp" % (path, id(text))
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
        _rename(temporary, path)
    except OSError:
        _remove(temporary)


def _rename(temporary, path):
    try:
        os.rename(temporary, path)
    except OSError:  # FAT does not replace
        os.remove(path)
        os.rename(temporary, path)


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass


def _exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False
