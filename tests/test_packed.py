"""Weights laid out as a CPU multiplies them: the same products, and the same for one row as for many."""

import pytest
import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

from llm_demo.config import Config
from llm_demo.engine import Engine
from llm_demo.models.catalogue import EMBEDDED
from llm_demo.models.packed import HalfLinear, PackedLinear, can_halve, halve, pack
from llm_demo.rows import Rows
from llm_demo.sampling import Sampling

STATES = torch.randn((40, 96), generator=torch.Generator().manual_seed(0))
HALVES = pytest.mark.skipif(not can_halve(), reason="torch without FBGEMM, or a processor without AVX2")
KINDS = [PackedLinear, pytest.param(HalfLinear, marks=HALVES)]
WAYS = [pack, pytest.param(halve, marks=HALVES)]


@pytest.fixture
def linear() -> nn.Linear:
    torch.manual_seed(1)
    return nn.Linear(96, 50)


@pytest.mark.parametrize("shape", [(1,), (2,), (40,), (4, 10), (1, 1), (40, 1)])
def test_a_product_is_torchs_own(linear, shape):
    states = STATES[: torch.Size(shape).numel()].unflatten(0, shape)

    with torch.inference_mode():
        found = PackedLinear(linear.weight, linear.bias)(states)
        torch.testing.assert_close(found, linear(states))


@HALVES
@pytest.mark.parametrize("shape", [(1,), (2,), (40,), (4, 10), (1, 1), (40, 1)])
def test_a_product_by_halves_is_the_exact_one_of_weights_rounded_to_float16(linear, shape):
    states = STATES[: torch.Size(shape).numel()].unflatten(0, shape)

    with torch.inference_mode():
        found = HalfLinear(linear.weight, linear.bias)(states)
        exact = nn.functional.linear(states.double(), linear.weight.half().double(), linear.bias.double())

    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), exact, rtol=1e-5, atol=1e-6)


def test_a_layer_without_bias_and_in_bfloat16(linear):
    linear = nn.Linear(96, 50, bias=False).bfloat16()

    with torch.inference_mode():
        found = PackedLinear(linear.weight)(STATES.bfloat16())
        torch.testing.assert_close(found, linear(STATES.bfloat16()), rtol=0.02, atol=0.02)
    assert found.dtype == torch.bfloat16


@HALVES
def test_halves_of_a_layer_in_bfloat16_lose_nothing(linear):
    linear = linear.bfloat16()

    with torch.inference_mode():
        found = HalfLinear(linear.weight, linear.bias)(STATES)
        torch.testing.assert_close(found, linear.float()(STATES))


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 16, 33])
@pytest.mark.parametrize("kind", KINDS)
def test_a_rows_result_is_the_same_to_the_last_bit_however_many_there_are(linear, kind, rows):
    packed = kind(linear.weight)

    with torch.inference_mode():
        assert torch.equal(packed(STATES[:rows])[0], packed(STATES)[0])


@pytest.mark.parametrize("way", WAYS)
def test_a_packed_model_keeps_its_logits_and_its_embedding(make_tiny_model, way):
    plain, packed = make_tiny_model(tie_word_embeddings=True), way(make_tiny_model(tie_word_embeddings=True))
    ids = torch.arange(12)[None]

    with torch.inference_mode():
        torch.testing.assert_close(packed(ids).logits, plain(ids).logits, rtol=0, atol=5e-2 if way is halve else 1e-4)
    assert packed.get_output_embeddings().weight is packed.get_input_embeddings().weight
    assert not [name for name, module in packed.named_modules() if isinstance(module, nn.Linear)]


@HALVES
def test_a_model_of_bfloat16_weights_computes_by_halves_what_it_does_in_float32(make_tiny_model):
    halved, plain = make_tiny_model(tie_word_embeddings=True), make_tiny_model(tie_word_embeddings=True)
    for mine, its in zip(halved.parameters(), plain.parameters(), strict=True):
        mine.data = mine.data.bfloat16()
        its.data = mine.data.float()
    halve(halved)
    ids = torch.arange(12)[None]

    with torch.inference_mode():
        torch.testing.assert_close(halved(ids).logits, plain(ids).logits, rtol=0, atol=1e-4)
    assert {parameter.dtype for parameter in halved.parameters()} == {torch.float32}
    assert halved.get_output_embeddings().weight is halved.get_input_embeddings().weight


@pytest.mark.parametrize("way", WAYS)
def test_layers_as_gpt2_names_them_are_packed_too(way):
    torch.manual_seed(0)
    plain = GPT2LMHeadModel(GPT2Config(n_layer=2, n_head=2, n_embd=32, n_positions=64, vocab_size=50)).eval()
    ids = torch.arange(12)[None]

    with torch.inference_mode():
        logits = plain(ids).logits
        torch.testing.assert_close(way(plain)(ids).logits, logits, rtol=0, atol=1e-2 if way is halve else 1e-4)
    assert sum(isinstance(module, PackedLinear | HalfLinear) for module in plain.modules()) == 2 * 4 + 1


@pytest.mark.parametrize("way", WAYS)
def test_a_packed_model_generates_what_the_plain_one_does(make_tiny_model, way):
    ids = torch.arange(12)[None]

    plain, packed = (
        model.generate(ids, do_sample=False, max_new_tokens=20, eos_token_id=None)
        for model in (make_tiny_model(), way(make_tiny_model()))
    )

    assert packed.tolist() == plain.tolist()


@HALVES
@pytest.mark.slow
def test_the_embedded_models_probabilities_by_halves_are_float32s_within_a_hundredth(engine):
    """At each of 500 sampled steps, read one by one as a visitor's text is: the largest difference of any token."""
    halved = Engine.load(EMBEDDED, Config(cache=engine.config.cache, device="cpu"))
    worst = []
    for prompt in ("The capital of France is", "Lista de colores: rojo, azul"):
        trace = engine.generate(prompt, Sampling(max_new_tokens=250, seed=1))
        tokens = [*trace.prompt_ids, *trace.token_ids]

        def read(model: nn.Module, tokens: list[int] = tokens) -> torch.Tensor:
            rows = Rows(model)
            with torch.inference_mode():
                return torch.stack([rows.step([[token]]).logits[0, -1].softmax(-1) for token in tokens])

        differences = read(halved.model) - read(engine.model)
        worst += differences.abs().amax(-1)[len(trace.prompt_ids) - 1 :].tolist()
    number_format = halved.loaded.number_format
    halved.close()

    assert number_format == "float16"
    assert len(worst) >= 500
    assert max(worst) < 0.01


@pytest.mark.parametrize("others", [1, 2, 15])
@pytest.mark.parametrize("way", WAYS)
def test_who_decodes_alone_gets_what_a_crowd_gives(make_tiny_model, way, others):
    model = way(make_tiny_model())
    prompt, tokens = list(range(9)), [3, 1, 4, 1, 5, 9]
    alone, crowd = Rows(model), Rows(model)

    with torch.inference_mode():
        alone.step([prompt])
        crowd.step([prompt])
        for other in range(others):
            newcomer = Rows(model)
            newcomer.step([[7] * (5 * other + 1)])
            crowd.join(newcomer)
        for token in tokens:
            mine = alone.step([[token]]).logits
            theirs = crowd.step([[token]] * (1 + others)).logits
            assert mine.shape == (1, 1, 259)
            torch.testing.assert_close(mine[0], theirs[0], rtol=0, atol=1e-5)
