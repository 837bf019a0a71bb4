"""Tokenizer tab: a text as the model reads it, and ids back to text."""

from collections.abc import Sequence
from html import escape

import gradio as gr

from llm_demo.errors import InputError
from llm_demo.i18n import Translate
from llm_demo.request import check_text
from llm_demo.tabs import card, inside, strip
from llm_demo.tabs.site import Site
from llm_demo.tokens import Token, Tokenization, describe, parse_ids, tokenize, visible

EXAMPLE = "Lista de colores: rojo, azul"


def build(site: Site) -> None:
    """Add the tab to the enclosing `gr.Tabs`."""
    engine = site.engine

    with site.add(gr.Tab, {"label": "tokenizer.title"}, id="tokenizer"):
        site.add(gr.Markdown, {"value": "tokenizer.intro"}, elem_classes="intro")
        with gr.Row(equal_height=True):
            text = site.add(
                gr.Textbox,
                {"label": "tokenizer.text", "placeholder": "tokenizer.placeholder"},
                value=EXAMPLE,
                lines=3,
                max_lines=10,
                scale=3,
                elem_id="tokenizer-text",
            )
            with gr.Column(scale=1, min_width=220):
                model = site.add(
                    gr.Dropdown,
                    {"label": "tokenizer.model", "info": "tokenizer.model_info"},
                    choices=list(engine.cards),
                    elem_id="tokenizer-model",
                )
                run = site.add(gr.Button, {"value": "tokenizer.run"}, variant="primary", elem_id="tokenizer-run")
        counts = gr.HTML(elem_id="tokenizer-counts")
        tokens = strip.make()
        table = gr.HTML(elem_id="tokenizer-table")
        with site.add(gr.Accordion, {"label": "tokenizer.back"}, open=False):
            with gr.Row():
                ids = site.add(
                    gr.Textbox,
                    {"label": "tokenizer.ids", "info": "tokenizer.ids_info"},
                    elem_id="tokenizer-ids",
                )
                back = site.add(gr.Button, {"value": "tokenizer.decode"}, scale=0, elem_id="tokenizer-back")
            decoded = gr.HTML(elem_id="tokenizer-decoded")
        with gr.Tabs(elem_id="tokenizer-sections"):
            with site.add(gr.Tab, {"label": "card.title"}, id="tokenizer-card"):
                card.build(site)
            with site.add(gr.Tab, {"label": "inside.title"}, id="tokenizer-inside") as section:
                inside.build(site, section)

    def begin(t: Translate, text: str) -> tuple[str, ...]:
        return (*show(t, text, None), engine.loaded.card.key)

    def show(t: Translate, text: str, model: str | None, selected: int | None = None) -> tuple[str, str, str, str]:
        found = _read(text, model)
        return (
            _counts(found, t),
            strip.render(strip.chips(found.tokens), t, selected),
            _table(found.tokens, t, selected),
            " ".join(str(token.id) for token in found.tokens),
        )

    def select(t: Translate, text: str, model: str | None, event: gr.EventData) -> tuple[str, str, str, str]:
        return show(t, text, model, strip.place_of(event, len(_read(text, model).tokens)))

    def _read(text: str, model: str | None) -> Tokenization:
        if not isinstance(text, str) or not text:
            raise InputError("empty_text")
        check_text(text, engine.config)
        return tokenize(engine.tokenizer_of(model), text)

    def decode(t: Translate, ids: str, model: str | None) -> str:
        check_text(ids, engine.config)
        tokenizer = engine.tokenizer_of(model)
        numbers = parse_ids(ids, len(tokenizer))
        text = escape(tokenizer.decode(numbers))
        pieces = strip.render(strip.chips(describe(tokenizer, numbers)), t)
        return f'<div class="read" aria-label="{escape(t("tokenizer.decoded"))}">{text}</div>{pieces}'

    shown = [counts, tokens, table, ids]
    site.on([run.click, text.submit], show, [text, model], shown)
    site.on([model.change, site.language.change], show, [text, model], shown, show_progress="hidden")
    quick = {"queue": False, "show_progress": "hidden", "trigger_mode": "multiple"}
    site.on([tokens.click], select, [text, model], shown, **quick)
    site.on([back.click, ids.submit], decode, [ids, model], [decoded])
    site.on_open(begin, [text], [*shown, model])


def _counts(found: Tokenization, t: Translate) -> str:
    per_token = found.n_chars / len(found.tokens)
    facts = [
        ("tokenizer.n_tokens", t.number(len(found.tokens))),
        ("tokenizer.n_chars", t.number(found.n_chars)),
        ("tokenizer.n_bytes", t.number(found.n_bytes)),
        ("tokenizer.per_token", t.number(per_token, 2)),
    ]
    return '<div class="facts">' + "".join(f"<span><b>{n}</b> {t(key)}</span>" for key, n in facts) + "</div>"


def _table(tokens: Sequence[Token], t: Translate, selected: int | None) -> str:
    head = "".join(f"<th>{t(f'tokenizer.column_{name}')}</th>" for name in ("index", "id", "piece", "text", "bytes"))
    rows = "".join(
        f"<tr{' aria-selected=true' if token.index == selected else ''}><td>{token.index}</td><td>{token.id}</td>"
        f"<td>{escape(token.piece)}</td><td>{escape(visible(token.text))}</td>"
        f"<td>{' '.join(f'{byte:02X}' for byte in token.bytes)}</td></tr>"
        for token in tokens
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<div class="tokens-table" tabindex="0">{table}</div>'
