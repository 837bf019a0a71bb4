"""What filters leave, worked out by hand on a distribution of which the likeliest tokens are known."""

import math

import pytest

from llm_demo.remote.filters import LLAMA_CPP, VLLM, filtered
from llm_demo.sampling import Sampling

# Of all tokens these are known; the rest have 0.1 together.
KNOWN = [math.log(p) for p in (0.4, 0.3, 0.15, 0.05)]


def left(sampling: Sampling, order=VLLM, whole: bool = False) -> list[float] | None:
    found = filtered(KNOWN, sampling, order, whole)
    return None if found is None else [round(prob, 6) for prob in found]


def test_nothing_filtered_leaves_the_models_own():
    assert left(Sampling()) == left(Sampling("greedy", temperature=0.5, top_k=1)) == [0.4, 0.3, 0.15, 0.05]


def test_top_k_shares_what_is_left_among_k():
    assert left(Sampling(top_k=2)) == [round(4 / 7, 6), round(3 / 7, 6), 0, 0]


def test_temperature_before_top_k_needs_only_the_k():
    # 0.4 ** 2 : 0.3 ** 2 = 16 : 9
    assert left(Sampling(temperature=0.5, top_k=2)) == [0.64, 0.36, 0, 0]


def test_top_p_keeps_the_token_that_crosses():
    assert left(Sampling(top_p=0.6)) == [round(4 / 7, 6), round(3 / 7, 6), 0, 0]
    assert left(Sampling(top_p=0.8)) == [round(8 / 17, 6), round(6 / 17, 6), round(3 / 17, 6), 0]


def test_min_p_is_a_share_of_the_likeliest_whatever_the_sum():
    # With temperature 0.5 the squares count: 0.3 ** 2 / 0.4 ** 2 = 0.5625.
    assert left(Sampling(min_p=0.5)) == [round(4 / 7, 6), round(3 / 7, 6), 0, 0]
    assert left(Sampling(temperature=0.5, min_p=0.5)) == [0.64, 0.36, 0, 0]


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(temperature=0.5),
        Sampling(top_k=4),  # the fifth may be as likely as the fourth
        Sampling(top_p=0.95),
        Sampling(min_p=0.1),
        Sampling(temperature=0.5, top_p=0.6),  # which share 0.6 is depends on all
    ],
    ids=["temperature", "top-k", "top-p", "min-p", "temperature before top-p"],
)
def test_what_the_unknown_tokens_decide_is_unknown(sampling):
    assert left(sampling) is None
    assert left(sampling, whole=True) is not None


def test_equals_at_the_edge_of_top_k_are_for_the_server_to_choose():
    assert filtered([math.log(0.4), math.log(0.2), math.log(0.2)], Sampling(top_k=2), VLLM, whole=False) is None


def test_a_server_that_heats_last_cuts_what_was_cold():
    # Cut at 0.6 of the model's own, then squared and shared: 16 : 9.
    assert left(Sampling(temperature=0.5, top_p=0.6), LLAMA_CPP) == [0.64, 0.36, 0, 0]


def test_a_server_that_asks_for_the_share_first_cuts_top_p_from_less():
    # Min-p leaves 0.4 and 0.3; of their sum the first is 0.571, enough for 0.55.
    sampling = Sampling(min_p=0.5, top_p=0.55)

    assert left(sampling, VLLM) == [1, 0, 0, 0]
    assert left(sampling, LLAMA_CPP) == [round(4 / 7, 6), round(3 / 7, 6), 0, 0]
