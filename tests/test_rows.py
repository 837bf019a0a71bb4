"""Rows: sequences of different lengths in one batch, each with the numbers it has alone."""

import pytest
import torch
from torch import Tensor

from llm_demo.models.packed import pack
from llm_demo.rows import Rows

SHORT, LONG, LONGER = [5, 6], [7, 8, 9, 10, 11], [12, 13, 14, 15, 16, 17, 18, 19]


@pytest.fixture(autouse=True)
def inference():
    with torch.inference_mode():
        yield


def alone(model, ids: list[int]) -> Tensor:
    """Return the logits after `ids`, from one plain pass with neither cache nor neighbours."""
    return model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1]


def read(model, ids: list[int]) -> Rows:
    rows = Rows(model)
    rows.step([ids])
    return rows


def step(rows: Rows, tokens: list[int]) -> Tensor:
    return rows.step([[token] for token in tokens]).logits[:, -1]


def rows_of(model, *sequences: list[int]) -> Rows:
    rows = Rows(model)
    for ids in sequences:
        rows.join(read(model, ids))
    return rows


def assert_as_alone(model, logits: Tensor, *sequences: list[int]) -> None:
    torch.testing.assert_close(logits, torch.stack([alone(model, ids) for ids in sequences]), rtol=0, atol=1e-4)


@pytest.mark.parametrize("order", [(SHORT, LONGER, LONG), (LONGER, SHORT, LONG), (SHORT, SHORT)])
def test_rows_of_different_lengths_have_the_logits_of_each_alone(tiny_model, order):
    rows = rows_of(tiny_model, *order)

    logits = step(rows, [20] * len(order))

    assert_as_alone(tiny_model, logits, *([*ids, 20] for ids in order))


def test_rows_that_join_at_different_times_have_the_logits_of_each_alone(tiny_model):
    rows = rows_of(tiny_model, LONG)
    step(rows, [20])
    rows.join(read(tiny_model, SHORT))
    step(rows, [21, 22])
    rows.join(read(tiny_model, LONGER))

    logits = step(rows, [23, 24, 25])

    assert_as_alone(tiny_model, logits, [*LONG, 20, 21, 23], [*SHORT, 22, 24], [*LONGER, 25])


def test_copies_of_one_prompt_go_their_own_ways(tiny_model):
    rows = rows_of(tiny_model, LONG)
    rows.join(read(tiny_model, SHORT))
    rows.arrange([0, 1, 1])
    step(rows, [20, 21, 22])

    logits = step(rows, [23, 24, 25])

    assert_as_alone(tiny_model, logits, [*LONG, 20, 23], [*SHORT, 21, 24], [*SHORT, 22, 25])


@pytest.mark.parametrize("kept", [[0], [2], [0, 2], [1, 2]])
def test_the_rows_kept_go_on_as_before(tiny_model, kept):
    sequences = [SHORT, LONGER, LONG]
    rows = rows_of(tiny_model, *sequences)
    step(rows, [20, 21, 22])

    rows.arrange(kept)
    logits = step(rows, [30 + i for i in kept])

    assert_as_alone(tiny_model, logits, *([*sequences[i], 20 + i, 30 + i] for i in kept))


def test_rejected_tokens_are_taken_back(tiny_model):
    rows = read(tiny_model, LONG)
    rows.step([[20, 21, 22]])

    rows.forget(0, 2)
    logits = rows.step([[23, 24]], wanted=2).logits[0]

    assert_as_alone(tiny_model, logits, [*LONG, 20, 23], [*LONG, 20, 23, 24])


def test_several_tokens_for_rows_of_different_lengths_look_at_nothing_after_them(tiny_model):
    rows = rows_of(tiny_model, LONG, SHORT)

    logits = rows.step([[20, 21], [22, 23]], wanted=2).logits

    assert_as_alone(tiny_model, logits[0], [*LONG, 20], [*LONG, 20, 21])
    assert_as_alone(tiny_model, logits[1], [*SHORT, 22], [*SHORT, 22, 23])


def test_the_last_layers_states_are_those_of_a_plain_pass(tiny_model):
    rows = read(tiny_model, LONG)

    hidden = rows.step([[20, 21]], hidden=True).hidden

    plain = tiny_model(input_ids=torch.tensor([[*LONG, 20, 21]]), output_hidden_states=True, use_cache=False)
    torch.testing.assert_close(hidden[0], plain.hidden_states[-1][0, -2:], rtol=0, atol=1e-5)


