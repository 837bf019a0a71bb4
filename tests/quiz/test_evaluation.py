"""What a run's replies add up to, on six replies written by hand; and its files."""

import csv
import io
import json

import pytest

from llm_demo.errors import InputError
from llm_demo.quiz.evaluation import Evaluation, Settings, Share, compare, summarize
from llm_demo.quiz.export import to_csv, to_json
from llm_demo.quiz.reply import Reply
from llm_demo.quiz.rows import Question
from llm_demo.quiz.scoring import LetterScores


def question(number: int, category: str, options: int, gold: str) -> Question:
    return Question(number, "en", category, "?", tuple("abcdefghij"[:options]), gold, "by-hand")


def weighed(asked: Question, probs: tuple[float, ...], mass: float = 0.9) -> Reply:
    scores = LetterScores(asked.letters, probs, mass)
    return Reply(asked, "direct", scores.best, scores, finish="stop")


MATH, MORE_MATH, LAW = question(1, "math", 4, "A"), question(2, "math", 5, "E"), question(3, "law", 4, "B")
RIGHT = weighed(MATH, (0.7, 0.1, 0.1, 0.1))
WRONG = weighed(MORE_MATH, (0.6, 0.1, 0.1, 0.1, 0.1), mass=0.2)
UNPARSED = Reply(LAW, "two_tokens", text="=La", finish="length")


def evaluation(*replies: Reply, way: str = "direct", seconds: float = 6.0) -> Evaluation:
    questions = tuple(reply.question for reply in replies)
    return Evaluation(Settings("en", way=way), "tiny", ("file", "mine"), "", "float32", questions, replies, seconds)


def test_replies_add_up():
    summary = summarize(evaluation(RIGHT, WRONG, UNPARSED))

    assert summary.accuracy == Share(1, 3)
    assert summary.chance == pytest.approx((1 / 4 + 1 / 5 + 1 / 4) / 3)
    assert summary.by_category == (("law", Share(0, 1)), ("math", Share(1, 2)))
    assert summary.letters == {"A": 2, "B": 0, "C": 0, "D": 0, "E": 0}
    assert summary.golds == {"A": 1, "B": 1, "C": 0, "D": 0, "E": 1}
    assert (summary.unparsed, summary.low_mass) == (1, 1)
    assert summary.per_second == pytest.approx(0.5)
    assert summary.strict is None


def test_a_models_sureness_is_the_probability_of_its_letter():
    fit = summarize(evaluation(RIGHT, WRONG)).calibration

    assert fit.count == 2
    assert fit.brier == pytest.approx(((0.7 - 1) ** 2 + 0.6**2) / 2)
    assert summarize(evaluation(UNPARSED, way="two_tokens")).calibration is None


def test_a_chain_of_thought_is_scored_by_the_benchmarks_pattern_too():
    bold = Reply(MATH, "cot_0", "A", text="The answer is **A**", finish="stop")
    plain = Reply(LAW, "cot_0", "B", text="The answer is (B)", strict="B", finish="stop")

    summary = summarize(evaluation(bold, plain, way="cot_0"))

    assert (summary.accuracy, summary.strict) == (Share(2, 2), Share(1, 2))


def test_nothing_adds_up_to_nothing():
    with pytest.raises(InputError) as caught:
        summarize(evaluation())

    assert caught.value.key == "quiz_nothing_yet"


def test_two_runs_are_paired_by_question():
    improved = weighed(MORE_MATH, (0.1, 0.1, 0.1, 0.1, 0.6))
    elsewhere = weighed(question(9, "law", 4, "A"), (0.7, 0.1, 0.1, 0.1))

    paired = compare([RIGHT, WRONG, elsewhere], [improved, RIGHT])

    assert paired.pairs == ((RIGHT, RIGHT), (WRONG, improved))
    assert (paired.both, paired.only_first, paired.only_second, paired.neither) == (1, 0, 1, 0)
    assert paired.p_value == 1.0


def test_runs_without_a_common_question_cannot_be_paired():
    with pytest.raises(InputError) as caught:
        compare([RIGHT], [WRONG])

    assert caught.value.key == "quiz_no_pairs"


def test_json_holds_settings_figures_and_every_reply():
    held = json.loads(to_json(evaluation(RIGHT, WRONG, UNPARSED)))

    assert held["settings"]["language"] == "en"
    assert (held["answered"], held["accuracy"]) == (3, pytest.approx(1 / 3))
    assert [reply["letter"] for reply in held["replies"]] == ["A", "A", None]
    assert held["replies"][0]["letter_probs"] == {"A": 0.7, "B": 0.1, "C": 0.1, "D": 0.1}


def test_csv_has_a_line_a_question_and_no_formula():
    rows = list(csv.DictReader(io.StringIO(to_csv(evaluation(RIGHT, UNPARSED)))))

    assert [(row["question_id"], row["gold"], row["letter"], row["right"]) for row in rows] == [
        ("1", "A", "A", "True"),
        ("3", "B", "", "False"),
    ]
    assert rows[1]["text"] == "'=La"
