"""Race: the strategies of a plan run together, their texts growing side by side, then taken apart step by step."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from llm_demo.charts import beam_tree, parting_bars, score_axis
from llm_demo.comparison import partings
from llm_demo.engine import Engine
from llm_demo.errors import InputError
from llm_demo.i18n import Translate
from llm_demo.request import Request
from llm_demo.sampling import Sampling
from llm_demo.snippets import snippet
from llm_demo.tabs import exercise, save, strip, versus
from llm_demo.tabs.exercise import Exercise
from llm_demo.tabs.naming import names_of
from llm_demo.tabs.plan import Plan
from llm_demo.tabs.site import Site
from llm_demo.tokens import describe
from llm_demo.trace import Trace
from llm_demo.trace_files import LoadedTraces

UPDATE_EVERY = 8  # decisions of each strategy between two pictures: a browser spends 20 ms on each
SHOWN = 10
# what a model's generation_config may set that changes a text
MODEL_DEFAULTS = ("do_sample", "temperature", "top_k", "top_p", "min_p", "repetition_penalty", "num_beams")


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where one strategy's continuation is shown."""

    column: gr.Column
    name: gr.HTML
    tokens: gr.HTML
    facts: gr.HTML
    chart: gr.Plot
    why: gr.HTML

    @property
    def parts(self) -> list[gr.components.Component]:
        return [self.column, self.name, self.tokens, self.facts, self.chart, self.why]


@dataclass(frozen=True, slots=True)
class _Together:
    """Where all continuations are shown at once."""

    box: gr.Column
    axis: gr.Plot
    list: gr.HTML
    pair: gr.Dropdown
    bars: gr.Plot
    tree_of: gr.Radio
    tree: gr.Plot
    code_of: gr.Radio
    code: gr.Code
    origin: gr.HTML

    @property
    def parts(self) -> list[gr.components.Component]:
        return [
            self.box,
            self.axis,
            self.list,
            self.pair,
            self.bars,
            self.tree_of,
            self.tree,
            self.code_of,
            self.code,
            self.origin,
        ]


def build(site: Site, prompt: gr.Textbox, plan: Plan, lesson: Exercise) -> None:
    """Add the section to the enclosing container."""
    engine = site.engine
    with gr.Row():
        run = site.add(gr.Button, {"value": "decoding.run"}, variant="primary", elem_id="decoding-run")
        stop = site.add(gr.Button, {"value": "stop"}, elem_id="decoding-stop")
    going = gr.HTML(elem_id="decoding-going")
    place = site.add(
        gr.Slider,
        {"label": "decoding.step", "info": "decoding.step_info"},
        minimum=1,
        maximum=30,
        value=1,
        step=1,
        elem_id="decoding-step",
    )
    slots: list[_Slot] = []
    with gr.Row(elem_classes="slots"):
        for number in range(engine.config.max_compared):
            with gr.Column(
                min_width=300, elem_id=f"decoding-slot-{number}", elem_classes="level", visible=number < 3
            ) as column:
                slots.append(_Slot(column, gr.HTML(), strip.make(), gr.HTML(), gr.Plot(show_label=False), gr.HTML()))
    together = _together(site)
    found = gr.State(None)
    saving = save.build(site)

    def generate(t: Translate, request: gr.Request, text: str, lesson_id: str, *edited: object) -> Iterator[dict]:
        samplings = plan.edited(*edited)
        requests = [Request(text, sampling) for sampling in samplings]
        decisions = engine.stream_many(requests, SHOWN, request.session_hash)
        collected = engine.collect(requests)
        names = names_of(samplings, t)
        yield {**_emptied(slots, names, t), together.box: gr.update(visible=False), found: None, lesson.look: ""}
        for count, decision in enumerate(decisions):
            collected.add(decision)
            if count % (UPDATE_EVERY * len(requests)) == 0:
                partial = _result(engine, text, samplings, collected.finished())
                longest = max(len(trace.steps) for trace in partial.traces)
                yield {
                    **_texts(slots, partial, engine, t),
                    found: partial,  # kept with every picture: what was stopped can be looked at
                    place: gr.update(value=1, maximum=max(longest, 2)),
                }
        result = _result(engine, text, samplings, collected.finished())
        yield {**shown(result, 1, t), lesson.look: exercise.looked(lesson_id, t)}

    def shown(result: LoadedTraces, at: int, t: Translate) -> dict:
        """Return everything that is to be seen of a result, at a step from 1."""
        longest = max(len(trace.steps) for trace in result.traces)
        at = min(max(at, 1), max(longest, 1))
        return {
            **dict(zip(slot_parts, _columns(slots, result, at - 1, engine, t), strict=True)),
            **dict(zip(together.parts, _overview(result, engine, t), strict=True)),
            found: result,
            place: gr.update(value=at, maximum=max(longest, 2)),
        }

    def look(t: Translate, result: LoadedTraces | None, at: int) -> list[object]:
        if result is None:
            return [gr.skip()] * len(slot_parts)
        return _columns(slots, result, int(at) - 1, engine, t)

    def reword(t: Translate, result: LoadedTraces | None, at: int, lesson_id: str, samplings: tuple) -> dict:
        if result is None:
            return _names(slots, names_of(samplings, t))
        return {**shown(result, int(at), t), lesson.look: exercise.looked(lesson_id, t)}

    def pick(number: int) -> Callable:
        def clicked(t: Translate, result: LoadedTraces | None, event: gr.EventData) -> list[object]:
            if result is None or number >= len(result.traces):
                return [gr.skip()] * (1 + len(slot_parts))
            at = strip.place_of(event, len(result.traces[number].steps))
            return [at + 1, *look(t, result, at + 1)]

        return clicked

    def pair(t: Translate, result: LoadedTraces | None, chosen: str) -> object:
        return _pair_chart(result, chosen, t) if result else None

    def tree(t: Translate, result: LoadedTraces | None, number: int) -> object:
        return _tree(result, number, t) if result else None

    def code(t: Translate, result: LoadedTraces | None, number: int) -> str:
        return _code(engine, result, number, t) if result else ""

    def take(t: Translate, result: LoadedTraces) -> dict:
        """Show what a file held, and put its prompt and its strategies where they can be run again."""
        limit = engine.config.max_compared
        return {
            **shown(result, 1, t),
            prompt: result.prompt,
            **dict(zip(plan.outputs, plan.shown(result.samplings, 0, limit, t), strict=True)),
        }

    slot_parts = [part for slot in slots for part in slot.parts]
    everything = [*slot_parts, *together.parts, found, place]
    running = site.on(
        [run.click, prompt.submit],
        generate,
        [prompt, lesson.lesson, *plan.inputs],
        [*everything, lesson.look],
        show_progress_on=[going],
        preprocess=False,  # a slider's ends are for the hand; the backend's bounds are told in one's own language
    )
    gr.on([stop.click], None, cancels=[running], queue=False, api_visibility="private")
    quick = {"queue": False, "show_progress": "hidden", "trigger_mode": "always_last"}
    clicked = {**quick, "trigger_mode": "multiple"}  # which token is in the event itself, so none may be merged
    site.on([place.input], look, [found, place], slot_parts, **quick)
    site.on(
        [site.language.change],
        reword,
        [found, place, lesson.lesson, plan.samplings],
        [*everything, lesson.look],
        **quick,
    )
    for number, slot in enumerate(slots):
        site.on([slot.tokens.click], pick(number), [found], [place, *slot_parts], **clicked)
    site.on([together.pair.input], pair, [found, together.pair], [together.bars], **quick)
    site.on([together.tree_of.input], tree, [found, together.tree_of], [together.tree], **quick)
    site.on([together.code_of.input], code, [found, together.code_of], [together.code], **quick)
    saving.wire(site, found, take, [*everything, prompt, *plan.outputs])


