"""Letters' probabilities from a scorer whose every probability is written by hand."""

import math
from collections.abc import Mapping, Sequence

import pytest

from llm_demo.errors import InputError
from llm_demo.quiz.rows import Question
from llm_demo.quiz.scoring import check_letter, is_correct, score_letters

QUESTION = Question(1, "es", "math", "¿1 + 1?", ("uno", "dos", "tres"), "B", "by-hand")


class FakeScorer:
    """Gives each continuation the token probabilities written for it; others are impossible."""

    def __init__(self, probs: Mapping[str, Sequence[float]]) -> None:
        self.probs = probs
        self.calls: list[list[tuple[str, str]]] = []

    def batch_log_probs(self, pairs: Sequence[tuple[str, str]]) -> list[list[float]]:
        self.calls.append(list(pairs))
        return [
            [math.log(p) if p else -math.inf for p in self.probs.get(continuation, [0.0])] for _, continuation in pairs
        ]


def test_both_spellings_of_a_letter_are_summed():
    scores = score_letters(FakeScorer({"A": [0.1], " A": [0.2], "B": [0.05], " B": [0.05]}), "?", "AB")

    assert scores.mass == pytest.approx(0.4)
    assert scores.probs == pytest.approx((0.75, 0.25))
    assert scores.best == "A"


def test_the_probabilities_sum_to_one_however_small_the_mass():
    scores = score_letters(FakeScorer({" A": [1e-30], " B": [3e-30], " C": [1e-300]}), "?", "ABC")

    assert sum(scores.probs) == pytest.approx(1.0)
    assert scores.probs[:2] == pytest.approx((0.25, 0.75))


def test_the_tokens_of_one_spelling_are_multiplied():
    scores = score_letters(FakeScorer({" A": [0.5, 0.5], " B": [0.75]}), "?", "AB")

    assert scores.probs == pytest.approx((0.25, 0.75))


def test_all_continuations_go_in_one_batch_under_the_same_prompt():
    scorer = FakeScorer({" A": [0.5]})

    score_letters(scorer, "Respuesta:", ["A", "B"])

    assert scorer.calls == [[("Respuesta:", text) for text in ("A", " A", "B", " B")]]


def test_one_spelling_is_scored_where_both_would_be_the_same_ids():
    scorer = FakeScorer({"A": [0.3], "B": [0.1], " A": [0.3], " B": [0.1]})

    assert score_letters(scorer, "?", "AB", spellings=("{}",)).mass == pytest.approx(0.4)


def test_letters_that_are_all_ruled_out_are_equal_with_no_mass():
    scores = score_letters(FakeScorer({}), "?", "ABCD")

    assert scores.mass == 0.0
    assert scores.probs == (0.25,) * 4


def test_the_mass_never_passes_one():
    assert score_letters(FakeScorer({" A": [1.0], " B": [1e-9]}), "?", "AB").mass == 1.0


def test_of_equally_likely_letters_the_first_is_best():
    assert score_letters(FakeScorer({" A": [0.1], " B": [0.3], " C": [0.3]}), "?", "ABC").best == "B"


@pytest.mark.parametrize("letter", ["b", " B\n", "B"])
def test_a_visitors_letter_is_written_as_the_question_writes_it(letter: str):
    assert check_letter(QUESTION, letter) == "B"


@pytest.mark.parametrize("letter", ["D", "AB", "1", "Á", ["A"], "<b>" * 100, 7])
def test_a_letter_beyond_the_options_is_refused(letter: object):
    with pytest.raises(InputError) as caught:
        check_letter(QUESTION, letter)

    assert caught.value.key == "quiz_letter"
    assert caught.value.values["last"] == "C"
    assert len(caught.value.values["letter"]) <= 40


@pytest.mark.parametrize("letter", ["", "  ", None])
def test_no_letter_at_all_is_told_apart(letter: object):
    with pytest.raises(InputError) as caught:
        check_letter(QUESTION, letter)

    assert caught.value.key == "quiz_no_letter"


def test_only_the_gold_letter_is_correct():
    assert [is_correct(QUESTION, letter) for letter in "ABC"] == [False, True, False]
