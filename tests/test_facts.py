"""Facts: a model in numbers, counted from its configuration alone."""

from dataclasses import asdict

import pytest
import torch
from transformers import GenerationConfig, GPT2Config, LlamaConfig, Qwen2Config, Qwen3Config, T5Config

from llm_demo.config import Config
from llm_demo.errors import ModelError
from llm_demo.models.catalogue import CARDS, KINDS, LANGUAGES, ModelCard, catalogue, find
from llm_demo.models.facts import facts, weigh
from llm_demo.models.files import load_config
from llm_demo.models.packed import available, can_halve, halve, pack

CARD = ModelCard("mine", "/nowhere")
# As Qwen/Qwen2.5-0.5B-Instruct publishes it.
QWEN = Qwen2Config(
    vocab_size=151_936,
    hidden_size=896,
    intermediate_size=4_864,
    num_hidden_layers=24,
    num_attention_heads=14,
    num_key_value_heads=2,
    max_position_embeddings=32_768,
    tie_word_embeddings=True,
    dtype="bfloat16",
)


def told(config, generation=None):
    return facts(CARD, config, generation or GenerationConfig())


def of(key: str):
    card = find(key, catalogue(Config()))
    return facts(card, *load_config(card, Config()))


def test_the_numbers_of_a_published_model():
    found = told(QWEN)

    assert round(found.parameters / 1e6, 1) == 494.0
    # Embedding; a layer's two norms, queries and output, keys and values, three biases and the feed-forward; last norm.
    layer = 2 * 896 + 2 * 896**2 + 2 * 896 * 128 + (896 + 128 + 128) + 3 * 896 * 4_864
    assert found.parameters == 151_936 * 896 + 24 * layer + 896
    assert found.embedding == 151_936 * 896
    assert found.tied
    assert (found.architecture, found.number_format) == ("Qwen2ForCausalLM", "bfloat16")
    assert (found.layers, found.heads, found.kv_heads, found.hidden_size) == (24, 14, 2, 896)
    assert (found.context, found.vocabulary) == (32_768, 151_936)


def test_an_output_head_of_its_own_is_counted_too():
    sizes = {"vocab_size": 100, "hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1}
    sizes |= {"num_attention_heads": 2, "num_key_value_heads": 1}
    tied, untied = (told(LlamaConfig(**sizes, tie_word_embeddings=shared)) for shared in (True, False))

    assert (tied.tied, untied.tied) == (True, False)
    assert untied.parameters - tied.parameters == 100 * 8


def test_a_model_that_names_its_sizes_otherwise():
    found = told(GPT2Config(n_layer=3, n_head=4, n_embd=32, n_positions=64, vocab_size=50))

    assert (found.layers, found.heads, found.kv_heads, found.hidden_size) == (3, 4, 4, 32)
    assert (found.context, found.vocabulary, found.architecture) == (64, 50, "GPT2LMHeadModel")


def test_heads_wider_than_the_hidden_size_shared_out_are_counted():
    sizes = {"vocab_size": 50, "hidden_size": 16, "intermediate_size": 8, "num_hidden_layers": 1}
    sizes |= {"num_attention_heads": 2, "num_key_value_heads": 1, "tie_word_embeddings": True}
    narrow, wide = (told(Qwen3Config(**sizes, head_dim=head_dim)) for head_dim in (8, 32))

    # Queries and output of 2 heads, keys and values of 1, and the two norms of a head.
    assert wide.parameters - narrow.parameters == 24 * (16 * 2 * 2 + 16 * 2 + 2)


def test_what_it_would_decode_with_by_itself_is_told_in_order():
    own = GenerationConfig(do_sample=True, temperature=0.7, top_k=20, eos_token_id=[5, 3], use_cache=True)

    assert told(QWEN, own).defaults == (
        ("do_sample", "True"),
        ("temperature", "0.7"),
        ("top_k", "20"),
        ("eos_token_id", "5, 3"),
    )


def test_a_configuration_of_something_else_is_told_in_a_sentence():
    with pytest.raises(ModelError) as caught:
        told(T5Config())

    assert caught.value.key == "no_config"


# --- our own models ---

# As the hub counts the published weights, in millions; Qwen3-0.6B's second copy of its embedding left out.
MILLIONS = {
    "SmolLM2-135M-Instruct": 134.5,
    "Qwen3-0.6B": 596.0,
    "Qwen3-4B": 4_022.5,
    "Qwen2.5-0.5B": 494.0,
    "Qwen2.5-0.5B-Instruct": 494.0,
    "distilgpt2": 81.9,
    "SmolLM2-135M": 134.5,
    "SmolLM2-360M-Instruct": 361.8,
}


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.key)
def test_every_model_of_ours_has_a_card_without_a_hub(card):
    found = of(card.key)

    assert round(found.parameters / 1e6, 1) == MILLIONS[card.key]
    assert all(value not in ("", None) for value in asdict(found).values())
    assert card.kind in KINDS
    assert card.languages in LANGUAGES
    assert card.licence == "Apache-2.0"


