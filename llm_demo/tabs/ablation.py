"""Prompt Ablation tab: a prompt in parts, what happens without each, and what each was worth."""

from collections.abc import Iterator, Sequence
from html import escape

import gradio as gr

from llm_demo.ablation import Effect, Variant, make_requests, make_variants, measure, read_parts
from llm_demo.charts import top_k_bars, worth_bars
from llm_demo.i18n import Translate
from llm_demo.sampling import Sampling
from llm_demo.tabs import strip
from llm_demo.tabs.site import Site
from llm_demo.tabs.step import summarize
from llm_demo.tokens import describe
from llm_demo.trace import Trace

SLOTS = 6  # parts on the screen
EXAMPLE = ("tone", "format", "topic")
UPDATE_EVERY = 24  # decisions of all variants between two pictures
SHOWN = 8


def build(site: Site) -> None:
    """Add the tab to the enclosing `gr.Tabs`."""
    engine = site.engine

    with site.add(gr.Tab, {"label": "ablation.title"}, id="ablation"):
        site.add(gr.Markdown, {"value": "ablation.intro"}, elem_classes="intro")
        slots: list[gr.Row] = []
        fields: list[gr.Textbox] = []
        for number in range(SLOTS):
            example = EXAMPLE[number] if number < len(EXAMPLE) else ""
            values = (
                {"value": f"ablation.example_{example}_name"},
                {"value": f"ablation.example_{example}"},
            )
            with gr.Row(visible=bool(example)) as slot:
                name = site.add(
                    gr.Textbox,
                    {"label": "ablation.name", **(values[0] if example else {})},
                    scale=1,
                    min_width=120,
                    max_length=40,
                    elem_id=f"ablation-name-{number}",
                )
                text = site.add(
                    gr.Textbox,
                    {"label": "ablation.text", **(values[1] if example else {})},
                    scale=4,
                    min_width=200,
                    lines=1,
                    max_lines=6,
                    elem_id=f"ablation-text-{number}",
                )
            slots.append(slot)
            fields += [name, text]
        with gr.Row():
            more = site.add(gr.Button, {"value": "ablation.more"}, size="sm", elem_id="ablation-more")
            fewer = site.add(gr.Button, {"value": "ablation.fewer"}, size="sm", elem_id="ablation-fewer")
        with gr.Row():
            strategy = site.add(
                gr.Radio,
                {"label": "chat.strategy"},
                choices=["greedy", "sample"],
                value="greedy",
                min_width=260,
            )
            length = site.add(
                gr.Slider,
                {"label": "knob.max_new_tokens"},
                minimum=1,
                maximum=120,
                value=40,
                step=1,
                min_width=180,
            )
            seed = site.add(gr.Number, {"label": "knob.seed"}, value=0, precision=0, min_width=120)
        with gr.Row():
            run = site.add(gr.Button, {"value": "ablation.run"}, variant="primary", elem_id="ablation-run")
            stop = site.add(gr.Button, {"value": "stop"}, elem_id="ablation-stop")
        worth = gr.Plot(show_label=False, visible=False, elem_id="ablation-worth")
        verdict = gr.HTML(elem_id="ablation-verdict")
        cards: list[tuple[gr.Column, gr.HTML, gr.Plot]] = []
        with gr.Row(elem_id="ablation-cards"):
            for number in range(SLOTS + 2):
                with gr.Column(
                    min_width=340, visible=False, elem_id=f"ablation-card-{number}", elem_classes="level"
                ) as card:
                    cards.append((card, gr.HTML(), gr.Plot(show_label=False)))
        count = gr.State(len(EXAMPLE))
        found = gr.State(None)

    def experiment(
        t: Translate, request: gr.Request, count: int, strategy: str, length: float, seed: float, *written: str
    ) -> Iterator[dict]:
        names, texts = written[0 : 2 * count : 2], written[1 : 2 * count : 2]
        data = [{"name": name, "text": text} for name, text in zip(names, texts, strict=True)]
        parts = read_parts(data, engine.config.max_parts)
        sampling = Sampling(strategy, max_new_tokens=length, seed=seed)
        variants = make_variants(engine.tokenizer, parts)
        requests = make_requests(variants, sampling, samples=1)
        collected = engine.collect(requests)
        for done, decision in enumerate(engine.stream_many(requests, SHOWN, request.session_hash)):
            collected.add(decision)
            if done % UPDATE_EVERY == 0:
                yield draw(t, (variants, collected.finished(), ()), charts=False)
        traces = collected.finished()
        effects = measure(engine, variants, traces[0])
        result = (variants, traces, effects)
        yield {**draw(t, result, charts=True), found_state: result}

    def draw(t: Translate, result: tuple[Sequence[Variant], Sequence[Trace], Sequence[Effect]], charts: bool) -> dict:
        variants, traces, effects = result
        update: dict = {}
        for number, (card, text, chart) in enumerate(cards):
            update[card] = gr.update(visible=number < len(variants))
            if number >= len(variants):
                update |= {text: "", chart: None}
                continue
            trace = traces[number]
            update[text] = _card(variants[number], trace, t)
            if charts and trace.steps:
                update[chart] = top_k_bars(trace.steps[0], t, t("ablation.first_token"))
        if charts and effects:
            update[worth] = gr.update(
                value=worth_bars([(effect.part, effect.nats) for effect in effects], t), visible=True
            )
            update[verdict] = _verdict(effects, t)
        else:
            update |= {worth: gr.update(visible=False), verdict: ""}
        return update

    def _card(variant: Variant, trace: Trace, t: Translate) -> str:
        title = t(f"ablation.{variant.kind}", part=escape(variant.part))
        row = strip.chips(describe(engine.tokenizer, trace.token_ids), trace.steps)
        return (
            f"<h3>{title}</h3>{strip.render(row, t)}{summarize(trace, t)}"
            f"<details><summary>{t('ablation.sent')}</summary>"
            f"<div class='read'>{escape(variant.prompt)}</div></details>"
        )

    def resize(change: int) -> object:
        def resized(_t: Translate, count: int) -> list[object]:
            new = min(max(count + change, 1), SLOTS)
            return [new, *(gr.update(visible=number < new) for number in range(SLOTS))]

        return resized

    def redraw(t: Translate, result: tuple | None) -> dict:
        return draw(t, result, charts=True) if result else {verdict: ""}

    found_state = found
    outputs = [worth, verdict, *(part for card in cards for part in card)]
    running = site.on([run.click], experiment, [count, strategy, length, seed, *fields], [*outputs, found])
    gr.on([stop.click], None, cancels=[running], queue=False, api_visibility="private")
    quick = {"queue": False, "show_progress": "hidden"}
    site.on([more.click], resize(1), [count], [count, *slots], **quick)
    site.on([fewer.click], resize(-1), [count], [count, *slots], **quick)
    site.on([site.language.change], redraw, [found], outputs, **quick)


def _verdict(effects: Sequence[Effect], t: Translate) -> str:
    """Return safe HTML: which part mattered most, from the figures alone."""
    most = max(effects, key=lambda effect: effect.nats)
    if most.nats <= 0:
        return f"<p class='verdict'>{t('ablation.no_effect')}</p>"
    return (
        "<p class='verdict'>"
        + t("ablation.most", part=f"<b>{escape(most.part)}</b>", nats=t.number(most.nats, 1))
        + "</p>"
    )
