# The template language: what a template yields, and what is said of one with a mistake.

import io
import unittest

from utemplate.source import Compiler, TemplateError


class Folder:
    """A loader over a dictionary of templates."""

    def __init__(self, templates):
        self.templates = templates

    def input_open(self, name):
        if name not in self.templates:
            raise OSError(2)
        return io.StringIO(self.templates[name])


def compiled(text, templates=None, autoescape=False):
    out = io.StringIO()
    Compiler(io.StringIO(text), out, loader=Folder(templates or {}), name="page.html", autoescape=autoescape).compile()
    names = {}
    exec(out.getvalue(), names)
    return names["render"]


def rendered(text, templates=None, autoescape=False, **arguments):
    return "".join(list(compiled(text, templates, autoescape)(**arguments)))


SAME = [
    "",
    "plain",
    "\n\ntwo lines\n\n",
    "ends in {",
    "{ alone } and }} and %} and #}",
    "a{b}c {",
    "quotes \" ' \"\"\" '''",
    "back\\slash \\n \\",
    "<script>var s = 'a\\n\\t\\\\';</script>",
    "snow ☃ é \U0001f600 tab\t nul\0",
    "x" * 511,
    "x" * 512,
    "é" * 513,
    "%s %d {0} $x",
]

PAGES = [
    ("expression", "{% args a %}<{{ a }}>", {"a": 1}, "<1>"),
    ("tight", "{%args a%}<{{a}}>", {"a": None}, "<None>"),
    ("default", "{% args a=2, b=3 %}{{ a }}{{ b }}", {"b": 4}, "24"),
    ("no args takes any", "x", {"a": 1}, "x"),
    ("comment", "a{# {{ no }} {% nor %} ' #}b", {}, "ab"),
    ("comment before args", "{# what #}\n{% args a %}\n{{ a }}", {"a": 1}, "1"),
    ("newline after a tag", "{% if 1 %}\nx\n{% endif %}\ny\n", {}, "x\ny\n"),
    ("windows newline", "{% if 1 %}\r\nx\r\n{% endif %}\r\ny", {}, "x\r\ny"),
    ("newline after an expression stays", "{{ 1 }}\n{{ 2 }}", {}, "1\n2"),
    ("if", "{% args a %}{% if a > 1 %}big{% elif a == 1 %}one{% else %}small{% endif %}", {"a": 1}, "one"),
    ("else", "{% args a %}{% if a > 1 %}big{% elif a == 1 %}one{% else %}small{% endif %}", {"a": 0}, "small"),
    ("for", "{% for i in range(3) %}{{ i }},{% endfor %}", {}, "0,1,2,"),
    ("for with two", "{% args d %}{% for k, v in d %}{{ k }}={{ v }};{% endfor %}", {"d": [(1, 2)]}, "1=2;"),
    ("while", "{% set n = 3 %}{% while n %}{{ n }}{% set n = n - 1 %}{% endwhile %}", {}, "321"),
    ("break", "{% for i in range(9) %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}", {}, "01"),
    ("continue", "{% for i in range(4) %}{% if i % 2 %}{% continue %}{% endif %}{{ i }}{% endfor %}", {}, "02"),
    ("try", "{% try %}{{ 1 // 0 }}{% except ZeroDivisionError %}none{% finally %}!{% endtry %}", {}, "none!"),
    ("nested", "{% for i in (1, 2) %}{% for j in (3, 4) %}{{ i * j }} {% endfor %}{% endfor %}", {}, "3 4 6 8 "),
    ("empty blocks", "{% if 1 %}{% else %}{% endif %}{% for i in (1,) %}{% endfor %}x", {}, "x"),
    ("nothing but statements", "{% set a = 1 %}", {}, ""),
    ("import", "{% import sys %}{% from json import dumps %}{{ dumps(1) }}{{ sys.path and 1 }}", {}, "11"),
    ("set", "{% set a, b = 1, 2 %}{{ a + b }}", {}, "3"),
    ("dictionary", "{{ {'a': {'b': 5}}['a']['b'] }}", {}, "5"),
    ("dictionary at the end", "{{ {'a': 1} }}{{ {1: {}}}}", {}, "{'a': 1}{1: {}}"),
    ("closing mark in a string", "{{ '}}' }}{{ \"%}\" }}{% if '%}' %}y{% endif %}", {}, "}}%}y"),
    ("escaped quote", "{{ 'it\\'s }}' }}", {}, "it's }}"),
    ("over lines", "{{ 1 +\n 1 }}{% if (1 and\n 2) %}y{% endif %}", {}, "2y"),
    ("html is left alone", "{% args a %}{{ a }}", {"a": "<&>"}, "<&>"),
    ("byte order mark", "\ufeff{% args a %}{{ a }}", {"a": 1}, "1"),
]

