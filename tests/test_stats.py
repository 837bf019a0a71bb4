"""The Wilson interval, beside the equation that defines it and figures from its paper's successors."""

from math import sqrt

import pytest

from llm_demo.stats import wilson

Z = 1.96


@pytest.mark.parametrize(("successes", "n"), [(1, 8), (4, 8), (6, 8), (50, 100), (1, 1_000)])
def test_its_ends_are_where_the_share_seen_is_z_deviations_away(successes, n):
    for end in wilson(successes, n):
        assert abs(successes / n - end) == pytest.approx(Z * sqrt(end * (1 - end) / n))


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_it_equals_published_figures(successes, n, low, high):
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_all_and_none_stay_within_what_a_share_can_be():
    assert wilson(0, 8)[0] == 0.0
    assert wilson(8, 8)[1] == 1.0
    assert wilson(8, 8)[0] == pytest.approx(1 - wilson(0, 8)[1])


def test_of_no_tries_nothing_is_known():
    assert wilson(0, 0) == (0.0, 1.0)


def test_more_tries_make_it_narrower():
    widths = [high - low for low, high in (wilson(n // 2, n) for n in (2, 8, 32, 128))]

    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize(("successes", "n"), [(-1, 8), (9, 8), (1, 0)])
def test_counts_that_cannot_be_are_refused(successes, n):
    with pytest.raises(ValueError, match="successes of"):
        wilson(successes, n)