def _together(site: Site) -> _Together:
    with gr.Column(visible=False, elem_id="decoding-together") as box:
        site.add(gr.Markdown, {"value": "versus.together"})
        with gr.Row():
            with gr.Column(min_width=300):
                axis = gr.Plot(show_label=False, elem_id="decoding-axis")
            with gr.Column(min_width=300):
                pairs = gr.HTML(elem_id="decoding-partings")
        pair = gr.Dropdown([], label=site.t("versus.which_pair"), elem_id="decoding-pair")
        bars = gr.Plot(show_label=False, elem_id="decoding-bars")
        tree_of = gr.Radio([], label=site.t("versus.tree_of"), elem_id="decoding-tree-of", visible=False)
        with gr.Column(elem_classes="wide"):
            tree = gr.Plot(show_label=False, elem_id="decoding-tree", visible=False)
        with site.add(gr.Accordion, {"label": "versus.code"}, open=False, elem_id="decoding-code-box"):
            site.add(gr.Markdown, {"value": "versus.code_intro"})
            code_of = gr.Radio([], label=site.t("versus.code_of"), elem_id="decoding-code-of")
            code = gr.Code(language="python", interactive=False, elem_id="decoding-code", show_label=False)
        origin = gr.HTML(elem_id="decoding-origin")
    return _Together(box, axis, pairs, pair, bars, tree_of, tree, code_of, code, origin)


def _result(engine: Engine, prompt: str, samplings: Sequence[Sampling], traces: Sequence[Trace]) -> LoadedTraces:
    return LoadedTraces(engine.loaded.card.key, prompt, tuple(samplings), tuple(traces))


def _name(name: str) -> str:
    return f"<h3>{escape(name)}</h3>"


def _names(slots: Sequence[_Slot], names: Sequence[str]) -> dict:
    return {slot.name: _name(name) for slot, name in zip(slots, names, strict=False)}


def _emptied(slots: Sequence[_Slot], names: Sequence[str], t: Translate) -> dict:
    shown = dict.fromkeys(part for slot in slots for part in slot.parts[2:])
    shown |= {slot.column: gr.update(visible=number < len(names)) for number, slot in enumerate(slots)}
    shown |= {slot.tokens: strip.render([], t, empty=t("decoding.waiting")) for slot in slots}
    return shown | _names(slots, names)


