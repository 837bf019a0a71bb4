"""Markdown: what a model wrote as safe HTML. Links and pictures are words with their address; nothing is fetched.

The syntax is CommonMark (https://spec.commonmark.org) with tables, strikethrough and formulas; a line break is one.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from html import escape

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from llm_demo.tabs.formulas import LONGEST, to_mathml

LONGEST_TEXT = 20_000  # characters; a longer one stays as it was written
MOST_BRACKETS = 1_000  # and so does one with more, for each of them is searched for its end
NESTING = 40  # lists and quotations inside one another
DISPLAYED = (("$$", "$$"), (r"\[", r"\]"))
DELIMITERS = (*DISPLAYED, ("$", "$"), (r"\(", r"\)"))


@lru_cache(maxsize=256)  # the turns of a conversation are drawn again with every piece of a new one
def to_html(text: str) -> str:
    """Return safe HTML. Half a text is fine: a code block that has not ended yet is a code block."""
    if len(text) > LONGEST_TEXT or text.count("[") > MOST_BRACKETS:
        return f'<div class="plain">{escape(text)}</div>'
    return PARSER.render(text)


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": NESTING})
    parser.enable(["table", "strikethrough"])
    parser.disable(["html_block", "html_inline", "reference"])  # a definition of an address would vanish
    # Addresses are shown as they were written, never followed: there is none to refuse or to repair.
    parser.validateLink = lambda _url: True
    parser.normalizeLink = parser.normalizeLinkText = lambda url: url
    parser.inline.ruler.before("escape", "formula", _inline_formula)
    ends = {"alt": ["paragraph", "blockquote", "list"]}
    parser.block.ruler.before("fence", "formula", _block_formula, ends)
    for kind, write in WRITERS.items():
        parser.add_render_rule(kind, write)
    return parser


# --- formulas: $…$, \(…\), $$…$$ and \[…\] ---


def _inline_formula(state: StateInline, silent: bool) -> bool:
    """Take a formula within a line; a single dollar as pandoc does, so that prices stay prices.

    Source: https://pandoc.org/MANUAL.html#extension-tex_math_dollars
    """
    text, start = state.src, state.pos
    opening, closing = next((pair for pair in DELIMITERS if text.startswith(pair[0], start)), ("", ""))
    if not opening:
        return False
    begin = start + len(opening)
    end = _find(text, closing, begin, min(begin + LONGEST, state.posMax))
    content = text[begin:end] if end >= 0 else ""
    if not content.strip():
        return False
    after = text[end + 1 : end + 2]
    if opening == "$" and (content[0].isspace() or content[-1].isspace() or after.isdigit()):
        return False
    if not silent:
        _push(state, content, opening, closing)
    state.pos = end + len(closing)
    return True


def _find(text: str, closing: str, begin: int, last: int) -> int:
    r"""Return where a formula ends, a dollar written `\$` left out; -1 where it does not."""
    end = text.find(closing, begin, last)
    while closing.startswith("$") and end > begin and text[end - 1] == "\\":
        end = text.find(closing, end + 1, last)
    return end


def _block_formula(state: StateBlock, start: int, last: int, silent: bool) -> bool:
    """Take a formula with lines of its own; one that has not ended yet goes on until an empty line."""
    if state.is_code_block(start):
        return False
    opening, closing = next((pair for pair in DISPLAYED if _line(state, start).startswith(pair[0])), ("", ""))
    if not opening:
        return False
    lines = [_line(state, start)[len(opening) :]]
    line = start + 1
    while closing not in lines[-1] and line < last and state.sCount[line] >= state.blkIndent and _line(state, line):
        lines.append(_line(state, line))
        line += 1
    lines[-1], ended, rest = lines[-1].partition(closing)
    content = "\n".join(lines).strip()
    if rest.strip() or not content:  # a sentence that begins with a formula
        return False
    if not silent:
        state.line = line
        _push(state, content, opening, ended)
    return True


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _push(state: StateInline | StateBlock, content: str, opening: str, closing: str) -> None:
    token = state.push("formula", "math", 0)
    token.content = content
    token.markup, token.info = opening, closing
    token.block = isinstance(state, StateBlock)


# --- what the pieces are written as ---


def _formula(_self: RendererHTML, tokens: Sequence[Token], place: int, *_: object) -> str:
    token = tokens[place]
    drawn = to_mathml(token.content, display=token.markup in dict(DISPLAYED)) if token.info else ""
    source = token.markup + token.content + token.info
    if token.block:
        inside = drawn or f"<code>{escape(source)}</code>"
        return f'<div class="formula" tabindex="0">{inside}</div>\n'
    return drawn or f"<code>{escape(source)}</code>"


def _heading(_self: RendererHTML, tokens: Sequence[Token], place: int, *_: object) -> str:
    """Two levels down: the page has headings of its own."""
    token = tokens[place]
    level = min(6, int(token.tag[1]) + 2)
    return f"<h{level}>" if token.nesting == 1 else f"</h{level}>\n"


def _code(_self: RendererHTML, tokens: Sequence[Token], place: int, *_: object) -> str:
    token = tokens[place]
    name = f'<span class="code-name">{escape(token.info.strip())}</span>' if token.info.strip() else ""
    return f'{name}<pre tabindex="0"><code>{escape(token.content)}</code></pre>\n'


def _link_close(_self: RendererHTML, tokens: Sequence[Token], place: int, *_: object) -> str:
    start = next(before for before in range(place, -1, -1) if tokens[before].type == "link_open")
    words = "".join(token.content for token in tokens[start:place])
    return _address(words, str(tokens[start].attrs["href"]))


def _image(_self: RendererHTML, tokens: Sequence[Token], place: int, *_: object) -> str:
    token = tokens[place]
    return escape(token.content) + _address(token.content, str(token.attrs["src"]))


def _address(words: str, address: str) -> str:
    """Return an address behind the words that carry it, unless they are the same."""
    return "" if words.strip() == address else f' <span class="address">({escape(address)})</span>'


def _constant(html: str) -> Callable[..., str]:
    return lambda *_: html


WRITERS: dict[str, Callable[..., str]] = {
    "formula": _formula,
    "heading_open": _heading,
    "heading_close": _heading,
    "fence": _code,
    "code_block": _code,
    "link_open": _constant(""),
    "link_close": _link_close,
    "image": _image,
    "table_open": _constant('<div class="wide" tabindex="0"><table>'),
    "table_close": _constant("</table></div>\n"),
}
PARSER = _parser()
