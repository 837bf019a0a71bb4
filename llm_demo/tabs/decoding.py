"""Decoding Strategies tab: one prompt, greedy beside two samplings, and every step of each under the lens."""

from collections.abc import Callable, Iterator, Sequence
from html import escape

import gradio as gr

from llm_demo.charts import Figure, top_k_bars
from llm_demo.engine import Engine
from llm_demo.i18n import Translate
from llm_demo.request import Request
from llm_demo.sampling import Sampling
from llm_demo.tabs import microscope, strip
from llm_demo.tabs.site import Site
from llm_demo.tabs.step import explain, summarize
from llm_demo.tokens import describe
from llm_demo.trace import Trace

EXAMPLE = "Lista de colores: rojo, azul"
COLUMNS = ("greedy", "focused", "free")
# temperature, top-k, top-p that the two sampling columns begin with
KNOBS = {"focused": (0.7, 5, 0.9), "free": (1.3, 0, 1.0)}
UPDATE_EVERY = 8  # decisions between two pictures: a browser spends 20 ms on each
SHOWN = 10
# what a model's generation_config may set that changes a text
MODEL_DEFAULTS = ("do_sample", "temperature", "top_k", "top_p", "min_p", "repetition_penalty", "num_beams")

Column = tuple[str, str, Figure | None, str]  # tokens, facts, chart, explanation


