"""Board: one decision under the microscope, which is its two charts and a button for each candidate."""

from html import escape
from pathlib import Path

import gradio as gr

from llm_demo.charts import Figure, draw_bar, percent, top_k_bars
from llm_demo.i18n import Translate
from llm_demo.tokens import visible
from llm_demo.trace import Candidate, Step

SCRIPT = (Path(__file__).parent / "board.js").read_text("utf-8")


def make() -> gr.HTML:
    """Create the charts and, between them, the buttons; a click on a candidate reaches Python as `id` and `place`."""
    _plot("bars")
    board = gr.HTML(js_on_load=SCRIPT, elem_id="microscope-board")
    _plot("draw")
    return board


def render(step: Step, place: int, t: Translate) -> str:
    """Return safe HTML for the component: the buttons, and the charts as data for its script."""
    charts = ",".join(figure.to_json() for figure in (top_k_bars(step, t), draw_bar(step, t)))
    shown = list(step.top)
    if step.chosen not in shown:
        shown.append(step.chosen)
    buttons = "".join(_button(candidate, candidate == step.chosen, t) for candidate in shown)
    label = escape(t("microscope.choose"))
    return (
        f'<div class="choices" role="group" aria-label="{label}" data-place="{place}" '
        f'data-charts="[{escape(charts)}]"><span class="hint">{label}</span> {buttons}</div>'
    )


def picked(event: gr.EventData) -> tuple[object, object]:
    """Return the id that was clicked and the place where it stood, as the browser says it: to be checked."""
    data = event._data if isinstance(event._data, dict) else {}
    return data.get("id"), data.get("place")


def _plot(name: str) -> None:
    """Create a chart's place: an empty picture, which brings Plotly to the page and is never sent again."""
    gr.Plot(Figure(layout={"template": {}}), show_label=False, elem_id=f"microscope-{name}")


def _button(candidate: Candidate, chosen: bool, t: Translate) -> str:
    mark = "▶ " if chosen else "✕ " if candidate.prob == 0 else ""
    text = visible(candidate.text)
    title = t("microscope.write", token=text, share=percent(candidate.raw_prob, t))
    return (
        f'<button type="button" class="token scored" data-id="{candidate.token_id}" title="{escape(title)}" '
        f'style="--p:{candidate.raw_prob:.4f}">{mark}{escape(text)}</button>'
    )
