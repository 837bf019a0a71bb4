"""Build the page and serve it: `python app.py`."""

import os
import sys

import gradio as gr

from llm_demo.config import Config
from llm_demo.engine import Engine
from llm_demo.errors import ConfigError
from llm_demo.i18n import translator
from llm_demo.quiz.quiz import Quiz
from llm_demo.rooms import MemoryRooms
from llm_demo.tabs import STYLE, ablation, access, api, chat, decoding, glossary, page, quiz, room, tokenizer
from llm_demo.tabs.site import Site
from llm_demo.zero import ZeroEngine, lender

VISITORS = 64  # streams at once; the worker decodes them together


def build_app(engine: Engine) -> gr.Blocks:
    """Return the page with its five tabs and its endpoints."""
    title = translator(engine.config.language)("page.title")
    with gr.Blocks(title=title, analytics_enabled=False) as app:
        site, game = Site(app, engine), Quiz(engine)
        api.build(site, game)  # before the tabs, whose events might take an endpoint's name
        page.head(site)
        host = room.build(site, game, MemoryRooms(engine.config))
        with gr.Tabs():
            tokenizer.build(site)
            chat.build(site)
            decoding.build(site, host)
            ablation.build(site)
            quiz.build(site, game, host)
        page.foot(site)
        glossary.build(site)
        access.build(site)
        site.follow_language()
    return app.queue(default_concurrency_limit=VISITORS, max_size=4 * VISITORS, api_open=False)


if __name__ == "__main__":
    try:
        config = Config.from_env(os.environ)
    except ConfigError as error:
        sys.exit(str(error))
    lend = lender(os.environ)
    build_app(ZeroEngine.lent(lend, config) if lend else Engine.load(config=config, wait=False)).launch(
        max_file_size=f"{config.max_upload_mb}mb",
        theme=gr.themes.Default(),
        css_paths=STYLE,
        run_history=False,
        footer_links=["api", "gradio"],
        max_threads=2 * VISITORS,
        ssr_mode=False,
    )
