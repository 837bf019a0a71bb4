"""Reply: a model's answer to one question, and the ways in which a letter can be had from it."""

from collections.abc import Mapping
from dataclasses import dataclass

from llm_demo.errors import InputError
from llm_demo.quiz.rows import Question
from llm_demo.quiz.scoring import LetterScores

# Each way, and how many questions are asked together in it: few, for the sake of whoever else is there.
WAYS: Mapping[str, int] = {"direct": 4, "rotated": 1, "two_tokens": 8, "cot_0": 4, "cot_5": 2}
WEIGHED = ("direct", "rotated")  # ways that read the letters' probabilities and write nothing
REASONED = ("cot_0", "cot_5")  # ways in which a reply is long


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's answer to one question.

    Attributes:
        question: which.
        way: a key of `WAYS`.
        letter: the one it chose; None where none could be read, which counts as wrong.
        scores: of the letters, where they were weighed.
        orders: the same of every cyclic order of the options; empty where there was but one.
        likeliest: (text, probability) of the likeliest next tokens, letters or not, where letters were weighed.
        text: what it wrote.
        marked: where the sentence that gave the letter begins and ends in it.
        strict: the letter that the benchmark's own pattern finds in a chain of thought.
        finish: "" as long as it goes on; then "stop", where the model ended it, "answered", after the benchmark's
            answer, "cut", where it began another question, "length", "time", or "long": the question does not fit.
        prompt_tokens, new_tokens: read and written.
    """

    question: Question
    way: str
    letter: str | None = None
    scores: LetterScores | None = None
    orders: tuple[LetterScores, ...] = ()
    likeliest: tuple[tuple[str, float], ...] = ()
    text: str = ""
    marked: tuple[int, int] = (0, 0)
    strict: str | None = None
    finish: str = ""
    prompt_tokens: int = 0
    new_tokens: int = 0

    @property
    def is_right(self) -> bool:
        """Whether its letter is the gold one."""
        return self.letter == self.question.answer


def check_way(way: object) -> str:
    """Return a way's name; InputError where there is none of it."""
    if not isinstance(way, str) or way not in WAYS:
        raise InputError("quiz_way", way=str(way)[:40], known=", ".join(WAYS))
    return way