BAD = [
    ("a\n{{ x", 2, "{{ without }}"),
    ("\n\n{% if 1 ", 3, "{% without %}"),
    ("{# x", 1, "{# without #}"),
    ("{{ }}", 1, "invalid syntax"),
    ("a\nb {{ 1 + }}", 2, "invalid syntax"),
    ("{{ x) + (y }}", 1, "invalid syntax"),
    ("{{ x # y }}", 1, "invalid syntax"),
    ("{% if %}{% endif %}", 1, "invalid syntax"),
    ("{% if 1: pass\n%}{% endif %}", 1, "invalid syntax"),
    ("\n{% for x %}{% endfor %}", 2, "invalid syntax"),
    ("{% set 1 = 2 %}", 1, "invalid syntax"),
    ("{% set a %}", 1, "set takes name = expression"),
    ("{% args a b %}", 1, "invalid syntax"),
    ("x{% args a %}", 1, "args must come once, and first"),
    ("{% args a %}{% args a %}", 1, "args must come once, and first"),
    ("{% if 1 %}\n{% if 2 %}{% endif %}", 1, "if without endif"),
    ("{% for a in b %}\n{% endif %}", 2, "endif where for is open"),
    ("{% endif %}", 1, "endif where nothing is open"),
    ("{% endfoo %}", 1, "endfoo where nothing is open"),
    ("{% else %}", 1, "else outside of if and for and while and try"),
    ("{% for a in b %}{% elif 1 %}{% endfor %}", 1, "elif outside of if"),
    ("{% if 1 %}{% else 2 %}{% endif %}", 1, "else takes nothing"),
    ("{% break %}", 1, "break outside of a loop"),
    ("{% frobnicate %}", 1, "unknown tag"),
    ("{% %}", 1, "unknown tag"),
    ("{% autoescape maybe %}", 1, "autoescape takes on or off"),
    ("{% include x %}", 1, 'include takes a name in quotes, or {{ expression }}, as in include "name" arguments'),
    ("\n{% include 'none' %}", 2, "can't include none: no such template"),
    ("{% include 'a' ) %}", 1, "invalid syntax"),
]


class TestLanguage(unittest.TestCase):
    def test_text_comes_out_as_it_is(self):
        for text in SAME:
            with self.subTest(text=text[:30]):
                self.assertEqual(rendered(text), text)

    def test_pages(self):
        for name, text, arguments, page in PAGES:
            with self.subTest(name=name):
                self.assertEqual(rendered(text, **arguments), page)

    def test_mistakes_name_file_line_and_cause(self):
        for text, line, reason in BAD:
            with self.subTest(text=text):
                with self.assertRaises(TemplateError) as caught:
                    compiled(text, {"a": "x"})
                self.assertEqual(str(caught.exception), "page.html:%d: %s" % (line, reason))

    def test_mistakes_write_nothing(self):
        out = io.StringIO()
        with self.assertRaises(TemplateError):
            Compiler(io.StringIO("much text {{ x"), out).compile()
        self.assertEqual(out.getvalue(), "")

    def test_page_comes_in_pieces(self):
        page = compiled("{% args events %}a{% set _ = events.append(1) %}b")
        events = []
        pieces = page(events)
        self.assertEqual((next(pieces), events), ("a", []))
        self.assertEqual((next(pieces), events), ("b", [1]))

    def test_page_cut_at_any_character_compiles_or_is_a_mistake(self):
        text = "{% args a %}{# c #}\n<{{ {'}}': a}['}}'] }}>{% if a %}{\n{% for i in 'x' %}{{ i }}{% endfor %}{% endif %}{"
        for end in range(len(text)):
            with self.subTest(end=end):
                try:
                    compiled(text[:end])
                except TemplateError:
                    pass