def _texts(slots: Sequence[_Slot], result: LoadedTraces, engine: Engine, t: Translate) -> dict:
    return {
        slot.tokens: strip.render(_chips(trace, result, engine, {}), t, empty=t("decoding.waiting"))
        for slot, trace in zip(slots, result.traces, strict=False)
    }


def _chips(trace: Trace, result: LoadedTraces, engine: Engine, notes: Mapping[int, str]) -> list[strip.Chip]:
    """Return a trace's tokens; what their bytes are is known of our own model's alone."""
    if result.model != engine.loaded.card.key:
        return versus.chips(trace, notes)
    return strip.chips(describe(engine.tokenizer, trace.token_ids), trace.steps, notes)


def _columns(slots: Sequence[_Slot], result: LoadedTraces, at: int, engine: Engine, t: Translate) -> list[object]:
    names, apart = names_of(result.samplings, t), partings(result.traces)
    shown: list[object] = []
    for number in range(len(slots)):
        if number >= len(result.traces):
            shown += [gr.update(visible=False), "", "", "", None, ""]
            continue
        trace, sampling = result.traces[number], result.samplings[number]
        chips = _chips(trace, result, engine, versus.parting_notes(number, apart, t))
        twin = versus.twin_of(number, result.samplings, result.traces)
        shown += [
            gr.update(visible=True),
            _name(names[number]),
            strip.render(chips, t, at, empty=t("decoding.nothing")),
            versus.fact_list(trace, t),
            versus.picture(trace.steps[at], t) if at < len(trace.steps) else None,
            versus.sentence(trace, at, sampling, t) + versus.guesses(trace, sampling, twin, t),
        ]
    return shown


def _overview(result: LoadedTraces, engine: Engine, t: Translate) -> list[object]:
    traces, samplings = result.traces, result.samplings
    names, apart = names_of(samplings, t), partings(traces)
    pairs = versus.parting_choices(apart, t)
    trees = [(names[number], number) for number, trace in enumerate(traces) if trace.beam_steps]
    first_pair, first_tree = (pairs[0][1] if pairs else None), (trees[0][1] if trees else None)
    rows = [(name, trace.log_prob, len(trace.token_ids)) for name, trace in zip(names, traces, strict=True)]
    return [
        gr.update(visible=True),
        score_axis(rows, t),
        versus.parting_list(apart, traces, t),
        gr.update(choices=pairs, value=first_pair, label=t("versus.which_pair"), visible=bool(pairs)),
        gr.update(value=_pair_chart(result, first_pair, t), visible=bool(pairs)),
        gr.update(choices=trees, value=first_tree, label=t("versus.tree_of"), visible=len(trees) > 1),
        gr.update(value=_tree(result, first_tree, t), visible=bool(trees)),
        gr.update(choices=[(name, n) for n, name in enumerate(names)], value=0, label=t("versus.code_of")),
        _code(engine, result, 0, t),
        _origin(engine, t),
    ]


def _pair_chart(result: LoadedTraces, chosen: str | None, t: Translate) -> object:
    if not chosen:
        return None
    left, right = (_number(part, result) for part in chosen.partition("-")[::2])
    apart = partings([result.traces[left], result.traces[right]])[0, 1]
    if apart is None or not all(apart.chosen):
        return None
    names = names_of(result.samplings, t)
    steps = [result.traces[number].steps[apart.place] for number in (left, right)]
    return parting_bars(*steps, (names[left], names[right]), t)


def _tree(result: LoadedTraces, number: int | None, t: Translate) -> object:
    if number is None:
        return None
    trace = result.traces[_number(number, result)]
    return beam_tree(trace.beam_steps, trace.token_ids, t) if trace.beam_steps else None


def _code(engine: Engine, result: LoadedTraces, number: int, t: Translate) -> str:
    sampling = result.samplings[_number(number, result)]
    loaded = engine.loaded
    draft = engine.cards[engine.config.draft_model].published_as if engine.config.draft_model in engine.cards else ""
    if sampling.strategy == "speculative" and not draft:
        return "# " + t("versus.no_draft_code")
    return snippet(loaded.card.published_as, result.prompt, sampling, t, draft=draft, stop_ids=loaded.stop_ids)


def _number(value: object, result: LoadedTraces) -> int:
    """Read the number of one of the columns; a browser may send anything."""
    text = str(value)
    if not text.isascii() or not text.isdigit() or int(text[:4]) >= len(result.traces):
        raise InputError("bad_column", value=text[:20], last=len(result.traces))
    return int(text)


def _origin(engine: Engine, t: Translate) -> str:
    """Say which settings are the visitor's and which the model's; its own defaults are told, not used."""
    defaults = engine.model.generation_config.to_diff_dict()
    own = ", ".join(f"{name} = {defaults[name]}" for name in MODEL_DEFAULTS if name in defaults)
    tokens = describe(engine.tokenizer, sorted(engine.loaded.stop_ids))
    stops = ", ".join(f"{token.piece} ({token.id})" for token in tokens)
    sentence = t("decoding.origin", stops=escape(stops), own=escape(own or t("decoding.no_defaults")))
    return f"<p class='hint'>{sentence}</p>"
