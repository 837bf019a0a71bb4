"""Plan: the strategies to be run side by side, and the one whose settings are on the screen."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import gradio as gr

from llm_demo.engine import Engine
from llm_demo.errors import SettingsError
from llm_demo.i18n import Translate
from llm_demo.offers import EVERYTHING, Offers
from llm_demo.sampling import STRATEGIES, Sampling
from llm_demo.tabs import elsewhere
from llm_demo.tabs.naming import NEUTRAL, names_of, relevant
from llm_demo.tabs.site import Site

# minimum, maximum, step of each slider; a lesson or a file may go beyond, within the backend's bounds
SLIDERS: dict[str, tuple[float, float, float]] = {
    "temperature": (0, 2, 0.05),
    "top_k": (0, 50, 1),
    "top_p": (0, 1, 0.05),
    "min_p": (0, 0.5, 0.01),
    "typical_p": (0, 1, 0.05),
    "repetition_penalty": (1, 2, 0.05),
    "no_repeat_ngram_size": (0, 6, 1),
    "num_beams": (1, 8, 1),
    "length_penalty": (-2, 3, 0.5),
    "penalty_alpha": (0, 1, 0.05),
    "num_draft_tokens": (0, 16, 1),
}
SWITCHES = ("do_sample", "early_stopping")
# What a knob begins with where its neutral value would make the strategy another one.
FIRST = {"num_beams": 4, "penalty_alpha": 0.6}
FIRST_CONTRASTIVE_K = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """The components of the editor.

    Attributes:
        engine: what is to run them.
        samplings: state, the strategies in order.
        held: state, the number of the one that the knobs show.
        chosen: which of them a visitor wants to see.
        knobs: by the name of Sampling's field.
        missing: which strategies and knobs a server does not have.
        add, copy, remove, own: buttons.
    """

    engine: Engine
    samplings: gr.State
    held: gr.State
    chosen: gr.Radio
    knobs: dict[str, gr.components.Component]
    missing: gr.HTML
    add: gr.Button
    copy: gr.Button
    remove: gr.Button
    own: gr.Button

    @property
    def inputs(self) -> list[gr.components.Component]:
        """What `edited` takes, in its order."""
        return [self.samplings, self.held, *self.knobs.values()]

    @property
    def outputs(self) -> list[gr.components.Component]:
        """What `shown` gives, in its order."""
        buttons = [self.add, self.copy, self.remove]
        return [self.samplings, self.held, self.chosen, *buttons, *self.knobs.values(), self.missing]

    def edited(self, samplings: Sequence[Sampling], held: int, *values: object) -> tuple[Sampling, ...]:
        """Return the plan with the knobs' values in the strategy that they show; SettingsError for a bad one."""
        return _with_values(samplings, held, dict(zip(self.knobs, values, strict=True)))

    def shown(self, samplings: Sequence[Sampling], held: int, limit: int, t: Translate) -> list[object]:
        """Show a plan, and the settings of one of its strategies."""
        samplings, sampling, offers = tuple(samplings), samplings[held], elsewhere.offered(self.engine)
        names = ("strategy", "max_new_tokens", *relevant(sampling.strategy, sampling.do_sample))
        # What a lesson or a link has set stays to be seen, and to be changed, even where a server does not have it.
        hidden = [name for name in offers.without if getattr(sampling, name) == getattr(NEUTRAL, name)]
        updates = {
            name: gr.update(value=getattr(sampling, name), visible=name in names and name not in hidden)
            for name in self.knobs
        }
        updates["strategy"] |= {"choices": _strategies(offers, sampling.strategy, t)}
        room = gr.update(interactive=len(samplings) < limit)
        return [
            samplings,
            held,
            gr.update(choices=_choices(samplings, t), value=held),
            room,
            room,
            gr.update(interactive=len(samplings) > 1),
            *updates.values(),
            elsewhere.missing(offers, STRATEGIES, self.knobs, t),
        ]


