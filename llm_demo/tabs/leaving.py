"""Leaving: what Gradio keeps for whoever has gone is let go of; by itself it keeps thousands of sessions."""

import gradio as gr

KEPT = 16  # of the pages closed last, as a lost connection looks like one and may come back


def build(app: gr.Blocks) -> None:
    """Forget the older ones whenever a page is closed; call inside the page."""

    def forget_closed() -> None:
        closed = [name for name, session in list(app.state_holder.session_data.items()) if session.is_closed]
        for name in closed[:-KEPT]:
            forget(app, name)

    app.unload(forget_closed)


def forget(app: gr.Blocks, session: str | None) -> None:
    """Let go of a session; of one that is unknown, nothing."""
    app.state_holder.session_data.pop(session, None)
    app.state_holder.time_last_used.pop(session, None)
