"""Strip: tokens as a row of buttons, coloured by probability or by turns, one of them selected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from types import MappingProxyType

import gradio as gr

from llm_demo.charts import percent
from llm_demo.i18n import Translate
from llm_demo.tokens import Token, label
from llm_demo.trace import Step

SCRIPT = (Path(__file__).parent / "strip.js").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Chip:
    """A token as it is shown.

    Attributes:
        token: which one.
        prob: its probability when it was chosen; None where nothing was chosen.
        note: what else is to be said of it; plain text, marked on the token. Empty for nothing.
    """

    token: Token
    prob: float | None = None
    note: str = ""


def make(value: str = "") -> gr.HTML:
    """Create the component, `value` of `render` in it; a click on a token reaches Python as `event.index`."""
    return gr.HTML(value, js_on_load=SCRIPT)


def chips(
    tokens: Sequence[Token], steps: Sequence[Step] = (), notes: Mapping[int, str] = MappingProxyType({})
) -> list[Chip]:
    """Pair tokens with what the model gave each when it was chosen, and with what `notes` say of their places."""
    if not steps:
        return [Chip(token) for token in tokens]
    pairs = zip(tokens, steps, strict=True)
    return [Chip(token, step.chosen.raw_prob, notes.get(i, "")) for i, (token, step) in enumerate(pairs)]


def render(shown: Sequence[Chip], t: Translate, selected: int | None = None, empty: str = "") -> str:
    """Return safe HTML for the component; `empty` is the sentence where there is no token yet."""
    if not shown:
        return f'<p class="hint">{escape(empty)}</p>'
    buttons = "".join(_button(chip, place, place == selected, t) for place, chip in enumerate(shown))
    return f'<div class="strip" role="group" aria-label="{escape(t("strip.label"))}">{buttons}</div>'


def _button(chip: Chip, place: int, selected: bool, t: Translate) -> str:
    token = chip.token
    text = escape(label(token)).replace("·", '<i class="ws">·</i>')
    title = t("strip.token", index=place + 1, id=token.id)
    style, kind = "", f"turn turn-{place % 5}"
    if chip.prob is not None:
        title += " · " + percent(chip.prob, t)
        style, kind = f' style="--p:{chip.prob:.4f}"', "scored"
    if token.special:
        kind += " special"
    elif "\ufffd" in token.text:
        kind += " bytes"
        title += " · " + t("strip.bytes")
    if chip.note:
        kind += " noted"
        title += " · " + chip.note
    new_line = "<br>" * min(token.text.count("\n"), 2) if not token.special else ""
    pressed = "true" if selected else "false"
    # One stop of the tab key for the whole strip; the arrows move inside it.
    focus = 0 if selected or place == 0 else -1
    return (
        f'<button type="button" class="token {kind}" data-i="{place}" aria-pressed="{pressed}" '
        f'tabindex="{focus}" title="{escape(title)}"{style}>{text}</button>{new_line}'
    )


def place_of(event: gr.EventData, count: int) -> int:
    """Return which of `count` tokens was clicked; the browser's word is not taken for it."""
    index = event._data.get("index") if isinstance(event._data, dict) else None
    return min(max(index, 0), count - 1) if isinstance(index, int) and count else 0
