"""Inside: what a model does with a text, which token looks at which, and which tokens begin alike."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

import gradio as gr

from llm_demo.attention import Attention, Lens, attend
from llm_demo.charts import Figure, attention_map, attention_row, neighbour_bars, percent
from llm_demo.embedding import Neighbour, nearest
from llm_demo.i18n import Translate
from llm_demo.tabs import elsewhere, strip
from llm_demo.tabs.site import Site
from llm_demo.tokens import label, visible

EXAMPLE = "El perro que vi ayer ladra"
SCRIPT = strip.SCRIPT + (Path(__file__).parent / "inside.js").read_text("utf-8")
NEAREST = 10
KINDS = ("head", "layer", "all")  # one head, the mean of a layer, the mean of all


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What is on the screen.

    Attributes:
        model: the key of the model that read.
        attention: of its text.
        row: the token that is chosen, from 0.
        near: the tokens nearest to that one.
    """

    model: str
    attention: Attention
    row: int
    near: tuple[Neighbour, ...]


def build(site: Site, tab: gr.Tab) -> tuple[gr.Textbox, gr.Dropdown]:
    """Add the section to the enclosing container; returns the box of its text and the list of who reads it.

    Args:
        site: the page's.
        tab: the section's own; when it is opened first, its example is looked at.
    """
    engine = site.engine
    site.add(gr.Markdown, {"value": "inside.intro"}, elem_classes="intro")
    with gr.Row(equal_height=True):
        text = site.add(
            gr.Textbox, {"label": "inside.text"}, value=EXAMPLE, scale=4, min_width=260, elem_id="inside-text"
        )
        model = site.add(
            gr.Dropdown,
            {"label": "inside.model"},
            choices=list(engine.cards),
            scale=2,
            min_width=200,
            elem_id="inside-model",
        )
        run = site.add(gr.Button, {"value": "inside.run"}, variant="primary", scale=1, elem_id="inside-run")
    tokens = gr.HTML(_hint(site.t), js_on_load=SCRIPT, elem_id="inside-tokens")
    told = gr.HTML(elem_id="inside-told")
    with gr.Column(visible=False) as panel:
        with gr.Row(elem_id="inside-lens"):
            kind = gr.Radio(
                _kinds(site.t), value="head", label=site.t("inside.lens"), elem_id="inside-kind", min_width=320
            )
            layer, head = (
                site.add(gr.Slider, {"label": f"inside.{name}"}, minimum=1, maximum=2, step=1, elem_id=f"inside-{name}")
                for name in ("layer", "head")
            )
            find = site.add(gr.Button, {"value": "inside.find"}, elem_id="inside-find", min_width=160)
        with gr.Row():
            with gr.Column(scale=3, min_width=320):
                _plot("map")
            with gr.Column(scale=2, min_width=320):
                _plot("row")
        site.add(gr.Markdown, {"value": "inside.sink"}, elem_classes="intro")
        site.add(gr.Markdown, {"value": "inside.near_intro"}, elem_classes="intro")
        with gr.Row():
            with gr.Column(scale=3, min_width=320):
                _plot("near")
            with gr.Column(scale=2, min_width=320):
                table = gr.HTML(elem_id="inside-table")
    kept = gr.State(None)

    def near(key: str, attention: Attention, row: int) -> tuple[Neighbour, ...]:
        return nearest(engine.of(key), attention.tokens[row].id, NEAREST)

    def begin(t: Translate, written: str, key: str | None) -> dict:
        key = engine.of(key).loaded.card.key
        attention = attend(engine.of(key), written)
        row = len(attention.tokens) - 1
        return {**draw(t, _Seen(key, attention, row, near(key, attention, row))), model: key}

    def open_section(t: Translate, written: str, key: str | None, seen: _Seen | None) -> dict:
        return begin(t, written, key) if seen is None else {kept: gr.skip()}

    def choose(t: Translate, seen: _Seen | None, event: gr.EventData) -> dict:
        if seen is None:
            return {kept: gr.skip()}
        row = strip.place_of(event, len(seen.attention.tokens))
        return draw(t, replace(seen, row=row, near=near(seen.model, seen.attention, row)))

    def look_through(t: Translate, seen: _Seen | None, kind: str, layer: float, head: float) -> dict:
        if seen is None:
            return {kept: gr.skip()}
        lens = Lens(_from_0(layer) if kind != "all" else None, _from_0(head) if kind == "head" else None)
        return draw(t, replace(seen, attention=attend(engine.of(seen.model), seen.attention.text, lens)))

    def look_far(t: Translate, seen: _Seen | None) -> dict:
        if seen is None:
            return {kept: gr.skip()}
        return draw(t, replace(seen, attention=attend(engine.of(seen.model), seen.attention.text, row=seen.row)))

    def draw(t: Translate, seen: _Seen | None) -> dict:
        if seen is None:
            return {kind: gr.update(label=t("inside.lens"), choices=_kinds(t)), tokens: _hint(t)}
        found, lens = seen.attention, seen.attention.lens
        which = "all" if lens.layer is None else "layer" if lens.head is None else "head"
        return {
            kept: seen,
            tokens: _tokens(seen, t),
            told: _sentences(seen, t),
            panel: gr.update(visible=True),
            kind: gr.update(value=which, label=t("inside.lens"), choices=_kinds(t)),
            layer: _slider(lens.layer, found.layers, which != "all"),
            head: _slider(lens.head, found.heads, which == "head"),
            table: _table(seen.near, t),
        }

    shown = [kept, tokens, told, panel, kind, layer, head, table]
    busy = {"show_progress_on": [told], "show_progress": "minimal"}
    quick = {"queue": False, "show_progress": "hidden"}
    site.on([run.click, text.submit, model.input], begin, [text, model], [*shown, model], preprocess=False, **busy)
    site.on([tab.select], open_section, [text, model, kept], [*shown, model], **busy)
    site.on([tokens.click], choose, [kept], shown, trigger_mode="multiple", **quick)
    site.on(
        [kind.input, layer.input, head.input],
        look_through,
        [kept, kind, layer, head],
        shown,
        trigger_mode="always_last",
        preprocess=False,  # what is no such head is told in the visitor's language
        **quick,
    )
    site.on([find.click], look_far, [kept], shown, **quick)
    site.reword(draw, [kept], shown)
    elsewhere.list_models(site, model, lambda cards, _t: list(cards))
    return text, model


