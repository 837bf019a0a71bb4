"""The page around the tabs: title, language, the state of the model, and what it runs on."""

from html import escape

import gradio as gr

from llm_demo.errors import DemoError
from llm_demo.i18n import Translate
from llm_demo.models.files import STAGES
from llm_demo.startup import Loading
from llm_demo.tabs import elsewhere
from llm_demo.tabs.site import Site

SLOWLY = 10.0  # seconds between two looks at a start that failed
# A browser that forbids storage, as some do in the frame of a Space, throws where it is asked for: it gets one of ours,
# which lasts as long as the page.
HEAD = """<script>
try { window.localStorage; } catch {
  const kept = new Map();
  Object.defineProperty(window, 'localStorage', { value: {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, String(value)),
    removeItem: (key) => kept.delete(key),
  } });
}
</script>"""


def head(site: Site) -> None:
    """Add the title, the language and, while the model loads, how far it is."""
    with gr.Row(elem_classes="head"):
        with gr.Column(scale=4, min_width=260):
            site.add(gr.HTML, {"value": "page.head"})
        with gr.Column(scale=1, min_width=180):
            site.language.render()
    status = gr.HTML(elem_id="status", visible=False)
    clock = gr.Timer(1.0)

    def tick(t: Translate, shown: str | None) -> tuple[object, object]:
        loading = site.engine.loading
        told = _status(loading, t)
        # A start that failed is tried again; what is told again unchanged would be read out again.
        timer = gr.Timer(SLOWLY if loading.stage == "failed" else 1.0, active=loading.stage != "ready")
        return gr.skip() if told == shown else gr.update(value=told, visible=loading.stage != "ready"), timer

    site.on([clock.tick, site.app.load], tick, [status], [status, clock], queue=False, show_progress="hidden")
    site.reword(tick, [status], [status, clock])

    site.greet()


def foot(site: Site) -> None:
    """Add the model's name, device and number format, known once it is loaded."""
    line = gr.HTML(elem_id="foot", elem_classes="foot")
    elsewhere.build(site, "foot-elsewhere")

    def tell(t: Translate) -> str:
        name = escape(site.engine.loaded.card.key)
        if not site.engine.offers.inside:
            return t("elsewhere.foot", model=name)
        return t(
            "page.foot",
            model=name,
            device=escape(site.engine.device),
            dtype=site.engine.loaded.number_format,
        )

    site.on_open(tell, [], [line])
    site.reword(tell, [], [line])


def _status(loading: Loading, t: Translate) -> str:
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
