"""Course: the lessons of every tab, in order."""

from collections.abc import Mapping, Sequence

from llm_demo.lessons import ablation, chat, decoding, quiz, tokenizer
from llm_demo.lessons.lesson import Lesson

COURSE: Mapping[str, Sequence[Lesson]] = {
    "tokenizer": tokenizer.LESSONS,
    "chat": chat.LESSONS,
    "decoding": decoding.LESSONS,
    "ablation": ablation.LESSONS,
    "quiz": quiz.LESSONS,
}


def home_of(lesson_id: str) -> str:
    """Return the tab of a lesson; empty where there is no such lesson."""
    return next((tab for tab, lessons in COURSE.items() if lesson_id in {lesson.id for lesson in lessons}), "")