def _plot(name: str) -> None:
    """Create a chart's place: an empty picture, which brings Plotly to the page; inside.js draws on it."""
    gr.Plot(Figure(layout={"template": {}}), show_label=False, elem_id=f"inside-{name}")


def _hint(t: Translate) -> str:
    return f"<p class='hint'>{t('inside.empty')}</p>"


def _kinds(t: Translate) -> list[tuple[str, str]]:
    return [(t(f"inside.{kind}_kind"), kind) for kind in KINDS]


def _slider(place: int | None, count: int, used: bool) -> dict:
    value = {} if place is None else {"value": place + 1}
    return gr.update(maximum=max(count, 2), interactive=used and count > 1, **value)


def _from_0(number: object) -> object:
    """Return the place of what people count from 1; what is no number stays as it is, to be refused."""
    return int(number) - 1 if isinstance(number, int | float) and number == number // 1 else -1


def _tokens(seen: _Seen, t: Translate) -> str:
    """Return safe HTML: the tokens to press, and the pictures as data for the script."""
    found, row = seen.attention, seen.row
    labels = [label(token) for token in found.tokens]
    weights = found.weights.tolist()
    figures = (
        attention_map(weights, labels, row, _title(found.lens, t), t),
        attention_row(weights[row], labels, row, t),
        neighbour_bars([one.similarity for one in seen.near], [label(one.token) for one in seen.near], labels[row], t),
    )
    charts = ",".join(figure.to_json() for figure in figures)
    return strip.render(strip.chips(found.tokens), t, row) + f'<div data-charts="[{escape(charts)}]"></div>'


def _title(lens: Lens, t: Translate) -> str:
    if lens.layer is None:
        return t("inside.title_all")
    if lens.head is None:
        return t("inside.title_layer", layer=lens.layer + 1)
    return t("inside.title_head", layer=lens.layer + 1, head=lens.head + 1)


def _sentences(seen: _Seen, t: Translate) -> str:
    """Return safe HTML: whom the chosen token looks at, what the first one takes, and what was left out."""
    found, row = seen.attention, seen.row
    shares = found.weights[row].tolist()
    names = [f"<b>{escape(label(token))}</b>" for token in found.tokens]
    if row == 0:
        said = [t("inside.alone", token=names[0])]
    else:
        others = sorted(range(row), key=lambda place: -shares[place])[:2]
        most = ", ".join(f"{names[place]} ({escape(percent(shares[place], t))})" for place in others)
        said = [t("inside.looks", token=names[row], most=most, own=escape(percent(shares[row], t)))]
        first = found.weights[1:, 0].mean().item()
        said.append(t("inside.first_share", token=names[0], share=escape(percent(first, t))))
    if found.dropped:
        said.append(t("inside.cut", count=t.number(len(found.tokens)), dropped=t.number(found.dropped)))
    return f"<p class='hint'>{' '.join(said)}</p>"


def _table(near: Sequence[Neighbour], t: Translate) -> str:
    head = "".join(f"<th>{t(f'inside.column_{name}')}</th>" for name in ("rank", "id", "text", "cosine"))
    rows = "".join(
        f"<tr><td>{one.token.index + 1}</td><td>{one.token.id}</td><td>{escape(visible(one.token.text))}</td>"
        f"<td>{t.number(one.similarity, 3)}</td></tr>"
        for one in near
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<div class="tokens-table" tabindex="0">{table}</div>'
