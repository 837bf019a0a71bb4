"""Ablation link: the parts of the prompt with their checks, which variants are made, and how each is answered."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import gradio as gr

from llm_demo.errors import SettingsError
from llm_demo.fields import Value
from llm_demo.i18n import Translate
from llm_demo.links import Link
from llm_demo.sampling import Sampling
from llm_demo.tabs.exercise import Exercise
from llm_demo.tabs.link import Filled, Form
from llm_demo.tabs.parts import Line, Parts, lines_of
from llm_demo.tabs.site import Site
from llm_demo.tabs.ways import Ways


def form(
    site: Site,
    editor: Parts,
    ways: Ways,
    lesson: Exercise,
    case: gr.Radio,
    open_lesson: Callable[[Translate, str, int], dict],
    running: Sequence[gr.events.Dependency],
) -> Form:
    """Return what the tab's link holds.

    Args:
        site: what the tabs share.
        editor: of the parts.
        ways: the settings.
        lesson: which one is open.
        case: which of its experiments.
        open_lesson: language, id and number of the case -> what it changes.
        running: what a link breaks off.
    """
    engine = site.engine
    limit = len(editor.slots)

    def read(t: Translate, run: bool, _at: str, lesson_id: str, number: object, *held: object) -> Link:
        settings, written = held[: len(ways.parts)], held[len(ways.parts) :]
        schemes, chosen, samples, greedy, temperature, top_p, length, seed = settings
        values: dict[str, object] = {"schemes": schemes, "by": chosen, "samples": samples, "greedy": greedy}
        if lesson_id:
            values["case"] = number
        with suppress(SettingsError):  # a half-typed number is left out
            values["s"] = Sampling(max_new_tokens=length, temperature=temperature, top_p=top_p, seed=seed)
        for place, line in enumerate(lines_of(*written), start=1):
            values |= {f"n{place}": line.name, f"p{place}": line.text}
            values |= {} if line.on else {f"on{place}": False}
            values |= {f"c{place}": line.kind, f"v{place}": line.value} if line.kind else {}
        return Link("ablation", t.language, engine.loaded.card.key, lesson_id or "", run, values)

    def fill(t: Translate, link: Link) -> Filled:
        values = link.values
        updates = open_lesson(t, link.lesson, values.get("case", 0))
        lines = [
            _line(values, place) for place in range(1, limit + 1) if f"p{place}" in values or f"n{place}" in values
        ]
        if lines:
            updates |= dict(zip(editor.outputs, editor.shown(lines, t), strict=True))
        names = {ways.schemes: "schemes", ways.chosen: "by", ways.samples: "samples", ways.greedy: "greedy"}
        updates |= {part: values[name] for part, name in names.items() if name in values}
        if ways.schemes in updates:
            updates[ways.schemes] = list(updates[ways.schemes])
        if "s" in values:
            one = values["s"]
            drawing = (ways.temperature, ways.top_p, ways.length, ways.seed)
            updates |= dict(zip(drawing, (one.temperature, one.top_p, one.max_new_tokens, one.seed), strict=True))
        return Filled(updates, "ablation-run")

    inputs = [lesson.lesson, case, *ways.parts, *editor.inputs]
    outputs = [*lesson.outputs, case, *editor.outputs, *ways.parts]
    return Form("ablation", inputs, read, outputs, fill, running)


def _line(values: dict[str, Value], place: int) -> Line:
    name, text, kind, value = (values.get(f"{field}{place}", "") for field in ("n", "p", "c", "v"))
    return Line(name, text, values.get(f"on{place}", True), kind, value)