def test_the_instruct_model_samples_by_itself_and_the_base_model_does_not():
    instruct, base = (dict(of(key).defaults) for key in ("Qwen2.5-0.5B-Instruct", "Qwen2.5-0.5B"))

    assert (instruct["do_sample"], instruct["temperature"], instruct["repetition_penalty"]) == ("True", "0.7", "1.1")
    assert base["do_sample"] == "False"


def test_what_travels_with_the_app_is_what_the_embedded_model_has(engine):
    found, loaded = of("SmolLM2-135M-Instruct"), engine.model.config

    assert (found.layers, found.heads, found.kv_heads) == (
        loaded.num_hidden_layers,
        loaded.num_attention_heads,
        loaded.num_key_value_heads,
    )
    assert (found.hidden_size, found.context) == (loaded.hidden_size, loaded.max_position_embeddings)
    assert (found.vocabulary, found.architecture) == (loaded.vocab_size, type(engine.model).__name__)


# --- an operator's ---


def test_a_folder_tells_of_itself(tiny_folder, tiny_model):
    card = ModelCard("tiny", str(tiny_folder))
    found = facts(card, *load_config(card, Config()))

    assert found.parameters == tiny_model.num_parameters()
    assert found.number_format == "float32"
    assert dict(found.defaults)["eos_token_id"] == "256"


def test_a_folder_with_a_tokenizer_alone_has_no_configuration(tmp_path, tiny_tokenizer):
    tiny_tokenizer.save_pretrained(tmp_path)

    with pytest.raises(ModelError) as caught:
        load_config(ModelCard("words", str(tmp_path)), Config())

    assert (caught.value.key, caught.value.values) == ("no_config", {"name": "words"})


def test_a_folder_of_our_models_key_is_read_and_not_taken_for_ours(tiny_folder):
    card = catalogue(Config(extra_models={"Qwen3-4B": str(tiny_folder)}))["Qwen3-4B"]

    assert load_config(card, Config())[0].vocab_size == 259


def test_a_folder_that_publishes_no_defaults_gets_those_of_its_configuration(tiny_folder, tmp_path):
    (tmp_path / "config.json").write_bytes((tiny_folder / "config.json").read_bytes())

    assert load_config(ModelCard("bare", str(tmp_path)), Config())[1].eos_token_id == 256


# --- what is loaded ---


def test_the_weight_of_a_plain_model_is_that_of_its_numbers(make_tiny_model):
    model = make_tiny_model()
    buffers = sum(buffer.nbytes for buffer in model.buffers())

    assert weigh(model) == 4 * model.num_parameters() + buffers


@pytest.mark.skipif(not available(), reason="torch without oneDNN")
def test_weights_laid_out_anew_still_weigh(make_tiny_model):
    model = make_tiny_model()
    plain = weigh(model)
    head = model.get_output_embeddings().weight.nbytes  # kept as it is beside its packed copy

    assert weigh(pack(model)) == plain + head


@pytest.mark.skipif(not can_halve(), reason="torch without FBGEMM")
def test_halved_weights_weigh_half(make_tiny_model):
    model = make_tiny_model(tie_word_embeddings=True)
    before = weigh(model)
    layers = sum(part.weight.nbytes for part in model.model.layers.modules() if isinstance(part, torch.nn.Linear))
    head = model.get_output_embeddings().weight.nbytes  # the embedding keeps it in float32

    assert weigh(halve(model)) == before - layers / 2 + head / 2
