"""Prompt lookup and speculative decoding: the same text in fewer passes."""

import json
from collections import Counter

import pytest

from llm_demo.decoding.speculative import find_continuation
from llm_demo.errors import SettingsError
from llm_demo.sampling import Sampling
from llm_demo.trace import Trace

REPEATING = "uno dos tres cuatro cinco uno dos tres cuatro cinco uno dos tres"
STRATEGIES = ("prompt_lookup", "speculative")


@pytest.fixture
def drafted(make_engine, make_tiny_model):
    """A tiny model, and one of other weights that drafts for it."""
    return make_engine(make_tiny_model(0), draft=make_tiny_model(1), stop_ids=frozenset({256}))


def text_of(engine, strategy: str, **knobs: object) -> Trace:
    return engine.generate(REPEATING, Sampling(strategy, **{"max_new_tokens": 40, **knobs}))


# --- greedy ---


@pytest.mark.parametrize("num_draft_tokens", [0, 1, 3, 12])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_text_is_the_greedy_one(drafted, strategy, num_draft_tokens):
    greedy = text_of(drafted, "greedy")

    trace = text_of(drafted, strategy, num_draft_tokens=num_draft_tokens)

    assert trace.token_ids == greedy.token_ids
    assert trace.finish_reason == greedy.finish_reason


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_penalties_do_not_break_it(drafted, strategy):
    knobs = {"repetition_penalty": 1.5, "no_repeat_ngram_size": 2}

    assert text_of(drafted, strategy, **knobs).token_ids == text_of(drafted, "greedy", **knobs).token_ids


@pytest.mark.parametrize("length", [1, 2, 5])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_it_never_writes_past_the_bound(drafted, strategy, length):
    assert len(text_of(drafted, strategy, max_new_tokens=length).token_ids) == length


def test_a_drafter_that_is_the_model_itself_is_always_right(make_engine, make_tiny_model):
    engine = make_engine(make_tiny_model(0), draft=make_tiny_model(0))

    trace = text_of(engine, "speculative", num_draft_tokens=4, max_new_tokens=41)

    assert all(draft.accepted == len(draft.token_ids) for draft in trace.drafts)
    assert trace.forward_passes == 1 + 40 // 5


def test_a_text_that_repeats_itself_takes_fewer_passes_by_lookup(engine):
    prompt = "Lista de colores: rojo, azul"  # this small model soon says the same again and again
    greedy = engine.generate(prompt, Sampling("greedy", max_new_tokens=80))

    looked_up = engine.generate(prompt, Sampling("prompt_lookup", max_new_tokens=80))

    assert looked_up.token_ids == greedy.token_ids
    assert looked_up.forward_passes < greedy.forward_passes / 2


@pytest.mark.parametrize("prompt", ["The capital of France is", "Lista de colores: rojo, azul", "Los meses son enero,"])
def test_the_real_models_lookup_text_is_the_greedy_one(engine, prompt):
    greedy = engine.generate(prompt, Sampling("greedy", max_new_tokens=30))

    assert engine.generate(prompt, Sampling("prompt_lookup", max_new_tokens=30)).token_ids == greedy.token_ids


# --- sampling ---


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_seeds_sample_is_that_of_plain_sampling(drafted, strategy, seed):
    knobs = {"temperature": 0.8, "top_k": 20, "seed": seed}

    assert (
        text_of(drafted, strategy, do_sample=True, **knobs).token_ids == text_of(drafted, "sample", **knobs).token_ids
    )


@pytest.mark.slow
def test_drafted_samples_follow_the_models_own_distribution(make_engine, make_tiny_model):
    # The second token of 4,000 texts, drafted by another model, against its probability summed over the first.
    model, drafter = (make_tiny_model(seed, vocab_size=12, pad_token_id=0, eos_token_id=None) for seed in (0, 1))
    engine = make_engine(model, draft=drafter)
    prompt = engine.tokenizer.decode([1, 5, 2, 8])
    first = engine.next_step(prompt, Sampling("greedy"), top_k=12)
    expected: Counter[int] = Counter()
    for candidate in first.top:
        steps = list(engine.stream(prompt, Sampling("greedy", max_new_tokens=2), 12, forced=[candidate.token_id]))
        for then in steps[1].top:
            expected[then.token_id] += 4_000 * candidate.raw_prob * then.raw_prob
    found: Counter[int] = Counter()
    for begin in range(0, 4_000, 8):
        samplings = [
            Sampling("speculative", do_sample=True, max_new_tokens=2, num_draft_tokens=1, seed=begin + i)
            for i in range(8)
        ]
        found.update(trace.token_ids[1] for trace in engine.compare(prompt, samplings, 1))

    likely = [token for token in expected if expected[token] >= 5]
    rest = 4_000 - sum(expected[token] for token in likely)
    chi_square = sum((found[token] - expected[token]) ** 2 / expected[token] for token in likely)
    chi_square += (4_000 - sum(found[token] for token in likely) - rest) ** 2 / max(rest, 1)
    assert chi_square < 31.26  # 0.999 quantile of the chi-square distribution with 11 degrees of freedom


# --- the trace ---


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_drafts_tell_what_was_accepted_and_add_up_to_the_text(drafted, strategy):
    trace = text_of(drafted, strategy)

    for draft in trace.drafts:
        accepted = draft.token_ids[: draft.accepted]
        assert trace.token_ids[draft.place : draft.place + draft.accepted] == accepted
        assert len(draft.texts) == len(draft.token_ids)
    assert sum(draft.accepted for draft in trace.drafts) + len(trace.drafts) >= len(trace.token_ids)
    assert trace.forward_passes == len(trace.drafts)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_its_trace_survives_json(drafted, strategy):
    trace = text_of(drafted, strategy)

    assert Trace.from_dict(json.loads(json.dumps(trace.to_dict()))) == trace


def test_speculation_without_a_drafter_is_refused(make_engine):
    with pytest.raises(SettingsError) as caught:
        text_of(make_engine(), "speculative")
    assert caught.value.key == "no_draft"


# --- the lookup, by hand ---


@pytest.mark.parametrize(
    ("ids", "count", "expected"),
    [
        ([1, 2, 3, 9, 1, 2], 2, (3, 9)),  # the last two tokens stood before a 3
        ([1, 2, 3, 9, 1, 2], 9, (3, 9, 1, 2)),
        ([7, 2, 5, 4, 1, 2], 2, (5, 4)),  # only the last one did
        ([1, 2, 3], 4, ()),
        ([1], 4, ()),
        ([4, 4], 3, (4,)),
        ([1, 2, 1, 2], 0, ()),
    ],
)
def test_what_followed_before_is_guessed_to_follow_again(ids, count, expected):
    assert find_continuation(ids, count) == expected