def test_rows_fork_and_change_places_in_one_go(tiny_model):
    rows = rows_of(tiny_model, SHORT, LONG, LONGER)

    rows.arrange([2, 0, 2, 1])

    assert_as_alone(tiny_model, step(rows, [20, 21, 22, 23]), [*LONGER, 20], [*SHORT, 21], [*LONGER, 22], [*LONG, 23])


def test_a_newcomer_joins_after_everybody_has_left(tiny_model):
    rows = rows_of(tiny_model, LONG, SHORT)
    rows.arrange([])
    assert len(rows) == 0

    rows.join(read(tiny_model, LONGER))

    assert_as_alone(tiny_model, step(rows, [20]), [*LONGER, 20])


def test_the_length_is_the_number_of_rows(tiny_model):
    rows = Rows(tiny_model)
    assert len(rows) == 0

    rows.join(read(tiny_model, SHORT))
    rows.join(read(tiny_model, LONG))

    assert len(rows) == 2


def test_many_joins_drops_and_steps_leave_every_row_its_own_numbers(tiny_model):
    random = torch.Generator().manual_seed(3)

    def ids(count: int) -> list[int]:
        return torch.randint(0, 256, (count,), generator=random).tolist()

    rows, sequences = Rows(tiny_model), []
    for turn in range(12):
        newcomer = ids(1 + turn * 5 % 17)
        rows.join(read(tiny_model, newcomer))
        sequences.append(newcomer)
        if turn % 3 == 2:
            kept = [i for i in range(len(sequences)) if i % 3 != turn % 2]
            rows.arrange(kept)
            sequences = [sequences[i] for i in kept]
        tokens = ids(len(sequences))
        sequences = [[*sequence, token] for sequence, token in zip(sequences, tokens, strict=True)]
        assert_as_alone(tiny_model, step(rows, tokens), *sequences)


@pytest.mark.parametrize("same_alone", [True, False])
def test_first_tokens_of_different_lengths_read_together_leave_each_row_its_own_numbers(tiny_model, same_alone):
    sequences = [LONG, SHORT, LONGER, [7]]
    rows = Rows(tiny_model, same_alone)

    fed = rows.step(sequences, hidden=True)

    assert rows.lengths == (5, 2, 8, 1)
    assert_as_alone(tiny_model, fed.logits[:, -1], *sequences)
    plain = tiny_model(input_ids=torch.tensor([LONG]), output_hidden_states=True, use_cache=False).hidden_states[-1]
    torch.testing.assert_close(fed.hidden[0, -5:], plain[0], rtol=0, atol=1e-5)
    assert_as_alone(tiny_model, step(rows, [20, 21, 22, 23]), *([*ids, 20 + i] for i, ids in enumerate(sequences)))


def test_later_tokens_too_may_be_fewer_for_some_rows(tiny_model):
    rows = rows_of(tiny_model, LONG, SHORT)

    logits = rows.step([[20], [21, 22, 23]], wanted=2).logits

    assert_as_alone(tiny_model, logits[0, -1:], [*LONG, 20])
    assert_as_alone(tiny_model, logits[1], [*SHORT, 21, 22], [*SHORT, 21, 22, 23])
    assert_as_alone(tiny_model, step(rows, [24, 25]), [*LONG, 20, 24], [*SHORT, 21, 22, 23, 25])


def test_a_row_of_several_read_together_can_be_taken_out(tiny_model):
    crowd, rows = Rows(tiny_model), Rows(tiny_model)
    crowd.step([LONG, SHORT])

    rows.join(crowd, 1)

    assert_as_alone(tiny_model, step(rows, [20]), [*SHORT, 20])


def test_first_tokens_read_together_have_to_the_last_bit_the_logits_of_each_alone(make_tiny_model):
    model = pack(make_tiny_model())
    random = torch.Generator().manual_seed(8)
    sequences = [torch.randint(0, 256, (count,), generator=random).tolist() for count in (1, 2, 7, 15, 16, 17, 40)]

    logits = Rows(model).step(sequences).logits[:, -1]

    for got, ids in zip(logits, sequences, strict=True):
        assert torch.equal(got, Rows(model).step([ids]).logits[0, -1])
