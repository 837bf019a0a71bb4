"""Pause: an event for when a visitor has stopped typing."""

from html import escape
from pathlib import Path

import gradio as gr

SCRIPT = (Path(__file__).parent / "pause.js").read_text("utf-8")


def after_typing(elem_id: str) -> gr.HTML:
    """Create an invisible component whose `input` comes a quarter of a second after the last key.

    Args:
        elem_id: of the text box that it listens to.
    """
    return gr.HTML(f'<i data-hears="#{escape(elem_id)}"></i>', js_on_load=SCRIPT, elem_classes="pause")
