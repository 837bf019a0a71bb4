"""Access: what a person who does not see the page, or uses no mouse, is told by the browser."""

import json
from html import escape
from pathlib import Path

import gradio as gr

from llm_demo.tabs.site import Site

SCRIPT = (Path(__file__).parent / "access.js").read_text("utf-8")
# Results that a screen reader says once they stand still, so never token by token.
SAID = (
    *("#chat-talk .bot:last-child", "#decoding-partings", "#microscope-hint", "#inside-told"),
    *("#tokenizer-languages-told", "#classify-words-told", "#ablation-verdict", "#quiz-verdict", "#evaluate-facts"),
    "#contest-told",
)

WORDS = ("reset", "up", "down", "remove")  # of buttons that show a sign


def build(site: Site) -> None:
    """Add what says the results aloud and puts charts into words to the enclosing container; nobody sees it."""
    for word in WORDS:
        site.add(gr.HTML, {"value": f"page.{word}"}, elem_id=f"access-{word}", elem_classes="unseen")
    told = f'<div role="status" aria-live="polite" data-said="{escape(json.dumps(SAID))}"></div>'
    gr.HTML(told, js_on_load=SCRIPT, elem_id="access", elem_classes="unseen")
