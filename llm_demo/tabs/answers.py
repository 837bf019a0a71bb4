"""Answers: every answer to the last message in a column of its own, token by token, to be kept or dropped."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from llm_demo.chat import Message, can_think, count_thinking, has_template
from llm_demo.conversation import Answer, Conversation
from llm_demo.engine import Engine
from llm_demo.i18n import Translate
from llm_demo.tabs import strip, talk
from llm_demo.tabs.site import Site
from llm_demo.tabs.step import summarize
from llm_demo.tabs.voices import names_of
from llm_demo.tokens import describe


@dataclass(frozen=True, slots=True)
class Slot:
    """Where one answer is shown."""

    column: gr.Column
    name: gr.HTML
    bubble: gr.HTML
    tokens: gr.HTML
    facts: gr.HTML
    keep: gr.Button
    drop: gr.Button

    @property
    def parts(self) -> list[gr.components.Component]:
        return [self.column, self.name, self.bubble, self.tokens, self.facts, self.keep, self.drop]


def build(site: Site) -> list[Slot]:
    """Add the columns to the enclosing container: one more than answers of one model, for who is set beside it."""
    slots = []
    with gr.Row(elem_classes="chat-slots", elem_id="chat-answers"):
        for number in range(site.engine.config.max_answers + 1):
            with gr.Column(min_width=260, visible=number == 0, elem_id=f"chat-slot-{number}") as column:
                name = gr.HTML(visible=False)
                bubble = gr.HTML(visible=False, elem_classes="chat-said")
                tokens = strip.make(strip.render((), site.t, empty=site.t("chat.no_answer")))
                facts = gr.HTML(elem_classes="chat-told")
                with gr.Row():
                    keep = gr.Button(visible=False, size="sm", min_width=90, elem_classes="chat-keep")
                    drop = gr.Button(visible=False, size="sm", min_width=70, elem_classes="chat-drop")
            slots.append(Slot(column, name, bubble, tokens, facts, keep, drop))
    return slots


def show(
    slots: Sequence[Slot], now: Conversation, at: tuple[int, int] | None, engine: Engine, t: Translate
) -> list[object]:
    """Return what is to be seen of a conversation's answers, slot after slot.

    Args:
        slots: of `build`.
        now: the conversation.
        at: which answer and which of its tokens is under the lens; None while they grow.
        engine: of the loaded model.
        t: the visitor's language.
    """
    names = names_of([answer.voice for answer in now.answers], t)
    several = len(now.answers) > 1
    shown: list[object] = []
    for number in range(len(slots)):
        if number >= len(now.answers):
            empty = strip.render((), t, empty=t("chat.no_answer" if not now.turns else "chat.starting"))
            shown += [gr.update(visible=number == 0), _hidden(), _hidden(), empty, "", _hidden(), _hidden()]
            continue
        answer = now.answers[number]
        kept = number == now.kept
        place = at[1] if at and at[0] == number else None
        bubble = talk.render((Message("assistant", answer.said.strip()),), answer.thoughts, t)
        keep = gr.update(value=t("chat.kept" if kept else "chat.keep"), interactive=not kept, visible=several)
        shown += [
            gr.update(visible=True),
            gr.update(value=f"<h3>{escape(names[number])}</h3>", visible=several),
            gr.update(value=bubble, visible=several),
            _tokens(answer, place, engine, t),
            _facts(answer, engine, t),
            keep,
            gr.update(value=t("chat.drop"), visible=several),
        ]
    return shown


def _hidden() -> dict:
    return gr.update(visible=False)


def _tokens(answer: Answer, place: int | None, engine: Engine, t: Translate) -> str:
    trace = answer.trace
    tokens = describe(engine.of(answer.voice.model).tokenizer, trace.token_ids)
    notes = {answer.forced - 1: t("chat.forced_note")} if answer.forced else {}
    return strip.render(strip.chips(tokens, trace.steps, notes), t, place, empty=t("chat.starting"))


def _facts(answer: Answer, engine: Engine, t: Translate) -> str:
    """Return safe HTML: how long, how likely and why it ended; then whatever else a reader has to know."""
    if not answer.trace.steps:
        return ""
    tokenizer = engine.of(answer.voice.model).tokenizer
    base = not has_template(tokenizer)
    notes = []
    if thoughts := count_thinking(tokenizer, answer.trace.token_ids, answer.prompt):
        count, total = t.number(thoughts), t.number(len(answer.trace.token_ids))
        notes.append(t("chat.thought_tokens", count=count, total=total))
    if answer.is_cut and answer.trace.finish_reason == "length":
        notes.append(t("chat.thoughts_cut"))
    if answer.voice.thinking and not can_think(tokenizer):
        notes.append(t("chat.no_switch"))
    if base or answer.voice.plain:
        notes.append(t("chat.base" if base else "chat.plain"))
    if answer.left_out:
        notes.append(t("chat.left_out", count=t.number(answer.left_out)))
    told = "".join(f'<p class="hint">{note}</p>' for note in notes)
    return summarize(answer.trace, t) + told
