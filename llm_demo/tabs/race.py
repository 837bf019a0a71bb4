"""Race: the strategies of a plan run together, their texts growing side by side, then taken apart step by step."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from llm_demo.comparison import partings
from llm_demo.engine import Engine
from llm_demo.i18n import Translate
from llm_demo.prompt import literal
from llm_demo.request import Request
from llm_demo.sampling import Sampling
from llm_demo.tabs import elsewhere, save, strip, together, versus
from llm_demo.tabs.exercise import Exercise
from llm_demo.tabs.naming import names_of
from llm_demo.tabs.plan import Plan
from llm_demo.tabs.site import Site
from llm_demo.tokens import describe
from llm_demo.trace import Trace
from llm_demo.trace_files import LoadedTraces

UPDATE_EVERY = 8  # decisions of each strategy between two pictures: a browser spends 20 ms on each
SHOWN = 10


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


def build(site: Site, prompt: gr.Textbox, control: gr.Checkbox, plan: Plan, lesson: Exercise) -> gr.events.Dependency:
    """Add the section to the enclosing container; return the event that generates, for others to cancel.

    Where `control` is ticked, control tokens spelled in the prompt are read as such.
    """
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
    everybody = together.build(site)
    found = gr.State(None)
    saving = save.build(site)

    def generate(
        t: Translate, request: gr.Request, text: str, control: bool, lesson_id: str, *edited: object
    ) -> Iterator[dict]:
        if not control:
            text = literal(engine.tokenizer, text)
        samplings = plan.edited(*edited)
        requests = [Request(text, sampling) for sampling in samplings]
        decisions = engine.heard_by(elsewhere.hearing(t)).stream_many(requests, SHOWN, request.session_hash)
        collected = engine.collect(requests)
        names = names_of(samplings, t)
        yield {**_emptied(slots, names, t), everybody.box: gr.update(visible=False), found: None, lesson.look: ""}
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
        yield {**shown(result, 1, t), lesson.look: lesson.looked(lesson_id, t)}

    def shown(result: LoadedTraces, at: int, t: Translate) -> dict:
        """Return everything that is to be seen of a result, at a step from 1."""
        longest = max(len(trace.steps) for trace in result.traces)
        at = min(max(at, 1), max(longest, 1))
        return {
            **dict(zip(slot_parts, _columns(slots, result, at - 1, engine, t), strict=True)),
            **dict(zip(everybody.parts, together.show(result, engine, t), strict=True)),
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
        return {**shown(result, int(at), t), lesson.look: lesson.looked(lesson_id, t)}

    def pick(number: int) -> Callable:
        def clicked(t: Translate, result: LoadedTraces | None, event: gr.EventData) -> list[object]:
            if result is None or number >= len(result.traces):
                return [gr.skip()] * (1 + len(slot_parts))
            at = strip.place_of(event, len(result.traces[number].steps))
            return [at + 1, *look(t, result, at + 1)]

        return clicked

    def take(t: Translate, result: LoadedTraces) -> dict:
        """Show what a file held, and put its prompt and its strategies where they can be run again."""
        limit = engine.config.max_compared
        return {
            **shown(result, 1, t),
            prompt: result.prompt,
            **dict(zip(plan.outputs, plan.shown(result.samplings, 0, limit, t), strict=True)),
        }

    slot_parts = [part for slot in slots for part in slot.parts]
    everything = [*slot_parts, *everybody.parts, found, place]
    running = site.on(
        [run.click, prompt.submit],
        generate,
        [prompt, control, lesson.lesson, *plan.inputs],
        [*everything, lesson.look],
        show_progress_on=[going],
        preprocess=False,  # a slider's ends are for the hand; the backend's bounds are told in one's own language
    )
    site.stop([stop.click], [running])
    quick = {"queue": False, "show_progress": "hidden", "trigger_mode": "always_last"}
    clicked = {**quick, "trigger_mode": "multiple"}  # which token is in the event itself, so none may be merged
    site.on([place.input], look, [found, place], slot_parts, **quick)
    site.reword(reword, [found, place, lesson.lesson, plan.samplings], [*everything, lesson.look])
    for number, slot in enumerate(slots):
        site.on([slot.tokens.click], pick(number), [found], [place, *slot_parts], **clicked)
    everybody.wire(site, found)
    saving.wire(site, found, take, [*everything, prompt, *plan.outputs])
    return running


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
