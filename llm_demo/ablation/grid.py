"""Grid: which variants' answers passed which checks, and how sure that is."""

from dataclasses import dataclass

from llm_demo.ablation.experiment import Answer, Result
from llm_demo.adherence import Check, passes
from llm_demo.errors import InputError
from llm_demo.stats import wilson


@dataclass(frozen=True, slots=True)
class Rate:
    """How many answers of a variant passed a check.

    Attributes:
        passed: of them.
        of: answers that were sampled to their end; where none is sampled at all, the greedy one.
        low, high: Wilson's 95 % interval of the share, in [0, 1].
    """

    passed: int
    of: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Column:
    """One check beside all variants.

    Attributes:
        check: which one.
        marks: by variant, then by answer, whether it passed; None of one that has no end.
        rates: by variant.
        slow: whether its pattern took too long for an answer; then nobody passed or failed it.
    """

    check: Check
    marks: tuple[tuple[bool | None, ...], ...]
    rates: tuple[Rate, ...]
    slow: bool = False


@dataclass(frozen=True, slots=True)
class Contrast:
    """A check of a part, with the part and without it.

    Attributes:
        check: which one.
        with_it: the rate of the first variant.
        without: the rate of the variant that lacks the part.
    """

    check: Check
    with_it: Rate
    without: Rate


def grid(result: Result) -> list[Column]:
    """Return a column for each check of the experiment."""
    return [_column(check, result) for check in result.experiment.checks]


def contrasts(result: Result, columns: list[Column]) -> list[Contrast]:
    """Return each check beside its own part's absence, where that variant was run and something can be told."""
    found = []
    for column in columns:
        for variant, rate in zip(result.experiment.variants, column.rates, strict=True):
            mine = variant.kind == "without" and variant.part == column.check.part
            if mine and rate.of and column.rates[0].of:
                found.append(Contrast(column.check, column.rates[0], rate))
    return found


def _column(check: Check, result: Result) -> Column:
    try:
        marks = tuple(
            tuple(passes(check, answer.text) if answer.whole else None for answer in answers)
            for answers in result.answers
        )
    except InputError:  # the one thing that only an answer can bring to light: a pattern that takes too long
        empty = tuple((None,) * len(answers) for answers in result.answers)
        return Column(check, empty, (Rate(0, 0, *wilson(0, 0)),) * len(result.answers), slow=True)
    rates = tuple(_rate(answers, given) for answers, given in zip(result.answers, marks, strict=True))
    return Column(check, marks, rates)


def _rate(answers: tuple[Answer, ...], marks: tuple[bool | None, ...]) -> Rate:
    sampled = any(answer.sampling.draws for answer in answers)
    counted = [
        mark
        for answer, mark in zip(answers, marks, strict=True)
        if mark is not None and answer.sampling.draws == sampled
    ]
    return Rate(sum(counted), len(counted), *wilson(sum(counted), len(counted)))
