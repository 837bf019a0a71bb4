"""The lessons of every tab have all their words, in every language."""

from importlib import import_module
from pkgutil import iter_modules

import pytest

from llm_demo import lessons
from llm_demo.i18n import LANGUAGES, keys, translator

TABS = [import_module(f"llm_demo.lessons.{module.name}") for module in iter_modules(lessons.__path__)]
LESSONS = [lesson for tab in TABS for lesson in getattr(tab, "LESSONS", ())]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_a_lesson_has_all_its_words(lesson, language):
    t = translator(language)

    assert lesson.title(t).startswith(f"{lesson.id} · ")
    assert lesson.predict(t).endswith("?")
    assert 2 <= len(lesson.choices(t)) <= 4
    assert 0 <= lesson.right < len(lesson.choices(t))
    assert len(set(lesson.choices(t))) == len(lesson.choices(t))
    assert all(text.endswith((".", "?")) for text in (lesson.do(t), lesson.look(t)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_words_are_there_for_a_lesson_that_is_not(language):
    names = {
        f"{lesson.id}.choice_{n}" for lesson in LESSONS for n in range(1, len(lesson.choices(translator("en"))) + 1)
    }
    names |= {f"{lesson.id}.{part}" for lesson in LESSONS for part in ("title", "predict", "do", "look")}

    assert {key.removeprefix("lesson.") for key in keys(language) if key.startswith("lesson.")} == names


def test_right_answers_are_not_always_at_the_same_place():
    assert {lesson.right for lesson in LESSONS} == {0, 1, 2}
