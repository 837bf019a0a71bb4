"""Split: a text in tokens as one or two tokenizers see it, ids back to text, and a search in the vocabulary."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from llm_demo.engine import Engine
from llm_demo.errors import InputError
from llm_demo.i18n import Translate
from llm_demo.prompt import literal
from llm_demo.request import check_text, check_tokenized
from llm_demo.tabs import linked, strip
from llm_demo.tabs.linked import View
from llm_demo.tabs.pair import Keys, Pair, names_of
from llm_demo.tabs.site import Site
from llm_demo.tokens import MAX_MATCHES, describe, parse_ids, search, tokenize

QUICK = {"queue": False, "show_progress": "hidden", "trigger_mode": "always_last"}


@dataclass(frozen=True, slots=True)
class Split:
    """The section of the tokens.

    Attributes:
        run: the button that splits.
        special: whether the tokens that a model adds are shown.
        control: whether control tokens in the text are meant.
        outputs: what `emptied` has values for.
    """

    run: gr.Button
    special: gr.Checkbox
    control: gr.Checkbox
    outputs: Sequence[gr.components.Component]

    def emptied(self, t: Translate, waiting: bool = True) -> list[object]:
        """Show no tokens, `waiting` until the visitor asks for them: values for `outputs`."""
        return [f'<p class="hint">{t("tokenizer.waiting")}</p>', "", "", waiting]


def build(site: Site, text: gr.Textbox, typed: gr.HTML, pair: Pair) -> Split:
    """Add the section to the enclosing container.

    Args:
        site: what the tabs share.
        text: to be split.
        typed: whose `input` comes when the visitor has stopped typing into `text`.
        pair: the tokenizers.
    """
    engine = site.engine
    with gr.Row(elem_classes="level-row"):
        run = site.add(
            gr.Button, {"value": "tokenizer.run"}, variant="primary", scale=0, min_width=200, elem_id="tokenizer-run"
        )
        special = site.add(
            gr.Checkbox, {"label": "tokenizer.special", "info": "tokenizer.special_info"}, elem_id="tokenizer-special"
        )
        control = site.add(
            gr.Checkbox,
            {"label": "tokenizer.control", "info": "tokenizer.control_info"},
            value=True,
            elem_id="tokenizer-control",
        )
    compared = gr.HTML(elem_id="tokenizer-compared", elem_classes="bare")
    view = linked.make("tokenizer-view")
    waiting = gr.State(False)  # an exercise asks for a prediction first
    ids = _back(site, pair)
    _vocabulary(site, pair)

    def show(t: Translate, text: str, special: bool, control: bool, keys: Keys) -> list[object]:
        check_tokenized(text, engine.config)
        names = names_of(engine, keys)
        tokenizers = [engine.tokenizer_of(name) for name in names]
        founds = [tokenize(one, text if control else literal(one, text), bool(special)) for one in tokenizers]
        views = linked.compare(names, founds)
        numbers = " ".join(str(token.id) for token in views[0].found.tokens[: linked.SHOWN])
        return [linked.render(text, views, t), _compare(views, bool(special), t), numbers, False]

    def shown_now(t: Translate, text: str, special: bool, control: bool, keys: Keys) -> list[object]:
        """Show what was typed so far; an empty box or one too full is no mistake of somebody who is still typing."""
        if not keys[0]:  # the model is still loading, and what is there is shown when it has loaded
            return [gr.skip()] * len(split.outputs)
        try:
            return show(t, text, special, control, keys)
        except InputError as error:
            return [f'<p class="hint">{escape(error.message(t))}</p>', "", "", False]

    def again(t: Translate, text: str, special: bool, control: bool, keys: Keys, waiting: bool) -> list[object]:
        return split.emptied(t) if waiting else shown_now(t, text, special, control, keys)

    def follow(
        t: Translate, event: gr.EventData, text: str, special: bool, control: bool, keys: Keys, waiting: bool
    ) -> list[object]:
        return again(t, text, special, control, keys, waiting and event.target is not typed)

    split = Split(run, special, control, [view, compared, ids, waiting])
    given = [text, special, control, pair.keys]
    site.on([run.click, text.submit], show, given, split.outputs, show_progress_on=[compared])
    # One event for all of them: what is shown last was asked for last.
    site.on(
        [typed.input, special.input, control.input, pair.keys.change], follow, [*given, waiting], split.outputs, **QUICK
    )
    site.reword(again, [*given, waiting], split.outputs)
    return split


def _compare(views: Sequence[View], special: bool, t: Translate) -> str:
    """Return safe HTML: what the tokenizers add of their own or drop, and how far two of them agree."""
    notes = []
    if special:
        for view in views:
            key = "tokenizer.added" if view.found.n_added else "tokenizer.nothing_added"
            notes.append(t(key, count=t.number(view.found.n_added), name=escape(view.name)))
    notes += [
        t("tokenizer.unread", count=t.number(view.found.n_unread), name=escape(view.name))
        for view in views
        if view.found.n_unread
    ]
    if len(views) == 2:
        one, other = views
        total, different = len(one.found.tokens), len(one.apart)
        values = {"one": escape(one.name), "other": escape(other.name)}
        if not one.apart and not other.apart:
            notes.append(t("tokenizer.same_cuts", **values))
        else:
            notes.append(t("tokenizer.other_cuts", same=t.number(total - different), count=t.number(total), **values))
    return "".join(f'<p class="hint">{note}</p>' for note in notes)


def _back(site: Site, pair: Pair) -> gr.Textbox:
    engine = site.engine
    with site.add(gr.Accordion, {"label": "tokenizer.back"}, open=False):
        with gr.Row():
            ids = site.add(
                gr.Textbox, {"label": "tokenizer.ids", "info": "tokenizer.ids_info"}, elem_id="tokenizer-ids"
            )
            back = site.add(gr.Button, {"value": "tokenizer.decode"}, scale=0, elem_id="tokenizer-back")
        decoded = gr.HTML(elem_id="tokenizer-decoded")

    def decode(t: Translate, ids: str, keys: Keys) -> str:
        check_text(ids, engine.config)
        tokenizer = engine.tokenizer_of(keys[0])
        numbers = parse_ids(ids, len(tokenizer))
        text = escape(tokenizer.decode(numbers))
        pieces = strip.render(strip.chips(describe(tokenizer, numbers)), t)
        return f'<div class="read" aria-label="{escape(t("tokenizer.decoded"))}">{text}</div>{pieces}'

    site.on([back.click, ids.submit], decode, [ids, pair.keys], [decoded])
    return ids


def _vocabulary(site: Site, pair: Pair) -> None:
    engine = site.engine
    with site.add(gr.Accordion, {"label": "tokenizer.search"}, open=False):
        with gr.Row():
            query = site.add(
                gr.Textbox,
                {"label": "tokenizer.query", "info": "tokenizer.query_info", "placeholder": "tokenizer.query_example"},
                elem_id="tokenizer-query",
            )
            find = site.add(gr.Button, {"value": "tokenizer.find"}, scale=0, elem_id="tokenizer-find")
        found = gr.HTML(elem_id="tokenizer-found")
        asked = gr.State("")

    def look(t: Translate, query: str, keys: Keys) -> list[str]:
        names = names_of(engine, keys)
        return ["".join(_matches(engine, name, str(query), n, t) for n, name in enumerate(names)), str(query)]

    def again(t: Translate, query: str, keys: Keys) -> list[object]:
        return look(t, query, keys) if query else ["", ""]

    site.on([find.click, query.submit], look, [query, pair.keys], [found, asked], show_progress_on=[found])
    site.on([pair.keys.change], again, [asked, pair.keys], [found, asked], **QUICK)
    site.reword(again, [asked, pair.keys], [found, asked])


def _matches(engine: Engine, name: str, query: str, number: int, t: Translate) -> str:
    tokenizer = engine.tokenizer_of(name)
    matches = search(tokenizer, query)
    told = t(
        "tokenizer.matches",
        name=escape(name),
        count=t.number(matches.total),
        size=t.number(len(tokenizer)),
    )
    if matches.total > MAX_MATCHES:
        told += " " + t("tokenizer.first_matches", count=t.number(MAX_MATCHES))
    rows = linked.table(matches.tokens, t, f"tokenizer-matches-{number}", places=False) if matches.tokens else ""
    return f'<p class="hint">{told}</p>{rows}'
