"""Together: what is shown of all continuations at once: likelihoods, partings, a tree of beams, code."""

from dataclasses import dataclass
from html import escape

import gradio as gr

from llm_demo.charts import beam_tree, parting_bars, score_axis
from llm_demo.comparison import partings
from llm_demo.engine import Engine
from llm_demo.errors import InputError
from llm_demo.i18n import Translate
from llm_demo.snippets import snippet
from llm_demo.tabs import versus
from llm_demo.tabs.naming import names_of
from llm_demo.tabs.site import Site
from llm_demo.tokens import describe
from llm_demo.trace_files import LoadedTraces

# what a model's generation_config may set that changes a text
MODEL_DEFAULTS = ("do_sample", "temperature", "top_k", "top_p", "min_p", "repetition_penalty", "num_beams")


@dataclass(frozen=True, slots=True)
class Together:
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
        """What `show` gives, in its order."""
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

    def wire(self, site: Site, found: gr.State) -> None:
        """Let a visitor choose the pair, the tree and the code of what `found` holds."""

        def pair(t: Translate, result: LoadedTraces | None, chosen: str) -> object:
            return _pair_chart(result, chosen, t) if result else None

        def tree(t: Translate, result: LoadedTraces | None, number: int) -> object:
            return _tree(result, number, t) if result else None

        def code(t: Translate, result: LoadedTraces | None, number: int) -> str:
            return _code(site.engine, result, number, t) if result else ""

        quick = {"queue": False, "show_progress": "hidden", "trigger_mode": "always_last"}
        site.on([self.pair.input], pair, [found, self.pair], [self.bars], **quick)
        site.on([self.tree_of.input], tree, [found, self.tree_of], [self.tree], **quick)
        site.on([self.code_of.input], code, [found, self.code_of], [self.code], **quick)


def build(site: Site) -> Together:
    """Add the section to the enclosing container, unseen until there is something to tell."""
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
    return Together(box, axis, pairs, pair, bars, tree_of, tree, code_of, code, origin)


def show(result: LoadedTraces, engine: Engine, t: Translate) -> list[object]:
    """Return what is to be seen of a result, for `Together.parts`."""
    traces, samplings = result.traces, result.samplings
    names, apart = names_of(samplings, t), partings(traces)
    pairs = versus.parting_choices(apart, t)
    trees = [(names[number], number) for number, trace in enumerate(traces) if trace.beam_steps]
    first_pair, first_tree = (pairs[0][1] if pairs else None), (trees[0][1] if trees else None)
    known = [(name, trace) for name, trace in zip(names, traces, strict=True) if trace.log_prob is not None]
    rows = [(name, trace.log_prob, len(trace.token_ids)) for name, trace in known]
    return [
        gr.update(visible=True),
        score_axis(rows, t) if rows else None,
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