def build(site: Site, first: Sequence[Sampling]) -> Plan:
    """Add the editor to the enclosing container, with the strategies that the page opens with."""
    limit, longest = site.engine.config.max_compared, site.engine.config.max_new_tokens
    samplings, held = gr.State(tuple(first)), gr.State(0)
    chosen = gr.Radio(
        _choices(first, site.t), value=0, label=site.t("plan.chosen"), elem_id="decoding-chosen", elem_classes="plan"
    )
    with gr.Row():
        add, copy, remove, own = (
            site.add(gr.Button, {"value": f"plan.{name}"}, size="sm", min_width=120, elem_id=f"decoding-{name}")
            for name in ("add", "copy", "remove", "own")
        )
    names = relevant(first[0].strategy, first[0].do_sample)
    with gr.Group(), gr.Row(elem_id="decoding-knobs"):
        knobs = {
            "strategy": gr.Dropdown(
                _strategies(EVERYTHING, first[0].strategy, site.t),
                value=first[0].strategy,
                label=site.t("plan.strategy"),
                min_width=220,
            ),
            "max_new_tokens": site.add(
                gr.Slider,
                {"label": "knob.max_new_tokens", "info": "plan.length_info"},
                minimum=1,
                maximum=min(longest, 200),
                value=first[0].max_new_tokens,
                step=1,
                min_width=220,
            ),
        }
        for name, (low, high, step) in SLIDERS.items():
            knobs[name] = site.add(
                gr.Slider,
                {"label": f"knob.{name}"},
                minimum=low,
                maximum=high,
                step=step,
                value=getattr(first[0], name),
                visible=name in names,
                min_width=220,
            )
        knobs["seed"] = site.add(
            gr.Number, {"label": "knob.seed", "info": "knob.seed_info"}, value=0, precision=0, visible=False
        )
        for name in SWITCHES:
            knobs[name] = site.add(gr.Checkbox, {"label": f"knob.{name}"}, value=False, visible=False, min_width=220)
    missing = gr.HTML(elem_id="decoding-missing", visible=bool(site.engine.config.endpoint))
    plan = Plan(site.engine, samplings, held, chosen, knobs, missing, add, copy, remove, own)
    _wire(site, plan, limit)
    return plan


