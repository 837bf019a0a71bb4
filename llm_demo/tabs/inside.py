"""Inside: what the model does with a text, which token looks at which, and which tokens begin alike."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

import gradio as gr

from llm_demo.attention import Attention, Lens, attend, shape
from llm_demo.charts import Figure, attention_map, attention_row, neighbour_bars, percent
from llm_demo.embedding import Neighbour, nearest
from llm_demo.i18n import Translate
from llm_demo.tabs import strip
from llm_demo.tabs.site import Site
from llm_demo.tokens import label, visible

EXAMPLE = "El perro que vi ayer ladra"
SCRIPT = strip.SCRIPT + (Path(__file__).parent / "inside.js").read_text("utf-8")
NEAREST = 10
LENSES = ("head", "layer", "all")


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What is on the screen: a text's attention, the token chosen in it, from 0, and the tokens near that one."""

    attention: Attention
    row: int
    near: tuple[Neighbour, ...]


def build(site: Site, tab: gr.Tab) -> None:
    """Add the section to the enclosing container.

    Args:
        site: the page's.
        tab: the section's own, which shows its example when it is opened.
    """
    engine = site.engine
    site.add(gr.Markdown, {"value": "inside.intro"}, elem_classes="intro")
    with gr.Row(equal_height=True):
        text = site.add(gr.Textbox, {"label": "inside.text"}, value=EXAMPLE, scale=4, elem_id="inside-text")
        run = site.add(gr.Button, {"value": "inside.run"}, variant="primary", scale=1, elem_id="inside-run")
    told = gr.HTML(elem_id="inside-told")
    tokens = gr.HTML(js_on_load=SCRIPT, elem_id="inside-tokens")
    with gr.Row():
        lens = gr.Radio(_lenses(site.t), value="head", label=site.t("inside.lens"), elem_id="inside-lens", scale=2)
        layer = _slider(site, "inside.layer")
        head = _slider(site, "inside.head")
        find = site.add(gr.Button, {"value": "inside.find"}, elem_id="inside-find", min_width=160)
    with gr.Row():
        with gr.Column(scale=3, min_width=320, elem_classes="wide"):
            _plot("map")
        with gr.Column(scale=2, min_width=320):
            _plot("row")
    site.add(gr.Markdown, {"value": "inside.sink"}, elem_classes="hint")
    site.add(gr.Markdown, {"value": "inside.near_intro"}, elem_classes="intro")
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            _plot("near")
        with gr.Column(scale=2, min_width=320):
            table = gr.HTML(elem_id="inside-table")
    kept = gr.State(None)

    def near(attention: Attention, row: int) -> tuple[Neighbour, ...]:
        return nearest(engine, attention.tokens[row].id, NEAREST)

    def begin(t: Translate, written: str) -> dict:
        attention = attend(engine, written)
        row = len(attention.tokens) - 1
        return draw(t, _Seen(attention, row, near(attention, row)))

    def open_section(t: Translate, written: str, seen: _Seen | None) -> dict:
        return begin(t, written) if seen is None else {kept: gr.skip()}

    def click(t: Translate, seen: _Seen | None, event: gr.EventData) -> dict:
        if seen is None:
            return {kept: gr.skip()}
        row = strip.place_of(event, len(seen.attention.tokens))
        return draw(t, _Seen(seen.attention, row, near(seen.attention, row)))

    def look_through(t: Translate, seen: _Seen | None, kind: str, layer: float, head: float) -> dict:
        if seen is None:
            return {kept: gr.skip()}
        chosen = Lens(_from_0(layer) if kind != "all" else None, _from_0(head) if kind == "head" else None)
        return draw(t, replace(seen, attention=attend(engine, seen.attention.text, chosen)))

    def find_head(t: Translate, seen: _Seen | None) -> dict:
        if seen is None:
            return {kept: gr.skip()}
        return draw(t, replace(seen, attention=attend(engine, seen.attention.text, row=seen.row)))

    def draw(t: Translate, seen: _Seen | None) -> dict:
        words = {lens: gr.update(label=t("inside.lens"), choices=_lenses(t))}
        if seen is None:
            return words
        through = seen.attention.lens
        layers, heads = shape(engine.model)
        kind = "all" if through.layer is None else "layer" if through.head is None else "head"
        update = {
            kept: seen,
            told: _sentences(seen, t),
            tokens: _tokens(seen, t),
            table: _table(seen.near, t),
            lens: gr.update(value=kind, **words[lens]) if False else gr.update(value=kind, label=t("inside.lens"), choices=_lenses(t)),
            layer: gr.update(maximum=layers, interactive=kind != "all"),
            head: gr.update(maximum=heads, interactive=kind == "head"),
        }
        return update

    shown = [kept, told, tokens, table, lens, layer, head]
    quick = {"queue": False, "show_progress": "hidden"}
    site.on([run.click, text.submit], begin, [text], shown, show_progress_on=[told], show_progress="minimal")
    site.on([tab.select], open_section, [text, kept], shown, show_progress_on=[told], show_progress="minimal")
    site.on([tokens.click], click, [kept], shown, trigger_mode="multiple", **quick)
    site.on(
        [lens.input, layer.input, head.input],
        look_through,
        [kept, lens, layer, head],
        shown,
        trigger_mode="always_last",
        preprocess=False,  # what is no such head is told in the visitor's language
        **quick,
    )
    site.on([find.click], find_head, [kept], shown, **quick)
    site.on([site.language.change], draw, [kept], shown, **quick)
