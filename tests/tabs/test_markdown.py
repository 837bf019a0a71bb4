"""Markdown of a model: readable, half-written or broken, and made of nothing but words."""

import time
from html.parser import HTMLParser

import pytest

from llm_demo.tabs.formulas import ATTRIBUTES, TAGS
from llm_demo.tabs.markdown import LONGEST_TEXT, MOST_BRACKETS, to_html

WORDS = frozenset(
    {"p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "div", "span"}
    | {"h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"}
)
CLASSES = {"plain", "formula", "wide", "address", "code-name"}
ALIGNED = {f"text-align:{side}" for side in ("left", "center", "right")}


class Page(HTMLParser):
    """What a browser would make of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.made: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.other: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.made.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        self.other.append(data)

    handle_decl = handle_pi = unknown_decl = handle_comment

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.made]


def is_harmless(tag: str, name: str, value: str | None) -> bool:
    """Tell whether an attribute is one of the few that no browser loads, runs or follows."""
    if tag in TAGS:
        return name in ATTRIBUTES and ATTRIBUTES[name].fullmatch(value or "") is not None
    return (
        (name == "class" and value in CLASSES)
        or (name == "tabindex" and value == "0" and tag in ("div", "pre"))
        or (name == "start" and tag == "ol" and (value or "").isdigit())
        or (name == "style" and tag in ("th", "td") and value in ALIGNED)
    )


def words(text: str) -> str:
    """Return what a reader of the page sees, and fail where there is anything else on it."""
    page = Page(to_html(text))
    assert set(page.tags) <= WORDS | TAGS
    assert page.other == []
    assert [(tag, attrs) for tag, attrs in page.made if not all(is_harmless(tag, *one) for one in attrs.items())] == []
    return page.text


# --- what a stranger's answer could try ---

HOSTILE = [
    "<script>window.hacked=1</script>",
    "</div><script src=//evil.test/x.js></script>",
    "<img src=x onerror=window.hacked=1>",
    "<svg onload=window.hacked=1><a xlink:href=javascript:window.hacked=1>x</a></svg>",
    "<iframe src=//evil.test></iframe>",
    "<iframe srcdoc='<script>window.hacked=1</script>'>",
    "<style>@import url(//evil.test/x.css)</style>",
    "<div style='background:url(//evil.test/x.png)'>x</div>",
    "<link rel=stylesheet href=//evil.test/x.css>",
    "<meta http-equiv=refresh content='0;url=//evil.test'>",
    "<form action=//evil.test><button>x</button></form>",
    "<math><mi xlink:href='javascript:window.hacked=1'>x</mi></math>",
    "<!-- a comment --><![CDATA[x]]><?php x ?><!DOCTYPE x>",
    "<!--><img src=x onerror=window.hacked=1>-->",
    "&lt;img src=x onerror=window.hacked=1&gt; &#60;script&#62;",
    "[click](javascript:window.hacked=1)",
    "[click](JaVaScRiPt&colon;window.hacked=1)",
    '[click](https://evil.test/?q=1 "a\' onmouseover=window.hacked=1")',
    '[click](https://evil.test/"onmouseover=window.hacked=1)',
    "[click]( <https://evil.test/ x> )",
    "[click][there]\n\n[there]: https://evil.test",
    "<https://evil.test/x> <javascript:window.hacked=1>",
    "https://evil.test www.evil.test",
    "![picture](https://evil.test/x.png)",
    "![picture](data:image/svg+xml;base64,PHN2Zz4=)",
    '![p"onerror=window.hacked=1](x"onerror=window.hacked=1)',
    "[![picture](https://evil.test/a.png)](https://evil.test/b)",
    '```"><img src=x onerror=window.hacked=1>\n</code></pre><script>window.hacked=1</script>\n```',
    "`<img src=x onerror=window.hacked=1>`",
    "    <script>window.hacked=1</script>",
    "| <script>window.hacked=1</script> |\n|:-:|\n| ![x](https://evil.test/x.png) |",
    "# <img src=x onerror=window.hacked=1>",
    "$\\href{javascript:window.hacked=1}{x}$",
    "$\\url{https://evil.test}$",
    "$\\style{background:url(//evil.test/x.png)}{x}$",
    "$\\class{hidden}{x}$",
    "$\\text{<script>window.hacked=1</script>}$",
    "$\\text{</math><img src=x onerror=window.hacked=1>}$",
    "$$\\mbox{<img src=x onerror=window.hacked=1>} & <svg/onload=window.hacked=1>$$",
    "\\(\\unicode{x3c}script\\unicode{x3e}\\) \\[\\verb|<script>|\\]",
    "$\\color{url(//evil.test/x.png)}{x}$ $\\colorbox{red}{x}$",
    "$\\rule{900em}{900em} \\kern{-900em} x$",
    "$\\includegraphics{https://evil.test/x.png}$",
    "${window.hacked=1} {{window.hacked=1}} ${`x`}",
    "\x00<script>window.hacked=1</script>\u2028\u202e",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_only_harmless_elements_come_out(text):
    assert words(text).strip()


@pytest.mark.parametrize("text", HOSTILE)
def test_half_of_it_is_as_harmless(text):
    for length in range(len(text)):
        words(text[:length])


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("[la web](https://evil.test/a)", "la web (https://evil.test/a)"),
        ("[**la** web](javascript:x)", "la web (javascript:x)"),
        ("<https://evil.test/a>", "https://evil.test/a"),
        ("![un gato](https://evil.test/cat.png)", "un gato (https://evil.test/cat.png)"),
        ("[b]: https://evil.test", "[b]: https://evil.test"),
    ],
)
def test_a_link_is_words_with_its_address(text, seen):
    assert words(text).strip() == seen


# --- what a reader should find readable ---


def test_emphasis_lists_and_code():
    page = Page(to_html("**Dos** *cosas*:\n\n1. `a`\n2. b\n\n```python\nprint(1 < 2)\n```"))

    assert page.tags == ["p", "strong", "em", "ol", "li", "code", "li", "span", "pre", "code"]
    assert "print(1 < 2)\n" in page.text
    assert "python" in page.text


def test_a_table_stands_in_a_box_that_scrolls():
    page = Page(to_html("| a | b |\n|---|--:|\n| 1 | 2 |"))

    assert page.made[0] == ("div", {"class": "wide", "tabindex": "0"})
    assert page.tags.count("td") == page.tags.count("th") == 2
    assert ("td", {"style": "text-align:right"}) in page.made


def test_a_line_break_is_one():
    assert Page(to_html("Rosas rojas\nvioletas azules")).tags == ["p", "br"]


def test_headings_stand_below_those_of_the_page():
    assert Page(to_html("# Uno\n\n## Dos\n\n###### Seis")).tags == ["h3", "h4", "h6"]


@pytest.mark.parametrize("text", ["$a+b$", r"\(a+b\)", "$$a+b$$", "\\[a+b\\]", "$$\na+b\n$$", "\\[\na+b\n\\]"])
def test_each_kind_of_formula_is_drawn(text):
    page = Page(to_html(text))

    assert "math" in page.tags
    assert page.text.strip() == "a+b"


@pytest.mark.parametrize("text", ["cuesta $5 y $6", "de $5-$6", "$ a $", "un $", r"\$a\$", "``$a$``"])
def test_money_is_no_formula(text):
    assert "math" not in Page(to_html(text)).tags


def test_a_formula_in_a_list_belongs_to_its_item():
    page = Page(to_html("- uno\n  $$\n  x_1\n  $$\n- dos"))

    assert page.tags.count("ul") == 1
    assert page.tags.count("li") == 2
    assert "msub" in page.tags


@pytest.mark.parametrize("text", [r"$\frac{$", r"$\newcommand{\a}{x}\a$", r"$x_1_2$", r"\(\left( x\)"])
def test_a_broken_formula_is_its_source(text):
    page = Page(to_html(text))

    assert "math" not in page.tags
    assert page.text.strip() == text


# --- while it is being written ---


def test_a_code_block_that_has_not_ended_is_a_code_block():
    page = Page(to_html("Mira:\n\n```python\nx = [1, 2]\n**a"))

    assert page.tags == ["p", "span", "pre", "code"]
    assert page.text.endswith("x = [1, 2]\n**a\n")


def test_a_formula_that_has_not_ended_is_its_source_until_an_empty_line():
    page = Page(to_html("\\[\nx_1 + x_2 * y * z\n\nDespués"))

    assert page.tags == ["div", "code", "p"]
    assert "x_1 + x_2 * y * z" in page.text


def test_every_beginning_of_an_answer_keeps_its_words():
    answer = "Hola **mundo**:\n\n- uno\n- dos\n\n```\ncode\n```\n\n| a |\n|---|\n| celda |\n\nFin: $x+1$."
    ends = {word: answer.index(word) + len(word) for word in ("Hola", "mundo", "uno", "dos", "code", "celda", "Fin")}

    for length in range(len(answer) + 1):
        seen = words(answer[:length])
        assert [word for word, end in ends.items() if end <= length and word not in seen] == []


# --- how long it may take ---

HEAVY = {
    "stars": "*" * 8_000,
    "brackets": "[" * 8_000,
    "brackets within the bound": "[" * MOST_BRACKETS,
    "pictures": "![" * MOST_BRACKETS,
    "links": "[a](b)" * 1_000,
    "dollars": "$" * 8_000,
    "formulas": "".join(f"$x_{{{place}}}$" for place in range(900)),
    "open formulas": "$a " * 2_600,
    "open displays": "\\[a\n" * 2_000,
    "braces": ("$" + "{" * 900 + "$") * 8,
    "macros": "$\\newcommand{\\a}{xx}\\newcommand{\\b}{\\a\\a}\\newcommand{\\c}{\\b\\b}\\c$" * 100,
    "backticks": "".join("`" * length + "a" for length in range(125)),
    "quotations": "> " * 4_000,
    "lists": "\n".join("  " * depth + "- a" for depth in range(88)),
    "rows": "|a|b|\n|-|-|\n" + "|x|y|\n" * 1_300,
    "underscores": "_a " * 2_600,
    "entities": "&amp;" * 1_600,
    "long": "a" * (LONGEST_TEXT + 1),
}


@pytest.mark.parametrize("name", HEAVY)
def test_no_text_of_eight_thousand_characters_takes_long(name):
    began = time.process_time()  # the processor's own: others on the machine do not count

    words(HEAVY[name])

    assert time.process_time() - began < 5  # a thousandth of it here; a quadratic one takes many


@pytest.mark.parametrize("text", ["a*b*" * LONGEST_TEXT, "[" * (MOST_BRACKETS + 1) + "*b*"])
def test_a_text_past_a_bound_stays_as_it_was_written(text):
    page = Page(to_html(text))

    assert page.made == [("div", {"class": "plain"})]
    assert page.text == text
