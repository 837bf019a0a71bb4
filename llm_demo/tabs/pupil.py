"""Pupil: a student in a room, who reads the question, answers it, and sees what came of it."""

from dataclasses import dataclass

import gradio as gr

from llm_demo.charts import poll_bars
from llm_demo.errors import InputError
from llm_demo.i18n import Translate
from llm_demo.poll import WhichLetter
from llm_demo.rooms import Rooms, View
from llm_demo.tabs import roomwords
from llm_demo.tabs.site import Site

EVERY = 3.0  # seconds between two looks at whether there is something new
NAME = 64  # characters of what tells one window from another

Seen = tuple[int, str]  # number of the question, phase


@dataclass(frozen=True, slots=True)
class Pupil:
    """A student's panel.

    Attributes:
        rooms: the store.
        panel: all of it, invisible to who is in no room.
        question: what is asked.
        guess, letter: where it is answered, one of the two.
        send: the button.
        told: that it was sent, or where things stand.
        chart, result: what came of it.
        seen: state: which question is on the screen, and its phase.
        clock: looks whether there is another.
    """

    rooms: Rooms
    panel: gr.Column
    question: gr.HTML
    guess: gr.Textbox
    letter: gr.Radio
    send: gr.Button
    told: gr.HTML
    chart: gr.Plot
    result: gr.HTML
    seen: gr.State
    clock: gr.Timer

    @property
    def outputs(self) -> list[gr.components.Component]:
        """The components that `drawn` has values for."""
        answer = [self.guess, self.letter, self.send, self.told]
        return [self.panel, self.question, *answer, self.chart, self.result, self.seen, self.clock]

    def drawn(self, t: Translate, code: str, visitor: str, keep: bool = False) -> list[object]:
        """Show what there is to see of a room: values for `outputs`.

        Args:
            t: the visitor's language.
            code: the room's; empty for none.
            visitor: tells one from another.
            keep: leave what is being written as it is.
        """
        if not code:
            return [gr.skip()] * len(self.outputs)
        try:
            view = self.rooms.view(_tidy(code), visitor)
        except InputError as gone:
            hidden = gr.update(visible=False)
            told = roomwords.hint(gone.message(t))
            return [gr.update(visible=True), "", *[hidden] * 3, told, hidden, "", (0, ""), gr.Timer(active=False)]
        writing, outcome = view.phase == "open", view.outcome
        about_letter = isinstance(view.question, WhichLetter)
        choices = (
            [(roomwords.choice(view.question, letter), letter) for letter in view.question.letters]
            if about_letter
            else []
        )
        written = {} if keep else {"value": view.guess}
        chosen = {} if keep else {"value": view.guess or None}
        return [
            gr.update(visible=True),
            roomwords.question(view.question, view.number, t, options=not writing),
            gr.update(visible=writing and not about_letter, **written),
            gr.update(visible=writing and about_letter, choices=choices, **chosen),
            gr.update(visible=writing),
            _told(view, t),
            gr.update(value=poll_bars(outcome, t) if outcome else None, visible=outcome is not None),
            roomwords.told(outcome, t) if outcome else "",
            (view.number, view.phase),
            gr.Timer(active=True),
        ]


def build(site: Site, rooms: Rooms, code: gr.Textbox, name: gr.Textbox) -> Pupil:
    """Add the panel to the enclosing container.

    Args:
        site: the page's.
        rooms: the store.
        code: a hidden box: of the room in the page's address.
        name: a hidden box: what the browser calls this window.
    """
    with gr.Column(visible=False, elem_id="room-pupil", elem_classes="room") as panel:
        question = gr.HTML(elem_id="pupil-question")
        guess = site.add(
            gr.Textbox,
            {"label": "room.guess", "info": "room.guess_info"},
            max_length=site.engine.config.max_guess_chars,
            visible=False,
            elem_id="pupil-guess",
        )
        letter = site.add(gr.Radio, {"label": "quiz.options"}, choices=[], visible=False, elem_id="pupil-letter")
        send = site.add(gr.Button, {"value": "room.send"}, variant="primary", visible=False, elem_id="pupil-send")
        told = gr.HTML(elem_id="pupil-told")
        chart = gr.Plot(show_label=False, visible=False, elem_id="pupil-chart")
        result = gr.HTML(elem_id="pupil-result")
        seen = gr.State((0, ""))
        clock = gr.Timer(EVERY, active=False)
    pupil = Pupil(rooms, panel, question, guess, letter, send, told, chart, result, seen, clock)

    def follow(t: Translate, request: gr.Request, code: str, name: str, seen: Seen) -> list[object]:
        """Draw anew where something has changed; else send nothing."""
        visitor = _visitor(name, request)
        try:
            view = rooms.view(_tidy(code), visitor)
        except InputError:
            return pupil.drawn(t, code, visitor)
        now = (view.number, view.phase)
        if now == seen:
            return [gr.skip()] * len(pupil.outputs)
        return pupil.drawn(t, code, visitor)

    def answer(
        t: Translate, request: gr.Request, code: str, name: str, seen: Seen, text: str, letter: str | None
    ) -> list[object]:
        visitor = _visitor(name, request)
        asked = rooms.view(_tidy(code), visitor).question
        said = letter if isinstance(asked, WhichLetter) else text
        rooms.guess(_tidy(code), seen[0], visitor, said)
        return pupil.drawn(t, code, visitor, keep=True)

    def reword(t: Translate, code: str, name: str) -> list[object]:
        return pupil.drawn(t, code, str(name)[:NAME], keep=True)

    quick = {"queue": False, "show_progress": "hidden"}
    who = [code, name]
    site.on([clock.tick], follow, [*who, seen], pupil.outputs, **quick)
    sending = {"preprocess": False, **quick}  # the choices are the room's, and Gradio's own check speaks English
    site.on([send.click, guess.submit], answer, [*who, seen, guess, letter], pupil.outputs, **sending)
    site.reword(reword, who, pupil.outputs)
    return pupil


def _told(view: View, t: Translate) -> str:
    if view.phase == "revealed":
        return roomwords.hint(t("room.wait_next"))
    if view.phase == "counting":
        return roomwords.hint(t("room.counting"))
    return roomwords.sent(view.guess, t) if view.guess else roomwords.hint(t("room.not_sent"))


def _visitor(name: object, request: gr.Request) -> str:
    return name[:NAME] if isinstance(name, str) and name else request.session_hash


def _tidy(code: object) -> str:
    """Return a code as it was given out, whatever the keyboard made of it."""
    return code.strip().upper()[:NAME] if isinstance(code, str) else ""
