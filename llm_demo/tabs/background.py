"""Background: a folded note in a tab, the theory behind what is seen there, with links to where it is seen."""

import gradio as gr

from llm_demo.tabs.site import Site


def build(site: Site, tab: str) -> None:
    """Add a tab's note to the enclosing container.

    Args:
        site: what the tabs share.
        tab: its id, which names the note's words too.
    """
    fold = {"label": f"background.{tab}.title"}
    with site.add(gr.Accordion, fold, open=False, elem_id=f"{tab}-background", elem_classes="background"):
        site.add(gr.Markdown, {"value": f"background.{tab}.text"})
