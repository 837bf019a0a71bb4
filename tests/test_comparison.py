"""Comparison: numbers worked by hand, and drafts of real runs that add up."""

import math

import pytest

from llm_demo.comparison import Drafted, Facts, Parting, Rejected, drafted, facts, parting, partings
from llm_demo.sampling import Sampling
from llm_demo.trace import Candidate, Draft, Step, Trace


def step(token_id: int, raw_prob: float = 0.5) -> Step:
    chosen = Candidate(token_id, f"<{token_id}>", raw_prob, 1.0)
    return Step(chosen, (chosen,), None, 1.0, math.log(raw_prob))


def trace(*token_ids: int, raw_prob: float = 0.5, seconds: float = 2.0, drafts: tuple[Draft, ...] = ()) -> Trace:
    steps = tuple(step(token_id, raw_prob) for token_id in token_ids)
    log_prob = sum(one.log_prob for one in steps)
    passes = len(drafts) or len(steps)
    return Trace((7, 8), token_ids, steps, "…", "length", log_prob, passes, seconds, drafts)


def guess(place: int, *token_ids: int, accepted: int) -> Draft:
    return Draft(place, token_ids, tuple(f"<{token_id}>" for token_id in token_ids), accepted)


# --- facts ---


def test_the_facts_of_a_continuation_by_hand():
    # 3-grams: 121, 212, 121, 212, 123: five, of which 121 and 212 occurred before.
    found = facts(trace(1, 2, 1, 2, 1, 2, 3, raw_prob=0.25))

    assert found == Facts(
        tokens=7,
        log_prob=pytest.approx(-7 * math.log(4)),
        mean_log_prob=pytest.approx(-math.log(4)),
        perplexity=pytest.approx(4.0),  # as unsure as among four equals
        repetition=pytest.approx(2 / 5),
        distinct=3,
        forward_passes=7,
        tokens_per_second=3.5,
        finish_reason="length",
    )


@pytest.mark.parametrize(
    ("ids", "repetition"),
    [
        ((), 0.0),
        ((5, 5), 0.0),  # too short for any 3-gram
        ((5, 5, 5), 0.0),
        ((5, 5, 5, 5), 1 / 2),
        ((5,) * 12, 9 / 10),
        ((1, 2, 3, 4, 5, 6), 0.0),
        ((1, 2, 3, 9, 1, 2, 3), 1 / 5),
    ],
)
def test_repetition_is_the_share_of_3_grams_that_were_there_before(ids, repetition):
    assert facts(trace(*ids)).repetition == pytest.approx(repetition)


def test_a_text_stopped_before_its_first_token_has_no_means():
    found = facts(Trace((7,), (), (), "", "cancelled", 0, 0, 0.0))

    assert (found.tokens, found.log_prob, found.repetition, found.distinct) == (0, 0, 0.0, 0)
    assert (found.mean_log_prob, found.perplexity, found.tokens_per_second) == (None, None, None)
    assert found.finish_reason == "cancelled"


def test_a_text_of_no_measured_time_has_no_speed():
    assert facts(trace(1, seconds=0.0)).tokens_per_second is None


def test_an_impossible_text_has_an_infinite_perplexity():
    assert facts(Trace((7,), (1,), (step(1),), "", "length", -1e6, 1, 1.0)).perplexity == math.inf


# --- where they part ---


def test_two_continuations_part_at_their_first_different_token():
    left, right = trace(1, 2, 3, 4), trace(1, 2, 9, 4)

    assert parting(left, right) == Parting(2, (left.steps[2].chosen, right.steps[2].chosen))


def test_a_continuation_that_ended_chose_nothing_where_the_other_goes_on():
    short, long = trace(1, 2), trace(1, 2, 3)

    assert parting(short, long) == Parting(2, (None, long.steps[2].chosen))
    assert parting(long, short) == Parting(2, (long.steps[2].chosen, None))
    assert parting(trace(), short) == Parting(0, (None, short.steps[0].chosen))


