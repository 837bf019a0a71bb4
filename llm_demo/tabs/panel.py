"""Panel: the settings of the Chat tab: models, how many answers, system message, sampling."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import gradio as gr

from llm_demo.chat import can_think
from llm_demo.engine import Engine
from llm_demo.errors import ModelError
from llm_demo.i18n import Translate
from llm_demo.lessons.chat import BESIDE, ChatLesson
from llm_demo.sampling import Sampling
from llm_demo.tabs.site import Site
from llm_demo.tabs.voices import KNOBS, MODEL, PRESETS, STRATEGIES, mark, own_settings, system_message

FIRST = Sampling(max_new_tokens=120, temperature=0.7, top_p=0.9)
# minimum, maximum, step of each slider; the backend's bounds are wider
SLIDERS: dict[str, tuple[float, float, float]] = {
    "temperature": (0.1, 2, 0.1),
    "top_k": (0, 50, 1),
    "top_p": (0.05, 1, 0.05),
    "repetition_penalty": (1, 2, 0.05),
}


@dataclass(frozen=True, slots=True)
class Panel:
    """The components that hold the settings.

    Attributes:
        compare, settings: what they are folded in.
        model: who answers.
        beside: who answers next to it: one of `BESIDE`, or `MODEL` and a key.
        count: how many answers of `model`.
        system: message; empty for the template's own.
        presets: buttons, one for each of `PRESETS`.
        thinking: whether templates that know the switch have it on.
        own: button that takes the model's own settings.
        mark: whether the settings are those.
        knobs: by the name of Sampling's field, in the order of `KNOBS`.
    """

    compare: gr.Accordion
    settings: gr.Accordion
    model: gr.Dropdown
    beside: gr.Dropdown
    count: gr.Slider
    system: gr.Textbox
    presets: tuple[gr.Button, ...]
    thinking: gr.Checkbox
    own: gr.Button
    mark: gr.HTML
    knobs: dict[str, gr.components.Component]

    @property
    def inputs(self) -> list[gr.components.Component]:
        """What `voices_of` takes, in its order."""
        return [self.model, self.beside, self.count, self.system, self.thinking, *self.knobs.values()]

    @property
    def outputs(self) -> list[gr.components.Component]:
        """What `opened` gives, in its order."""
        return [self.compare, self.settings, *self.inputs, self.mark]

    def opened(self, lesson: ChatLesson, engine: Engine, t: Translate) -> list[object]:
        """Set everything as a lesson wants it, on the loaded model."""
        knobs = [getattr(lesson.sampling, name) for name in self.knobs]
        return [
            gr.update(open=lesson.opens == "compare"),
            gr.update(open=lesson.opens == "settings"),
            engine.loaded.card.key,
            lesson.beside,
            lesson.count,
            system_message(lesson.system, t),
            lesson.thinking,
            *knobs,
            mark(engine, lesson.sampling, t),
        ]


def build(site: Site) -> Panel:
    """Add the panel to the enclosing container."""
    with site.add(gr.Accordion, {"label": "chat.compare"}, open=False, elem_id="chat-compare") as compare:
        model = gr.Dropdown([], label=site.t("chat.model"), elem_id="chat-model")
        beside = gr.Dropdown(
            _besides(site.engine, site.t), value="none", label=site.t("chat.beside"), elem_id="chat-beside"
        )
        count = site.add(
            gr.Slider,
            {"label": "chat.count", "info": "chat.count_info"},
            minimum=1,
            maximum=site.engine.config.max_answers,
            value=1,
            step=1,
            elem_id="chat-count",
        )
    with site.add(gr.Accordion, {"label": "settings"}, open=False, elem_id="chat-settings") as settings:
        system = site.add(
            gr.Textbox, {"label": "chat.system", "info": "chat.system_info"}, value="", lines=2, elem_id="chat-system"
        )
        with gr.Row(elem_classes="presets"):
            presets = tuple(
                site.add(gr.Button, {"value": f"chat.preset_{name}"}, size="sm", min_width=90, elem_id=f"chat-{name}")
                for name in PRESETS
            )
        thinking = site.add(
            gr.Checkbox,
            {"label": "chat.thinking", "info": "chat.thinking_info"},
            visible=False,
            elem_id="chat-thinking",
        )
        own = site.add(gr.Button, {"value": "plan.own"}, size="sm", elem_id="chat-own-settings")
        note = gr.HTML(elem_id="chat-mark")
        knobs: dict[str, gr.components.Component] = {
            "strategy": site.add(gr.Radio, {"label": "chat.strategy"}, choices=list(STRATEGIES), value="sample")
        }
        for name, (low, high, step) in SLIDERS.items():
            knobs[name] = site.add(
                gr.Slider,
                {"label": f"knob.{name}"},
                minimum=low,
                maximum=high,
                step=step,
                value=getattr(FIRST, name),
            )
        knobs["max_new_tokens"] = site.add(
            gr.Slider,
            {"label": "knob.max_new_tokens"},
            minimum=1,
            maximum=site.engine.config.max_new_tokens,
            value=min(FIRST.max_new_tokens, site.engine.config.max_new_tokens),
            step=1,
        )
        knobs["seed"] = site.add(
            gr.Number, {"label": "knob.seed", "info": "knob.seed_info"}, value=0, precision=0, elem_id="chat-seed"
        )
    panel = Panel(compare, settings, model, beside, count, system, presets, thinking, own, note, knobs)
    _wire(site, panel)
    return panel


def _wire(site: Site, panel: Panel) -> None:
    engine = site.engine

    def choose_model(t: Translate, chosen: str, *knobs: object) -> list[object]:
        try:
            runner = engine.of(chosen)
        except ModelError as error:
            gr.Warning(error.message(t), title=t("error"), duration=None)
            return [engine.loaded.card.key, gr.update(visible=can_think(engine.tokenizer)), told(engine, knobs, t)]
        return [gr.skip(), gr.update(visible=can_think(runner.tokenizer)), told(runner, knobs, t)]

    def choose_beside(t: Translate, chosen: str) -> object:
        if not str(chosen).startswith(MODEL):
            return gr.skip()
        try:
            engine.of(chosen.removeprefix(MODEL))
        except ModelError as error:
            gr.Warning(f"{error.message(t)} {t('chat.stand_in')}", title=t("error"), duration=None)
            return "plain"
        return gr.skip()

    def own(t: Translate, chosen: str, *knobs: object) -> list[object]:
        runner = engine.of(chosen)
        mine = dict(zip(KNOBS, knobs, strict=True))
        settings = replace(own_settings(runner), max_new_tokens=mine["max_new_tokens"], seed=mine["seed"])
        return [*(getattr(settings, name) for name in panel.knobs), mark(runner, settings, t)]

    def check(t: Translate, chosen: str, *knobs: object) -> str:
        return told(engine.of(chosen), knobs, t)

    def told(runner: Engine, knobs: Sequence[object], t: Translate) -> str:
        mine = dict(zip(KNOBS, knobs, strict=True))
        return mark(runner, mine, t)

    def start(t: Translate, *knobs: object) -> list[object]:
        keys = gr.update(choices=list(engine.cards), value=engine.loaded.card.key)
        others = gr.update(choices=_besides(engine, t))
        return [keys, gr.update(visible=can_think(engine.tokenizer)), told(engine, knobs, t), others]

    def reword(t: Translate, chosen: str, *knobs: object) -> list[object]:
        ready = engine.loading.stage == "ready"
        return [
            gr.update(label=t("chat.model")),
            gr.update(choices=_besides(engine, t), label=t("chat.beside")),
            told(engine.of(chosen), knobs, t) if ready else "",
        ]

    knobs = list(panel.knobs.values())
    quick = {"queue": False, "show_progress": "hidden", "preprocess": False}
    seen = [panel.model, panel.thinking, panel.mark]
    site.on([panel.model.change], choose_model, [panel.model, *knobs], seen, preprocess=False)
    site.on([panel.beside.change], choose_beside, [panel.beside], [panel.beside], preprocess=False)
    site.on([panel.own.click], own, [panel.model, *knobs], [*knobs, panel.mark], **quick)
    site.on(
        [knob.input for knob in knobs], check, [panel.model, *knobs], [panel.mark], trigger_mode="always_last", **quick
    )
    site.reword(reword, [panel.model, *knobs], [panel.model, panel.beside, panel.mark])
    for name, button in zip(PRESETS, panel.presets, strict=True):
        site.on([button.click], lambda t, name=name: system_message(name, t), [], [panel.system], **quick)
    site.on_open(start, knobs, [*seen, panel.beside])


def _besides(engine: Engine, t: Translate) -> list[tuple[str, str]]:
    own = [(t(f"chat.beside_{name}"), name) for name in BESIDE]
    return [*own, *((t("chat.beside_model", name=key), MODEL + key) for key in engine.cards)]