def build(site: Site) -> None:
    """Add the tab to the enclosing `gr.Tabs`."""
    engine = site.engine

    with site.add(gr.Tab, {"label": "decoding.title"}, id="decoding"):
        site.add(gr.Markdown, {"value": "decoding.intro"}, elem_classes="intro")
        prompt = site.add(
            gr.Textbox, {"label": "prompt"}, value=EXAMPLE, lines=2, max_lines=8, elem_id="decoding-prompt"
        )
        with gr.Tabs():
            with site.add(gr.Tab, {"label": "decoding.run"}, id="decoding-side"):
                with gr.Row():
                    length = site.add(
                        gr.Slider,
                        {"label": "knob.max_new_tokens"},
                        minimum=1,
                        maximum=100,
                        value=30,
                        step=1,
                        min_width=180,
                    )
                    seed = site.add(
                        gr.Number,
                        {"label": "knob.seed", "info": "knob.seed_info"},
                        value=0,
                        precision=0,
                        min_width=180,
                    )
                with gr.Row():
                    run = site.add(gr.Button, {"value": "decoding.run"}, variant="primary", elem_id="decoding-run")
                    stop = site.add(gr.Button, {"value": "stop"}, elem_id="decoding-stop")
                place = site.add(
                    gr.Slider,
                    {"label": "decoding.step", "info": "decoding.step_info"},
                    minimum=1,
                    maximum=30,
                    value=1,
                    step=1,
                    elem_id="decoding-step",
                )
                knobs: list[gr.Slider] = []
                columns: list[tuple] = []
                with gr.Row():
                    for name in COLUMNS:
                        with gr.Column(min_width=300, elem_id=f"decoding-{name}", elem_classes="level"):
                            site.add(gr.Markdown, {"value": f"decoding.{name}"})
                            with gr.Group(elem_classes="knobs"):
                                if name in KNOBS:
                                    knobs += _knobs(site, *KNOBS[name])
                                else:
                                    site.add(gr.HTML, {"value": "decoding.no_knobs"}, padding=True)
                            columns.append((strip.make(), gr.HTML(), gr.Plot(show_label=False), gr.HTML()))
                origin = gr.HTML(elem_id="decoding-origin")
                traces = gr.State(())
            with site.add(gr.Tab, {"label": "microscope.title"}, id="decoding-microscope"):
                microscope.build(site, prompt)

    def settings(length: int, seed: int, knobs: Sequence[float]) -> list[Sampling]:
        shared = {"max_new_tokens": length, "seed": seed}
        samplings = [Sampling("greedy", **shared)]
        for temperature, top_k, top_p in (knobs[:3], knobs[3:]):
            samplings.append(Sampling(temperature=temperature, top_k=top_k, top_p=top_p, **shared))
        return samplings

    def generate(
        t: Translate, request: gr.Request, prompt: str, length: int, seed: int, *knobs: float
    ) -> Iterator[dict]:
        requests = [Request(prompt, sampling) for sampling in settings(length, seed, knobs)]
        collected = engine.collect(requests)
        for count, decision in enumerate(engine.stream_many(requests, SHOWN, request.session_hash)):
            collected.add(decision)
            if count % (UPDATE_EVERY * len(COLUMNS)) == 0:
                partial = collected.finished()  # kept with every picture: what was stopped can be looked at
                yield {**_texts(partial, t), traces: tuple(partial), place: gr.update(value=1, maximum=max(length, 2))}
        done = tuple(collected.finished())
        longest = max(len(trace.steps) for trace in done)
        yield {
            **dict(zip(outputs, [p for column in draw(done, 0, t) for p in column], strict=True)),
            traces: done,
            place: gr.update(maximum=max(longest, 2)),
            origin: _origin(engine, t),
        }

    def _texts(partial: Sequence[Trace], t: Translate) -> dict:
        return {
            column[0]: strip.render(strip.chips(describe(engine.tokenizer, trace.token_ids), trace.steps), t)
            for column, trace in zip(columns, partial, strict=True)
        }

    def draw(done: Sequence[Trace], place: int, t: Translate) -> list[Column]:
        return [_column(trace, place, t) for trace in done]

    def _column(trace: Trace, place: int, t: Translate) -> Column:
        tokens = describe(engine.tokenizer, trace.token_ids)
        row = strip.render(strip.chips(tokens, trace.steps), t, place)
        if place >= len(trace.steps):
            return (
                row,
                summarize(trace, t),
                None,
                f"<p class='hint'>{t('decoding.ended', count=len(tokens))}</p>",
            )
        step = trace.steps[place]
        return row, summarize(trace, t), top_k_bars(step, t), explain(step, place, t)

    def look(t: Translate, done: Sequence[Trace], place: int) -> list[object]:
        if not done:
            return [gr.skip()] * len(outputs)
        return [part for column in draw(done, int(place) - 1, t) for part in column]

    def reword(t: Translate, done: Sequence[Trace], place: int) -> list[object]:
        return [*look(t, done, place), _origin(engine, t) if done else ""]

    def pick(number: int) -> Callable:
        def clicked(t: Translate, done: Sequence[Trace], event: gr.EventData) -> list[object]:
            place = strip.place_of(event, len(done[number].steps)) if done else 0
            return [place + 1, *look(t, done, place + 1)]

        return clicked

    outputs = [part for column in columns for part in column]
    inputs = [prompt, length, seed, *knobs]
    running = site.on(
        [run.click, prompt.submit], generate, inputs, [*outputs, traces, place, origin], show_progress_on=[origin]
    )
    gr.on([stop.click], None, cancels=[running], queue=False, api_visibility="private")
    quick = {"queue": False, "show_progress": "hidden", "trigger_mode": "always_last"}
    clicked = {**quick, "trigger_mode": "multiple"}  # which token is in the event itself, so none may be merged
    site.on([place.input], look, [traces, place], outputs, **quick)
    site.on([site.language.change], reword, [traces, place], [*outputs, origin], **quick)
    for number, column in enumerate(columns):
        site.on([column[0].click], pick(number), [traces], [place, *outputs], **clicked)


def _knobs(site: Site, temperature: float, top_k: int, top_p: float) -> list[gr.Slider]:
    return [
        site.add(gr.Slider, {"label": "knob.temperature"}, minimum=0.1, maximum=2, value=temperature, step=0.1),
        site.add(gr.Slider, {"label": "knob.top_k"}, minimum=0, maximum=50, value=top_k, step=1),
        site.add(gr.Slider, {"label": "knob.top_p"}, minimum=0.05, maximum=1, value=top_p, step=0.05),
    ]


def _origin(engine: Engine, t: Translate) -> str:
    """Say which settings are the visitor's and which the model's; its own defaults are told, not used."""
    defaults = engine.model.generation_config.to_diff_dict()
    own = ", ".join(f"{name} = {defaults[name]}" for name in MODEL_DEFAULTS if name in defaults)
    tokens = describe(engine.tokenizer, sorted(engine.loaded.stop_ids))
    stops = ", ".join(f"{token.piece} ({token.id})" for token in tokens)
    sentence = t("decoding.origin", stops=escape(stops), own=escape(own or t("decoding.no_defaults")))
    return f"<p class='hint'>{sentence}</p>"