def test_the_same_tokens_never_part_however_likely_they_were():
    assert parting(trace(1, 2), trace(1, 2, raw_prob=0.25)) is None
    assert parting(trace(), trace()) is None


def test_every_pair_is_compared_once():
    traces = [trace(1, 2), trace(1, 3), trace(1, 2)]

    found = partings(traces)

    assert list(found) == [(0, 1), (0, 2), (1, 2)]
    assert found[0, 1] == parting(traces[0], traces[1])
    assert found[0, 2] is None
    assert found[1, 2].chosen[0].token_id == 3
    assert partings(traces[:1]) == {}


# --- what was drafted ---


def test_guesses_accepted_and_rejected_by_hand():
    # The prompt's pass decides 10. Then 11 12 13 are guessed: 11 and 12 are right, 13 should be 20. Then a pass
    # without a guess decides 21, and last 22 is guessed, rightly, and 23 comes with it.
    drafts = (
        guess(0, accepted=0),
        guess(1, 11, 12, 13, accepted=2),
        guess(4, accepted=0),
        guess(5, 22, accepted=1),
    )

    assert drafted(trace(10, 11, 12, 20, 21, 22, 23, drafts=drafts)) == Drafted(
        origins=("model", "draft", "draft", "model", "model", "draft", "model"),
        rejected=(Rejected(3, (13,), ("<13>",)),),
        drafted=4,
        accepted=3,
        passes_saved=7 - 4,
    )


def test_all_that_was_guessed_upon_a_wrong_guess_is_rejected_with_it():
    found = drafted(trace(1, 2, drafts=(guess(0, accepted=0), guess(1, 7, 8, 9, accepted=0))))

    assert found.rejected == (Rejected(1, (7, 8, 9), ("<7>", "<8>", "<9>")),)
    assert (found.drafted, found.accepted, found.passes_saved) == (3, 0, 0)


def test_a_text_that_an_accepted_token_ends_has_no_token_of_the_models_after_it():
    # 6 ends the text; 7 was guessed past its end.
    found = drafted(trace(4, 5, 6, drafts=(guess(0, accepted=0), guess(1, 5, 6, 7, accepted=2))))

    assert found.origins == ("model", "draft", "draft")
    assert found.rejected == (Rejected(3, (7,), ("<7>",)),)
    assert found.passes_saved == 1


def test_tokens_whose_pass_had_not_told_are_of_unknown_origin():
    found = drafted(trace(1, 2, 3, drafts=(guess(0, accepted=0),)))

    assert found.origins == ("model", None, None)
    assert found.passes_saved == 0


@pytest.mark.parametrize("ids", [(), (1, 2, 3)])
def test_without_drafts_every_token_is_the_models_own(ids):
    assert drafted(trace(*ids)) == Drafted(("model",) * len(ids), (), 0, 0, 0)


@pytest.mark.parametrize("strategy", ["prompt_lookup", "speculative"])
def test_a_real_run_saves_the_passes_that_greedy_decoding_would_take(make_engine, make_tiny_model, strategy):
    # The drafter is the model itself, so it is always right; lookup finds nothing in a random model's text but loops.
    engine = make_engine(make_tiny_model(0), draft=make_tiny_model(0))
    prompt = "uno dos tres " * 12  # longer than one piece of prompt
    greedy = engine.generate(prompt, Sampling("greedy", max_new_tokens=24))
    guessed = engine.generate(prompt, Sampling(strategy, max_new_tokens=24))

    found = drafted(guessed)

    assert guessed.token_ids == greedy.token_ids
    assert found.passes_saved == greedy.forward_passes - guessed.forward_passes
    assert found.origins.count("draft") == found.accepted
    assert None not in found.origins
    assert found.drafted - found.accepted == sum(len(wrong.token_ids) for wrong in found.rejected)
    for wrong in found.rejected:
        assert wrong.token_ids[0] != guessed.token_ids[wrong.place]
