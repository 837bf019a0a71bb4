"""One token under the microscope: a section where a visitor writes a text one token at a time."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from html import escape

import gradio as gr

from llm_demo import microscope
from llm_demo.errors import SettingsError
from llm_demo.i18n import Translate
from llm_demo.microscope import MOST_BRANCHES, MOST_SHOWN, Scope, Text
from llm_demo.prompt import literal
from llm_demo.request import Request
from llm_demo.sampling import Sampling
from llm_demo.tabs import board, elsewhere, strip
from llm_demo.tabs.site import Site
from llm_demo.tabs.step import explain
from llm_demo.tokens import describe, visible
from llm_demo.trace import Step

SHOWN = 10
LONGER = 40  # tokens written at once
UPDATE_EVERY = 4  # tokens between two pictures of the text
PROMPT_SHOWN = 240  # its last characters

Move = Callable[..., Scope]


def build(site: Site, prompt: gr.Textbox, control: gr.Checkbox) -> list[gr.components.FormComponent]:
    """Add the section to the enclosing container; returns its knobs, how many candidates to show first.

    Args:
        site: the page's.
        prompt: the box whose text is looked at.
        control: whether control tokens spelled in it are read as such.
    """
    engine = site.engine
    most = min(MOST_SHOWN, engine.config.max_top_k)

    site.add(gr.Markdown, {"value": "microscope.intro"}, elem_classes="intro")
    look = site.add(gr.Button, {"value": "microscope.look"}, variant="primary", elem_id="microscope-look")
    hint = gr.HTML(_hint(None, site.t), elem_id="microscope-hint")
    with gr.Column(visible=False, elem_id="microscope-panel") as panel:
        text = gr.HTML(js_on_load=strip.SCRIPT, elem_id="microscope-text")
        with gr.Row():
            small = {"size": "sm", "min_width": 120}
            take = site.add(
                gr.Button, {"value": "microscope.take"}, variant="primary", elem_id="microscope-take", **small
            )
            again = site.add(gr.Button, {"value": "microscope.again"}, elem_id="microscope-again", **small)
            undo = site.add(gr.Button, {"value": "microscope.undo"}, elem_id="microscope-undo", **small)
            finish = site.add(gr.Button, {"value": "microscope.finish"}, elem_id="microscope-finish", **small)
            stop = site.add(gr.Button, {"value": "stop"}, elem_id="microscope-stop", **small)
        with gr.Row():
            with gr.Column(scale=3, min_width=320):
                view = board.make()
                told = gr.HTML(elem_id="microscope-told")
            with gr.Column(scale=2, min_width=280, elem_id="microscope-knobs"):
                knobs = _knobs(site, most)
        with gr.Column(visible=False, elem_id="microscope-branches") as left:
            site.add(gr.Markdown, {"value": "microscope.branches"})
            branches = [
                gr.HTML(js_on_load=strip.SCRIPT, visible=False, elem_classes="branch") for _ in range(MOST_BRANCHES)
            ]
    kept = gr.State(None)

    def settings(
        strategy: str, temperature: float, top_k: int, top_p: float, min_p: float, penalty: float, seed: int
    ) -> Sampling:
        return Sampling(
            strategy,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            min_p=min_p,
            repetition_penalty=penalty,
            seed=seed,
        )

    def decide(scope: Scope, shown: float, *values: object) -> Step:
        sampling = settings(*values)
        if sampling.repetition_penalty != 1 and not engine.offers.logits:
            raise SettingsError("engine_scores")
        # In the model's own thread: see Engine.call.
        return engine.call(lambda: microscope.decide(scope, sampling, shown, engine.tokenizer.decode, most))

    def redraw(t: Translate, scope: Scope | None, *values: object) -> dict:
        if scope is None:
            return {view: gr.skip()}
        step = decide(scope, *values)
        return {view: board.render(step, scope.place, t), told: explain(step, scope.place, t)}

    def written(t: Translate, scope: Scope) -> dict:
        update = {
            kept: scope,
            text: _text(scope, row(scope.text, t, scope.place), t),
            hint: _hint(scope, t),
            look: gr.update(variant="secondary"),  # what comes next is elsewhere now
            undo: gr.update(interactive=bool(scope.text)),
            left: gr.update(visible=bool(scope.branches)),
        }
        for number, branch in enumerate(branches):
            there = number < len(scope.branches)
            update[branch] = gr.update(value=row(scope.branches[number], t) if there else "", visible=there)
        return update

    def row(tokens: Text, t: Translate, place: int | None = None) -> str:
        told = describe(engine.tokenizer, [token.token_id for token in tokens])
        chips = [strip.Chip(token, one.raw_prob) for token, one in zip(told, tokens, strict=True)]
        return strip.render(chips, t, place)

    def draw(t: Translate, scope: Scope | None, *values: object) -> dict:
        if scope is None:
            return {hint: _hint(None, t)}
        return {**written(t, scope), **redraw(t, scope, *values), panel: gr.update(visible=True)}

    def see(t: Translate, scope: Scope, visitor: str) -> Scope:
        heard = engine.heard_by(elsewhere.hearing(t))
        return replace(scope, logits=heard.look(scope.prompt, scope.before, visitor))

    def begin(
        t: Translate, request: gr.Request, prompt: str, control: bool, scope: Scope | None, *values: object
    ) -> dict:
        if not control:
            prompt = literal(engine.tokenizer, prompt)
        ids = engine.encode(prompt)
        if scope and scope.prompt == prompt and scope.prompt_ids == ids:
            scope = microscope.back(scope, scope.last)
        else:
            scope = Scope(prompt, ids, engine.loaded.stop_ids)
        return draw(t, see(t, scope, request.session_hash), *values)

    def moved(move: Move) -> Callable:
        """Return an event that moves to another place and reads what is before it."""

        def work(t: Translate, request: gr.Request, scope: Scope | None, *values: object) -> dict:
            if scope is None:
                return {hint: gr.skip()}
            return draw(t, see(t, move(scope, *values), request.session_hash), *values)

        return work

    def clicked(move: Move) -> Callable:
        """The same of an event that tells what was clicked."""

        def work(t: Translate, request: gr.Request, event: gr.EventData, scope: Scope | None, *values: object) -> dict:
            return moved(partial(move, event))(t, request, scope, *values)

        return work

    def take_chosen(scope: Scope, *values: object) -> Scope:
        step = decide(scope, *values)
        return microscope.force(scope, step, step.chosen.token_id)

    def take_clicked(event: gr.EventData, scope: Scope, *values: object) -> Scope:
        token_id, place = board.picked(event)
        if place != scope.place:  # the second click of two quick ones, on a picture that is gone
            return scope
        return microscope.force(scope, decide(scope, *values), token_id)

    def go_back(event: gr.EventData, scope: Scope, *_values: object) -> Scope:
        return microscope.back(scope, strip.place_of(event, scope.last + 1))

    def take_up(number: int, event: gr.EventData, scope: Scope, *_values: object) -> Scope:
        if number >= len(scope.branches):
            return scope
        return microscope.take_up(scope, number, strip.place_of(event, len(scope.branches[number])))

    def draw_again(t: Translate, scope: Scope | None, *values: object) -> dict:
        if scope is None:
            return {view: gr.skip()}
        scope = microscope.draw_again(scope)
        return {kept: scope, **redraw(t, scope, *values)}

    def let_finish(
        t: Translate, request: gr.Request, scope: Scope | None, shown: float, *values: object
    ) -> Iterator[dict]:
        if scope is None:
            return
        tokens = [decide(scope, shown, *values).chosen]
        forced = (*scope.before, tokens[0].token_id)
        length = max(min(len(scope.before) + LONGER, engine.config.max_new_tokens), len(forced))
        sampling = replace(settings(*values), max_new_tokens=length)
        heard = engine.heard_by(elsewhere.hearing(t))
        decisions = heard.stream_many([Request(scope.prompt, sampling, forced)], 1, request.session_hash)
        steps = (decision.event for decision in decisions if isinstance(decision.event, Step))
        for number, step in enumerate(steps):
            if number >= len(forced):
                tokens.append(step.chosen)
                if len(tokens) % UPDATE_EVERY == 0:
                    yield written(t, microscope.grow(scope, tokens))
        grown = microscope.grow(scope, tokens)
        there = microscope.back(grown, min(scope.place + len(tokens), grown.last))
        yield draw(t, see(t, there, request.session_hash), shown, *values)

    def suit(_t: Translate, strategy: str) -> list[object]:
        """Leave only what has a say: greedy decoding draws nothing, so that nothing is cut before the draw."""
        return [gr.update(interactive=strategy != "greedy")] * (len(drawing) + 1)

    strategy, temperature, top_k, top_p, min_p, _penalty, seed = knobs[1:]
    drawing = [temperature, top_k, top_p, min_p, seed]
    picture = [view, told]
    everything = [kept, text, hint, look, undo, left, *branches, *picture, panel]
    inputs = [kept, *knobs]
    busy = {"show_progress_on": [hint], "show_progress": "minimal"}
    quick = {"queue": False, "show_progress": "hidden"}
    running = site.on([finish.click], let_finish, inputs, everything, **busy)
    halt = {**busy, "cancels": [running]}  # whoever goes elsewhere has read enough
    many = {**halt, "trigger_mode": "multiple"}  # what was clicked is in the event itself, so none may be merged
    site.stop([stop.click], [running])
    site.on([look.click], begin, [prompt, control, *inputs], everything, **halt)
    site.on([take.click], moved(take_chosen), inputs, everything, **halt)
    site.on([undo.click], moved(lambda scope, *_values: microscope.undo(scope)), inputs, everything, **halt)
    site.on([view.click], clicked(take_clicked), inputs, everything, **many)
    site.on([text.click], clicked(go_back), inputs, everything, **many)
    for number, branch in enumerate(branches):
        site.on([branch.click], clicked(partial(take_up, number)), inputs, everything, **many)
    site.on([again.click], draw_again, inputs, [kept, *picture], **quick)
    site.on([knob.input for knob in knobs], redraw, inputs, picture, trigger_mode="always_last", **quick)
    site.on([strategy.change], suit, [strategy], [again, *drawing], **quick)
    site.reword(draw, inputs, everything)
    return knobs


def _knobs(site: Site, most: int) -> list[gr.components.FormComponent]:
    """Add what a decision depends on: how many candidates to show, the strategy and its settings."""

    def slider(key: str, low: float, high: float, value: float, step: float) -> gr.Slider:
        return site.add(gr.Slider, {"label": key}, minimum=low, maximum=high, value=value, step=step)

    strategy = site.add(gr.Radio, {"label": "chat.strategy"}, choices=["greedy", "sample"], value="sample")
    sliders = [
        slider("knob.temperature", 0.1, 2, 1, 0.1),
        slider("knob.top_k", 0, 50, 5, 1),
        slider("knob.top_p", 0.05, 1, 1, 0.05),
        slider("microscope.min_p", 0, 0.5, 0, 0.01),
        slider("microscope.penalty", 1, 2, 1, 0.05),
        slider("knob.seed", 0, 100, 4, 1),
    ]
    shown = slider("microscope.shown", min(5, most), most, min(SHOWN, most), 1)
    return [shown, strategy, *sliders]


def _text(scope: Scope, row: str, t: Translate) -> str:
    """Return safe HTML: the prompt, the tokens and, after them, the place of the next."""
    prompt = scope.prompt if len(scope.prompt) <= PROMPT_SHOWN else "…" + scope.prompt[-PROMPT_SHOWN:]
    after = ""
    if not scope.ended:
        pressed = "true" if scope.place == scope.last else "false"
        after = (
            f'<button type="button" class="token next" data-i="{scope.last}" aria-pressed="{pressed}" '
            f'title="{escape(t("microscope.next"))}">?</button>'
        )
    return f'<div class="written"><span class="begun">{escape(prompt)}</span>{row if scope.text else ""}{after}</div>'


def _hint(scope: Scope | None, t: Translate) -> str:
    """Say what there is to do."""
    if scope is None:
        said = t("microscope.empty")
    elif scope.place == len(scope.text):
        said = t("microscope.now")
    else:
        token = escape(visible(scope.text[scope.place].text))
        said = t("microscope.ended" if scope.ended and scope.place == scope.last else "microscope.back", token=token)
    return f"<p class='hint'>{said}</p>"
