"""Tokenizer link: the open section, with the text or the models that it reads."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import gradio as gr

from llm_demo.i18n import Translate
from llm_demo.links import Link
from llm_demo.tabs.exercise import Exercise
from llm_demo.tabs.link import Filled, Form
from llm_demo.tabs.pair import Pair, trouble
from llm_demo.tabs.site import Site

TOKENS, LANGUAGES, TURNS, CARD, INSIDE = (
    f"tokenizer-{name}" for name in ("tokens", "languages", "turns", "card", "inside")
)
# What runs a section; the others show what they hold at once.
BUTTONS = {TOKENS: "tokenizer-run", LANGUAGES: "tokenizer-languages-run", INSIDE: "inside-run"}


@dataclass(frozen=True, slots=True)
class Held:
    """The components that a link of each section fills.

    Attributes:
        pair: the one or two tokenizers of all sections.
        sections: name in the link -> component, for each section; `model` is whose the link is.
        show_card: language and the two models of the card -> its table.
        table: of the card.
        emptied: language and whether it is to be run at once -> the sections of the tokens and of the languages.
    """

    pair: Pair
    sections: Mapping[str, Mapping[str, gr.components.Component]]
    show_card: Callable[[Translate, str, str], str]
    table: gr.HTML
    emptied: Callable[[Translate, bool], dict]


def form(
    site: Site,
    tabs: gr.Tabs,
    held: Held,
    lesson: Exercise,
    open_lesson: Callable[[Translate, str], dict],
    opened: Sequence[gr.components.Component],
) -> Form:
    """Return what the tab's link holds.

    Args:
        site: what the tabs share.
        tabs: the sections, to be selected.
        held: what is filled.
        lesson: which one is open.
        open_lesson: language and id -> what it changes.
        opened: the components that a lesson changes.
    """
    engine = site.engine
    fields = [part for section in held.sections.values() for part in section.values()]

    def read(t: Translate, run: bool, section: str, lesson_id: str, keys: tuple[str, str], *given: object) -> Link:
        now = dict(zip(fields, given, strict=True))
        own = held.sections.get(section, {})
        values = {"at": section, **{name: now[part] for name, part in own.items()}}
        model = values.pop("model", keys[0])
        if section in (TOKENS, LANGUAGES, TURNS):
            values["other"] = keys[1]
        return Link("tokenizer", t.language, model if isinstance(model, str) else "", lesson_id or "", run, values)

    def fill(t: Translate, link: Link) -> Filled:
        values, section = link.values, link.values.get("at", TOKENS)
        updates = {**open_lesson(t, link.lesson), **held.emptied(t, link.run)}
        if "at" in values or not link.lesson:
            updates[tabs] = gr.Tabs(selected=section)
        own = held.sections.get(section, {})
        updates |= {own[name]: value for name, value in values.items() if name in own}
        if section in (CARD, INSIDE):
            if link.model:
                updates[own["model"]] = link.model
            if section == CARD:
                first = link.model or engine.loaded.card.key
                updates[held.table] = held.show_card(t, first, values.get("beside", ""))
        elif link.model or "other" in values:
            keys = (link.model or engine.loaded.card.key, values.get("other", ""))
            missing = trouble(engine, [key for key in keys if key], t)
            chosen = held.pair.chosen((engine.loaded.card.key, "") if missing else keys, missing)
            updates |= dict(zip(held.pair.outputs, chosen, strict=True))
        return Filled(updates, BUTTONS.get(section, ""))

    outputs = list(dict.fromkeys([*opened, *fields, *held.pair.outputs, held.table]))
    return Form("tokenizer", [lesson.lesson, held.pair.keys, *fields], read, outputs, fill)
