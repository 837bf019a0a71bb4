"""Letters' probabilities from probabilities written by hand."""

import math
from types import SimpleNamespace

import pytest

from llm_demo.errors import InputError
from llm_demo.quiz.rows import Question
from llm_demo.quiz.scoring import (
    LetterScores,
    averaged,
    check_letter,
    combine,
    is_correct,
    letter_shares,
    rotated,
    spelled,
)

QUESTION = Question(1, "es", "math", "¿1 + 1?", ("uno", "dos", "tres"), "B", "by-hand")


def nats(*probs: float) -> list[float]:
    return [math.log(prob) if prob else -math.inf for prob in probs]


def test_both_spellings_of_a_letter_are_summed():
    scores = combine("AB", [nats(0.1, 0.2), nats(0.05, 0.05)])

    assert scores.mass == pytest.approx(0.4)
    assert scores.probs == pytest.approx((0.75, 0.25))
    assert scores.best == "A"
    assert scores.is_low


def test_the_probabilities_sum_to_one_however_small_the_mass():
    scores = combine("ABC", [nats(1e-30), nats(3e-30), nats(1e-300)])

    assert sum(scores.probs) == pytest.approx(1.0)
    assert scores.probs[:2] == pytest.approx((0.25, 0.75))


def test_letters_that_are_all_ruled_out_are_equal_with_no_mass():
    scores = combine("ABCD", [nats(0, 0)] * 4)

    assert scores.mass == 0.0
    assert scores.probs == (0.25,) * 4


def test_the_mass_never_passes_one():
    assert combine("AB", [nats(1.0), nats(1e-9)]).mass == 1.0


def test_of_equally_likely_letters_the_first_is_best():
    assert combine("ABC", [nats(0.1), nats(0.3), nats(0.3)]).best == "B"


class SpaceBlind:
    """A tokenizer that makes the same of "A" and " A"."""

    def __call__(self, text, add_special_tokens):
        return SimpleNamespace(input_ids=[ord(text.strip())])


def test_spellings_of_the_same_ids_are_one_event():
    assert spelled(SpaceBlind(), "AB") == [((65,),), ((66,),)]


def test_spellings_with_and_without_a_space_are_two(tiny_tokenizer):
    (both,) = spelled(tiny_tokenizer, "A")

    assert [tiny_tokenizer.decode(ids) for ids in both] == ["A", " A"]


def test_options_turn_in_a_circle_and_the_right_one_keeps_its_text():
    turned = [rotated(QUESTION, by) for by in range(3)]

    assert [question.options for question in turned] == [
        ("uno", "dos", "tres"),
        ("dos", "tres", "uno"),
        ("tres", "uno", "dos"),
    ]
    assert [question.answer for question in turned] == ["B", "A", "C"]


def test_a_love_of_one_letter_averages_out_and_a_known_answer_does_not():
    letter_lover = [LetterScores(("A", "B", "C"), (0.8, 0.1, 0.1), 1.0)] * 3
    knows_dos = [
        LetterScores(("A", "B", "C"), probs, mass)
        for probs, mass in [((0.1, 0.8, 0.1), 0.9), ((0.8, 0.1, 0.1), 0.6), ((0.1, 0.1, 0.8), 0.3)]
    ]

    assert averaged(letter_lover).probs == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert letter_shares(letter_lover) == pytest.approx((0.8, 0.1, 0.1))
    assert averaged(knows_dos).probs == pytest.approx((0.1, 0.8, 0.1))
    assert averaged(knows_dos).mass == pytest.approx(0.6)
    assert letter_shares(knows_dos) == pytest.approx((1 / 3, 1 / 3, 1 / 3))


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
