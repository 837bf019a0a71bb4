"""Linked: a text, its tokens as chips and as rows, which light each other up in the browser."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path

import gradio as gr

from llm_demo.i18n import Translate
from llm_demo.tabs import strip
from llm_demo.tokens import Token, Tokenization, apart, visible

SCRIPT = (Path(__file__).parent / "linked.js").read_text("utf-8")
SHOWN = 500  # tokens drawn; a browser takes longer over more than a typist between two words
COLUMNS = ("index", "id", "piece", "text", "bytes")


@dataclass(frozen=True, slots=True)
class View:
    """A text as one tokenizer splits it.

    Attributes:
        name: the tokenizer's.
        found: what it made of the text.
        apart: places of the tokens that the other tokenizer does not have.
    """

    name: str
    found: Tokenization
    apart: frozenset[int] = frozenset()


def make(elem_id: str) -> gr.HTML:
    """Create the component; what is pointed at or pressed in it needs no server."""
    return gr.HTML(js_on_load=SCRIPT, elem_id=elem_id)


def compare(names: Sequence[str], founds: Sequence[Tokenization]) -> list[View]:
    """Return the views of one text as one or two tokenizers split it, what only one of them has marked."""
    if len(founds) == 1:
        return [View(names[0], founds[0])]
    (mine, theirs), (one, other) = founds, names
    return [View(one, mine, apart(mine, theirs)), View(other, theirs, apart(theirs, mine))]


def render(text: str, views: Sequence[View], t: Translate, rows: bool = True, language: str = "") -> str:
    """Return safe HTML for the component: one text as one or two tokenizers split it.

    Args:
        text: the one that was split.
        views: side by side, where there is room.
        t: the visitor's language.
        rows: whether the tokens come as a table too.
        language: the text's (BCP 47); empty where nobody knows.
    """
    sections = "".join(_section(text, view, number, t, rows, language) for number, view in enumerate(views))
    return f'<div class="linked views-{len(views)}">{sections}</div>'


def table(tokens: Sequence[Token], t: Translate, elem_id: str, places: bool = True) -> str:
    """Return safe HTML: what there is to know about each token, a row each; with `places`, where it stands too."""
    columns = COLUMNS if places else COLUMNS[1:]
    head = "".join(f"<th>{t(f'tokenizer.column_{name}')}</th>" for name in columns)
    rows = "".join(_row(token, places) for token in tokens)
    grid = f'<table role="grid"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    return f'<div class="tokens-table" id="{elem_id}" tabindex="0">{grid}</div>'


def counts(found: Tokenization, t: Translate) -> str:
    """Return safe HTML: how many tokens, characters and bytes."""
    per_token = found.n_chars / max(len(found.tokens), 1)
    facts = [
        ("tokenizer.n_tokens", t.number(len(found.tokens))),
        ("tokenizer.n_chars", t.number(found.n_chars)),
        ("tokenizer.n_bytes", t.number(found.n_bytes)),
        ("tokenizer.per_token", t.number(per_token, 2)),
    ]
    return '<div class="facts">' + "".join(f"<span><b>{n}</b> {t(key)}</span>" for key, n in facts) + "</div>"


def _section(text: str, view: View, number: int, t: Translate, rows: bool, language: str) -> str:
    tokens, spans = view.found.tokens[:SHOWN], view.found.spans[:SHOWN]
    suffix = f"-{number + 1}" if number else ""
    notes = {place: t("tokenizer.cut_apart") for place in view.apart}
    chips = [strip.Chip(token, note=notes.get(token.index, "")) for token in tokens]
    cut = ""
    if len(view.found.tokens) > SHOWN:
        cut = t("tokenizer.first_ones", shown=t.number(SHOWN), count=t.number(len(view.found.tokens)))
        cut = f'<p class="hint">{cut}</p>'
    grid = table(tokens, t, f"tokenizer-table{suffix}") if rows else ""
    numbers = f'<div id="tokenizer-counts{suffix}">{counts(view.found, t)}</div>' if rows else counts(view.found, t)
    return (
        f'<section class="view" data-spans="{escape(json.dumps(spans))}" aria-label="{escape(view.name)}">'
        f"<h3>{escape(view.name)}</h3>{numbers}{cut}"
        f'<div class="passage" dir="auto" lang="{escape(language)}">{_passage(text, spans)}</div>'
        f"{strip.render(chips, t)}{grid}</section>"
    )


def _passage(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return the part of the text that the spans cover, in stretches that no token begins or ends within."""
    edges = sorted({edge for span in spans for edge in span})
    stretches = pairwise(edges)
    pieces = (f'<span data-s="{s}" data-e="{e}">{_written(text[s:e])}</span>' for s, e in stretches)
    return "".join(pieces)


def _written(text: str) -> str:
    """Return text as its reader would write it, a sign before each line break and for each control character."""
    signs = (visible(c) if ord(c) < 32 or ord(c) == 127 else c for c in text)
    return escape("".join(signs)).replace("↵", '<i class="ws">↵</i>\n')


def _row(token: Token, places: bool) -> str:
    place = f"<td>{token.index}</td>" if places else ""
    kind = ' class="special"' if token.special else ""
    return (
        f'<tr data-i="{token.index}"{kind}>{place}<td>{token.id}</td><td>{escape(token.piece)}</td>'
        f"<td>{escape(visible(token.text))}</td><td>{' '.join(f'{byte:02X}' for byte in token.bytes)}</td></tr>"
    )
