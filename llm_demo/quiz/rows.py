"""Rows of MMLU-ProX's schema -> questions. Pure: knows nothing of files, the hub or a language's words.

The schema is that of the data set `li-lab/MMLU-ProX-Lite`: `question_id`, `question`,
`option_0` … `option_9` (null at the end where there are fewer), `answer`, `answer_index`, `category`, `src`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

LANGUAGES = (
    *("af", "ar", "bn", "cs", "de", "en", "es", "fr", "hi", "hu", "id", "it", "ja", "ko", "mr"),
    *("ne", "pt", "ru", "sr", "sw", "te", "th", "uk", "ur", "vi", "wo", "yo", "zh", "zu"),
)
LETTERS = tuple("ABCDEFGHIJ")
MIN_OPTIONS = 3

T = TypeVar("T", int, str)


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its options, every text exactly as the row has it.

    Attributes:
        question_id: the same in every language.
        language: one of `LANGUAGES`.
        category: in English whatever the language, as in the data.
        question: what is asked.
        options: 3 to 10, no two alike.
        answer: the gold letter. Never sent to a browser before the visitor's guess.
        source: where the question comes from, in the data's own words.
    """

    question_id: int
    language: str
    category: str
    question: str
    options: tuple[str, ...]
    answer: str
    source: str

    @property
    def letters(self) -> tuple[str, ...]:
        """The options' letters, "A" first."""
        return LETTERS[: len(self.options)]


@dataclass(frozen=True, slots=True)
class Example:
    """A question worked out, to be shown to a model before the one that it is asked.

    Attributes:
        reasoning: how the answer is found, ending with it, as the row has it.
    """

    question: Question
    reasoning: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A broken row, left out.

    Attributes:
        row: its number, from 1; blank lines are not counted.
        reason: a key of the locales, without the leading `quiz_reasons.`.
        field: the column at fault, empty where the whole row is.
    """

    row: int
    reason: str
    field: str = ""


class _BrokenRowError(Exception):
    """A row that is no question: (reason, field)."""


def parse_rows(rows: Iterable[object], language: str, origin: str) -> tuple[tuple[Question, ...], tuple[Skipped, ...]]:
    """Turn rows into questions; a broken one is reported and skipped.

    Two options alike make a question that has no one answer, so that row counts as broken too.

    Args:
        rows: mappings of the schema; anything else counts as a broken row.
        language: of all the rows.
        origin: the source of a question whose row names none.
    """
    questions: dict[int, Question] = {}
    skipped: list[Skipped] = []
    for number, row in enumerate(rows, start=1):
        try:
            question = _question(row, language, origin)
            if question.question_id in questions:
                raise _BrokenRowError("duplicate_id", "question_id")
        except _BrokenRowError as broken:
            skipped.append(Skipped(number, *broken.args))
        else:
            questions[question.question_id] = question
    return tuple(questions.values()), tuple(skipped)


def parse_examples(rows: Iterable[object], language: str, origin: str) -> tuple[Example, ...]:
    """Turn rows into worked examples; one that is no question, or shows no reasoning, is left out."""
    kept = [row for row in rows if isinstance(row, Mapping) and str(row.get("cot_content") or "").strip()]
    reasoning = {row.get("question_id"): str(row["cot_content"]) for row in kept}
    questions, _ = parse_rows(kept, language, origin)
    return tuple(Example(question, reasoning[question.question_id]) for question in questions)


def _question(row: object, language: str, origin: str) -> Question:
    if not isinstance(row, Mapping):
        raise _BrokenRowError("not_a_row")
    options = _options(row)
    question = Question(
        question_id=_field(row, "question_id", int),
        language=language,
        category=_field(row, "category", str),
        question=_field(row, "question", str),
        options=options,
        answer=_field(row, "answer", str),
        source=origin if row.get("src") is None else _field(row, "src", str),
    )
    if question.answer not in question.letters:
        raise _BrokenRowError("gold_beyond", "answer")
    stated = row.get("answer_index")  # repeats `answer`: a hand-made file may do without
    if stated is not None and _field(row, "answer_index", int) != question.letters.index(question.answer):
        raise _BrokenRowError("gold_disagrees", "answer_index")
    return question


def _options(row: Mapping[str, object]) -> tuple[str, ...]:
    names = [f"option_{index}" for index in range(len(LETTERS) + 1)]  # one more, to notice an eleventh
    while names and row.get(names[-1]) is None:
        names.pop()
    for name in names:
        if row.get(name) is None:
            raise _BrokenRowError("null_between", name)
    options = tuple(_field(row, name, str) for name in names)
    if len(options) < MIN_OPTIONS:
        raise _BrokenRowError("few_options")
    if len(options) > len(LETTERS):
        raise _BrokenRowError("many_options")
    if len({option.strip() for option in options}) < len(options):  # "AA" and "Aa" differ: genotypes, units
        raise _BrokenRowError("duplicate_options")
    return options


def _field(row: Mapping[str, object], name: str, kind: type[T]) -> T:
    value = row.get(name)
    if value is None:
        raise _BrokenRowError("missing_field", name)
    if not isinstance(value, kind) or isinstance(value, bool):  # to Python, True is an int
        raise _BrokenRowError("wrong_type", name)
    if isinstance(value, str) and not value.strip():
        raise _BrokenRowError("empty_field", name)
    return value
