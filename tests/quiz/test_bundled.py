"""The questions of our own writing are sound, and the same in both languages."""

from collections import Counter
from fractions import Fraction
from math import comb, log10

import pytest

from llm_demo.config import Config
from llm_demo.quiz.dataset import BUNDLED, QuestionBank, load_bank
from llm_demo.quiz.hub import OutOfReachError


def out_of_reach(language: str, *_: str) -> list[dict[str, object]]:
    raise OutOfReachError(language)


def bundled(language: str) -> QuestionBank:
    return load_bank(language, Config(), fetch=out_of_reach)


def test_the_bundled_sets_are_the_same_questions_in_two_languages():
    def shape(language: str) -> list[tuple[object, ...]]:
        return [(q.question_id, q.category, q.answer, len(q.options)) for q in bundled(language).questions]

    assert shape("es") == shape("en")


@pytest.mark.parametrize("language", BUNDLED)
def test_the_bundled_set_is_whole_and_broad(language: str):
    bank = bundled(language)

    assert bank.skipped == ()
    assert len(bank.questions) >= 36
    assert len(bank.categories) >= 6
    assert [question.question_id for question in bank.questions] == list(range(1, len(bank.questions) + 1))


def test_no_letter_of_the_bundled_set_is_favoured():
    golds = Counter(question.answer for question in bundled("es").questions)

    assert set(golds) == set("ABCDEFGHIJ")
    assert max(golds.values()) - min(golds.values()) <= 1


def test_the_bundled_arithmetic_is_right():
    dice = Fraction(sum(a + b == 9 for a in range(1, 7) for b in range(1, 7)), 36)
    computed = {
        1: f"€{150 * 80 * 90 // 10_000}",
        2: f"{comb(12, 2) - 12}",
        3: f"{dice}",
        4: f"{10 * 3**2 // 2} m",
        5: f"{12 * (6 + 3) // (6 * 3)} A",
        8: f"{Fraction(3, 4) ** 2}",
        10: f"{90 // 18}",
        11: f"{-log10(0.001):.0f}",
        13: f"{0b101101}",
        14: f"{(1_000_000).bit_length()}",  # each look halves what is left
        16: f"{25 / 10}",
        18: f"{660 * 100 // 600}",
        26: f"{81 / 1.80**2:.1f}",
        34: f"{12_000 // (50 - 30)}",
        35: f"€{500_000 - 320_000:,}",
        36: f"{(46_000 - 40_000) * 100 // 40_000}%",
        37: f"{1200 * 15 // 45} rpm",
        38: f"{1500 * 100 // 2000}%",
        40: f"{24 * 7 * 3}",
    }
    bank = bundled("en")

    golds = {key: bank.find(key).options[bank.find(key).letters.index(bank.find(key).answer)] for key in computed}

    assert golds == computed
