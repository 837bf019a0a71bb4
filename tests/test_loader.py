"""The loader: device and number format of the machine, the ends of a text, and sentences for what is missing."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel

from llm_demo.config import Config
from llm_demo.errors import ModelError
from llm_demo.models import files, loader, packed
from llm_demo.models.catalogue import EMBEDDED, GPU_DEFAULT, ModelCard
from llm_demo.models.files import load_tokenizer, locate
from llm_demo.models.loader import (
    choose_device,
    choose_format,
    default_card,
    load,
    load_default,
)

ON_CPU = Config(device="cpu", dtype="float32")


def no_report(stage: str) -> None:
    """Listen to no stage."""


@pytest.fixture
def no_hub(monkeypatch) -> None:
    monkeypatch.setattr(files, "answers", lambda *asked: False)


# --- the machine ---


def with_gpu(monkeypatch, there: bool, bfloat16: bool = True) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: bfloat16)


@pytest.mark.parametrize(
    ("wanted", "there", "device"),
    [
        ("auto", True, "cuda"),
        ("auto", False, "cpu"),
        ("cpu", True, "cpu"),
        ("cpu", False, "cpu"),
        ("cuda", True, "cuda"),
    ],
)
def test_the_device_is_the_operators_or_the_best_there_is(monkeypatch, wanted, there, device):
    with_gpu(monkeypatch, there)

    assert choose_device(Config(device=wanted)) == device


def test_a_gpu_that_is_wanted_and_not_there_is_an_error(monkeypatch):
    with_gpu(monkeypatch, False)

    with pytest.raises(ModelError) as caught:
        choose_device(Config(device="cuda"))

    assert caught.value.key == "no_gpu"


@pytest.mark.parametrize(("can", "dtype"), [(True, "float16"), (False, "float32")])
def test_a_processor_multiplies_by_float16_weights_where_it_can(monkeypatch, can, dtype):
    monkeypatch.setattr(packed, "can_halve", lambda: can)

    assert choose_format(Config(), "cpu") == dtype


@pytest.mark.parametrize(("bfloat16", "dtype"), [(True, "bfloat16"), (False, "float32")])
def test_a_gpu_computes_in_bfloat16_where_it_can(monkeypatch, bfloat16, dtype):
    with_gpu(monkeypatch, True, bfloat16)

    assert choose_format(Config(), "cuda") == dtype


@pytest.mark.parametrize("name", ["float32", "bfloat16", "float16"])
def test_the_operators_number_format_is_taken(name):
    assert choose_format(Config(dtype=name), "cpu") == name


# --- the default ---


@pytest.mark.parametrize(("there", "key"), [(True, GPU_DEFAULT), (False, EMBEDDED)])
def test_the_default_model_is_what_the_machine_can_carry(monkeypatch, there, key):
    with_gpu(monkeypatch, there)

    assert default_card(Config()).key == key


def test_the_operators_model_is_the_default_on_any_machine(monkeypatch):
    with_gpu(monkeypatch, True)

    assert default_card(Config(model="distilgpt2")).key == "distilgpt2"


def loads_nothing_from_the_hub(card, config, report) -> str:
    """Stand in for `load` on a machine without a network."""
    if card.is_embedded:
        return "the embedded model"
    raise ModelError("hub", name=card.key, source=card.source)


def test_a_gpu_default_out_of_reach_gives_way_to_the_embedded_model(monkeypatch):
    with_gpu(monkeypatch, True)
    monkeypatch.setattr(loader, "load", loads_nothing_from_the_hub)

    assert load_default(Config(), no_report) == "the embedded model"


def test_an_operators_model_out_of_reach_is_an_error(monkeypatch):
    with_gpu(monkeypatch, True)
    monkeypatch.setattr(loader, "load", loads_nothing_from_the_hub)

    with pytest.raises(ModelError) as caught:
        load_default(Config(model="Qwen3-4B"), no_report)

    assert (caught.value.key, caught.value.values["name"]) == ("hub", "Qwen3-4B")


def test_another_trouble_than_the_hub_does_not_give_way(monkeypatch):
    def broken(card, config, report) -> None:
        raise ModelError("folder", name=card.key, source=card.source)

    monkeypatch.setattr(loader, "load", broken)

    with pytest.raises(ModelError) as caught:
        load_default(Config(), no_report)

    assert caught.value.key == "folder"


# --- from a folder ---


def test_a_folder_is_loaded_in_the_number_format_asked_for(tiny_folder, tiny_model):
    loaded = load(ModelCard("tiny", str(tiny_folder)), Config(device="cpu", dtype="bfloat16"), no_report)

    assert loaded.model.dtype == torch.bfloat16
    assert not loaded.model.training
    assert torch.equal(loaded.model.lm_head.weight, tiny_model.lm_head.weight.bfloat16())
    assert loaded.tokenizer.decode(loaded.tokenizer("¿qué?").input_ids) == "¿qué?"


@pytest.mark.skipif(not packed.can_halve(), reason="torch without FBGEMM")
def test_a_folder_in_bfloat16_is_loaded_with_float16_weights(tmp_path, tiny_tokenizer, make_tiny_model):
    make_tiny_model().bfloat16().save_pretrained(tmp_path)
    tiny_tokenizer.save_pretrained(tmp_path)
    ids = torch.arange(12)[None]

    card = ModelCard("tiny", str(tmp_path))
    loaded, exact = (load(card, Config(device="cpu", dtype=dtype), no_report) for dtype in ("float16", "float32"))

    assert loaded.number_format == "float16"
    assert loaded.model.dtype == torch.float32  # what is computed in
    assert not loaded.model.training
    with torch.inference_mode():
        torch.testing.assert_close(loaded.model(ids).logits, exact.model(ids).logits, rtol=0, atol=1e-4)


def test_the_context_is_that_of_the_models_config(tiny_folder):
    assert load(ModelCard("tiny", str(tiny_folder)), ON_CPU, no_report).context == 1024


def test_the_stage_is_told(tiny_folder):
    stages: list[str] = []

    load(ModelCard("tiny", str(tiny_folder)), ON_CPU, stages.append)

    assert stages == ["load"]


@pytest.fixture
def own_folder(tmp_path, make_tiny_model, tiny_tokenizer):
    """A folder that a test may change: a function that writes it with a changed model."""

    def write(change=lambda model: None) -> ModelCard:
        model: PreTrainedModel = make_tiny_model()
        change(model)
        model.save_pretrained(tmp_path)
        tiny_tokenizer.save_pretrained(tmp_path)
        return ModelCard("tiny", str(tmp_path))

    return write


@pytest.mark.parametrize(
    ("generation", "config", "ends"),
    [
        ([7, 9], 8, {7, 8, 9, 256}),
        (7, [8, 9], {7, 8, 9, 256}),
        (None, None, {256}),  # the tokenizer's own
    ],
)
def test_every_end_of_text_id_is_found(own_folder, generation, config, ends):
    def change(model: PreTrainedModel) -> None:
        model.generation_config.eos_token_id = generation
        model.config.eos_token_id = config

    assert load(own_folder(change), ON_CPU, no_report).stop_ids == ends


def test_weights_that_are_no_safetensors_are_refused(own_folder, tmp_path):
    card = own_folder()
    model = load(card, ON_CPU, no_report).model
    (tmp_path / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")

    with pytest.raises(ModelError) as caught:
        load(card, ON_CPU, no_report)

    assert (caught.value.key, caught.value.values["name"]) == ("folder", "tiny")


def test_code_that_a_folder_brings_along_is_not_run(own_folder, tmp_path):
    card = own_folder()
    (tmp_path / "modeling_mine.py").write_text("raise SystemExit('this was run')\n")
    config = json.loads((tmp_path / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoModelForCausalLM": "modeling_mine.Mine"}}
    (tmp_path / "config.json").write_text(json.dumps(config))

    with pytest.raises(ModelError) as caught:
        load(card, ON_CPU, no_report)

    assert caught.value.key == "folder"


@pytest.mark.parametrize("damage", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_damaged_file_of_a_folder_is_an_error_and_no_stack_trace(own_folder, tmp_path, damage):
    card = own_folder()
    (tmp_path / damage).write_bytes((tmp_path / damage).read_bytes()[:30])

    with pytest.raises(ModelError) as caught:
        load(card, ON_CPU, no_report)

    assert (caught.value.key, caught.value.values["name"]) == ("folder", "tiny")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("model.safetensors", b""),
        ("config.json", b"null"),
        ("config.json", b"[]"),
        ("config.json", b"\xff\xfe"),
        ("tokenizer.json", b"[1]"),
        ("tokenizer_config.json", b"[]"),
        ("generation_config.json", b"[]"),
    ],
)
def test_a_file_of_the_wrong_shape_is_an_error_and_no_stack_trace(own_folder, tmp_path, file, content):
    card = own_folder()
    (tmp_path / file).write_bytes(content)

    with pytest.raises(ModelError) as caught:
        load(card, ON_CPU, no_report)

    assert (caught.value.key, caught.value.values["name"]) == ("folder", "tiny")


@pytest.mark.parametrize(
    "change",
    [
        {"hidden_size": "a"},
        {"hidden_size": -1},
        {"hidden_size": 64},
        {"num_attention_heads": 0},
        {"num_hidden_layers": 3},
        {"vocab_size": 10},
        {"vocab_size": 300},
        {"model_type": "bert"},
        {"model_type": "nobody's"},
        {"rope_scaling": 5},
        {"dtype": "nobody's"},
        {"eos_token_id": "x"},
    ],
    ids=str,
)
def test_a_configuration_that_is_not_the_weights_own_is_an_error_and_no_stack_trace(own_folder, tmp_path, change):
    card = own_folder()
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | change))

    with pytest.raises(ModelError) as caught:
        load(card, ON_CPU, no_report)

    assert caught.value.key == "folder"


@pytest.mark.parametrize("lost", ["model.layers.1.mlp.up_proj.weight", "lm_head.weight"])
def test_weights_that_are_missing_are_not_made_up(own_folder, tmp_path, lost):
    card = own_folder()
    weights = load_file(tmp_path / "model.safetensors")
    del weights[lost]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})

    with pytest.raises(ModelError) as caught:
        load(card, ON_CPU, no_report)

    assert caught.value.key == "folder"


@pytest.mark.parametrize("source", ["/missing/folder", "./missing", "~/missing/folder"])
def test_a_folder_that_is_not_there_is_not_looked_for_on_the_hub(source):
    with pytest.raises(ModelError) as caught:
        locate(ModelCard("mine", source), ON_CPU, no_report)

    assert (caught.value.key, caught.value.values) == ("folder", {"name": "mine"})


def test_a_folder_with_a_tokenizer_alone_serves_the_tokenizer_and_no_model(tmp_path, tiny_tokenizer):
    tiny_tokenizer.save_pretrained(tmp_path)
    card = ModelCard("words", str(tmp_path))

    assert load_tokenizer(card, ON_CPU, no_report)("ñ").input_ids == tiny_tokenizer("ñ").input_ids
    with pytest.raises(ModelError) as caught:
        load(card, ON_CPU, no_report)
    assert caught.value.key == "folder"


# --- from the hub ---


def test_a_hub_out_of_reach_is_told_with_the_models_name(no_hub):
    with pytest.raises(ModelError) as caught:
        load_tokenizer(ModelCard("theirs", "nobody/has-this-model"), ON_CPU, no_report)

    assert caught.value.key == "hub"
    assert caught.value.values == {"name": "theirs", "source": "nobody/has-this-model"}


class Reader:
    """Stands in for AutoTokenizer, and keeps what it was asked for."""

    def __init__(self, local: bool) -> None:
        self.local = local
        self.asked: list[dict] = []

    def from_pretrained(self, source: str, **options: object) -> str:
        self.asked.append({"source": source, **options})
        if options.get("local_files_only") and not self.local:
            raise OSError("not on this machine")
        return "read"


@pytest.mark.parametrize("local", [True, False])
def test_a_hub_model_is_read_at_its_pinned_revision_and_without_its_code(monkeypatch, local):
    reader = Reader(local)
    monkeypatch.setattr(files, "AutoTokenizer", reader)
    monkeypatch.setattr(files, "answers", lambda *asked: True)

    assert load_tokenizer(ModelCard("theirs", "some/model", "abc123"), ON_CPU, no_report) == "read"

    assert {asked["source"] for asked in reader.asked} == {"some/model"}
    assert {asked["revision"] for asked in reader.asked} == {"abc123"}
    assert {asked["trust_remote_code"] for asked in reader.asked} == {False}


def test_a_copy_on_this_machine_needs_no_hub(monkeypatch, no_hub):
    monkeypatch.setattr(files, "AutoTokenizer", Reader(local=True))

    assert load_tokenizer(ModelCard("theirs", "some/model", "abc123"), ON_CPU, no_report) == "read"
