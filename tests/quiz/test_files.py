"""An operator's file or folder, good and bad, in every format."""

import csv
import json
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from llm_demo.errors import QuizDataError
from llm_demo.quiz.files import read_source
from llm_demo.quiz.rows import parse_rows

ROWS = [
    {"question_id": 1, "question": "¿1 + 1?", "option_0": "1.50", "option_1": "2", "option_2": "007"},
    {"question_id": 2, "question": "¿2 + 2?", "option_0": "3", "option_1": "4", "option_2": "5"},
]
ROWS = [{**row, "option_3": None, "answer": "B", "answer_index": 1, "category": "math"} for row in ROWS]


def jsonl(path: Path) -> None:
    path.write_text("".join(json.dumps(row) + "\n\n" for row in ROWS), "utf-8")


def json_list(path: Path) -> None:
    path.write_text(json.dumps(ROWS, indent=1), "utf-8")


def comma_separated(path: Path) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, ROWS[0])
        writer.writeheader()
        writer.writerows(ROWS)


def columns(path: Path) -> None:
    parquet.write_table(pyarrow.Table.from_pylist(ROWS), path)


WRITERS = {".jsonl": jsonl, ".json": json_list, ".csv": comma_separated, ".parquet": columns}


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_format_gives_the_same_questions(suffix: str, tmp_path: Path):
    path = tmp_path / f"mine{suffix}"
    WRITERS[suffix](path)

    language, rows = read_source(path, "es")
    questions, skipped = parse_rows(rows, language, path.name)

    assert skipped == ()
    assert [question.question_id for question in questions] == [1, 2]
    assert questions[0].options == ("1.50", "2", "007")  # texts, not numbers


def test_a_broken_line_loses_that_line_alone(tmp_path: Path):
    path = tmp_path / "mine.jsonl"
    path.write_text('{"question_id": 1,\n' + json.dumps(ROWS[1]) + "\n", "utf-8")

    questions, skipped = parse_rows(read_source(path, "es")[1], "es", "mine")

    assert [question.question_id for question in questions] == [2]
    assert [(broken.row, broken.reason) for broken in skipped] == [(1, "not_a_row")]


def test_a_file_is_in_the_language_of_its_name_whatever_is_asked_for(tmp_path: Path):
    path = tmp_path / "mine_es.jsonl"
    jsonl(path)

    assert read_source(path, "en")[0] == "es"


def test_a_file_named_after_no_language_is_in_the_one_asked_for(tmp_path: Path):
    path = tmp_path / "my_quiz.jsonl"
    jsonl(path)

    assert read_source(path, "en")[0] == "en"


@pytest.mark.parametrize("name", ["mine_en.jsonl", "en.jsonl", "en/test-00000-of-00001.jsonl"])
def test_a_folder_serves_the_file_of_the_language(name: str, tmp_path: Path):
    for file in (tmp_path / name, tmp_path / "mine_es.jsonl", tmp_path / "en" / "validation.jsonl"):
        file.parent.mkdir(exist_ok=True)
        jsonl(file)

    language, rows = read_source(tmp_path, "en")

    assert language == "en"
    assert len(rows) == len(ROWS)


def test_a_folder_without_the_language_says_which_it_has(tmp_path: Path):
    jsonl(tmp_path / "mine_es.jsonl")

    with pytest.raises(QuizDataError) as caught:
        read_source(tmp_path, "en")

    assert caught.value.key == "quiz_file_language"
    assert caught.value.values["available"] == "es"


@pytest.mark.parametrize(
    ("name", "content", "key"),
    [
        ("nowhere.jsonl", None, "quiz_file_missing"),
        ("mine.xlsx", b"PK", "quiz_file_format"),
        ("mine.parquet", b"not a parquet", "quiz_file_unreadable"),
        ("mine.json", b"[{", "quiz_file_unreadable"),
        ("mine.jsonl", b"\xff\xfe\x00", "quiz_file_unreadable"),
        ("mine.csv", b"question_id\n" + b"x" * 200_000, "quiz_file_unreadable"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(name: str, content: bytes | None, key: str, tmp_path: Path):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(QuizDataError) as caught:
        read_source(path, "es")

    assert caught.value.key == key
    assert caught.value.values["file"] == name
