"""Leaving: what Gradio keeps for pages that were closed is let go of; by itself it keeps ten thousand of them."""

import gradio as gr

KEPT = 16  # of the pages closed last, as a lost connection looks like one and may come back


def build(app: gr.Blocks) -> None:
    """Forget the older ones whenever a page is closed; call inside the page."""

    def forget() -> None:
        sessions = app.state_holder.session_data
        closed = [name for name, session in list(sessions.items()) if session.is_closed]
        for name in closed[:-KEPT]:
            sessions.pop(name, None)
            app.state_holder.time_last_used.pop(name, None)

    app.unload(forget)
