"""Costs: how many tokens the same words take in each language."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from llm_demo.charts import Figure, cost_bars
from llm_demo.engine import Engine
from llm_demo.i18n import Translate
from llm_demo.languages import SENTENCES, Sentence
from llm_demo.tabs import linked
from llm_demo.tabs.linked import View
from llm_demo.tabs.pair import Keys, Pair, names_of
from llm_demo.tabs.site import Site
from llm_demo.tokens import Tokenization, tokenize

Row = tuple[Sentence, tuple[Tokenization, ...]]  # one tokenization for each tokenizer


@dataclass(frozen=True, slots=True)
class Costs:
    """The section of the languages.

    Attributes:
        run: the button that counts.
        outputs: what `emptied` has values for.
    """

    run: gr.Button
    outputs: Sequence[gr.components.Component]

    def emptied(self, t: Translate, asked: bool = False) -> list[object]:
        """Show nothing until it is drawn, because the visitor `asked` or once one does: values for `outputs`."""
        return [f'<p class="hint">{t("costs.waiting")}</p>', None, "", asked]


def build(site: Site, pair: Pair) -> Costs:
    """Add the section to the enclosing container."""
    engine = site.engine
    site.add(gr.Markdown, {"value": "costs.intro"})
    run = site.add(gr.Button, {"value": "costs.run"}, variant="primary", elem_id="tokenizer-languages-run")
    told = gr.HTML(elem_id="tokenizer-languages-told", elem_classes="bare")
    chart = gr.Plot(show_label=False, elem_id="tokenizer-languages-chart")
    cards = linked.make("tokenizer-languages-cards")
    asked = gr.State(False)

    def show(t: Translate, keys: Keys) -> list[object]:
        names = names_of(engine, keys)
        rows = _rows(engine, names)
        return [_tell(rows, names, t), _chart(rows, names, t), _cards(rows, names, t), True]

    def again(t: Translate, keys: Keys, asked: bool) -> list[object]:
        return show(t, keys) if asked else costs.emptied(t)

    costs = Costs(run, [told, chart, cards, asked])
    site.on([run.click], show, [pair.keys], costs.outputs)
    site.on([pair.keys.change], again, [pair.keys, asked], costs.outputs, queue=False, show_progress="hidden")
    site.reword(again, [pair.keys, asked], costs.outputs)
    return costs


def _rows(engine: Engine, names: Sequence[str]) -> list[Row]:
    """Return the sentences with their tokens, the fewest of the first tokenizer's first."""
    tokenizers = [engine.tokenizer_of(name) for name in names]
    rows = [(sentence, tuple(tokenize(tokenizer, sentence.text) for tokenizer in tokenizers)) for sentence in SENTENCES]
    return sorted(rows, key=lambda row: len(row[1][0].tokens))


def _tell(rows: Sequence[Row], names: Sequence[str], t: Translate) -> str:
    """Return safe HTML: for each tokenizer, the cheapest language and the dearest."""
    sentences = []
    for number, name in enumerate(names):
        ranked = sorted((len(founds[number].tokens), _name(sentence, t)) for sentence, founds in rows)
        (least, cheap), (most, dear) = ranked[0], ranked[-1]
        values = {"cheap": cheap, "least": t.number(least), "dear": dear, "most": t.number(most)}
        sentences.append(t("costs.told", name=escape(name), times=t.number(most / least, 1), **values))
    return "".join(f'<p class="verdict">{sentence}</p>' for sentence in sentences)


def _chart(rows: Sequence[Row], names: Sequence[str], t: Translate) -> Figure:
    counted = [(_name(sentence, t), [len(found.tokens) for found in founds]) for sentence, founds in rows]
    return cost_bars(counted, names, t)


def _cards(rows: Sequence[Row], names: Sequence[str], t: Translate) -> str:
    cards = []
    for sentence, founds in rows:
        views = [View(name, found) for name, found in zip(names, founds, strict=True)]
        body = linked.render(sentence.text, views, t, rows=False, language=sentence.code)
        cards.append(
            f'<article class="cost"><h3>{_name(sentence, t)} · <bdi lang="{sentence.code}">{sentence.name}</bdi></h3>'
            f"{body}</article>"
        )
    return "".join(cards)


def _name(sentence: Sentence, t: Translate) -> str:
    """Return what the visitor calls a sentence's language."""
    return t(f"costs.language_{sentence.code}")
