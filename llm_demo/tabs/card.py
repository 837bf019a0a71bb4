"""Card: a model in numbers, each with what it means, beside another model's where one wants to compare."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape

import gradio as gr

from llm_demo.charts import percent
from llm_demo.engine import Engine
from llm_demo.errors import ModelError
from llm_demo.i18n import Translate
from llm_demo.models.catalogue import ModelCard, find
from llm_demo.models.facts import BYTES, Facts, facts, weigh
from llm_demo.models.files import load_config
from llm_demo.models.loader import choose_device, choose_format
from llm_demo.tabs.site import Site

# In the order of the screen; what is a number, and may so be longer or shorter than another's, comes with a bar.
ROWS = (
    *("kind", "parameters", "architecture", "layers", "heads", "kv_heads", "hidden_size", "context", "vocabulary"),
    *("number_format", "format_here", "memory", "measured", "languages", "licence", "published_as"),
)
MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class _Value:
    """One cell: safe HTML, and the number behind it where there is one; empty where we do not know."""

    html: str = ""
    number: float | None = None


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What is known of a model.

    Attributes:
        card: of the catalogue.
        facts: of its configuration; None where that is out of reach.
        error: why it is.
        vocabulary: tokens of its tokenizer, where that is all there is.
        format_here: the number format that it has, or would have, in this app; empty where it cannot run here.
        measured: bytes in memory; None where it is not the loaded one.
    """

    card: ModelCard
    facts: Facts | None
    error: ModelError | None
    vocabulary: int | None
    format_here: str
    measured: int | None


@dataclass(frozen=True, slots=True)
class Sheets:
    """The section.

    Attributes:
        first, second: whose cards are shown; the second may be nobody's.
        table: of them.
        show: language and both -> the table.
    """

    first: gr.Dropdown
    second: gr.Dropdown
    table: gr.HTML
    show: Callable[[Translate, str, str], str]


def build(site: Site) -> Sheets:
    """Add the section to the enclosing container."""
    engine = site.engine
    site.add(gr.Markdown, {"value": "card.intro"}, elem_classes="intro")
    with gr.Row():
        first = site.add(gr.Dropdown, {"label": "card.first"}, choices=list(engine.cards), elem_id="card-first")
        second = site.add(
            gr.Dropdown,
            {"label": "card.second"},
            choices=_others(engine.cards),
            value="",
            elem_id="card-second",
        )
    table = gr.HTML(elem_id="card-table")

    @lru_cache(maxsize=64)
    def facts_of(key: str) -> Facts:
        card = engine.cards[key]
        return facts(card, *load_config(card, engine.config))

    def sheet(name: str) -> _Sheet:
        card = find(name, engine.cards)
        try:
            found, error = facts_of(card.key), None
        except ModelError as trouble:
            found, error = None, trouble
        loaded = engine.loaded
        mine = loaded.card == card and engine.offers.inside
        return _Sheet(
            card,
            found,
            error,
            None if found else _vocabulary(engine, card.key),
            loaded.number_format if mine else _format_here(engine),
            weigh(loaded.model) if mine else None,
        )

    def show(t: Translate, first: str, second: str) -> str:
        return _compare([sheet(name) for name in (first, second) if name], t)

    def begin(t: Translate) -> list[object]:
        key = engine.loaded.card.key
        # A server's models may have come since the page was built.
        lists = [gr.update(choices=list(engine.cards), value=key), gr.update(choices=_others(engine.cards), value="")]
        return [show(t, key, ""), *lists]

    site.on(
        [first.input, second.input],
        show,
        [first, second],
        [table],
        trigger_mode="always_last",
        preprocess=False,  # what is no model is told in the visitor's language
        show_progress="minimal",
    )
    site.reword(show, [first, second], [table])
    site.on_open(begin, [], [table, first, second])
    return Sheets(first, second, table, show)


def _others(cards: Iterable[str]) -> list[tuple[str, str]]:
    return [("—", ""), *((key, key) for key in cards)]


def _vocabulary(engine: Engine, key: str) -> int | None:
    """Return the tokens of a model's tokenizer, which may be at hand where its configuration is not."""
    try:
        return len(engine.tokenizer_of(key))
    except ModelError:
        return None


def _format_here(engine: Engine) -> str:
    try:
        return choose_format(engine.config, choose_device(engine.config))
    except ModelError:
        return ""


