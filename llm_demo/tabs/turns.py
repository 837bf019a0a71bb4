"""Turns: what a visitor does in a chat, which is to send, try again, say something else, keep, drop and go back."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import gradio as gr

from llm_demo.conversation import Conversation, Voice, replies
from llm_demo.engine import Engine
from llm_demo.errors import InputError
from llm_demo.i18n import Translate
from llm_demo.tabs import answers, elsewhere, lens, reading, strip
from llm_demo.tabs.answers import Slot
from llm_demo.tabs.exercise import Exercise
from llm_demo.tabs.lens import Lens
from llm_demo.tabs.panel import Panel
from llm_demo.tabs.site import Site
from llm_demo.tabs.talk import render as talk_html
from llm_demo.tabs.voices import KNOBS, sampling_of, voices_of

Place = tuple[int, int]  # which answer, and which of its tokens


@dataclass(frozen=True, slots=True)
class Room:
    """The components of the tab.

    Attributes:
        talk: the conversation as bubbles; a click on the visitor's own is an event.
        text: the message to be sent.
        note: says what sending will do while a message is being changed.
        found: state, the conversation.
        earlier: state, the one before the last change; None before any.
        editing: state, the number of the own message that the text replaces; None for a new one.
        at: state, which token of which answer is under the lens.
    """

    lesson: Exercise
    panel: Panel
    slots: list[Slot]
    lens: Lens
    talk: gr.HTML
    text: gr.Textbox
    note: gr.HTML
    read: gr.HTML
    send: gr.Button
    stop: gr.Button
    retry: gr.Button
    reseed: gr.Button
    undo: gr.Button
    clear: gr.Button
    found: gr.State
    earlier: gr.State
    editing: gr.State
    at: gr.State

    @property
    def seen(self) -> list[gr.components.Component]:
        """What a token under the lens changes."""
        return [*(part for slot in self.slots for part in slot.parts), *self.lens.parts, self.at]

    @property
    def all(self) -> list[gr.components.Component]:
        """What a conversation changes."""
        return [*self.seen, self.talk, self.read, self.found, self.earlier, self.editing, self.note, self.lesson.look]


def started(room: Room, engine: Engine, t: Translate, now: Conversation = Conversation()) -> dict:  # noqa: B008 - frozen
    """Show a conversation that nobody has answered yet, or none."""
    return {**_shown(room, now, (0, 0), engine, t), room.lesson.look: ""}


def wire(site: Site, room: Room) -> list[gr.events.Dependency]:
    """Let the visitor do all that; return the events that write, for others to cancel."""
    engine, panel = site.engine, room.panel

    def answered(
        t: Translate, before: Conversation, asked: Conversation, voices: Sequence[Voice], visitor: str, lesson_id: str
    ) -> Iterator[dict]:
        begun = {room.earlier: before, room.text: "", room.lesson.look: ""}
        now = asked
        for spoken in replies(engine, asked.turns, voices, visitor, hear=elsewhere.hearing(t)):
            now = replace(asked, answers=spoken)
            if begun:  # only now it is sure that it can be answered: what was typed is safe until then
                read = reading.render(now.answers, engine, t)
                yield {**begun, **_growing(room, now, engine, t), **_looked(room, now, (0, 0), t), room.read: read}
                begun = {}
            else:
                yield _growing(room, now, engine, t)
        yield {**_shown(room, now, (0, 0), engine, t), room.lesson.look: room.lesson.looked(lesson_id, t)}

    def send(
        t: Translate,
        visitor: gr.Request,
        text: str,
        found: Conversation,
        editing: int | None,
        lesson_id: str,
        *settings: object,
    ) -> Iterator[dict]:
        asked = found.ask(text) if editing is None else found.edit(editing, text)
        yield from answered(t, found, asked, voices_of(engine, t, settings), visitor.session_hash, lesson_id)

    def retry(
        t: Translate, visitor: gr.Request, found: Conversation, lesson_id: str, *settings: object
    ) -> Iterator[dict]:
        voices = voices_of(engine, t, settings)
        for shown in answered(t, found, found.again(), voices, visitor.session_hash, lesson_id):
            yield {part: value for part, value in shown.items() if part is not room.text}

    def reseed(
        t: Translate, visitor: gr.Request, found: Conversation, lesson_id: str, *settings: object
    ) -> Iterator[dict]:
        sampling = sampling_of(settings[-len(KNOBS) :])
        seeds = {answer.voice.sampling.seed for answer in found.answers} | {sampling.seed}
        fresh = max(seeds) + 1
        for shown in retry(t, visitor, found, lesson_id, *settings[:-1], fresh):
            yield {**shown, panel.knobs["seed"]: fresh}

    def otherwise(
        t: Translate, visitor: gr.Request, found: Conversation, at: Place, event: gr.EventData
    ) -> Iterator[dict]:
        number, place = at
        answer = found.answer(number)
        forced = lens.elsewhere(answer, place, event)
        now = found
        hear = elsewhere.hearing(t)
        for (spoken,) in replies(engine, found.turns, [answer.voice], visitor.session_hash, forced, hear):
            now = found.put(number, spoken)
            yield {**_growing(room, now, engine, t), room.earlier: found}
        yield _shown(room, now, at, engine, t)

    def keep(number: int) -> Callable:
        def kept(t: Translate, found: Conversation, at: Place) -> dict:
            return {**_shown(room, found.keep(number), at, engine, t), room.earlier: found}

        return kept

    def drop(number: int) -> Callable:
        def dropped(t: Translate, found: Conversation) -> dict:
            return {**_shown(room, found.drop(number), (0, 0), engine, t), room.earlier: found}

        return dropped

    def pick(number: int) -> Callable:
        def picked(t: Translate, found: Conversation, event: gr.EventData) -> list[object]:
            if number >= len(found.answers):
                return [gr.skip()] * len(room.seen)
            place = strip.place_of(event, len(found.answers[number].trace.steps))
            return list(_at(room, found, (number, place), engine, t).values())

        return picked

    def undo(t: Translate, found: Conversation, earlier: Conversation | None, editing: int | None) -> dict:
        if editing is not None:  # nothing has changed yet but the text in the box
            return {room.editing: None, room.note: _note(found, None, t), room.text: ""}
        if earlier is None:
            raise InputError("nothing_to_undo")
        return {**started(room, engine, t), **_shown(room, earlier, (0, 0), engine, t), room.earlier: found}

    def clear(t: Translate, found: Conversation) -> dict:
        return {**started(room, engine, t), room.earlier: found if found.turns else gr.skip()}

    def edit(t: Translate, found: Conversation, event: gr.EventData) -> dict:
        number = strip.place_of(event, len(found.own))
        if not found.own:
            return {room.text: gr.skip()}
        words = found.turns[found.own[number]].content
        return {room.text: words, room.editing: number, room.note: _note(found, number, t)}

    def reword(t: Translate, found: Conversation, at: Place, lesson_id: str, editing: int | None) -> dict:
        look = room.lesson.looked(lesson_id, t) if found.answers else ""
        held = {room.editing: editing, room.note: _note(found, editing, t), room.lesson.look: look}
        return {**_shown(room, found, at, engine, t), **held}

    # A slider's ends are for the hand; the backend's bounds are told in one's own language.
    long = {"preprocess": False, "show_progress_on": [room.slots[0].facts]}
    again = [room.found, room.lesson.lesson, *panel.inputs]
    wanted = [[room.send.click, room.text.submit], [room.retry.click], [room.reseed.click]]
    asked, asked_again, asked_anew = (gr.on(triggers, None, api_visibility="private") for triggers in wanted)
    sent = site.then(
        asked,
        send,
        [room.text, room.found, room.editing, room.lesson.lesson, *panel.inputs],
        [*room.all, room.text],
        **long,
    )
    retried = site.then(asked_again, retry, again, room.all, **long)
    reseeded = site.then(asked_anew, reseed, again, [*room.all, panel.knobs["seed"]], **long)
    # One conversation is written by one hand: whatever begins anew ends what is still being written. An event of
    # Gradio's page runs to its end before the next of the same trigger, so that these come before or beside it.
    site.stop([room.lens.others.click], [sent, retried, reseeded])
    branched = site.on([room.lens.others.click], otherwise, [room.found, room.at], room.all, **long)
    running = [sent, retried, reseeded, branched]
    for one, triggers in zip(running, wanted, strict=False):
        site.stop(triggers, [other for other in running if other is not one])
    site.stop([room.stop.click, room.clear.click, room.undo.click], running)
    quick = {"queue": False, "show_progress": "hidden"}
    site.on([room.clear.click], clear, [room.found], room.all, **quick)
    site.on([room.undo.click], undo, [room.found, room.earlier, room.editing], [*room.all, room.text], **quick)
    clicked = {**quick, "trigger_mode": "multiple"}
    site.on([room.talk.click], edit, [room.found], [room.text, room.editing, room.note], **clicked)
    site.reword(reword, [room.found, room.at, room.lesson.lesson, room.editing], room.all)
    for number, slot in enumerate(room.slots):
        site.on([slot.tokens.click], pick(number), [room.found], room.seen, **clicked)
        site.on([slot.keep.click], keep(number), [room.found, room.at], room.all, **quick)
        site.on([slot.drop.click], drop(number), [room.found], room.all, **quick)
    return running


def _shown(room: Room, now: Conversation, at: Place, engine: Engine, t: Translate) -> dict:
    """Return everything that is to be seen of a conversation."""
    return {**_at(room, now, at, engine, t), **_said(room, now, t), room.read: reading.render(now.answers, engine, t)}


def _at(room: Room, now: Conversation, at: Place, engine: Engine, t: Translate) -> dict:
    """Return the answers and the lens on one token, for `Room.seen` in its order."""
    columns = [part for slot in room.slots for part in slot.parts]
    answered = answers.show(room.slots, now, at, engine, t)
    return {**dict(zip(columns, answered, strict=True)), **_looked(room, now, at, t)}


def _looked(room: Room, now: Conversation, at: Place, t: Translate) -> dict:
    answer = now.answers[at[0]] if at[0] < len(now.answers) else None
    return {**dict(zip(room.lens.parts, lens.show(answer, at[1], t), strict=True)), room.at: at}


def _growing(room: Room, now: Conversation, engine: Engine, t: Translate) -> dict:
    """Return what changes with every few tokens; the state goes with it, so that what is stopped is kept."""
    columns = [part for slot in room.slots for part in slot.parts]
    return {**dict(zip(columns, answers.show(room.slots, now, None, engine, t), strict=True)), **_said(room, now, t)}


def _said(room: Room, now: Conversation, t: Translate) -> dict:
    thoughts = now.answers[now.kept].thoughts if now.answers else ""
    talk = talk_html(now.history, thoughts, t)
    return {room.talk: talk, room.found: now, room.editing: None, room.note: _note(now, None, t)}


def _note(now: Conversation, editing: int | None, t: Translate) -> str:
    """Return safe HTML: how to change a message, or which one is being changed."""
    if editing is not None:
        return f'<p class="hint editing">{t("chat.editing", number=editing + 1)}</p>'
    return f'<p class="hint">{t("chat.how_to_edit")}</p>' if now.turns else ""
