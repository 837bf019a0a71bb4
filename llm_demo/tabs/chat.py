"""Chat tab: a conversation through the model's own template, and each token of its answers under the lens."""

from pathlib import Path

import gradio as gr

from llm_demo.chat_files import ChatRecord, Turn
from llm_demo.conversation import Conversation
from llm_demo.i18n import Translate
from llm_demo.lessons.chat import LESSONS
from llm_demo.lessons.lesson import find
from llm_demo.sampling import Sampling
from llm_demo.tabs import answers, background, chat_link, chat_save, classify, exercise, lens, link, turns
from llm_demo.tabs import panel as panels
from llm_demo.tabs.link import Sharing
from llm_demo.tabs.site import Site
from llm_demo.tabs.talk import render as talk_html

SCRIPT = (Path(__file__).parent / "bubbles.js").read_text("utf-8")


def build(site: Site) -> Sharing:
    """Add the tab to the enclosing `gr.Tabs`; returns how links fill it."""
    with site.add(gr.Tab, {"label": "chat.title"}, id="chat") as tab:
        site.add(gr.Markdown, {"value": "chat.intro"}, elem_classes="intro")
        lesson = exercise.build(site, "chat", LESSONS)
        with gr.Row():
            with gr.Column(scale=2, min_width=320):
                talk = gr.HTML(
                    talk_html((), "", site.t),
                    js_on_load=SCRIPT,
                    elem_id="chat-talk",
                    min_height=160,
                    max_height=420,
                    autoscroll=True,
                )
                note = gr.HTML(elem_id="chat-editing")
                text = site.add(
                    gr.Textbox,
                    {"label": "chat.message", "placeholder": "chat.placeholder", "value": "chat.example"},
                    lines=2,
                    elem_id="chat-message",
                )
                with gr.Row():
                    send = _button(site, "chat.send", "chat-send", variant="primary", size="lg")
                    stop = _button(site, "stop", "chat-stop", size="lg")
                with gr.Row():
                    retry, reseed, undo, clear = (
                        _button(site, f"chat.{name}", f"chat-{name}") for name in ("retry", "reseed", "undo", "clear")
                    )
                panel = panels.build(site)
            with gr.Column(scale=3, min_width=320):
                site.add(gr.Markdown, {"value": "chat.answer"})
                slots = answers.build(site)
                site.add(
                    gr.Checkbox,
                    {"label": "chat.colours"},
                    value=True,
                    interactive=True,
                    container=False,
                    elem_id="chat-colours",
                )
                look = lens.build(site)
        with site.add(gr.Accordion, {"label": "chat.read"}, open=False, elem_id="chat-reading") as fold:
            site.add(gr.Markdown, {"value": "chat.read_info"})
            read = gr.HTML(elem_id="chat-read")
        saved = chat_save.build(site)
        classify.build(site)
        background.build(site, "chat")
        room = turns.Room(
            lesson=lesson,
            panel=panel,
            slots=slots,
            lens=look,
            talk=talk,
            text=text,
            note=note,
            read=read,
            send=send,
            stop=stop,
            retry=retry,
            reseed=reseed,
            undo=undo,
            clear=clear,
            found=gr.State(Conversation()),
            earlier=gr.State(None),
            editing=gr.State(None),
            at=gr.State((0, 0)),
        )
    running = turns.wire(site, room)
    saved.wire(site, _record, [room.found])

    def open_lesson(t: Translate, lesson_id: str) -> dict:
        engine = site.engine
        chosen = find(lesson_id, LESSONS) if lesson_id else None
        shown = dict(zip(lesson.outputs, lesson.opened(chosen, engine.loaded.card.key, t), strict=True))
        if chosen is None:
            return shown
        set_up = dict(zip(panel.outputs, panel.opened(chosen, engine, t), strict=True))
        emptied = turns.started(room, engine, t)
        return {**emptied, **shown, **set_up, text: chosen.message(t), fold: gr.update(open=chosen.opens == "read")}

    opened = list(dict.fromkeys([*lesson.outputs, *panel.outputs, text, fold, *room.all]))
    lesson.wire(site, open_lesson, [], opened, running, queue=False, show_progress="hidden")
    with tab:
        return link.build(site, chat_link.form(site, room, open_lesson, opened, running))


def _record(now: Conversation) -> ChatRecord:
    """Return a conversation as it is kept in a file, with what is known of its last answer."""
    said = [Turn(message) for message in now.history]
    if not now.answers:
        return ChatRecord("", "", Sampling(), False, tuple(said))
    answer = now.answers[now.kept]
    said[-1] = Turn(now.history[-1], answer.thoughts, answer.trace.log_prob, answer.trace.token_ids)
    voice = answer.voice
    return ChatRecord(voice.model, voice.system, voice.sampling, voice.thinking, tuple(said))


def _button(site: Site, key: str, name: str, size: str = "sm", **options: object) -> gr.Button:
    return site.add(gr.Button, {"value": key}, size=size, min_width=80, elem_id=name, **options)
