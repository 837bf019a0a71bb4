"""An evaluation of fifty questions: stopped halfway and gone on with, it equals one that ran through."""

import json

import pytest

from llm_demo.models.packed import pack
from llm_demo.quiz.evaluation import Settings
from llm_demo.quiz.quiz import Quiz


@pytest.fixture
def quiz(make_engine, make_tiny_model, tmp_path) -> Quiz:
    """Fifty short questions for the tiny model."""

    def row(number: int) -> str:
        options = {f"option_{place}": f"{number + place}" for place in range(3 + number % 5)}
        written = {"question_id": number, "question": f"{number}?", "answer": "ABC"[number % 3], "category": "math"}
        return json.dumps({**written, **options})

    file = tmp_path / "fifty_en.jsonl"
    file.write_text("\n".join(map(row, range(50))), "utf-8")
    # Laid out as a model on a CPU is, so that a question read among others gets to the last bit what it gets alone.
    return Quiz(make_engine(pack(make_tiny_model()), quiz_data=file))


@pytest.mark.parametrize("way", [pytest.param("direct", marks=pytest.mark.slow), "two_tokens"])
def test_fifty_questions_stopped_halfway_equal_fifty_run_through(quiz, way):
    settings = Settings("en", n=50, seed=1, way=way)
    *_, through = quiz.evaluate(quiz.begin(settings))
    running = quiz.evaluate(quiz.begin(settings))
    halfway = next(state for state in running if len(state.replies) >= 25)
    running.close()

    *_, resumed = quiz.evaluate(halfway)

    assert 25 <= len(halfway.replies) < 50
    assert halfway.replies == through.replies[: len(halfway.replies)]
    assert resumed.replies == through.replies
    assert len(through.replies) == 50
