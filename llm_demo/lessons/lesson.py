"""Lesson: one exercise of the course as a preset; its words stand in the locales."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from llm_demo.errors import InputError
from llm_demo.i18n import Translate, keys

MAX_CHOICES = 4


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the exercises of every tab have in common.

    Attributes:
        id: `D1` and so on; the key of its texts.
        model: the catalogue's key of the model that shows it best; empty where any does.
        right: which of `choices` is the answer, from 0.
    """

    id: str
    model: str
    right: int

    def title(self, t: Translate) -> str:
        """Return its name in a list."""
        return t(f"lesson.{self.id}.title")

    def predict(self, t: Translate) -> str:
        """Return the question to be answered before anything runs."""
        return t(f"lesson.{self.id}.predict")

    def choices(self, t: Translate) -> list[str]:
        """Return the 2 to 4 answers to choose from."""
        names = [f"lesson.{self.id}.choice_{number}" for number in range(1, MAX_CHOICES + 1)]
        return [t(name) for name in names if name in keys(t.language)]

    def do(self, t: Translate) -> str:
        """Return what to press."""
        return t(f"lesson.{self.id}.do")

    def look(self, t: Translate) -> str:
        """Return what to look for in the result."""
        return t(f"lesson.{self.id}.look")


AnyLesson = TypeVar("AnyLesson", bound=Lesson)


def find(lesson_id: str, lessons: Sequence[AnyLesson]) -> AnyLesson:
    """Return the lesson of an id; InputError where there is none."""
    for lesson in lessons:
        if lesson.id == lesson_id:
            return lesson
    known = ", ".join(lesson.id for lesson in lessons)
    raise InputError("unknown_lesson", name=str(lesson_id)[:20], known=known)
