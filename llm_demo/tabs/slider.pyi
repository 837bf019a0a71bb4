"""Slider: gradio's own, whose bounds are for the hand alone."""

import gradio as gr

from gradio.events import Dependency

class Slider(gr.Slider):
    """Lets a typed value past its ends through to the backend, which refuses it in the visitor's language."""

    is_template = True  # for the browser it is a `gr.Slider`

    def preprocess(self, payload: float) -> float:
        """Return what the browser sent."""
        return payload
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component