def _compare(sheets: Sequence[_Sheet], t: Translate) -> str:
    """Return safe HTML: a column a model."""
    head = "".join(f"<th scope='col'>{escape(sheet.card.key)}</th>" for sheet in sheets)
    columns = [_values(sheet, t) for sheet in sheets]
    rows = "".join(_row(name, [column.get(name, _Value()) for column in columns], t) for name in ROWS)
    notes = "".join(
        f"<p class='status'>{escape(sheet.card.key)}: {_trouble(sheet, t)}</p>" for sheet in sheets if sheet.error
    )
    defaults = "".join(f"<div>{_defaults(sheet, t)}</div>" for sheet in sheets)
    return (
        f"{notes}<table class='model-card'><thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table>"
        f"<h3>{t('card.defaults')}</h3><p class='hint'>{t('card.defaults_why')}</p>"
        f"<div class='model-defaults'>{defaults}</div>"
    )


def _row(name: str, values: Sequence[_Value], t: Translate) -> str:
    if not any(value.html for value in values):
        return ""
    longest = max(value.number or 0 for value in values)
    cells = ""
    for value in values:
        bar = ""
        if value.number is not None and len(values) > 1 and longest:
            bar = f"<i class='meter' style='--p:{value.number / longest:.4f}'></i>"
        cells += f"<td>{value.html or escape(t('card.unknown'))}{bar}</td>"
    why = f"<span class='hint'>{t(f'card.{name}_why')}</span>"
    return f"<tr id='card-{name}'><th scope='row'>{t(f'card.{name}')}{why}</th>{cells}</tr>"


def _values(sheet: _Sheet, t: Translate) -> dict[str, _Value]:
    """Return what is known, by the name of its row."""
    card, found = sheet.card, sheet.facts
    values = {"published_as": _Value(_link(card))}
    if card.kind:
        values["kind"] = _Value(t(f"card.kind_{card.kind}"))
    if card.languages:
        values["languages"] = _Value(t(f"card.languages_{card.languages}"))
    if card.licence:
        values["licence"] = _Value(escape(card.licence))
    if sheet.vocabulary:
        values["vocabulary"] = _Value(t("card.tokens", count=t.number(sheet.vocabulary)), sheet.vocabulary)
    if sheet.format_here and found:
        copy = f"<span class='hint'>{t('card.from_4_bits')}</span>" if card.is_embedded else ""
        values["format_here"] = _Value(escape(sheet.format_here) + copy)
    if found:
        values |= _numbers(found, t)
        values["memory"] = _memory(found, sheet.format_here, t)
    if sheet.measured:
        values["measured"] = _Value(t("card.megabytes", count=t.number(sheet.measured / MEGABYTE)), sheet.measured)
    else:
        values["measured"] = _Value(t("card.not_loaded"))
    return values


def _numbers(found: Facts, t: Translate) -> dict[str, _Value]:
    share = escape(percent(found.embedding / found.parameters, t))
    tied = t("card.tied" if found.tied else "card.untied")
    values = {
        "parameters": _Value(
            f"<b>{t.number(found.parameters / 1e6, 1)} M</b>"
            f"<span class='hint'>{t('card.embedding', share=share)} {tied}</span>",
            found.parameters,
        ),
        "architecture": _Value(escape(found.architecture)),
        "vocabulary": _Value(t("card.tokens", count=t.number(found.vocabulary)), found.vocabulary),
    }
    for name in ("layers", "heads", "kv_heads", "hidden_size"):
        count = getattr(found, name)
        values[name] = _Value(t.number(count), count)
    if found.context:
        values["context"] = _Value(t("card.tokens", count=t.number(found.context)), found.context)
    if found.number_format:
        values["number_format"] = _Value(escape(found.number_format))
    return values


def _memory(found: Facts, format_here: str, t: Translate) -> _Value:
    """Return the parameters in the published format, and in this app's where that is another of a fixed size."""
    formats = [name for name in dict.fromkeys((found.number_format, format_here)) if name in BYTES]
    sizes = [found.parameters * BYTES[name] for name in formats]
    said = [
        t("card.in_format", count=t.number(size / MEGABYTE), format=name)
        for size, name in zip(sizes, formats, strict=True)
    ]
    return _Value("<br>".join(said), sizes[-1] if sizes else None)


def _link(card: ModelCard) -> str:
    name = escape(card.published_as)
    if card.folder or "/" not in card.published_as:
        return name
    return f'<a href="https://huggingface.co/{name}" target="_blank" rel="noopener noreferrer">{name}</a>'


def _trouble(sheet: _Sheet, t: Translate) -> str:
    return f"{escape(sheet.error.message(t))} {t('card.known_anyway')}"


def _defaults(sheet: _Sheet, t: Translate) -> str:
    title = f"<h4>{escape(sheet.card.key)}</h4>"
    if sheet.facts is None:
        return f"{title}<p class='hint'>{t('card.unknown')}</p>"
    if not sheet.facts.defaults:
        return f"{title}<p class='hint'>{t('card.no_defaults')}</p>"
    rows = "".join(f"<li><code>{escape(name)}</code> = {escape(value)}</li>" for name, value in sheet.facts.defaults)
    return f"{title}<ul>{rows}</ul>"
