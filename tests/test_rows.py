"""Rows: sequences of different lengths in one batch, each with the numbers it has alone."""

import pytest
import torch
from torch import Tensor
from transformers import DynamicCache

from llm_demo.rows import Rows

SHORT, LONG, LONGER = [5, 6], [7, 8, 9, 10, 11], [12, 13, 14, 15, 16, 17, 18, 19]


@pytest.fixture(autouse=True)
def inference():
    with torch.inference_mode():
        yield


def alone(model, ids: list[int]) -> Tensor:
    """Return the logits after `ids`, from one plain pass with neither cache nor neighbours."""
    return model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1]


def read(model, ids: list[int]) -> DynamicCache:
    cache = DynamicCache(config=model.config)
    model(input_ids=torch.tensor([ids]), past_key_values=cache, use_cache=True)
    return cache


def rows_of(model, *sequences: list[int]) -> Rows:
    rows = Rows(model)
    for ids in sequences:
        rows.join(read(model, ids), copies=1)
    return rows


def assert_as_alone(model, logits: Tensor, *sequences: list[int]) -> None:
    torch.testing.assert_close(logits, torch.stack([alone(model, ids) for ids in sequences]), rtol=0, atol=1e-4)


@pytest.mark.parametrize("order", [(SHORT, LONGER, LONG), (LONGER, SHORT, LONG), (SHORT, SHORT)])
def test_rows_of_different_lengths_have_the_logits_of_each_alone(tiny_model, order):
    rows = rows_of(tiny_model, *order)

    logits = rows.step([20] * len(order))

    assert_as_alone(tiny_model, logits, *([*ids, 20] for ids in order))


def test_rows_that_join_at_different_times_have_the_logits_of_each_alone(tiny_model):
    rows = rows_of(tiny_model, LONG)
    rows.step([20])
    rows.join(read(tiny_model, SHORT), copies=1)
    rows.step([21, 22])
    rows.join(read(tiny_model, LONGER), copies=1)

    logits = rows.step([23, 24, 25])

    assert_as_alone(tiny_model, logits, [*LONG, 20, 21, 23], [*SHORT, 22, 24], [*LONGER, 25])


def test_copies_of_one_prompt_go_their_own_ways(tiny_model):
    rows = rows_of(tiny_model, LONG)
    rows.join(read(tiny_model, SHORT), copies=2)
    rows.step([20, 21, 22])

    logits = rows.step([23, 24, 25])

    assert_as_alone(tiny_model, logits, [*LONG, 20, 23], [*SHORT, 21, 24], [*SHORT, 22, 25])


@pytest.mark.parametrize("kept", [[0], [2], [0, 2], [1, 2]])
def test_the_rows_kept_go_on_as_before(tiny_model, kept):
    sequences = [SHORT, LONGER, LONG]
    rows = rows_of(tiny_model, *sequences)
    rows.step([20, 21, 22])

    rows.keep(kept)
    logits = rows.step([30 + i for i in kept])

    assert_as_alone(tiny_model, logits, *([*sequences[i], 20 + i, 30 + i] for i in kept))


def test_padding_that_only_a_dropped_row_needed_is_trimmed(tiny_model):
    cache = read(tiny_model, SHORT)
    rows = Rows(tiny_model)
    rows.join(cache, copies=1)
    rows.join(read(tiny_model, LONGER), copies=1)

    rows.keep([0])

    assert [layer.keys.shape[2] for layer in cache.layers] == [len(SHORT)] * 2
    assert [layer.values.shape[2] for layer in cache.layers] == [len(SHORT)] * 2


def test_a_newcomer_joins_after_everybody_has_left(tiny_model):
    rows = rows_of(tiny_model, LONG, SHORT)
    rows.keep([])
    assert len(rows) == 0

    rows.join(read(tiny_model, LONGER), copies=1)

    assert_as_alone(tiny_model, rows.step([20]), [*LONGER, 20])


def test_the_length_is_the_number_of_rows(tiny_model):
    rows = Rows(tiny_model)
    assert len(rows) == 0

    rows.join(read(tiny_model, SHORT), copies=3)
    rows.join(read(tiny_model, LONG), copies=1)

    assert len(rows) == 4


def test_many_joins_drops_and_steps_leave_every_row_its_own_numbers(tiny_model):
    random = torch.Generator().manual_seed(3)

    def ids(count: int) -> list[int]:
        return torch.randint(0, 256, (count,), generator=random).tolist()

    rows, sequences = Rows(tiny_model), []
    for turn in range(12):
        newcomer = ids(1 + turn * 5 % 17)
        rows.join(read(tiny_model, newcomer), copies=1)
        sequences.append(newcomer)
        if turn % 3 == 2:
            kept = [i for i in range(len(sequences)) if i % 3 != turn % 2]
            rows.keep(kept)
            sequences = [sequences[i] for i in kept]
        tokens = ids(len(sequences))
        sequences = [[*sequence, token] for sequence, token in zip(sequences, tokens, strict=True)]
        assert_as_alone(tiny_model, rows.step(tokens), *sequences)
