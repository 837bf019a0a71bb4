"""The quiz's lessons as values; what they show is seen in the browser."""

from llm_demo.config import Config
from llm_demo.lessons.lesson import find
from llm_demo.lessons.quiz import LESSONS
from llm_demo.quiz.dataset import BUNDLED, load_bank
from llm_demo.quiz.hub import OutOfReachError
from llm_demo.quiz.reply import WAYS


def out_of_reach(*_: str):
    raise OutOfReachError("test")


def test_there_is_a_lesson_for_each_point():
    assert [lesson.id for lesson in LESSONS] == ["Q1", "Q2", "Q3", "Q4"]


def test_each_asks_mmlu_prox_question_70_where_it_is_at_hand():
    assert {lesson.question_in({70, 1, 2}) for lesson in LESSONS} == {70}


def test_each_has_a_question_in_both_of_our_own_sets():
    for language in BUNDLED:
        ids = {question.question_id for question in load_bank(language, Config(), out_of_reach).questions}
        assert {lesson.question_in(ids) for lesson in LESSONS} <= ids


def test_each_has_the_model_write_in_a_way_that_there_is():
    assert {lesson.way for lesson in LESSONS} <= set(WAYS)


def test_reasoning_is_best_seen_with_a_larger_model():
    assert find("Q3", LESSONS).model == "Qwen3-0.6B"
