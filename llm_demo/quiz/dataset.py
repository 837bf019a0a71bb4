"""Where the quiz's questions come from: an operator's file, the hub, or the set that travels with the app."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from random import Random

from llm_demo.config import Config
from llm_demo.errors import InputError, QuizDataError
from llm_demo.quiz.files import json_rows, read_source
from llm_demo.quiz.hub import SOURCES, OutOfReachError, fetch_hub
from llm_demo.quiz.rows import LANGUAGES, Question, Skipped, parse_rows

__all__ = ["BUNDLED", "LANGUAGES", "Question", "QuestionBank", "Skipped", "load_bank", "parse_rows"]

BUNDLED = ("es", "en")

Fetch = Callable[[str, str, str], Iterable[Mapping[str, object]]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class QuestionBank:
    """All the questions at hand in one language.

    Attributes:
        origin: "file", "hub", or "bundled": of our own writing, not MMLU-ProX, and to be labelled so.
        name: of the file or the repository.
        language: of the questions; not the one asked for where an operator's file is in another.
        questions: at least one, in the order of the data.
        skipped: the broken rows.
    """

    origin: str
    name: str
    language: str
    questions: tuple[Question, ...]
    skipped: tuple[Skipped, ...] = ()

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories that have questions, in alphabetical order."""
        return tuple(sorted({question.category for question in self.questions}))

    def order(self, categories: Collection[str], seed: int) -> list[Question]:
        """Return the questions shuffled: a question's place hangs on the seed and its id alone.

        So the first n are a sample of all subjects, and the same questions in every language, even where rows of
        one are broken.

        Args:
            categories: of `categories`; empty for all of them.
            seed: any integer.

        Raises:
            InputError: unknown category, or a seed that is no integer.
        """
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise InputError("quiz_seed", seed=shown(seed))
        for category in categories:
            if category not in self.categories:
                available = ", ".join(self.categories)
                raise InputError("quiz_category", category=shown(category), available=available)
        kept = [question for question in self.questions if not categories or question.category in categories]
        return sorted(kept, key=lambda question: Random(f"{seed}/{question.question_id}").random())

    def pick(self, category: str | None, seed: int, seen: Collection[int] = ()) -> Question:
        """Draw a question; the same seed draws the same one from the same data.

        Args:
            category: one of `categories`; None draws from all the questions.
            seed: any integer.
            seen: ids not to be drawn again as long as there are others.

        Raises:
            InputError: unknown category, or a seed that is no integer.
        """
        order = self.order([] if category is None else [category], seed)
        return next((question for question in order if question.question_id not in seen), order[0])

    def find(self, question_id: int) -> Question:
        """Return the question of an id, which another language's bank has too.

        Raises:
            InputError: there is none.
        """
        for question in self.questions:
            if question.question_id == question_id:
                return question
        raise InputError("quiz_question", question_id=shown(question_id))


def load_bank(language: str, config: Config, fetch: Fetch = fetch_hub) -> QuestionBank:
    """Load the questions of a language: the operator's, else the hub's, else the bundled ones.

    Slow the first time (seconds): keep the result.

    Args:
        language: one of `LANGUAGES`.
        config: `quiz_data` names the operator's file or folder; see `files.read_source`.
        fetch: language, set and split -> rows of the hub; raises `OutOfReachError`.

    Raises:
        InputError: no such language.
        QuizDataError: the operator's file cannot be read, no row of it is a question, or the hub is out of
            reach and the language is not one of `BUNDLED`.
    """
    if language not in LANGUAGES:
        raise InputError("quiz_language", language=shown(language), available=", ".join(LANGUAGES))
    if config.quiz_data is not None:
        language, rows = read_source(config.quiz_data, language)
        return _bank("file", config.quiz_data.name, language, rows)
    try:
        return _bank("hub", SOURCES[config.quiz_set][0], language, fetch(language, config.quiz_set, "test"))
    except OutOfReachError as error:
        log.warning("The bundled questions stand in for MMLU-ProX: %s", error)
    if language not in BUNDLED:
        raise QuizDataError("quiz_offline", language=language, available=", ".join(BUNDLED))
    text = (files("llm_demo.quiz") / f"bundled_{language}.jsonl").read_text("utf-8")
    return _bank("bundled", "llm_demo-own", language, json_rows(text))


def _bank(origin: str, name: str, language: str, rows: Iterable[object]) -> QuestionBank:
    questions, skipped = parse_rows(rows, language, name)
    for broken in skipped:
        log.warning("%s, row %d: %s %s", name, broken.row, broken.reason, broken.field)
    if not questions:
        raise QuizDataError("quiz_file_empty", file=name, skipped=len(skipped))
    return QuestionBank(origin, name, language, questions, skipped)


def shown(value: object) -> str:
    """Return a visitor's value, short enough to stand in a sentence."""
    return str(value)[:40]
