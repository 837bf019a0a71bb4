"""Sampling: knobs refused out of range, transformers' own warpers, and a draw that can be worked by hand."""

import math
from dataclasses import fields

import pytest
import torch
from transformers import GenerationConfig

from llm_demo.errors import SettingsError
from llm_demo.ranking import Ranking
from llm_demo.sampling import RANGES, Sampling, draw, generator, next_number, warpers

WHOLE = sorted(knob.name for knob in fields(Sampling) if knob.type is int)
REAL = sorted(knob.name for knob in fields(Sampling) if knob.type is float)
NO_NUMBERS = [math.nan, math.inf, -math.inf, True, False, "1", None, [1], {}, 1j, 10**400, -(10**400)]


def refused(**settings: object) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        Sampling(**settings)
    return caught.value


# --- validation ---


def test_every_number_has_a_range():
    assert sorted(RANGES) == sorted(WHOLE + REAL)


def test_the_defaults_are_those_of_the_contract():
    assert {knob.name: knob.default for knob in fields(Sampling)} == {
        "strategy": "sample",
        "max_new_tokens": 50,
        "temperature": 1.0,
        "top_k": 0,
        "top_p": 1.0,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "no_repeat_ngram_size": 0,
        "num_beams": 1,
        "length_penalty": 1.0,
        "penalty_alpha": 0.0,
        "num_draft_tokens": 0,
        "seed": 0,
        "typical_p": 1.0,
        "do_sample": False,
        "early_stopping": False,
    }


@pytest.mark.parametrize("knob", WHOLE + REAL)
@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: repr(value)[:8])
def test_what_is_no_number_is_refused(knob, value):
    assert refused(**{knob: value}).values["knob"] == knob


@pytest.mark.parametrize("knob", WHOLE)
def test_a_fraction_of_a_whole_number_is_refused(knob):
    assert refused(**{knob: RANGES[knob][0] + 0.5}).key == "knob_whole"


@pytest.mark.parametrize("knob", WHOLE + REAL)
def test_just_outside_the_range_is_refused(knob):
    low, high = RANGES[knob]
    below, above = (low - 1, high + 1) if knob in WHOLE else (low - 1e-6, high + 1e-6)

    assert refused(**{knob: below}).values["knob"] == knob
    assert refused(**{knob: above}).values["knob"] == knob


@pytest.mark.parametrize("knob", WHOLE + REAL)
def test_both_ends_of_the_range_are_allowed(knob):
    low, high = RANGES[knob]

    assert getattr(Sampling(**{knob: low}), knob) == low
    assert getattr(Sampling(**{knob: high}), knob) == high


def test_a_refusal_names_the_knob_the_value_and_the_range():
    error = refused(temperature=-3.5)

    assert error.key == "knob"
    assert error.values == {"knob": "temperature", "value": -3.5, "low": 0.001, "high": 10.0}


def test_the_range_of_seed_is_written_in_full():
    assert "9,007,199,254,740,991" in str(refused(seed=2**53))


def test_temperature_zero_is_refused_and_not_taken_for_greedy():
    assert refused(temperature=0).values["knob"] == "temperature"


def test_a_whole_number_written_as_a_float_is_taken_as_an_int():
    sampling = Sampling(top_k=5.0)  # what a slider or JSON may send

    assert sampling.top_k == 5
    assert isinstance(sampling.top_k, int)


def test_an_int_for_a_real_knob_is_taken_as_a_float():
    assert isinstance(Sampling(temperature=2).temperature, float)


@pytest.mark.parametrize("strategy", ["", "Greedy", "dola", None, 3, True, ["greedy"]])
def test_an_unknown_strategy_is_refused_beside_the_known_ones(strategy):
    error = refused(strategy=strategy)

    assert error.key == "strategy"
    assert {"greedy", "sample"} <= set(error.values["choices"].split(", "))


def test_a_long_value_is_quoted_at_a_length_that_a_sentence_bears():
    assert len(refused(strategy="x" * 100_000).values["value"]) <= 40


@pytest.mark.parametrize("name", ["top_q", "", "Temperature", "trust_remote_code", 3, "x" * 100_000])
def test_an_unknown_field_is_refused_beside_the_known_ones(name):
    with pytest.raises(SettingsError) as caught:
        Sampling.from_dict({"temperature": 1.0, name: 1})

    assert caught.value.key == "unknown_knob"
    assert len(caught.value.values["name"]) <= 40
    assert "temperature" in caught.value.values["known"]


@pytest.mark.parametrize("settings", [None, [], "greedy", 3, [["strategy", "greedy"]]])
def test_settings_that_are_no_object_are_refused(settings):
    with pytest.raises(SettingsError) as caught:
        Sampling.from_dict(settings)

    assert caught.value.key == "sampling_shape"


