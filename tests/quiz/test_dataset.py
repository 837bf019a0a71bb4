"""Which questions are served, drawn and found."""

import json
from pathlib import Path

import pytest

from llm_demo.config import Config
from llm_demo.errors import InputError, QuizDataError
from llm_demo.quiz.dataset import BUNDLED, QuestionBank, load_bank
from llm_demo.quiz.hub import OutOfReachError, fetch_hub

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
ROW = {
    "question_id": 5,
    "question": "1 + 1?",
    "option_0": "1",
    "option_1": "2",
    "option_2": "3",
    "answer": "B",
}
ROW = {**ROW, "category": "math", "src": "by-hand"}


def reached(language: str, *_: str) -> list[dict[str, object]]:
    return [ROW, {**ROW, "question_id": 6, "answer": "Z"}]


def out_of_reach(language: str, *_: str) -> list[dict[str, object]]:
    raise OutOfReachError(language)


def bundled(language: str) -> QuestionBank:
    return load_bank(language, Config(), fetch=out_of_reach)


def test_the_hub_serves_where_no_file_is_configured():
    bank = load_bank("es", Config(), fetch=reached)

    assert (bank.origin, bank.language) == ("hub", "es")
    assert [question.question_id for question in bank.questions] == [5]
    assert [(broken.row, broken.reason) for broken in bank.skipped] == [(2, "gold_beyond")]


@pytest.mark.parametrize("language", BUNDLED)
def test_the_bundled_set_stands_in_for_a_hub_out_of_reach(language: str):
    bank = bundled(language)

    assert (bank.origin, bank.language) == ("bundled", language)
    assert {question.source for question in bank.questions} == {"llm_demo-own"}


def test_a_language_that_is_not_bundled_needs_the_hub():
    with pytest.raises(QuizDataError) as caught:
        bundled("de")

    assert caught.value.key == "quiz_offline"


def test_an_unknown_language_is_refused_before_anything_is_asked():
    with pytest.raises(InputError) as caught:
        load_bank("../" * 40, Config(), fetch=out_of_reach)

    assert caught.value.key == "quiz_language"
    assert len(caught.value.values["language"]) == 40


def test_an_operators_file_comes_before_the_hub(tmp_path: Path):
    file = tmp_path / "mine.jsonl"
    file.write_text(json.dumps({**ROW, "question_id": 9}), "utf-8")

    bank = load_bank("es", Config(quiz_data=file), fetch=reached)

    assert bank.origin == "file"
    assert [question.question_id for question in bank.questions] == [9]


def test_an_operators_file_without_a_single_question_is_an_error(tmp_path: Path):
    file = tmp_path / "mine.jsonl"
    file.write_text("{}\n{}\n", "utf-8")

    with pytest.raises(QuizDataError) as caught:
        load_bank("es", Config(quiz_data=file))

    assert caught.value.key == "quiz_file_empty"
    assert caught.value.values == {"file": "mine.jsonl", "skipped": 2}


def test_offline_without_a_copy_is_known_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)

    with pytest.raises(OutOfReachError):
        fetch_hub("es", "lite", "test")


def test_an_order_mixes_the_subjects_and_is_the_same_in_every_language():
    spanish, english = (bundled(language).order((), 4) for language in BUNDLED)

    assert [question.question_id for question in spanish] == [question.question_id for question in english]
    assert sorted(question.question_id for question in spanish) == list(range(1, len(spanish) + 1))
    assert len({question.category for question in spanish[:12]}) >= 5
    assert spanish != bundled("es").order((), 5)


def test_a_row_that_is_broken_in_one_language_moves_no_other():
    rows = [{**ROW, "question_id": number} for number in range(20)]
    whole = load_bank("es", Config(), lambda *_: rows).order((), 0)
    less = load_bank("en", Config(), lambda *_: rows[:7] + rows[8:]).order((), 0)

    assert [q.question_id for q in less] == [q.question_id for q in whole if q.question_id != 7]


def test_the_same_seed_draws_the_same_question():
    assert bundled("es").pick(None, seed=3) == bundled("es").pick(None, seed=3)


def test_seeds_draw_from_the_whole_set():
    bank = bundled("es")

    drawn = {bank.pick(None, seed).question_id for seed in range(400)}

    assert drawn == {question.question_id for question in bank.questions}


def test_a_seed_draws_the_same_question_in_both_languages():
    assert bundled("es").pick("law", 11).question_id == bundled("en").pick("law", 11).question_id


def test_a_category_draws_from_itself_alone():
    bank = bundled("en")

    assert {bank.pick("law", seed).category for seed in range(20)} == {"law"}


@pytest.mark.parametrize("category", ["alchemy", "", ["law"]])
def test_an_unknown_category_is_refused_with_those_there_are(category: object):
    with pytest.raises(InputError) as caught:
        bundled("en").pick(category, 0)

    assert caught.value.key == "quiz_category"
    assert "biology, business" in caught.value.values["available"]


@pytest.mark.parametrize("seed", [None, 1.5, "1", True])
def test_a_seed_that_is_no_integer_is_refused(seed: object):
    with pytest.raises(InputError) as caught:
        bundled("en").pick(None, seed)

    assert caught.value.key == "quiz_seed"


def test_a_question_is_found_by_its_id():
    assert bundled("es").find(41).answer == "C"


@pytest.mark.parametrize("question_id", [0, -1, "1", None])
def test_an_unknown_id_is_refused(question_id: object):
    with pytest.raises(InputError) as caught:
        bundled("es").find(question_id)

    assert caught.value.key == "quiz_question"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the sample of real rows is not beside this checkout")
@pytest.mark.parametrize("language", BUNDLED)
def test_a_folder_of_real_rows_serves_each_language(language: str):
    bank = load_bank(language, Config(quiz_data=SHARED), fetch=out_of_reach)

    assert (bank.origin, bank.language, len(bank.questions)) == ("file", language, 85)
    assert len(bank.categories) == 14
