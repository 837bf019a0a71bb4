"""Recorder: from logits to one recorded decision. Every expected number is worked by hand."""

import math

import pytest
import torch

from llm_demo.decoding.recorder import Recorder
from llm_demo.sampling import Sampling

VOCAB = ["a", "b", "c", "d"]
QUARTERS = torch.tensor([0.125, 0.5, 0.25, 0.125]).log()  # softmax gives these back


def recorder(top_k: int = 3, prompt: tuple[int, ...] = (0,), stop: frozenset[int] = frozenset(), **settings):
    sampling = Sampling(**{"strategy": "greedy", **settings})
    return Recorder(prompt, sampling, top_k, stop, VOCAB.__getitem__)


def test_greedy_takes_the_likeliest_and_draws_nothing():
    step = recorder().choose(QUARTERS)

    assert (step.chosen.token_id, step.chosen.text) == (1, "b")
    assert step.draw is None


def test_greedy_takes_the_first_of_equals_as_argmax_does():
    assert recorder().choose(torch.tensor([1.0, 3.0, 3.0, 0.0])).chosen.token_id == 1


def test_the_probabilities_are_those_over_the_whole_vocabulary_though_two_are_shown():
    step = recorder(top_k=2).choose(QUARTERS)

    assert [c.raw_prob for c in step.top] == pytest.approx([0.5, 0.25])


def test_candidates_stand_by_falling_raw_prob_and_ties_by_token_id():
    step = recorder(top_k=4).choose(QUARTERS)

    assert [c.token_id for c in step.top] == [1, 2, 0, 3]


def test_a_tie_at_the_edge_of_the_top_k_shows_the_lower_ids():
    assert [c.token_id for c in recorder(top_k=3).choose(torch.zeros(4)).top] == [0, 1, 2]


def test_more_candidates_than_tokens_shows_them_all():
    assert len(recorder(top_k=50).choose(QUARTERS).top) == 4


def test_filtered_candidates_stay_visible_with_probability_zero():
    step = recorder(top_k=4, strategy="sample", top_p=0.7).choose(QUARTERS)

    assert [c.raw_prob for c in step.top] == pytest.approx([0.5, 0.25, 0.125, 0.125])
    assert [c.prob for c in step.top] == pytest.approx([2 / 3, 1 / 3, 0, 0])


def test_a_penalty_changes_prob_and_leaves_raw_prob():
    # Token 1's logit, ln 0.5, is negative: doubled it becomes ln 0.25, so (1, 2, 2, 1) / 6 are left.
    step = recorder(top_k=4, prompt=(1,), repetition_penalty=2.0).choose(QUARTERS)

    assert {c.token_id: c.raw_prob for c in step.top} == pytest.approx({1: 0.5, 2: 0.25, 0: 0.125, 3: 0.125})
    assert {c.token_id: c.prob for c in step.top} == pytest.approx({1: 2 / 6, 2: 2 / 6, 0: 1 / 6, 3: 1 / 6})


def test_penalties_look_back_on_what_was_chosen_too():
    row = recorder(prompt=(0,), repetition_penalty=2.0)

    assert [row.choose(torch.tensor([0.0, 4.0, 3.0, 0.0])).chosen.token_id for _ in range(2)] == [1, 2]


def test_greedy_follows_the_penalized_scores():
    step = recorder(prompt=(1,), repetition_penalty=4.0).choose(QUARTERS)

    assert step.chosen.token_id == 2
    assert step.chosen.raw_prob == pytest.approx(0.25)


def test_the_chosen_token_may_be_outside_the_top():
    unlikely = recorder(top_k=1, prompt=(1,), no_repeat_ngram_size=1)

    step = unlikely.choose(QUARTERS)

    assert [c.token_id for c in step.top] == [1]
    assert (step.chosen.token_id, step.chosen.prob) == (2, pytest.approx(0.5))


def test_the_entropy_is_that_of_the_raw_distribution_in_bits():
    # 0.5 * 1 + 0.25 * 2 + 2 * 0.125 * 3
    assert recorder(strategy="sample", temperature=0.1).choose(QUARTERS).entropy == pytest.approx(1.75)


def test_a_certain_token_has_entropy_zero_and_not_nan():
    certain = torch.tensor([-math.inf, 0.0, -math.inf, -math.inf])

    assert recorder().choose(certain).entropy == 0