def test_from_dict_reads_every_field():
    settings = {
        "strategy": "greedy",
        "max_new_tokens": 7,
        "temperature": 0.5,
        "top_k": 3,
        "top_p": 0.9,
        "min_p": 0.1,
        "repetition_penalty": 1.2,
        "no_repeat_ngram_size": 2,
        "num_beams": 4,
        "length_penalty": 0.8,
        "penalty_alpha": 0.6,
        "num_draft_tokens": 5,
        "seed": 11,
        "typical_p": 0.9,
        "do_sample": True,
        "early_stopping": True,
    }

    assert Sampling.from_dict(settings) == Sampling(**settings)
    assert set(settings) == {knob.name for knob in fields(Sampling)}


def test_from_dict_of_nothing_gives_the_defaults():
    assert Sampling.from_dict({}) == Sampling()


# --- warpers ---


def warped(probs: list[float], seen: list[int] | None = None, **settings: object) -> list[float]:
    """Warp a distribution given as probabilities, after the ids in `seen`."""
    logits = torch.tensor([probs]).log()
    ids = torch.tensor([seen or []], dtype=torch.long)
    return warpers(Sampling(**settings))(ids, logits)[0].softmax(-1).tolist()


def test_neutral_knobs_leave_no_warper_and_so_no_hidden_top_k():
    assert len(warpers(Sampling())) == 0


def test_top_p_keeps_the_token_that_crosses_it():
    # 0.5 < 0.6 and 0.5 + 0.3 > 0.6: the second crosses and stays, the third goes.
    assert warped([0.2, 0.5, 0.3], top_p=0.6) == pytest.approx([0, 0.625, 0.375])


def test_top_k_acts_before_top_p():
    # The best two of (0.4, 0.3, 0.2, 0.1) renormalize to (4/7, 3/7); 4/7 = 0.571 crosses 0.55 alone.
    # The other way round 0.4 < 0.55 < 0.4 + 0.3 would have kept both.
    assert warped([0.4, 0.3, 0.2, 0.1], top_k=2, top_p=0.55) == pytest.approx([1, 0, 0, 0])


def test_temperature_acts_before_top_p():
    # Squared: (0.25, 0.09, 0.04) / 0.38 = (0.658, 0.237, 0.105), so 0.65 keeps one; unsquared it keeps two.
    assert warped([0.5, 0.3, 0.2], temperature=0.5, top_p=0.65) == pytest.approx([1, 0, 0])


def test_min_p_is_a_share_of_the_likeliest():
    # 0.3 of 0.5 is 0.15.
    assert warped([0.5, 0.3, 0.14, 0.06], min_p=0.3) == pytest.approx([0.625, 0.375, 0, 0])


def test_repetition_penalty_divides_a_seen_positive_logit_and_multiplies_a_negative_one():
    logits = torch.tensor([[2.0, -2.0, 2.0, -2.0]])

    scores = warpers(Sampling(strategy="greedy", repetition_penalty=2.0))(torch.tensor([[0, 1]]), logits)

    assert scores.tolist() == [[1.0, -4.0, 2.0, -2.0]]


def test_no_repeat_ngram_bans_what_would_repeat_a_bigram():
    # After ...1 2 ... 1 the token 2 would repeat the bigram "1 2".
    assert warped([0.2, 0.2, 0.6], seen=[1, 2, 0, 1], no_repeat_ngram_size=2) == pytest.approx([0.5, 0.5, 0])


def test_temperature_and_filters_do_not_touch_greedy():
    assert len(warpers(Sampling(strategy="greedy", temperature=2.0, top_k=3, top_p=0.5, min_p=0.2))) == 0


CHAINS = [
    {"temperature": 0.7},
    {"top_k": 5},
    {"top_p": 0.8},
    {"min_p": 0.1},
    {"repetition_penalty": 1.4},
    {"no_repeat_ngram_size": 2},
    {"temperature": 1.7, "top_k": 9, "top_p": 0.7, "min_p": 0.02},
    {"temperature": 0.6, "top_p": 0.9, "repetition_penalty": 0.8, "no_repeat_ngram_size": 3},
    {
        "temperature": 1.3,
        "top_k": 40,
        "top_p": 0.95,
        "min_p": 0.01,
        "repetition_penalty": 1.2,
        "no_repeat_ngram_size": 1,
    },
]


