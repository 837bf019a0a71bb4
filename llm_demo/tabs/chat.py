"""Chat tab: a conversation through the model's own template, and each token of the answer under the lens."""

from collections.abc import Iterator, Sequence
from html import escape

import gradio as gr

from llm_demo.charts import Figure, top_k_bars
from llm_demo.chat import Message, can_think, has_template, read_messages, render, split_thinking
from llm_demo.chat_files import ChatRecord, Turn
from llm_demo.i18n import Translate
from llm_demo.request import Request
from llm_demo.sampling import Sampling
from llm_demo.tabs import chat_save, classify, strip
from llm_demo.tabs.site import Site
from llm_demo.tabs.step import explain, summarize
from llm_demo.tabs.talk import render as talk_html
from llm_demo.tokens import describe
from llm_demo.trace import Trace

UPDATE_EVERY = 4  # tokens between two pictures
SHOWN = 10


def build(site: Site) -> None:
    """Add the tab to the enclosing `gr.Tabs`."""
    engine = site.engine

    with site.add(gr.Tab, {"label": "chat.title"}, id="chat"):
        site.add(gr.Markdown, {"value": "chat.intro"}, elem_classes="intro")
        with gr.Row():
            with gr.Column(scale=3, min_width=320):
                talk = gr.HTML(
                    talk_html((), "", site.t), elem_id="chat-talk", min_height=220, max_height=420, autoscroll=True
                )
                text = site.add(
                    gr.Textbox,
                    {"label": "chat.message", "placeholder": "chat.placeholder", "value": "chat.example"},
                    lines=2,
                    elem_id="chat-message",
                )
                with gr.Row():
                    send = site.add(gr.Button, {"value": "chat.send"}, variant="primary", elem_id="chat-send")
                    stop = site.add(gr.Button, {"value": "stop"}, elem_id="chat-stop")
                    clear = site.add(gr.Button, {"value": "chat.clear"}, elem_id="chat-clear")
                system = site.add(
                    gr.Textbox,
                    {"label": "chat.system", "info": "chat.system_info"},
                    lines=2,
                    elem_id="chat-system",
                )
                with site.add(gr.Accordion, {"label": "settings"}, open=False):
                    knobs = [
                        site.add(gr.Radio, {"label": "chat.strategy"}, choices=["greedy", "sample"], value="sample"),
                        site.add(
                            gr.Slider,
                            {"label": "knob.temperature"},
                            minimum=0.1,
                            maximum=2,
                            value=0.7,
                            step=0.1,
                        ),
                        site.add(gr.Slider, {"label": "knob.top_k"}, minimum=0, maximum=50, value=0, step=1),
                        site.add(gr.Slider, {"label": "knob.top_p"}, minimum=0.05, maximum=1, value=0.9, step=0.05),
                        site.add(
                            gr.Slider,
                            {"label": "knob.max_new_tokens"},
                            minimum=1,
                            maximum=512,
                            value=120,
                            step=1,
                        ),
                        site.add(gr.Number, {"label": "knob.seed", "info": "knob.seed_info"}, value=0, precision=0),
                    ]
                    thinking = site.add(
                        gr.Checkbox, {"label": "chat.thinking", "info": "chat.thinking_info"}, visible=False
                    )
            with gr.Column(scale=2, min_width=320):
                site.add(gr.Markdown, {"value": "chat.answer"})
                tokens = strip.make()
                facts = gr.HTML(elem_id="chat-facts")
                chart = gr.Plot(show_label=False, elem_id="chat-chart")
                why = gr.HTML(elem_id="chat-why")
        with site.add(gr.Accordion, {"label": "chat.read"}, open=False):
            site.add(gr.Markdown, {"value": "chat.read_info"})
            read = gr.HTML(elem_id="chat-read")
        saved = chat_save.build(site)
        classify.build(site)
        history = gr.State(())
        answer = gr.State(None)

    def reply(
        t: Translate,
        text: str,
        history: Sequence[Message],
        system: str,
        thinking: bool,
        strategy: str,
        temperature: float,
        top_k: float,
        top_p: float,
        length: float,
        seed: float,
        visitor: gr.Request,
    ) -> Iterator[dict]:
        sampling = Sampling(
            strategy, max_new_tokens=length, temperature=temperature, top_k=top_k, top_p=top_p, seed=seed
        )
        asked = [*history, Message("user", text)]
        read_messages([{"role": turn.role, "content": turn.content} for turn in asked])
        prompt = render(engine.tokenizer, asked, system, thinking)
        request = Request(prompt, sampling)
        collected = engine.collect([request])
        decisions = engine.stream_many([request], SHOWN, visitor.session_hash)
        yield {**_said(asked, "", "", t), **_about(None, 0, t), read_box: _read(prompt, t), text_box: ""}
        for count, decision in enumerate(decisions):
            collected.add(decision)
            if count % UPDATE_EVERY == 0:
                yield _heard(asked, prompt, collected.finished()[0], t)
        trace = collected.finished()[0]
        yield {**_heard(asked, prompt, trace, t), **_about(trace, 0, t)}

    def _heard(asked: Sequence[Message], prompt: str, trace: Trace, t: Translate) -> dict:
        # A character of several tokens is shown once it is whole.
        text = trace.text.rstrip("\ufffd") if trace.finish_reason == "cancelled" else trace.text
        thoughts, said = split_thinking(text, prompt)
        row = strip.render(strip.chips(describe(engine.tokenizer, trace.token_ids), trace.steps), t)
        # The state goes with every picture, so that what a visitor stopped is kept.
        return {**_said(asked, thoughts, said, t), answer: trace, tokens: row, facts: summarize(trace, t)}

    def _said(asked: Sequence[Message], thoughts: str, said: str, t: Translate) -> dict:
        turns = (*asked, Message("assistant", said))
        return {talk: talk_html(turns, thoughts, t), history: turns}

    def _about(trace: Trace | None, place: int, t: Translate) -> dict:
        if trace is None or not trace.steps:
            return {tokens: strip.render((), t, empty=t("chat.no_answer")), facts: "", chart: None, why: ""}
        row = strip.chips(describe(engine.tokenizer, trace.token_ids), trace.steps)
        step = trace.steps[place]
        figure: Figure = top_k_bars(step, t)
        return {
            tokens: strip.render(row, t, place),
            facts: summarize(trace, t),
            chart: figure,
            why: explain(step, place, t),
        }

    def pick(t: Translate, trace: Trace | None, event: gr.EventData) -> dict:
        return _about(trace, strip.place_of(event, len(trace.steps)) if trace else 0, t)

    def reword(t: Translate, trace: Trace | None, turns: Sequence[Message]) -> dict:
        return {**_about(trace, 0, t), talk: talk_html(turns, "", t)}

    def _read(prompt: str, t: Translate) -> str:
        count = len(engine.encode(prompt))
        note = t("chat.context", count=t.number(count), context=t.number(engine.loaded.context))
        if not has_template(engine.tokenizer):
            note += " " + t("chat.base")
        return f'<p class="hint">{note}</p><div class="read" tabindex="0">{escape(prompt)}</div>'

    def gather(
        turns: Sequence[Message],
        trace: Trace | None,
        system: str,
        thinking: bool,
        strategy: str,
        temperature: float,
        top_k: float,
        top_p: float,
        length: float,
        seed: float,
    ) -> ChatRecord:
        sampling = Sampling(
            strategy, max_new_tokens=length, temperature=temperature, top_k=top_k, top_p=top_p, seed=seed
        )
        said = [Turn(message) for message in turns]
        if said and trace:
            thoughts, _ = split_thinking(trace.text, engine.tokenizer.decode(trace.prompt_ids))
            said[-1] = Turn(turns[-1], thoughts, trace.log_prob, trace.token_ids)
        return ChatRecord(engine.loaded.card.key, system, sampling, thinking, tuple(said))

    def forget(t: Translate) -> dict:
        return {talk: talk_html((), "", t), history: (), answer: None, read: "", **_about(None, 0, t)}

    read_box, text_box = read, text
    about = [tokens, facts, chart, why]
    running = site.on(
        [send.click, text.submit],
        reply,
        [text, history, system, thinking, *knobs],
        [talk, history, answer, read, text, *about],
        show_progress_on=[facts],
    )
    gr.on([stop.click], None, cancels=[running], queue=False, api_visibility="private")
    site.on(
        [clear.click, talk.clear],
        forget,
        [],
        [talk, history, answer, read, *about],
        cancels=[running],
        queue=False,
    )
    quick = {"queue": False, "show_progress": "hidden", "trigger_mode": "multiple"}
    site.on([tokens.click], pick, [answer], about, **quick)
    site.on([site.language.change], reword, [answer, history], [talk, *about], **quick)
    saved.wire(site, gather, [history, answer, system, thinking, *knobs])
    site.on_open(lambda _t: gr.update(visible=can_think(engine.tokenizer)), [], [thinking])
