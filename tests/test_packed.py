"""Weights laid out as oneDNN multiplies them: the same products, and the same for one row as for many."""

import pytest
import torch
from torch import nn

from llm_demo.models.packed import PackedLinear, PackedWeight, pack
from llm_demo.rows import Rows

STATES = torch.randn((40, 96), generator=torch.Generator().manual_seed(0))


@pytest.fixture
def linear() -> nn.Linear:
    torch.manual_seed(1)
    return nn.Linear(96, 50)


@pytest.mark.parametrize("shape", [(1,), (2,), (40,), (4, 10), (1, 1), (40, 1)])
def test_a_product_is_torchs_own(linear, shape):
    states = STATES[: torch.Size(shape).numel()].unflatten(0, shape)

    with torch.inference_mode():
        found = PackedLinear(linear)(states)
        torch.testing.assert_close(found, linear(states))


def test_a_layer_without_bias_and_in_bfloat16(linear):
    linear = nn.Linear(96, 50, bias=False).bfloat16()

    with torch.inference_mode():
        found = PackedLinear(linear)(STATES.bfloat16())
        torch.testing.assert_close(found, linear(STATES.bfloat16()), rtol=0.02, atol=0.02)
    assert found.dtype == torch.bfloat16


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 16, 33])
def test_a_rows_result_is_the_same_to_the_last_bit_however_many_there_are(linear, rows):
    packed = PackedWeight(linear.weight.detach())

    assert torch.equal(packed.product(STATES[:rows])[0], packed.product(STATES)[0])


def test_a_packed_model_keeps_its_logits_and_its_embedding(make_tiny_model):
    plain, packed = make_tiny_model(tie_word_embeddings=True), pack(make_tiny_model(tie_word_embeddings=True))
    ids = torch.arange(12)[None]

    with torch.inference_mode():
        torch.testing.assert_close(packed(ids).logits, plain(ids).logits, rtol=0, atol=1e-4)
    assert packed.get_output_embeddings().weight is packed.get_input_embeddings().weight
    assert not [name for name, module in packed.named_modules() if isinstance(module, nn.Linear)]


def test_a_packed_model_generates_what_the_plain_one_does(make_tiny_model):
    ids = torch.arange(12)[None]

    plain, packed = (
        model.generate(ids, do_sample=False, max_new_tokens=20, eos_token_id=None)
        for model in (make_tiny_model(), pack(make_tiny_model()))
    )

    assert packed.tolist() == plain.tolist()


@pytest.mark.parametrize("others", [1, 2, 15])
def test_who_decodes_alone_gets_what_a_crowd_gives(make_tiny_model, others):
    model = pack(make_tiny_model())
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