@pytest.mark.parametrize("settings", CHAINS, ids="+".join)
def test_the_chain_is_that_of_generate(tiny_model, settings):
    ids = torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6, 3, 1]])
    logits = 3 * torch.randn(1, 259, generator=torch.Generator().manual_seed(1))
    neutral = {"temperature": 1.0, "top_k": 0, "top_p": 1.0}
    config = GenerationConfig(do_sample=True, **{**neutral, **settings})
    reference = tiny_model._get_logits_processor(config, input_ids_seq_length=10, device="cpu")

    ours = warpers(Sampling(**settings))(ids, logits.clone())

    assert torch.equal(ours, reference(ids, logits.clone()))
    assert not torch.equal(ours, logits)


# --- the draw ---


@pytest.mark.parametrize(
    ("number", "token", "low", "high"),
    [
        (0.0, 3, 0.0, 0.5),
        (0.4999, 3, 0.0, 0.5),
        (0.5, 0, 0.5, 0.75),  # an edge belongs to the interval that it begins
        (0.7499, 0, 0.5, 0.75),
        (0.75, 2, 0.75, 1.0),  # as likely as token 0: ties stand by token id
        (1 - 2**-53, 2, 0.75, 1.0),  # the largest float64 below 1
    ],
)
def test_a_number_falls_into_the_interval_worked_by_hand(monkeypatch, number, token, low, high):
    monkeypatch.setattr(torch, "rand", lambda *size, **options: torch.tensor(number, dtype=torch.float64))

    chosen, drawn = draw(Ranking(torch.tensor([0.25, 0.0, 0.25, 0.5])), next_number(generator(0)))

    assert chosen == token
    assert (drawn.number, drawn.low, drawn.high) == (number, low, high)


def test_the_last_interval_ends_at_one_though_the_probabilities_miss_it(monkeypatch):
    short = torch.tensor([0.6, 0.3, 0.0999])  # adds up to 0.9999
    monkeypatch.setattr(torch, "rand", lambda *size, **options: torch.tensor(0.99999, dtype=torch.float64))

    chosen, drawn = draw(Ranking(short), next_number(generator(0)))

    assert (chosen, drawn.high) == (2, 1.0)


def test_a_token_of_probability_zero_is_never_drawn():
    probs = torch.zeros(1000)
    probs[[17, 400, 999]] = torch.tensor([1e-30, 0.5, 0.5])  # so small that it is lost in the sum
    rng = generator(5)

    assert {draw(Ranking(probs), next_number(rng))[0] for _ in range(2000)} <= {17, 400, 999}


def test_a_number_far_down_the_tail_finds_its_token():
    probs = torch.linspace(1, 2, 20_000).softmax(0)  # nearly flat: the last token is the likeliest
    exact = probs.double().flip(0).cumsum(0) / probs.double().sum()

    for number in (0.001, 0.04, 0.3, 0.7, 0.99999):
        chosen, drawn = draw(Ranking(probs), number)
        place = int((exact <= number).sum())
        assert abs(len(probs) - 1 - chosen - place) <= 1  # at an edge, rounding decides
        assert drawn.low <= number < drawn.high
        assert drawn.high - drawn.low == pytest.approx(probs[chosen].item(), rel=1e-3)


def test_the_number_comes_from_the_given_generator_alone():
    first = [draw(Ranking(torch.full((100,), 0.01)), next_number(generator(7))) for _ in range(2)]
    torch.manual_seed(123)  # somebody else draws from the global one
    torch.rand(10)

    assert first[0] == first[1] == draw(Ranking(torch.full((100,), 0.01)), next_number(generator(7)))
    assert first[0] != draw(Ranking(torch.full((100,), 0.01)), next_number(generator(8)))


def test_ten_thousand_draws_follow_the_warped_distribution():
    weights = {0: 0.30, 1: 0.05, 2: 0.20, 3: 0.25, 4: 0.02, 5: 0.10, 6: 0.08}
    # By hand: temperature 0.5 squares; top_k 5 keeps 0, 3, 2, 5, 6; of their squares, (900, 625, 400, 100, 64)
    # / 2089, the first three reach 0.921 and the fourth crosses 0.95.
    squares = {0: 900, 3: 625, 2: 400, 5: 100}
    expected = {token: 10_000 * square / 2025 for token, square in squares.items()}
    probs = torch.tensor(warped(list(weights.values()), temperature=0.5, top_k=5, top_p=0.95))
    rng = generator(2024)

    counts = dict.fromkeys(weights, 0)
    for _ in range(10_000):
        counts[draw(Ranking(probs), next_number(rng))[0]] += 1

    assert {token for token, count in counts.items() if count} == set(squares)
    chi_square = sum((counts[token] - mean) ** 2 / mean for token, mean in expected.items())
    assert chi_square < 16.27  # the 0.999 quantile at 3 degrees of freedom
