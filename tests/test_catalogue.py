"""The catalogue: what a visitor may name, and nothing else."""

import re

import pytest

from llm_demo.config import Config
from llm_demo.errors import ModelError
from llm_demo.models.catalogue import CARDS, EMBEDDED, GPU_DEFAULT, ModelCard, catalogue, find


def test_it_offers_the_models_of_the_course():
    assert [card.source for card in CARDS] == [
        "",
        "Qwen/Qwen3-0.6B",
        "Qwen/Qwen3-4B",
        "Qwen/Qwen2.5-0.5B",
        "Qwen/Qwen2.5-0.5B-Instruct",
        "distilbert/distilgpt2",
        "HuggingFaceTB/SmolLM2-135M",
        "HuggingFaceTB/SmolLM2-360M-Instruct",
    ]
    assert {EMBEDDED, GPU_DEFAULT} <= set(catalogue(Config()))


def test_every_hub_model_of_ours_is_pinned_to_a_commit():
    assert all(re.fullmatch("[0-9a-f]{40}", card.revision) for card in CARDS if not card.is_embedded)


def test_only_the_embedded_model_needs_no_hub():
    assert [card.key for card in CARDS if card.is_embedded] == [EMBEDDED]


def test_keys_are_unique():
    assert len(catalogue(Config())) == len(CARDS)


def test_an_operators_models_come_after_ours():
    cards = catalogue(Config(extra_models={"mine": "/a/folder", "theirs": "some/model"}))

    assert list(cards.values())[-2:] == [ModelCard("mine", "/a/folder"), ModelCard("theirs", "some/model")]


def test_an_operators_model_of_our_key_takes_its_place():
    assert catalogue(Config(extra_models={EMBEDDED: "/a/folder"}))[EMBEDDED].source == "/a/folder"


@pytest.mark.parametrize(("model", "key"), [("some/model-1B", "model-1B"), ("/a/folder", "folder"), (".", ".")])
def test_a_default_model_that_is_in_no_list_joins_it(model, key):
    assert catalogue(Config(model=model))[key] == ModelCard(key, model)


@pytest.mark.parametrize("model", [GPU_DEFAULT, "Qwen/Qwen3-0.6B"])
def test_a_default_model_that_is_ours_stays_pinned(model):
    assert catalogue(Config(model=model)) == catalogue(Config())


@pytest.mark.parametrize("name", ["Qwen3-4B", "Qwen/Qwen3-4B"])
def test_a_model_is_found_by_key_and_by_source(name):
    assert find(name, catalogue(Config())).key == "Qwen3-4B"


@pytest.mark.parametrize("name", ["qwen3-4b", "/etc", "../model", "openai/gpt", "x" * 100_000])
def test_anything_else_is_refused_beside_what_there_is(name):
    with pytest.raises(ModelError) as caught:
        find(name, catalogue(Config()))

    assert caught.value.key == "unknown_model"
    assert len(caught.value.values["name"]) <= 60
    assert EMBEDDED in caught.value.values["known"].split(", ")


def test_a_folder_is_one_only_where_there_is_one(tmp_path):
    assert ModelCard("mine", str(tmp_path)).folder == tmp_path
    assert ModelCard("mine", str(tmp_path / "missing")).folder is None
    assert ModelCard("theirs", "some/model").folder is None
    assert ModelCard(EMBEDDED).folder is None
