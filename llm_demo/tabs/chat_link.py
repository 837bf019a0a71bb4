"""Chat link: the message to be sent, what was said before it, and who answers."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import gradio as gr

from llm_demo.chat import Message
from llm_demo.conversation import Conversation
from llm_demo.errors import InputError, SettingsError
from llm_demo.i18n import Translate
from llm_demo.links import MAX_TURNS, Link
from llm_demo.tabs import turns
from llm_demo.tabs.link import Filled, Form
from llm_demo.tabs.site import Site
from llm_demo.tabs.turns import Room
from llm_demo.tabs.voices import sampling_of

SETTINGS = ("beside", "count", "system", "thinking")


def form(
    site: Site,
    room: Room,
    open_lesson: Callable[[Translate, str], dict],
    opened: Sequence[gr.components.Component],
    running: Sequence[gr.events.Dependency],
) -> Form:
    """Return what the tab's link holds.

    Args:
        site: what the tabs share.
        room: the components of the tab.
        open_lesson: language and id -> what it changes.
        opened: the components that a lesson changes.
        running: what a link breaks off.
    """
    engine, panel = site.engine, room.panel

    def read(
        t: Translate,
        run: bool,
        _at: str,
        text: object,
        found: Conversation,
        lesson_id: str,
        model: object,
        *held: object,
    ) -> Link:
        settings, knobs = held[: len(SETTINGS)], held[len(SETTINGS) :]
        said = list(found.history if isinstance(text, str) and text.strip() else found.turns)
        if found.turns and said == list(found.turns):  # nothing new was written: the last message is asked again
            text = said.pop().content
        values = {"text": text, **dict(zip(SETTINGS, settings, strict=True))}
        values |= {f"h{number}": turn.content for number, turn in enumerate(said[-MAX_TURNS:], start=1)}
        with suppress(SettingsError):  # a half-typed number is left out
            values["s"] = sampling_of(knobs)
        return Link("chat", t.language, model if isinstance(model, str) else "", lesson_id or "", run, values)

    def fill(t: Translate, link: Link) -> Filled:
        values, ignored = link.values, 0
        now = Conversation()
        said = [values[f"h{number}"] for number in range(1, MAX_TURNS + 1) if f"h{number}" in values]
        if said:
            roles = ["assistant" if number % 2 else "user" for number in range(len(said))]
            try:
                now = Conversation.taken_up([Message(*turn) for turn in zip(roles, said, strict=True)])
            except InputError:
                ignored = len(said)
        updates = {**open_lesson(t, link.lesson), **turns.started(room, engine, t, now)}
        if link.model:
            updates[panel.model] = link.model
        updates |= {getattr(panel, name): values[name] for name in SETTINGS if name in values}
        if values.get("beside", "none") != "none" or values.get("count", 1) > 1:
            updates[panel.compare] = gr.update(open=True)
        if "s" in values:
            updates |= {knob: getattr(values["s"], name) for name, knob in panel.knobs.items()}
        if "text" in values:
            updates[room.text] = values["text"]
        return Filled(updates, "chat-send", ignored)

    settings = [getattr(panel, name) for name in SETTINGS]
    inputs = [room.text, room.found, room.lesson.lesson, panel.model, *settings, *panel.knobs.values()]
    return Form("chat", inputs, read, opened, fill, running)
