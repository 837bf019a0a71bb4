"""Worked examples that a model reads before its question: few-shot prompting."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from llm_demo.config import Config
from llm_demo.errors import QuizDataError
from llm_demo.quiz.dataset import BUNDLED, Fetch
from llm_demo.quiz.files import json_rows, read_source
from llm_demo.quiz.hub import SOURCES, OutOfReachError, fetch_hub
from llm_demo.quiz.rows import Example, parse_examples

SHOTS = 5


@dataclass(frozen=True, slots=True)
class Shots:
    """The worked examples at hand in one language.

    Attributes:
        origin: "file", "hub", or "bundled": five of our own writing for all categories, and to be labelled so.
        examples: in the order of the data.
    """

    origin: str
    examples: tuple[Example, ...]

    def of(self, category: str) -> Sequence[Example]:
        """Return the first five of a category, as the benchmark does; of all, where it has not as many."""
        own = [example for example in self.examples if example.question.category == category]
        return (own if len(own) >= SHOTS else self.examples)[:SHOTS]


def load_shots(language: str, config: Config, fetch: Fetch = fetch_hub) -> Shots:
    """Load the worked examples of a language: the operator's, else the hub's, else the bundled ones.

    Args:
        language: one of `LANGUAGES`; the bundled ones are in English where it is none of `BUNDLED`.
        config: `quiz_data` names the operator's file or folder; see `files.read_source`.
        fetch: language, set and split -> rows of the hub; raises `OutOfReachError`.
    """
    origin, examples = "bundled", ()
    try:
        if config.quiz_data is None:
            rows = fetch(language, config.quiz_set, "validation")
            origin, examples = "hub", parse_examples(rows, language, SOURCES[config.quiz_set][0])
        elif config.quiz_data.is_dir():
            _, rows = read_source(config.quiz_data, language, "validation")
            origin, examples = "file", parse_examples(rows, language, config.quiz_data.name)
    except (OutOfReachError, QuizDataError):
        examples = ()
    if len(examples) >= SHOTS:
        return Shots(origin, examples)
    language = language if language in BUNDLED else "en"
    text = (files("llm_demo.quiz") / f"shots_{language}.jsonl").read_text("utf-8")
    return Shots("bundled", parse_examples(json_rows(text), language, "llm_demo-own"))
