"""Decoding link: the prompt, the strategies side by side, or the settings of the microscope."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import gradio as gr

from llm_demo.errors import SettingsError
from llm_demo.i18n import Translate
from llm_demo.links import Link
from llm_demo.sampling import Sampling
from llm_demo.tabs.exercise import Exercise
from llm_demo.tabs.link import Filled, Form
from llm_demo.tabs.plan import Plan
from llm_demo.tabs.site import Site

RACE, MICROSCOPE = "decoding-race", "decoding-microscope"
# The fields of Sampling that the microscope's knobs stand for, after that of how many candidates are shown.
LENS = ("strategy", "temperature", "top_k", "top_p", "min_p", "repetition_penalty", "seed")


def form(
    site: Site,
    sections: gr.Tabs,
    prompt: gr.Textbox,
    control: gr.Checkbox,
    plan: Plan,
    lens: Sequence[gr.components.Component],
    lesson: Exercise,
    open_lesson: Callable[[Translate, str], dict],
    running: gr.events.Dependency,
) -> Form:
    """Return what the tab's link holds.

    Args:
        site: what the tabs share.
        sections: to be selected.
        prompt: of both sections.
        control: whether its control tokens are meant.
        plan: the strategies.
        lens: how many candidates the microscope shows, and its knobs in the order of `LENS`.
        lesson: which one is open.
        open_lesson: language and id -> what it changes.
        running: what a link breaks off.
    """
    engine = site.engine
    limit = engine.config.max_compared

    def read(t: Translate, run: bool, section: str, text: object, meant: object, lesson_id: str, *held: object) -> Link:
        planned, (shown, *knobs) = held[: len(plan.inputs)], held[len(plan.inputs) :]
        values = {"at": section, "text": text, **({"control": True} if meant else {})}
        if section == MICROSCOPE:
            with suppress(SettingsError):  # a half-typed number is left out
                values |= {"s": Sampling.from_dict(dict(zip(LENS, knobs, strict=True))), "shown": shown}
        else:
            try:
                samplings = plan.edited(*planned)
            except SettingsError:
                samplings = planned[0]
            values |= {f"s{number}": sampling for number, sampling in enumerate(samplings, start=1)}
        return Link("decoding", t.language, engine.loaded.card.key, lesson_id or "", run, values)

    def fill(t: Translate, link: Link) -> Filled:
        values = link.values
        section = values.get("at", RACE)
        updates = {**open_lesson(t, link.lesson), sections: gr.Tabs(selected=section)}
        if "text" in values:
            updates |= {prompt: values["text"], control: values.get("control", False)}
        samplings = [values[f"s{number}"] for number in range(1, limit + 1) if f"s{number}" in values]
        if samplings:
            updates |= dict(zip(plan.outputs, plan.shown(samplings, 0, limit, t), strict=True))
        if "shown" in values:
            updates[lens[0]] = values["shown"]
        if "s" in values:
            updates |= {knob: getattr(values["s"], name) for name, knob in zip(LENS, lens[1:], strict=True)}
        return Filled(updates, "microscope-look" if section == MICROSCOPE else "decoding-run")

    inputs = [prompt, control, lesson.lesson, *plan.inputs, *lens]
    outputs = [sections, prompt, control, *lesson.outputs, *plan.outputs, *lens]
    return Form("decoding", inputs, read, outputs, fill, [running])
