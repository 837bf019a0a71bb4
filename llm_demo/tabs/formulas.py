"""Formulas: LaTeX as MathML, which browsers draw themselves, and nothing in it that loads, leads away or hides."""

import re
from functools import lru_cache
from html import escape, unescape
from xml.etree.ElementTree import Element

from latex2mathml import exceptions
from latex2mathml.converter import convert_to_element

LONGEST = 1_000  # characters; a longer one is shown as its source
DEEPEST = 40  # elements inside one another, which a browser lays out one by one
# Addresses and style sheets are refused, and so are macros: ten lines of them can stand for a million symbols.
REFUSED = re.compile(
    r"\\(?:href|url|style|class|includegraphics|def|gdef|let|(?:re)?newcommand|newenvironment)(?![a-zA-Z])"
)
ESCAPED = re.compile(r"\\.")
# What latex2mathml raises for LaTeX that is none: kinds of its own, and those of code that met no end.
BROKEN = (
    *(kind for kind in vars(exceptions).values() if isinstance(kind, type) and issubclass(kind, Exception)),
    *(AttributeError, IndexError, KeyError, RecursionError, StopIteration, TypeError, ValueError),
)
TAGS = frozenset(
    {"math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mstyle", "mpadded", "mphantom", "menclose", "mfrac"}
    | {"msqrt", "mroot", "msub", "msup", "msubsup", "munder", "mover", "munderover", "mtable", "mtr", "mtd"}
)
ARITY = dict.fromkeys(("mfrac", "mroot", "msub", "msup", "munder", "mover"), 2) | {"msubsup": 3, "munderover": 3}
# Around a matrix they grow with it where a browser knows which side they stand on.
SIDES = dict.fromkeys("([{⟨⌈⌊", "prefix") | dict.fromkeys(")]}⟩⌉⌋", "postfix")
# Colours, sizes and moves to the left could hide words or lay them over others: no such attribute, no long one.
WORDS = re.compile(r"[a-z -]{1,60}")
LENGTH = re.compile(r"\d?(?:\.\d+)?(?:em)?")
ATTRIBUTES = {
    **dict.fromkeys(("display", "displaystyle", "form", "mathvariant", "notation", "columnalign"), WORDS),
    **dict.fromkeys(("accent", "fence", "movablelimits", "separator", "stretchy"), WORDS),
    **dict.fromkeys(("linethickness", "maxsize", "minsize", "scriptlevel", "width"), LENGTH),
}


@lru_cache(maxsize=1024)  # an answer is drawn again every few tokens
def to_mathml(latex: str, display: bool) -> str:
    """Return safe HTML: a `<math>` of the elements and attributes above alone; empty where it cannot be drawn.

    Args:
        latex: without its delimiters.
        display: whether it stands on a line of its own.
    """
    bare = ESCAPED.sub("", latex)
    if len(latex) > LONGEST or REFUSED.search(latex) or not latex.strip() or bare.count("{") != bare.count("}"):
        return ""
    try:
        return _written(convert_to_element(latex, display="block" if display else "inline"), DEEPEST)
    except BROKEN:
        return ""


def _written(element: Element, deeper: int) -> str:
    if not deeper or element.tag not in TAGS or len(element) != ARITY.get(element.tag, len(element)):
        raise ValueError(f"not drawn: {element.tag}")
    text = unescape(element.text or "")  # the library writes symbols as character references
    given = dict(element.attrib)
    if element.tag == "mo" and text in SIDES and "stretchy" not in given:
        given.setdefault("form", SIDES[text])
    attributes = "".join(
        f' {name}="{escape(value)}"'
        for name, value in given.items()
        if name in ATTRIBUTES and ATTRIBUTES[name].fullmatch(value)
    )
    inside = "".join(_written(child, deeper - 1) for child in element)
    return f"<{element.tag}{attributes}>{escape(text)}{inside}</{element.tag}>"
