"""Glossary: the words of the page in a sentence or two each, on a panel that any of them opens where it stands."""

import re
import unicodedata
from html import escape
from pathlib import Path

import gradio as gr

from llm_demo.i18n import Translate
from llm_demo.tabs.site import Site

SCRIPT = (Path(__file__).parent / "glossary.js").read_text("utf-8")
TERMS = (
    *("ablation", "attention", "base_model", "beam", "benchmark", "bpe", "calibration", "chain_of_thought"),
    *("chat_template", "context", "contrastive", "cosine", "distribution", "embedding", "encoder", "entropy"),
    *("few_shot", "fine_tuning", "forward_pass", "greedy", "in_context", "instruct", "js", "log_prob", "logit"),
    *("lora", "mass", "mcnemar", "min_p", "model", "nat", "ngram", "parameter", "perplexity", "position", "prompt"),
    *("prompt_lookup", "quantization", "repetition_penalty", "sampling", "seed", "soft_prompt", "softmax"),
    *("special_token", "speculative", "system", "temperature", "token", "tokenizer", "top_k", "top_p"),
    *("transformer", "typical_p", "vocabulary", "wilson", "zero_shot"),
)


def build(site: Site) -> None:
    """Add the panel to the enclosing container: closed, and opened by a link to `#glossary` or `#term-<term>`."""
    panel = gr.HTML(render(site.t), js_on_load=SCRIPT, elem_id="glossary")
    site.reword(render, [], [panel])


def render(t: Translate) -> str:
    """Return safe HTML: a closed dialog with all terms, in the alphabet's order of the language."""
    terms = sorted(TERMS, key=lambda term: unicodedata.normalize("NFD", t(f"glossary.name.{term}").casefold()))
    entries = "".join(
        f'<dt id="term-{term}" tabindex="-1">{escape(t(f"glossary.name.{term}"))}</dt>'
        f"<dd>{linked(t(f'glossary.means.{term}'))}</dd>"
        for term in terms
    )
    close = escape(t("glossary.close"))
    return (
        '<dialog class="glossary" aria-labelledby="glossary-title"><header><h2 id="glossary-title">'
        f'{escape(t("glossary.title"))}</h2><button type="button" data-close>{close}</button></header>'
        f"<p>{escape(t('glossary.intro'))}</p><dl>{entries}</dl></dialog>"
    )


def linked(sentence: str) -> str:
    """Return safe HTML of plain text in which `[words](#term-token)` is a link to that term."""
    return re.sub(r"\[([^\]]+)\]\((#term-\w+)\)", r'<a href="\2">\1</a>', escape(sentence))
