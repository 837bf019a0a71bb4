"""The chat's lessons: the course's inputs and settings."""

import pytest

from llm_demo.i18n import LANGUAGES, translator
from llm_demo.lessons.chat import BESIDE, LESSONS
from llm_demo.lessons.lesson import find
from llm_demo.models.catalogue import CARDS

SPANISH = {
    "C1": "Hola modelito, hablas español?",
    "C2": "Hola modelito, hablas español?",
    "C3": "Caminando por la calle me encontré a",
}


def test_the_courses_lessons_are_all_there_in_order():
    assert [lesson.id for lesson in LESSONS] == [f"C{number}" for number in range(1, 9)]


@pytest.mark.parametrize("lesson_id", SPANISH)
def test_messages_are_the_courses(lesson_id):
    lesson = find(lesson_id, LESSONS)

    assert [lesson.message(translator(language)) for language in LANGUAGES] == [SPANISH[lesson_id]] * len(LANGUAGES)


def test_c4_names_the_three_classes_and_asks_for_one_word():
    asked = find("C4", LESSONS).message(translator("es"))

    assert all(word in asked for word in ("POSITIVO", "NEGATIVO", "NEUTRAL", "una sola palabra"))


def test_settings_are_the_courses():
    c7 = find("C7", LESSONS)

    assert (c7.sampling.strategy, c7.sampling.temperature, c7.count) == ("sample", 0.7, 3)
    assert {lesson.id: lesson.beside for lesson in LESSONS if lesson.beside != "none"} == {
        "C2": "plain",
        "C3": "plain",
        "C5": "systems",
        "C8": "thinking",
    }
    assert find("C1", LESSONS).opens == "read"


def test_models_and_voices_are_such_as_there_are():
    assert {lesson.model for lesson in LESSONS} - {""} <= {card.key for card in CARDS}
    assert {lesson.beside for lesson in LESSONS} <= set(BESIDE)
