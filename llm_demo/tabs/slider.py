"""Slider: gradio's own, whose bounds are for the hand alone."""

import gradio as gr


class Slider(gr.Slider):
    """Lets a typed value past its ends through to the backend, which refuses it in the visitor's language."""

    is_template = True  # for the browser it is a `gr.Slider`

    def preprocess(self, payload: float) -> float:
        """Return what the browser sent."""
        return payload
