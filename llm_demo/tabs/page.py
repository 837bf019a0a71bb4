"""The page around the tabs: title, language, the state of the model, and what it runs on."""

from html import escape

import gradio as gr

from llm_demo.engine import Engine
from llm_demo.errors import DemoError
from llm_demo.i18n import Translate
from llm_demo.models.loader import STAGES
from llm_demo.tabs.site import Site


def head(site: Site) -> None:
    """Add the title, the language and, while the model loads, how far it is."""
    with gr.Row(elem_classes="head"):
        with gr.Column(scale=4, min_width=260):
            site.add(gr.HTML, {"value": "page.head"})
        with gr.Column(scale=1, min_width=180):
            site.language.render()
    status = gr.HTML(elem_id="status", visible=False)
    clock = gr.Timer(1.0)

    def tick(t: Translate) -> tuple[object, object]:
        going_on = site.engine.loading.stage in STAGES
        return gr.update(value=_status(site.engine, t), visible=site.engine.loading.stage != "ready"), gr.Timer(
            active=going_on
        )

    site.on(
        [clock.tick, site.app.load, site.language.change],
        tick,
        [],
        [status, clock],
        queue=False,
        show_progress="hidden",
    )

    site.greet()


def foot(site: Site) -> None:
    """Add the model's name, device and number format, known once it is loaded."""
    line = gr.HTML(elem_id="foot", elem_classes="foot")

    def tell(t: Translate) -> str:
        return t(
            "page.foot",
            model=escape(site.engine.loaded.card.key),
            device=escape(site.engine.device),
            dtype=site.engine.loaded.number_format,
        )

    site.on_open(tell, [], [line])
    site.on([site.language.change], tell, [], [line], show_progress="hidden")


def _status(engine: Engine, t: Translate) -> str:
    loading = engine.loading
    if loading.stage == "ready":
        return ""
    if loading.stage == "failed":
        error = loading.error
        sentence = error.message(t) if isinstance(error, DemoError) else t("errors.model_crashed")
        return f'<div class="status failed" role="alert">{escape(sentence)}</div>'
    stage = t(f"page.stage_{loading.stage}")
    return (
        f'<div class="status" role="status">{t("page.loading", stage=stage, done=loading.done + 1, of=len(STAGES))}'
        f'<progress value="{loading.done + 0.5}" max="{len(STAGES)}"></progress></div>'
    )
