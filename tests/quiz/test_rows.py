"""Rows of the schema become questions; broken ones are reported and skipped."""

import json
from pathlib import Path

import pytest

from llm_demo.quiz.rows import Skipped, parse_rows

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


def row(**changes: object) -> dict[str, object]:
    options = {f"option_{index}": text for index, text in enumerate(["one", "two", "three", "four"])}
    return {
        "question_id": 7,
        "question": "1 + 1?",
        **options,
        **{f"option_{index}": None for index in range(4, 10)},
        "answer": "B",
        "answer_index": 1,
        "cot_content": "",
        "category": "math",
        "src": "by-hand",
        **changes,
    }


def reasons(*rows: object) -> list[str]:
    return [broken.reason for broken in parse_rows(rows, "en", "test")[1]]


def test_a_row_becomes_a_question_without_its_trailing_nulls():
    (question,), skipped = parse_rows([row()], "en", "test")

    assert skipped == ()
    assert question.options == ("one", "two", "three", "four")
    assert question.letters == ("A", "B", "C", "D")
    assert (question.answer, question.category, question.language) == ("B", "math", "en")
    assert question.source == "by-hand"


def test_texts_stay_exactly_as_they_are():
    (question,), _ = parse_rows([row(option_0=" -1")], "en", "test")

    assert question.options[0] == " -1"


def test_a_row_without_a_source_takes_the_origin():
    (question,), _ = parse_rows([row(src=None)], "en", "mine.csv")

    assert question.source == "mine.csv"


def test_the_answer_index_may_be_absent():
    assert reasons(row(answer_index=None)) == []


def test_a_broken_row_leaves_the_others_and_is_reported_by_its_number():
    questions, skipped = parse_rows([row(), row(question_id=8, answer="E"), row(question_id=9)], "en", "test")

    assert [question.question_id for question in questions] == [7, 9]
    assert skipped == (Skipped(2, "gold_beyond", "answer"),)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (row(answer="E", answer_index=4), "gold_beyond"),
        (row(answer="b"), "gold_beyond"),
        (row(answer_index=2), "gold_disagrees"),
        (row(answer_index="1"), "wrong_type"),
        (row(answer=None), "missing_field"),
        (row(option_2=None, option_3=None), "few_options"),
        (row(**{f"option_{index}": str(index) for index in range(11)}), "many_options"),
        (row(option_1="  "), "empty_field"),
        (row(option_1="one "), "duplicate_options"),
        (row(option_1=None), "null_between"),
        (row(option_1=2), "wrong_type"),
        (row(question=""), "empty_field"),
        (row(question=None), "missing_field"),
        (row(question_id="7"), "wrong_type"),
        (row(question_id=True), "wrong_type"),
        (row(category=None), "missing_field"),
        ({}, "few_options"),
        ("{broken", "not_a_row"),
        (None, "not_a_row"),
    ],
)
def test_a_broken_row_is_reported_with_its_reason(broken: object, reason: str):
    assert reasons(broken) == [reason]


def test_options_that_differ_in_case_alone_are_two_options():
    assert reasons(row(option_0="AA", option_1="Aa")) == []


def test_an_id_seen_before_is_skipped():
    assert reasons(row(), row()) == ["duplicate_id"]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the sample of real rows is not beside this checkout")
@pytest.mark.parametrize("language", ["es", "en"])
def test_every_real_row_is_a_question(language: str):
    lines = (SHARED / f"mmlu_prox_lite_{language}.jsonl").read_text("utf-8").splitlines()

    questions, skipped = parse_rows(map(json.loads, lines), language, "sample")

    assert len(questions) == 85
    assert skipped == ()
