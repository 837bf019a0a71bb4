"""Template: what a chat template makes of messages, who speaks where, and what its parts cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr
from transformers import PreTrainedTokenizerBase

from llm_demo.charts import signed
from llm_demo.chat import Message, can_think, has_template
from llm_demo.errors import InputError
from llm_demo.i18n import Translate
from llm_demo.request import check_text
from llm_demo.tabs.linked import SHOWN
from llm_demo.tabs.pair import Keys, Pair
from llm_demo.tabs.site import Site
from llm_demo.template import Turn, n_tokens, turns_of
from llm_demo.tokens import Token, label

NAMES = ("system", "first", "reply", "second")


def build(site: Site, pair: Pair) -> dict[str, gr.components.Component]:
    """Add the section to the enclosing container; returns the boxes of its messages by `NAMES`, and `thinking`."""
    engine = site.engine
    site.add(gr.Markdown, {"value": "turns.intro"})
    with gr.Row():
        boxes = [
            site.add(
                gr.Textbox,
                {"label": f"turns.{name}_label", "value": f"turns.{name}_example"},
                lines=2,
                max_lines=6,
                min_width=240,
                elem_id=f"tokenizer-turns-{name}",
            )
            for name in NAMES
        ]
    thinking = site.add(gr.Checkbox, {"label": "turns.thinking"}, visible=False, elem_id="tokenizer-turns-thinking")
    told = gr.HTML(elem_id="tokenizer-turns-told", elem_classes="bare")
    read = gr.HTML(elem_id="tokenizer-turns-read", elem_classes="bare")

    def show(
        t: Translate, system: str, first: str, reply: str, second: str, thinking: bool, keys: Keys
    ) -> list[object]:
        name = keys[0]
        if not name:  # the model is still loading
            return [gr.skip()] * 3
        tokenizer = engine.tokenizer_of(name)
        switch = gr.update(visible=can_think(tokenizer))
        try:
            for text in (system, first, reply, second):
                check_text(text, engine.config)
            if not (first.strip() and reply.strip() and second.strip()):
                raise InputError("empty_message")
            messages = [Message("user", first), Message("assistant", reply), Message("user", second)]
            reading = _Reading(tokenizer, messages, system, bool(thinking))
            return [_told(reading, name, t), _boxes(reading.turns, t) + _switched(reading, t), switch]
        except InputError as error:  # of somebody who is still typing
            return [f'<p class="hint">{escape(error.message(t))}</p>', gr.skip(), switch]

    site.on(
        [*(box.change for box in boxes), thinking.input, pair.keys.change],
        show,
        [*boxes, thinking, pair.keys],
        [told, read, thinking],
        queue=False,
        show_progress="hidden",
        trigger_mode="always_last",
    )
    site.reword(show, [*boxes, thinking, pair.keys], [told, read, thinking])
    return {**dict(zip(NAMES, boxes, strict=True)), "thinking": thinking}


@dataclass(frozen=True, slots=True)
class _Reading:
    """A conversation as one model would read it."""

    tokenizer: PreTrainedTokenizerBase
    messages: Sequence[Message]
    system: str
    thinking: bool

    @property
    def turns(self) -> tuple[Turn, ...]:
        return turns_of(self.tokenizer, self.messages, self.system, self.thinking)

    @property
    def without_system(self) -> tuple[Turn, ...]:
        return turns_of(self.tokenizer, self.messages, "", self.thinking)


def _told(reading: _Reading, name: str, t: Translate) -> str:
    """Return safe HTML: the tokens of the whole, and what the system message does to them."""
    turns, bare = reading.turns, reading.without_system
    count, least = n_tokens(turns), n_tokens(bare)
    notes = [t("turns.count", name=escape(name), count=t.number(count))]
    if not has_template(reading.tokenizer):
        return f'<p class="lookout">{t("turns.base", name=escape(name))}</p><p class="hint">{notes[0]}</p>'
    own = next((turn for turn in bare if turn.role == "own"), None)
    if reading.system.strip():
        notes.append(t("turns.system_costs", more=signed(count - least, 0, t), count=t.number(least)))
    if own:
        said = f'<code class="read">{escape(own.text.strip())}</code>'
        notes.append(t("turns.own_system", count=t.number(len(own.tokens))) + said)
    else:
        notes.append(t("turns.no_own_system"))
    return "".join(f'<p class="hint">{note}</p>' for note in notes)


def _switched(reading: _Reading, t: Translate) -> str:
    """Return safe HTML: how the prompt ends with and without thinking aloud; empty where there is no such switch."""
    if not can_think(reading.tokenizer):
        return ""
    ends = []
    for thinking, key in ((True, "turns.thinking_on"), (False, "turns.thinking_off")):
        turns = turns_of(reading.tokenizer, reading.messages, reading.system, thinking)
        ends.append(f"<div><h3>{t(key, count=t.number(n_tokens(turns)))}</h3>{_boxes(turns[-1:], t)}</div>")
    return f'<h3>{t("turns.switch")}</h3><div class="switched">{"".join(ends)}</div>'


def _boxes(turns: Sequence[Turn], t: Translate) -> str:
    """Return safe HTML: each turn in a box of its own, its tokens with their ids; the first `SHOWN` of all."""
    boxes, left = [], SHOWN
    for turn in turns:
        count = t("chart.one_token") if len(turn.tokens) == 1 else t("chart.tokens", count=t.number(len(turn.tokens)))
        tokens = "".join(_token(token) for token in turn.tokens[:left])
        more = t("turns.more", count=t.number(len(turn.tokens) - left)) if len(turn.tokens) > left else ""
        left -= min(left, len(turn.tokens))
        boxes.append(
            f'<section class="turn-box role-{turn.role}"><h4>{t(f"turns.role_{turn.role}")} '
            f'<span class="badge">{count}</span></h4><div class="pieces">{tokens}{more}</div></section>'
        )
    return "".join(boxes)


def _token(token: Token) -> str:
    kind = "piece special" if token.special else "piece"
    line = "<br>" if token.text.endswith("\n") else ""
    return f'<span class="{kind}">{escape(label(token))}<small>{token.id}</small></span>{line}'