class TestInclude(unittest.TestCase):
    def test_include_with_arguments(self):
        pages = {"row": "{% args a, b=0 %}[{{ a }}{{ b }}]"}
        self.assertEqual(rendered("{% include 'row' 1 %}{% include \"row\" 1, b=2 %}", pages), "[10][12]")

    def test_include_sees_what_surrounds_it(self):
        self.assertEqual(rendered("{% args a %}{% set b = 2 %}{% include 'x' %}", {"x": "{{ a }}{{ b }}"}, a=1), "12")

    def test_include_inside_a_loop_and_in_an_include(self):
        pages = {"row": "{% args n %}{% include 'cell' n * 2 %}", "cell": "{% args n %}({{ n }})"}
        self.assertEqual(rendered("{% for i in (1, 2) %}{% include 'row' i %}{% endfor %}", pages), "(2)(4)")

    def test_include_of_itself(self):
        with self.assertRaises(TemplateError) as caught:
            compiled("{% include 'a' %}", {"a": "\n{% include 'b' %}", "b": "{% include 'a' %}"})
        self.assertEqual(str(caught.exception), "b:1: a includes itself")

    def test_mistake_in_an_included_template_names_it(self):
        with self.assertRaises(TemplateError) as caught:
            compiled("{% include 'a' %}", {"a": "x\n{{ 1 + }}"})
        self.assertEqual(str(caught.exception), "a:2: invalid syntax")

    def test_include_without_a_loader(self):
        with self.assertRaises(TemplateError):
            Compiler(io.StringIO("{% include 'a' %}"), io.StringIO()).compile()


class Markup:
    def __html__(self):
        return "<i>"


class TestEscaping(unittest.TestCase):
    def test_every_dangerous_character(self):
        page = rendered("{% args a %}<p title='{{ a }}'>", autoescape=True, a="<b a=\"1\" c='2'>&amp;")
        self.assertEqual(page, "<p title='&lt;b a=&#34;1&#34; c=&#39;2&#39;&gt;&amp;amp;'>")

    def test_values_that_are_no_text(self):
        self.assertEqual(rendered("{{ 1 }}{{ None }}{{ ['<'] }}", autoescape=True), "1None[&#39;&lt;&#39;]")

    def test_markup_is_the_way_out(self):
        self.assertEqual(rendered("{% args a %}{{ markup(a) }}", autoescape=True, a="<b>"), "<b>")
        self.assertEqual(rendered("{% args a %}{{ a }}", autoescape=True, a=Markup()), "<i>")

    def test_switch_in_a_template(self):
        text = "{{ '<' }}{% autoescape on %}{{ '<' }}{% autoescape off %}{{ '<' }}"
        self.assertEqual(rendered(text), "<&lt;<")
        self.assertEqual(rendered(text, autoescape=True), "&lt;&lt;<")

    def test_escape_without_the_switch(self):
        self.assertEqual(rendered("{{ escape('<') }}{{ markup('<') }}"), "&lt;<")

    def test_names_of_the_application_do_not_change_it(self):
        self.assertEqual(rendered("{% args escape, a %}{{ a }}", autoescape=True, escape=1, a="<"), "&lt;")

    def test_included_templates_are_escaped_too(self):
        pages = {"x": "{% args a %}<b>{{ a }}"}
        self.assertEqual(rendered("{% include 'x' '<' %}", pages, autoescape=True), "<b>&lt;")

    def test_the_switch_holds_for_included_templates_when_it_is_on(self):
        pages = {"x": "{{ '<' }}{% include 'y' %}", "y": "{{ '>' }}"}
        text = "{% include 'x' %} {% autoescape on %}{% include 'x' %} {% autoescape off %}{% include 'x' %}"
        self.assertEqual(rendered(text, pages), "<> &lt;&gt; <>")
        self.assertEqual(rendered(text, pages, autoescape=True), "&lt;&gt; &lt;&gt; &lt;&gt;")