def test_a_thousand_equal_tokens_have_entropy_of_their_logarithm():
    step = Recorder((0,), Sampling(), 1, frozenset(), str).choose(torch.zeros(1024))

    assert step.entropy == pytest.approx(10, abs=1e-5)


def test_log_prob_is_of_the_raw_distribution_in_nats():
    step = recorder(prompt=(1,), repetition_penalty=4.0).choose(QUARTERS)

    assert step.log_prob == pytest.approx(math.log(0.25))


def test_log_prob_stays_finite_where_the_probability_rounds_to_zero():
    step = recorder(prompt=(0,), no_repeat_ngram_size=1).choose(torch.tensor([200.0, 0.0, -5.0, -5.0]))

    assert step.log_prob == pytest.approx(-200, abs=0.1)


def test_the_softmax_is_in_float32_though_the_logits_are_bfloat16():
    logits = torch.zeros(257, dtype=torch.bfloat16)  # its 8 significant bits cannot hold 1 / 257

    step = Recorder((0,), Sampling(strategy="greedy"), 1, frozenset(), str).choose(logits)

    assert step.chosen.raw_prob == pytest.approx(1 / 257, rel=1e-6)


def test_warpers_work_in_float32_though_the_logits_are_bfloat16():
    logits = torch.tensor([1.0, 3.0, 2.0, 0.0], dtype=torch.bfloat16)

    step = recorder(strategy="sample", temperature=0.3, top_k=4).choose(logits)

    weights = [math.exp(x / 0.3) for x in (3, 2, 1, 0)]
    assert [c.prob for c in step.top] == pytest.approx([w / sum(weights) for w in weights], rel=1e-5)


def test_the_models_own_logits_are_left_as_they_were():
    logits = QUARTERS.clone()

    recorder(prompt=(1,), strategy="sample", repetition_penalty=2.0, top_p=0.5).choose(logits)

    assert torch.equal(logits, QUARTERS)


def test_a_draw_tells_the_interval_of_the_chosen_token():
    # Falling: b 0 - 0.5, c 0.5 - 0.75, a 0.75 - 0.875, d 0.875 - 1.
    intervals = {1: (0, 0.5), 2: (0.5, 0.75), 0: (0.75, 0.875), 3: (0.875, 1)}
    steps = [recorder(strategy="sample", seed=seed).choose(QUARTERS) for seed in range(40)]

    for step in steps:
        assert (step.draw.low, step.draw.high) == pytest.approx(intervals[step.chosen.token_id])
        assert step.draw.low <= step.draw.number < step.draw.high
    assert {step.chosen.token_id for step in steps} == set(intervals)


def test_a_drawn_token_was_never_filtered_out():
    row = recorder(strategy="sample", top_p=0.4, max_new_tokens=200)

    assert {row.choose(QUARTERS).chosen.prob for _ in range(200)} == {1.0}


def test_the_same_seed_chooses_the_same_tokens_and_another_seed_others():
    def tokens(seed: int) -> list[int]:
        row = recorder(strategy="sample", seed=seed)
        return [row.choose(QUARTERS).chosen.token_id for _ in range(30)]

    assert tokens(1) == tokens(1) != tokens(2)


def test_it_is_finished_after_the_bound_on_new_tokens():
    row = recorder(max_new_tokens=3)

    assert [(row.choose(QUARTERS), row.finished)[1] for _ in range(3)] == [False, False, True]


@pytest.mark.parametrize("stop", [{1}, {3, 1}])
def test_it_is_finished_at_any_token_that_ends_a_text(stop):
    row = recorder(stop=frozenset(stop))
    row.choose(QUARTERS)

    assert row.finished


def test_a_token_that_ends_no_text_does_not_finish_it():
    row = recorder(stop=frozenset({0, 2}))
    row.choose(QUARTERS)

    assert not row.finished


def test_skipped_numbers_are_spent():
    fresh, late = recorder(strategy="sample", seed=7), recorder(strategy="sample", seed=7)
    expected = fresh.numbers(3)

    late.skip(2)

    assert late.numbers(1) == expected[2:]
    assert late.choose(QUARTERS).draw.number == expected[2]
