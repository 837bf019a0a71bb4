"""Pair: the one or two tokenizers that the visitor looks at."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from llm_demo.engine import Engine
from llm_demo.errors import ModelError
from llm_demo.i18n import Translate
from llm_demo.tabs.site import Site

NONE = ""  # the choice of no second tokenizer

Keys = tuple[str, str]  # the catalogue's; the second may be `NONE`, and the first is empty until a model is loaded


@dataclass(frozen=True, slots=True)
class Pair:
    """Where the tokenizers are chosen.

    Attributes:
        first: which one.
        second: which other one; its value may be `NONE`.
        keys: the last two that could be had, whatever the lists say; every section reads these.
        trouble: why one cannot be had.
    """

    first: gr.Dropdown
    second: gr.Dropdown
    keys: gr.State
    trouble: gr.HTML

    @property
    def outputs(self) -> list[gr.components.Component]:
        """The components that `chosen` has values for."""
        return [self.first, self.second, self.keys, self.trouble]

    def chosen(self, keys: Keys, trouble: str = "") -> list[object]:
        """Show two keys as chosen, and a sentence of trouble: values for `outputs`."""
        told = f'<p class="status failed" role="alert">{escape(trouble)}</p>' if trouble else ""
        return [keys[0], keys[1], keys, told]


def build(site: Site) -> Pair:
    """Add the two lists to the enclosing container."""
    engine = site.engine
    first = site.add(
        gr.Dropdown,
        {"label": "tokenizer.model", "info": "tokenizer.model_info"},
        choices=list(engine.cards),
        elem_id="tokenizer-model",
    )
    second = site.add(
        gr.Dropdown,
        {"label": "tokenizer.other"},
        choices=_others(engine.cards, site.t),
        value=NONE,
        elem_id="tokenizer-other",
    )
    pair = Pair(first, second, gr.State(("", NONE)), gr.HTML(elem_id="tokenizer-trouble", elem_classes="bare"))

    def choose(t: Translate, one: str, other: str, keys: Keys) -> list[object]:
        missing = trouble(engine, (one, other), t)
        return pair.chosen(keys if missing else (one, other), missing)

    def begin(t: Translate) -> list[object]:
        keys = (engine.loaded.card.key, NONE)
        lists = [list(engine.cards), _others(engine.cards, t)]  # a server's models, which may have come since
        shown = [gr.update(choices=choices, value=key) for choices, key in zip(lists, keys, strict=True)]
        return [*shown, *pair.chosen(keys)[len(shown) :]]

    site.on(
        [first.input, second.input],
        choose,
        [first, second, pair.keys],
        pair.outputs,
        show_progress_on=[second],
        trigger_mode="always_last",
        preprocess=False,  # a forged key is told in the visitor's language
    )
    site.reword(lambda t: gr.update(choices=_others(engine.cards, t)), [], [second])
    site.on_open(begin, [], pair.outputs)
    return pair


def names_of(engine: Engine, keys: Keys) -> list[str]:
    """Return the one or two models whose tokenizers are looked at."""
    return [keys[0] or engine.loaded.card.key, *([keys[1]] if keys[1] else [])]


def trouble(engine: Engine, keys: Sequence[str], t: Translate) -> str:
    """Return why one of these tokenizers cannot be had; empty where all can."""
    try:
        for key in keys:
            engine.tokenizer_of(key)
    except ModelError as error:
        return error.message(t)
    return ""


def _others(cards: Iterable[str], t: Translate) -> list[tuple[str, str]]:
    return [(t("tokenizer.no_other"), NONE), *((key, key) for key in cards)]
