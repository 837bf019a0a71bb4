"""A hub that is silent, broken or breaks off: a sentence within seconds, and the model once the hub is well again."""

import socket
import time

import huggingface_hub
import pytest

from llm_demo.config import Config
from llm_demo.errors import ModelError
from llm_demo.models.catalogue import ModelCard
from llm_demo.models.loader import load, load_tokenizer
from tests.fake_hub import FakeHub

ON_CPU = Config(device="cpu", dtype="float32")
SECONDS = 15  # that a visitor may wait for the sentence


def no_report(stage: str) -> None:
    """Listen to no stage."""


@pytest.fixture
def reach(monkeypatch, tmp_path):
    """Point the hub's own client at an address, with an empty cache."""

    def set_up(address: str) -> None:
        constants = huggingface_hub.constants
        monkeypatch.setattr(constants, "ENDPOINT", address)
        template = address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))

    return set_up


@pytest.fixture
def hub(tiny_folder, reach):
    with FakeHub(tiny_folder).open() as hub:
        reach(hub.address)
        yield hub


def test_a_hub_that_is_well_gives_the_model(hub, tiny_model):
    loaded = load(ModelCard("theirs", "nobody/well"), ON_CPU, no_report)

    assert loaded.model.num_parameters() == tiny_model.num_parameters()


@pytest.mark.parametrize("name", ["nobody/silent", "nobody/broken", "nobody/half"])
def test_a_hub_in_trouble_is_a_sentence_within_seconds_and_a_model_once_it_is_well(hub, name):
    card = ModelCard("theirs", name)
    begun = time.monotonic()

    with pytest.raises(ModelError) as caught:
        load(card, ON_CPU, no_report)

    assert caught.value.key == "hub"
    assert time.monotonic() - begun < SECONDS
    hub.mend()
    assert load(card, ON_CPU, no_report).context == 1024


def test_a_hub_that_nobody_serves_is_a_sentence_too(reach):
    with socket.socket() as taken:  # bound and not listening: whoever connects is refused
        taken.bind(("127.0.0.1", 0))
        reach(f"http://127.0.0.1:{taken.getsockname()[1]}")

        with pytest.raises(ModelError) as caught:
            load_tokenizer(ModelCard("theirs", "nobody/away"), ON_CPU, no_report)

    assert caught.value.key == "hub"