def _wire(site: Site, plan: Plan, limit: int) -> None:
    def edit(t: Translate, *values: object) -> list[object]:
        try:
            samplings = plan.edited(*values)
        except SettingsError:  # told when it is to be run; somebody may be in the middle of typing
            return [gr.skip(), gr.skip()]
        return [samplings, gr.update(choices=_choices(samplings, t))]

    def switch(t: Translate, samplings: Sequence[Sampling], held: int, *values: object) -> list[object]:
        with suppress(SettingsError):  # what was typed goes, the strategy stays as it was
            samplings = plan.edited(samplings, held, *values)
        return plan.shown(samplings, held, limit, t)

    def choose(t: Translate, samplings: Sequence[Sampling], chosen: int | None) -> list[object]:
        return plan.shown(samplings, max(min(chosen or 0, len(samplings) - 1), 0), limit, t)

    def append(sampling: Sampling, samplings: Sequence[Sampling], t: Translate) -> list[object]:
        more = (*samplings, sampling)[:limit]
        return plan.shown(more, len(more) - 1, limit, t)

    def add(t: Translate, samplings: Sequence[Sampling]) -> list[object]:
        return append(Sampling(max_new_tokens=samplings[0].max_new_tokens, temperature=0.7), samplings, t)

    def copy(t: Translate, samplings: Sequence[Sampling], held: int) -> list[object]:
        return append(samplings[held], samplings, t)

    def own(t: Translate, samplings: Sequence[Sampling]) -> list[object]:
        # Generation's own length, 20 tokens, is nobody's wish; the visitor's stays.
        defaults = Sampling.from_generation_config(site.engine.model.generation_config)
        return append(replace(defaults, max_new_tokens=samplings[0].max_new_tokens), samplings, t)

    def remove(t: Translate, samplings: Sequence[Sampling], held: int) -> list[object]:
        left = [sampling for number, sampling in enumerate(samplings) if number != held] or samplings
        return plan.shown(left, min(held, len(left) - 1), limit, t)

    def reword(t: Translate, samplings: Sequence[Sampling], held: int) -> list[object]:
        offers = elsewhere.offered(site.engine)
        return [
            gr.update(choices=_choices(samplings, t), label=t("plan.chosen")),
            gr.update(choices=_strategies(offers, samplings[held].strategy, t), label=t("plan.strategy")),
            elsewhere.missing(offers, STRATEGIES, plan.knobs, t),
        ]

    def suit(t: Translate, samplings: Sequence[Sampling], held: int) -> list[object]:
        """Offer what the server has, once it is known."""
        _ = site.engine.loaded
        return plan.shown(samplings, held, limit, t)

    # Gradio's own check of a slider's ends speaks English and breaks the event off: the backend's is enough.
    quick = {"queue": False, "show_progress": "hidden", "preprocess": False}
    rules = ("strategy", "do_sample")  # they change which knobs there are
    edits = [knob.input for name, knob in plan.knobs.items() if name not in rules]
    site.on(edits, edit, plan.inputs, [plan.samplings, plan.chosen], trigger_mode="always_last", **quick)
    site.on([plan.knobs[name].input for name in rules], switch, plan.inputs, plan.outputs, **quick)
    site.on([plan.chosen.input], choose, [plan.samplings, plan.chosen], plan.outputs, **quick)
    site.on([plan.add.click], add, [plan.samplings], plan.outputs, **quick)
    site.on([plan.copy.click], copy, [plan.samplings, plan.held], plan.outputs, **quick)
    site.on([plan.own.click], own, [plan.samplings], plan.outputs, **quick)
    site.on([plan.remove.click], remove, [plan.samplings, plan.held], plan.outputs, **quick)
    worded = [plan.chosen, plan.knobs["strategy"], plan.missing]
    site.reword(reword, [plan.samplings, plan.held], worded)
    if site.engine.config.endpoint:
        site.on_open(suit, [plan.samplings, plan.held], plan.outputs)


def _with_values(samplings: Sequence[Sampling], held: int, values: dict[str, object]) -> tuple[Sampling, ...]:
    """Put the knobs' values into one strategy; those that do not matter to it become neutral.

    Strategies as long as it was go on being as long: texts are compared best at one length.
    """
    strategy, do_sample = values["strategy"], bool(values["do_sample"])
    Sampling.from_dict({"strategy": strategy, "top_k": FIRST_CONTRASTIVE_K})  # refuses a strategy that is none
    was = samplings[held]
    kept = {name: values[name] for name in (*relevant(strategy, do_sample), "max_new_tokens")}
    if strategy != was.strategy:
        kept |= {name: value for name, value in FIRST.items() if name in kept}
        if strategy == "contrastive":
            kept["top_k"] = FIRST_CONTRASTIVE_K
    changed = Sampling.from_dict({"strategy": strategy, **kept})
    others = [
        replace(sampling, max_new_tokens=changed.max_new_tokens)
        if sampling.max_new_tokens == was.max_new_tokens
        else sampling
        for sampling in samplings
    ]
    return (*others[:held], changed, *others[held + 1 :])


def _choices(samplings: Sequence[Sampling], t: Translate) -> list[tuple[str, int]]:
    return [(name, number) for number, name in enumerate(names_of(samplings, t))]


def _strategies(offers: Offers, held: str, t: Translate) -> list[tuple[str, str]]:
    """Return those to choose from; the one that is held stays, to be refused with a sentence when it is run."""
    return [(t(f"strategy.{name}"), name) for name in STRATEGIES if name in offers.strategies or name == held]
