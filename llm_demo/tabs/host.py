"""Host: an instructor's room, which is the way in for the class, the answers arriving, and the result."""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import gradio as gr

from llm_demo.charts import poll_bars
from llm_demo.errors import InputError
from llm_demo.i18n import Translate
from llm_demo.poll import NextToken, Question
from llm_demo.quiz.quiz import Quiz
from llm_demo.rooms import Rooms, Ticket
from llm_demo.tabs import elsewhere, roomwords
from llm_demo.tabs.site import Site
from llm_demo.tally import another, continued, tally

EVERY = 2.0  # seconds between two looks at how many answers there are
ADDRESS = re.compile(r"https?://[\w.:\[\]/~%-]{1,300}")  # of a page; it goes into a link
SHOW = "() => document.querySelector('{}')?.scrollIntoView({{ block: 'start' }})"


@dataclass(frozen=True, slots=True)
class Host:
    """The instructor's panel.

    Attributes:
        site: the page's.
        rooms: the store.
        ticket, base: hidden boxes: of the room that this window holds, and the address of the page.
        panel: all of it, invisible where there is no room.
        invitation, link, qr, question, count: what an open room shows.
        reveal, next: buttons.
        chart, told: the result.
        clock: looks at the count.
    """

    site: Site
    rooms: Rooms
    ticket: gr.Textbox
    base: gr.Textbox
    panel: gr.Column
    invitation: gr.HTML
    link: gr.Textbox
    qr: gr.HTML
    question: gr.HTML
    count: gr.HTML
    reveal: gr.Button
    next: gr.Button
    chart: gr.Plot
    told: gr.HTML
    clock: gr.Timer

    @property
    def outputs(self) -> list[gr.components.Component]:
        """The components that `drawn` has values for."""
        told = [self.invitation, self.link, self.qr, self.question, self.count]
        return [self.ticket, self.panel, *told, self.reveal, self.next, self.chart, self.told, self.clock]

    def away(self) -> list[object]:
        """Show no room."""
        return ["", gr.update(visible=False), *[gr.skip()] * (len(self.outputs) - 3), gr.Timer(active=False)]

    def drawn(self, t: Translate, ticket: str, base: str) -> list[object]:
        """Show the room of a ticket, or none where it is gone: values for `outputs`."""
        held = Ticket.parse(ticket)
        try:
            votes = self.rooms.count(held)
            view = self.rooms.view(held.code)
        except InputError:
            return self.away()
        base = base if ADDRESS.fullmatch(base) else ""
        address = roomwords.link(base, held.code)
        outcome = view.outcome
        return [
            ticket,
            gr.update(visible=True),
            roomwords.invitation(base, held.code, self.site.engine.config.room_seconds // 60, t),
            address,
            roomwords.picture(address, outcome is None, t),
            roomwords.question(view.question, view.number, t, options=True),
            roomwords.count(votes, t),
            gr.update(interactive=outcome is None, variant="secondary" if outcome else "primary"),
            gr.update(interactive=outcome is not None, variant="primary" if outcome else "secondary"),
            gr.update(value=poll_bars(outcome, t) if outcome else None, visible=outcome is not None),
            roomwords.told(outcome, t) if outcome else "",
            gr.Timer(active=outcome is None),
        ]

    def button(self, tab: str) -> gr.Button:
        """Add the button that puts to the class what a tab shows to the enclosing container; wire it with `offer`."""
        return self.site.add(gr.Button, {"value": "room.ask"}, elem_id=f"{tab}-ask-class", elem_classes="ask-class")

    def offer(self, button: gr.Button, question_of: Callable[..., Question], inputs: Sequence[object]) -> None:
        """Wire a button of a tab.

        Args:
            button: made by `button`.
            question_of: makes the question of the values of `inputs`; may raise DemoError.
            inputs: components of the tab.
        """

        def ask(t: Translate, ticket: str, base: str, *values: object) -> list[object]:
            question = question_of(*values)
            with suppress(InputError):  # the room is gone: it makes place for another
                self.rooms.ask(Ticket.parse(ticket), question)
                return self.drawn(t, ticket, base)
            return self.drawn(t, str(self.rooms.open(question)), base)

        asked = self.site.on(
            [button.click], ask, [self.ticket, self.base, *inputs], self.outputs, show_progress="hidden"
        )
        asked.then(None, None, None, js=SHOW.format("#room-host"), api_visibility="private")


def build(site: Site, quiz: Quiz, rooms: Rooms, ticket: gr.Textbox, base: gr.Textbox) -> Host:
    """Add the panel to the enclosing container."""
    with gr.Column(visible=False, elem_id="room-host", elem_classes="room") as panel:
        with gr.Row():
            with gr.Column(scale=3, min_width=300):
                invitation = gr.HTML()
                link = site.add(
                    gr.Textbox, {"label": "room.link"}, interactive=False, buttons=["copy"], elem_id="room-link"
                )
                question = gr.HTML(elem_id="room-asked")
                count = gr.HTML(elem_id="room-count")
            with gr.Column(scale=1, min_width=220):
                qr = gr.HTML(elem_id="room-qr")
        with gr.Row():
            reveal, forward, close = (
                site.add(gr.Button, {"value": f"room.{name}"}, min_width=120, elem_id=f"room-{name}")
                for name in ("reveal", "next", "close")
            )
        chart = gr.Plot(show_label=False, visible=False, elem_id="room-chart")
        told = gr.HTML(elem_id="room-told")
        site.add(gr.HTML, {"value": "room.next_hint"})
        clock = gr.Timer(EVERY, active=False)
    host = Host(
        site, rooms, ticket, base, panel, invitation, link, qr, question, count, reveal, forward, chart, told, clock
    )

    def look(t: Translate, ticket: str) -> list[object]:
        try:
            return [roomwords.count(rooms.count(Ticket.parse(ticket)), t), gr.skip()]
        except InputError as gone:
            return [roomwords.hint(gone.message(t)), gr.Timer(active=False)]

    def show(t: Translate, request: gr.Request, ticket: str, base: str) -> list[object]:
        held = Ticket.parse(ticket)
        ballot = rooms.freeze(held)
        hear = elsewhere.hearing(t)
        asked = site.engine.heard_by(hear), quiz.heard_by(hear)
        outcome = tally(*asked, ballot.question, ballot.guesses, request.session_hash)
        rooms.reveal(held, ballot.number, outcome)
        return host.drawn(t, ticket, base)

    def go_on(t: Translate, ticket: str, base: str) -> list[object]:
        held = Ticket.parse(ticket)
        view = rooms.view(held.code)
        if view.outcome is None:
            raise InputError("room_unrevealed")
        if isinstance(view.question, NextToken):
            rooms.ask(held, continued(site.engine, view.question, view.outcome))
        else:
            rooms.ask(held, another(quiz, view.question))
        return host.drawn(t, ticket, base)

    def leave(_t: Translate, ticket: str) -> list[object]:
        with suppress(InputError):  # it is gone already
            rooms.close(Ticket.parse(ticket))
        return host.away()

    def reword(t: Translate, ticket: str, base: str) -> list[object]:
        return host.drawn(t, str(ticket), str(base)) if ticket else [gr.skip()] * len(host.outputs)

    held = [ticket, base]
    quick = {"queue": False, "show_progress": "hidden"}
    site.on([clock.tick], look, [ticket], [count, clock], **quick)
    shown = site.on([reveal.click], show, held, host.outputs, show_progress="minimal", show_progress_on=[count])
    shown.then(None, None, None, js=SHOW.format("#room-asked"), api_visibility="private")
    site.on([forward.click], go_on, held, host.outputs, show_progress="minimal", show_progress_on=[count])
    site.on([close.click], leave, [ticket], host.outputs, **quick)
    site.reword(reword, held, host.outputs)
    return host
