"""Lens: one token of an answer, which is the chart of its candidates, why it was chosen, and each to take instead."""

from dataclasses import dataclass
from html import escape
from pathlib import Path

import gradio as gr

from llm_demo.charts import percent, top_k_bars
from llm_demo.conversation import Answer
from llm_demo.errors import InputError
from llm_demo.i18n import Translate
from llm_demo.tabs.site import Site
from llm_demo.tabs.step import explain
from llm_demo.tokens import visible
from llm_demo.trace import Candidate

SCRIPT = (Path(__file__).parent / "lens.js").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Lens:
    """Where one token is looked at."""

    chart: gr.Plot
    why: gr.HTML
    others: gr.HTML

    @property
    def parts(self) -> list[gr.components.Component]:
        """What `show` gives, in its order."""
        return [self.chart, self.why, self.others]


def build(site: Site) -> Lens:
    """Add the lens to the enclosing container; a click on another candidate is an event of `others`."""
    others = gr.HTML(_hint(site.t), js_on_load=SCRIPT, elem_id="chat-others")
    chart = gr.Plot(show_label=False, elem_id="chat-chart")
    why = gr.HTML(elem_id="chat-why")
    return Lens(chart, why, others)


def show(answer: Answer | None, place: int, t: Translate) -> list[object]:
    """Return what there is to see of an answer's token at a place from 0, for `Lens.parts`."""
    if answer is None or place >= len(answer.trace.steps):
        return [None, "", _hint(t)]
    step = answer.trace.steps[place]
    given = answer.voice.sampling.strategy
    if place < answer.forced:
        given = "forced" if place == answer.forced - 1 else "kept"
    rivals = [candidate for candidate in step.top if candidate.token_id != step.chosen.token_id]
    buttons = " ".join(_button(candidate, t) for candidate in rivals)
    label = escape(t("chat.elsewhere"))
    choices = (
        f'<div class="choices" role="group" aria-label="{label}"><span class="hint">{label}</span> {buttons}</div>'
    )
    return [top_k_bars(step, t), explain(step, place, t, given), choices]


def elsewhere(answer: Answer, place: int, event: gr.EventData) -> tuple[int, ...]:
    """Return the tokens that an answer begins with whose token at a place is the candidate that was clicked.

    Raises:
        InputError: the browser named none of the candidates.
    """
    wanted = event._data.get("id") if isinstance(event._data, dict) else None
    if place >= len(answer.trace.steps) or wanted not in [c.token_id for c in answer.trace.steps[place].top]:
        raise InputError("no_candidate")
    return (*answer.trace.token_ids[:place], wanted)


def _hint(t: Translate) -> str:
    return f'<p class="hint">{t("chat.press_a_token")}</p>'


def _button(candidate: Candidate, t: Translate) -> str:
    text = visible(candidate.text)
    title = t("chat.take", token=text, share=percent(candidate.raw_prob, t))
    return (
        f'<button type="button" class="token choice" data-id="{candidate.token_id}" title="{escape(title)}" '
        f'style="--p:{candidate.raw_prob or 0.0:.4f}">{escape(text)}</button>'
    )
