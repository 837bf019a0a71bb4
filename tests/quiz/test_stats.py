"""McNemar's test beside tables of the binomial distribution, and calibration by hand."""

import pytest

from llm_demo.quiz.stats import calibration, mcnemar_exact


@pytest.mark.parametrize(
    ("first", "second", "p_value"),
    [
        (0, 0, 1.0),
        (5, 5, 1.0),
        (1, 0, 1.0),
        (5, 0, 0.0625),
        (6, 0, 0.03125),
        (1, 7, 0.0703125),
        (10, 2, 0.03857421875),
        (3, 15, 0.007537841796875),
    ],
)
def test_mcnemar_is_a_two_sided_binomial_test(first, second, p_value):
    assert mcnemar_exact(first, second) == pytest.approx(p_value)
    assert mcnemar_exact(second, first) == pytest.approx(p_value)


def test_a_negative_count_is_refused():
    with pytest.raises(ValueError, match="-1"):
        mcnemar_exact(-1, 3)


def test_sureness_that_fits_has_no_error():
    fit = calibration([(0.5, True), (0.5, False), (1.0, True), (0.0, False)])

    assert fit.error == 0.0
    assert fit.brier == pytest.approx(0.5 / 4)
    assert [(each.count, each.sureness, each.right) for each in fit.bins] == [(1, 0, 0), (2, 0.5, 0.5), (1, 1, 1)]


def test_the_error_weighs_each_bin_by_its_answers():
    fit = calibration([(0.9, False)] * 3 + [(0.3, True)])

    assert fit.error == pytest.approx((3 * 0.9 + 1 * 0.7) / 4)
    assert [(each.low, each.high) for each in fit.bins] == [(0.2, 0.4), (0.8, 1.0)]


def test_no_answers_have_no_calibration():
    with pytest.raises(ValueError, match="no answers"):
        calibration([])
