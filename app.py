"""Build the page and serve it: `python app.py`."""

import os
import signal
import sys

import gradio as gr

from llm_demo.config import Config
from llm_demo.engine import Engine
from llm_demo.errors import ConfigError
from llm_demo.i18n import translator
from llm_demo.quiz.quiz import Quiz
from llm_demo.rooms import MemoryRooms
from llm_demo.tabs import (
    STYLE,
    ablation,
    access,
    api,
    chat,
    decoding,
    glossary,
    leaving,
    link,
    page,
    quiz,
    room,
    tokenizer,
)
from llm_demo.tabs.door import Door
from llm_demo.tabs.site import Site
from llm_demo.zero import ZeroEngine, lender

PER_STREAM = 4  # pages kept, open or not, and events that may wait; an empty page takes more than a megabyte


def build_app(engine: Engine) -> gr.Blocks:
    """Return the page with its five tabs and its endpoints."""
    title = translator(engine.config.language)("page.title")
    with Door(engine.config, title=title, analytics_enabled=False, delete_cache=(600, 3_600)) as app:
        site, game = Site(app, engine), Quiz(engine)
        api.build(site, game)  # before the tabs, whose events might take an endpoint's name
        page.head(site)
        host = room.build(site, game, MemoryRooms(engine.config))
        told = link.notice()
        with gr.Tabs() as tabs:
            shared = [
                tokenizer.build(site),
                chat.build(site),
                decoding.build(site, host),
                ablation.build(site),
                quiz.build(site, game, host),
            ]
        page.foot(site)
        glossary.build(site)
        access.build(site)
        leaving.build(app)
        site.follow_language()
        link.follow(site, tabs, told, shared)
    return app.queue(default_concurrency_limit=engine.streams, max_size=PER_STREAM * engine.streams, api_open=False)


if __name__ == "__main__":
    try:
        config = Config.from_env(os.environ)
    except ConfigError as error:
        sys.exit(str(error))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a container's stop ends it as Ctrl+C does
    lend = lender(os.environ)
    engine = ZeroEngine.lent(lend, config) if lend else Engine.load(config=config, wait=False)
    build_app(engine).launch(
        theme=gr.themes.Default(),
        css_paths=STYLE,
        head=page.HEAD,
        run_history=False,
        footer_links=["api", "gradio"],
        max_threads=2 * engine.streams,
        state_session_capacity=PER_STREAM * engine.streams,
        ssr_mode=False,
    )
    sys.stdout.flush()
    os._exit(0)  # threads in the middle of a download, or of a visitor's text, are not waited for
