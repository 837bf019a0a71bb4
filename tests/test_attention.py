"""Attention: every head's weights against an independent pass, and which of them are shown."""

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

from llm_demo.attention import Attention, Lens, attend, farthest, read, through
from llm_demo.errors import InputError
from llm_demo.models.files import locate
from llm_demo.models.packed import available, pack

TEXT = "El perro que vi ayer ladra"


def eager(model, ids):
    """The same from a copy of the model that was made for it, shape (layers, heads, n, n)."""
    twin = type(model)._from_config(model.config, attn_implementation="eager").eval()
    twin.load_state_dict(model.state_dict())
    with torch.inference_mode():
        return torch.cat(twin(input_ids=torch.tensor([ids]), output_attentions=True).attentions)


def by_hand(model: LlamaForCausalLM, ids, layer: int) -> torch.Tensor:
    """One layer's weights from its queries and keys: softmax of their products, shape (heads, n, n)."""
    with torch.inference_mode():
        states = model(input_ids=torch.tensor([ids]), output_hidden_states=True).hidden_states[layer]
        block = model.model.layers[layer]
        states = block.input_layernorm(states)
        size, n = block.self_attn.head_dim, len(ids)
        queries, keys = (
            projection(states).view(1, n, -1, size).transpose(1, 2)
            for projection in (block.self_attn.q_proj, block.self_attn.k_proj)
        )
        cos, sin = model.model.rotary_emb(states, torch.arange(n)[None])
        queries, keys = apply_rotary_pos_emb(queries, keys, cos, sin)
        keys = keys.repeat_interleave(queries.shape[1] // keys.shape[1], 1)
        scores = queries @ keys.transpose(2, 3) / size**0.5
        later = torch.ones(n, n).triu(1).bool()
        return scores.masked_fill(later, -torch.inf).softmax(-1)[0]


def qwen3() -> Qwen3ForCausalLM:
    torch.manual_seed(0)
    sizes = {"vocab_size": 259, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    sizes |= {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16}
    return Qwen3ForCausalLM(Qwen3Config(**sizes)).eval()


def gpt2() -> GPT2LMHeadModel:
    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config(vocab_size=259, n_embd=32, n_layer=3, n_head=4, n_positions=64)).eval()


@pytest.mark.parametrize("make", [None, qwen3, gpt2])
def test_the_weights_of_every_head_are_those_of_an_independent_pass(make_tiny_model, make):
    model, ids = (make or make_tiny_model)(), list(b"ayer ladra")

    with torch.inference_mode():
        weights = read(model, ids)

    assert torch.allclose(weights, eager(model, ids), atol=1e-5)


@pytest.mark.parametrize("layer", [0, 1])
def test_the_weights_are_the_softmax_of_queries_and_keys(make_tiny_model, layer):
    model, ids = make_tiny_model(), list(b"ayer ladra")

    with torch.inference_mode():
        weights = read(model, ids)

    assert torch.allclose(weights[layer], by_hand(model, ids, layer), atol=1e-5)


def test_the_embedded_models_weights_are_those_of_an_independent_pass(engine):
    found = attend(engine, TEXT, Lens(10, 7))
    ids = list(engine.encode(TEXT))
    folder = locate(engine.loaded.card, engine.config, lambda _stage: None)
    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    independent = engine.call(lambda: plain(input_ids=torch.tensor([ids]), output_attentions=True).attentions)

    assert (found.layers, found.heads) == (30, 9)
    assert torch.allclose(found.weights, independent[10][0, 7], atol=1e-5)


def test_a_row_sums_to_1_and_nobody_looks_ahead(engine):
    for lens in (Lens(), Lens(3), Lens(3, 4)):
        weights = attend(engine, TEXT, lens).weights

        assert torch.allclose(weights.sum(1), torch.ones(len(weights)), atol=1e-6)
        assert weights.triu(1).count_nonzero() == 0


def test_rows_of_a_model_in_16_bits_sum_to_1_too(make_tiny_model):
    with torch.inference_mode():
        weights = read(make_tiny_model().bfloat16(), list(b"ayer ladra"))

    assert weights.dtype == torch.float32
    assert torch.allclose(weights.sum(-1), torch.ones(2, 4, 10), atol=1e-6)


@pytest.mark.skipif(not available(), reason="torch without oneDNN")
def test_a_model_laid_out_for_the_processor_gives_the_same(make_tiny_model):
    ids = list(b"ayer ladra")
    with torch.inference_mode():
        assert torch.allclose(read(pack(make_tiny_model()), ids), read(make_tiny_model(), ids), atol=1e-5)


# --- the model stays as it was ---


def test_others_find_the_model_as_they_left_it(make_tiny_model):
    model, ids = make_tiny_model(), torch.tensor([list(b"ayer")])
    kernel = model.config._attn_implementation
    with torch.inference_mode():
        before = model(input_ids=ids).logits
        read(model, list(b"ladra"))

        assert model.config._attn_implementation == kernel == "sdpa"
        assert torch.equal(model(input_ids=ids).logits, before)


def test_it_does_so_after_a_pass_that_failed_too(make_tiny_model):
    model = make_tiny_model()

    with pytest.raises(IndexError):
        read(model, [5_000])

    assert model.config._attn_implementation == "sdpa"


# --- the lens ---

# Two layers of two heads, three tokens; a later token gets nothing.
WEIGHTS = torch.tensor(
    [
        [[[1, 0, 0], [0.2, 0.8, 0], [0.1, 0.2, 0.7]], [[1, 0, 0], [0.6, 0.4, 0], [0.3, 0.4, 0.3]]],
        [[[1, 0, 0], [0.4, 0.6, 0], [0.5, 0.0, 0.5]], [[1, 0, 0], [0.8, 0.2, 0], [0.7, 0.2, 0.1]]],
    ]
)


@pytest.mark.parametrize(
    ("lens", "last_row"), [(Lens(0, 1), [0.3, 0.4, 0.3]), (Lens(0), [0.2, 0.3, 0.5]), (Lens(), [0.4, 0.2, 0.4])]
)
def test_a_head_the_mean_of_a_layer_or_the_mean_of_all(lens, last_row):
    assert through(WEIGHTS, lens)[2].tolist() == pytest.approx(last_row)


def test_the_head_found_looks_far_at_one_token_that_is_not_the_first():
    weights = torch.zeros(2, 2, 5, 5)
    weights[0, 0, 4, 0] = 1.0  # at the first token
    weights[0, 1, 4, 3] = 0.9  # at its neighbour
    weights[1, 0, 4, 4] = 0.8  # at itself
    weights[1, 1, 4, 2] = 0.5
    weights[1, 0, 4, 1] = 0.2

    assert farthest(weights, 4) == farthest(weights, -1) == Lens(1, 1)


@pytest.mark.parametrize("row", [0, 1, 2])
def test_a_token_without_a_far_one_before_it_is_shown_in_the_mean(row):
    assert farthest(torch.rand(2, 2, 5, 5), row) == Lens()


def test_the_verb_finds_its_subject(engine):
    found = attend(engine, TEXT)
    texts = [token.text for token in found.tokens]

    assert texts == ["El", " per", "ro", " que", " vi", " a", "yer", " lad", "ra"]
    assert texts[int(found.weights[-1].argmax())] == " per"
    assert found.weights[-1].max() > 0.7


# --- bounds ---


def words(found: Attention) -> str:
    return "".join(token.text for token in found.tokens)


def test_a_text_past_the_bound_is_cut_and_told(make_engine):
    found = attend(make_engine(max_attention_tokens=6), "ayer ladra")

    assert (words(found), found.dropped, found.weights.shape) == ("ayer l", 4, (6, 6))


def test_a_text_within_it_is_whole(make_engine):
    found = attend(make_engine(), "ayer ladra")

    assert (words(found), found.dropped, found.weights.shape) == ("ayer ladra", 0, (10, 10))


def test_one_token_looks_at_itself(make_engine):
    assert attend(make_engine(), "a").weights.tolist() == [[1.0]]


@pytest.mark.parametrize("lens", [Lens(2, 0), Lens(0, 4), Lens(-1, 0), Lens(0, -1), Lens("0", 0), Lens(0, True)])
def test_a_head_that_is_none_is_refused(make_engine, lens):
    with pytest.raises(InputError) as caught:
        attend(make_engine(), "ayer", lens)

    assert (caught.value.key, caught.value.values) == ("no_head", {"layers": 2, "heads": 4})


def test_a_blank_text_is_refused(make_engine):
    with pytest.raises(InputError) as caught:
        attend(make_engine(), "  ")

    assert caught.value.key == "empty_prompt"
