"""The 4-bit products: the weights had back exactly, and results near the float32 ones."""

import pytest
import torch
from torch import nn

from llm_demo.config import Config
from llm_demo.engine import Engine
from llm_demo.models.catalogue import EMBEDDED
from llm_demo.models.int4 import KERNEL_ROWS, Int4Linear, Int8Head
from llm_demo.sampling import Sampling


def q4_1(out: int, size: int) -> torch.Tensor:
    """Return weights of 16 levels a group of 32, as a Q4_1 file holds them."""
    random = torch.Generator().manual_seed(0)
    levels = torch.randint(0, 16, (out, size // 32, 32), generator=random).float()
    levels[..., 0], levels[..., 1] = 0, 15  # a group uses both ends of its range
    scale = torch.rand((out, size // 32, 1), generator=random).half().float() * 0.01 + 0.001
    minimum = -torch.rand((out, size // 32, 1), generator=random).half().float() * 0.1
    return (levels * scale + minimum).flatten(1)


def relative_error(found: torch.Tensor, exact: torch.Tensor) -> float:
    return ((found - exact).norm() / exact.norm()).item()


@pytest.mark.parametrize("rows", [1, KERNEL_ROWS, KERNEL_ROWS + 1, 40])
def test_a_product_is_the_exact_one_but_for_bfloat16_rounding(rows):
    weight = q4_1(64, 128)
    states = torch.randn((1, rows, 128), generator=torch.Generator().manual_seed(1))

    found = Int4Linear(weight)(states)

    assert found.dtype == torch.float32
    assert found.shape == (1, rows, 64)
    assert relative_error(found, nn.functional.linear(states, weight)) < 0.01


def test_weights_of_more_than_16_levels_are_refused():
    with pytest.raises(ValueError, match="Q4_1"):
        Int4Linear(torch.randn((64, 128), generator=torch.Generator().manual_seed(0)))


def make_head_weight() -> torch.Tensor:
    weight = torch.randint(-127, 128, (2048, 64), generator=torch.Generator().manual_seed(2)).float()
    weight[:, ::32] = 127  # every group of 32 uses its whole range
    return weight * 0.001


@pytest.mark.parametrize("rows", [1, KERNEL_ROWS])
def test_the_heads_likeliest_logits_are_the_exact_ones(rows):
    weight = make_head_weight()
    states = torch.randn((rows, 1, 64), generator=torch.Generator().manual_seed(3))

    found, exact = Int8Head(weight)(states), nn.functional.linear(states, weight)

    assert found.shape == (rows, 1, 2048)
    assert relative_error(found, exact) < 0.01
    top = exact.topk(100).indices
    torch.testing.assert_close(found.gather(-1, top), exact.gather(-1, top), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rows", [KERNEL_ROWS + 1, 40])
def test_for_many_rows_all_of_the_heads_logits_are_exact(rows):
    weight = make_head_weight()
    states = torch.randn((rows, 1, 64), generator=torch.Generator().manual_seed(3))

    torch.testing.assert_close(Int8Head(weight)(states), nn.functional.linear(states, weight), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_the_embedded_models_probabilities_stay_nearer_to_float32_than_in_bfloat16(engine):
    """Over 500 sampled steps, the largest difference of any token's probability at each, averaged."""
    cache = engine.config.cache
    others = {
        name: Engine.load(EMBEDDED, Config(cache=cache, device="cpu", dtype=name)) for name in ("int4", "bfloat16")
    }
    errors: dict[str, list[float]] = {name: [] for name in others}
    for prompt in ("The capital of France is", "Lista de colores: rojo, azul"):
        trace = engine.generate(prompt, Sampling(max_new_tokens=250, seed=1))
        ids = torch.tensor([[*trace.prompt_ids, *trace.token_ids]])
        start = len(trace.prompt_ids) - 1

        def read(model: nn.Module, ids: torch.Tensor = ids, start: int = start) -> torch.Tensor:
            """One token at a time, as a visitor's text is written."""
            cache, rows = None, []
            with torch.inference_mode():
                for place in range(ids.shape[1] - 1):
                    output = model(input_ids=ids[:, place : place + 1], past_key_values=cache, use_cache=True)
                    cache = output.past_key_values
                    rows.append(output.logits[0, -1].float().softmax(-1))
            return torch.stack(rows[start:])

        exact = read(engine.model)
        for name, other in others.items():
            errors[name] += (read(other.model) - exact).abs().amax(-1).tolist()
    for other in others.values():
        other.close()

    mean = {name: sum(values) / len(values) for name, values in errors.items()}
    assert len(errors["int4"]) >= 400
    assert mean["int4"] < 0.01
    assert mean["int4"] < mean["bfloat16"]
