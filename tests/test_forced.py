"""Forced tokens: "what if it had said…"."""

import pytest

from llm_demo.errors import InputError, SettingsError
from llm_demo.sampling import Sampling
from llm_demo.trace import Step

SAMPLING = Sampling(max_new_tokens=20, seed=3, temperature=0.9)
GREEDY = Sampling("greedy", max_new_tokens=20)


def numbers_of(step: Step) -> float | None:
    return step.draw and step.draw.number


@pytest.mark.parametrize("sampling", [SAMPLING, GREEDY], ids=["sample", "greedy"])
@pytest.mark.parametrize("place", [0, 1, 7, 19])
def test_forcing_what_was_chosen_anyway_changes_nothing(make_engine, sampling, place):
    engine = make_engine()
    trace = engine.generate("hola", sampling)

    branch = engine.branch("hola", trace, place, trace.token_ids[place], sampling)

    assert branch.token_ids == trace.token_ids
    # Forced tokens were not drawn; the draws after them are those of the same seed.
    assert [numbers_of(step) for step in branch.steps[place + 1 :]] == list(map(numbers_of, trace.steps[place + 1 :]))


@pytest.mark.parametrize("sampling", [SAMPLING, GREEDY], ids=["sample", "greedy"])
def test_another_candidate_is_followed_by_what_the_model_says_after_it(make_engine, sampling):
    engine = make_engine()
    trace = engine.generate("hola", sampling)
    other = next(c.token_id for c in trace.steps[4].top if c.token_id != trace.token_ids[4])

    branch = engine.branch("hola", trace, 4, other, sampling)

    assert branch.token_ids[:5] == (*trace.token_ids[:4], other)
    assert len(branch.steps) == 20
    for mine, before in zip(branch.steps[:4], trace.steps[:4], strict=True):
        assert mine.chosen.raw_prob == pytest.approx(before.chosen.raw_prob, abs=1e-5)
    assert branch.steps[4].chosen.raw_prob == pytest.approx(
        next(c.raw_prob for c in trace.steps[4].top if c.token_id == other), abs=1e-5
    )


def test_a_forced_end_of_text_ends_it(make_engine):
    engine = make_engine(stop_ids=frozenset({256}))

    trace = engine.generate("hola", GREEDY, forced=[65, 256, 66])

    assert trace.token_ids == (65, 256)
    assert trace.finish_reason == "stop"


def test_forced_tokens_count_against_the_bound(make_engine):
    trace = make_engine().generate("hola", Sampling("greedy", max_new_tokens=3), forced=[65, 66, 67])

    assert trace.token_ids == (65, 66, 67)
    assert trace.finish_reason == "length"


@pytest.mark.parametrize("token", [-1, 259, 10**9, True, 1.5, "a", None])
def test_what_is_no_token_is_refused(make_engine, token):
    with pytest.raises(InputError) as caught:
        make_engine().generate("hola", GREEDY, forced=[token])
    assert caught.value.key == "bad_id"


@pytest.mark.parametrize("place", [-1, 21])
def test_a_place_outside_the_trace_is_refused(make_engine, place):
    engine = make_engine()
    trace = engine.generate("hola", GREEDY)

    with pytest.raises(InputError) as caught:
        engine.branch("hola", trace, place, 65, GREEDY)
    assert caught.value.key == "bad_place"


def test_more_forced_than_asked_for_is_refused(make_engine):
    with pytest.raises(InputError) as caught:
        make_engine().generate("hola", Sampling("greedy", max_new_tokens=2), forced=[65, 66, 67])
    assert caught.value.key == "many_forced"


def test_a_strategy_that_picks_no_single_tokens_is_refused(make_engine):
    with pytest.raises(SettingsError) as caught:
        make_engine().generate("hola", Sampling("beam", num_beams=2), forced=[65])
    assert caught.value.key == "forced"
