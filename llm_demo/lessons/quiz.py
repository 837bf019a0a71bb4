"""The lessons of the quiz tab: one question, asked in several ways."""

from collections.abc import Collection
from dataclasses import dataclass

from llm_demo.lessons.lesson import Lesson


@dataclass(frozen=True, slots=True)
class QuizLesson(Lesson):
    """One question.

    Attributes:
        question_id: of MMLU-ProX.
        own: of the set that travels with the app, where MMLU-ProX is out of reach.
        language: of the question.
        way: in which the model is to write, where the visitor has it write.
    """

    question_id: int
    own: int
    language: str = "es"
    way: str = "cot_0"

    def question_in(self, ids: Collection[int]) -> int:
        """Return the id of its question among those at hand."""
        return self.question_id if self.question_id in ids else self.own


ADVERTISING = 70
OWN = 17

LESSONS = (
    QuizLesson("Q1", "", 2, ADVERTISING, OWN),
    QuizLesson("Q2", "", 1, ADVERTISING, OWN),
    QuizLesson("Q3", "Qwen3-0.6B", 0, ADVERTISING, OWN),
    QuizLesson("Q4", "", 1, ADVERTISING, OWN),
)
