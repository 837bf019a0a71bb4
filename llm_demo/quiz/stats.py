"""What right and wrong answers add up to: two runs on the same questions, and how well sureness fits success."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import comb


def mcnemar_exact(only_first: int, only_second: int) -> float:
    """Return the two-sided p-value that two runs are equally good, from the questions on which they differ.

    If they were, each such question would be a fair coin: the exact test is binomial. Source: McNemar 1947, "Note on
    the sampling error of the difference between correlated proportions or percentages", with exact probabilities.

    Args:
        only_first: questions that the first alone got right.
        only_second: those that the second alone got right.

    Returns:
        In (0, 1]; 1 where they differ on none.

    Raises:
        ValueError: a count is below 0.
    """
    if min(only_first, only_second) < 0:
        raise ValueError(f"{only_first} and {only_second} questions")
    differ = only_first + only_second
    tail = sum(comb(differ, k) for k in range(min(only_first, only_second) + 1)) / 2**differ
    return min(1.0, 2 * tail)


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers given with about the same sureness.

    Attributes:
        low, high: the bounds of their sureness, in [0, 1].
        count: how many.
        sureness: their mean.
        right: the share of them that was right.
    """

    low: float
    high: float
    count: int
    sureness: float
    right: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well sureness fits success.

    Attributes:
        bins: those that hold answers, least sure first.
        error: the mean distance between sureness and share right, weighted by answers: the expected calibration error
            of Guo et al. 2017, "On Calibration of Modern Neural Networks". 0 is perfect.
        brier: the mean square of (sureness - right); 0 is perfect, and 0.25 what "50 %" to everything gets.
        count: answers.
    """

    bins: tuple[Bin, ...]
    error: float
    brier: float
    count: int


def calibration(answers: Iterable[tuple[float, bool]], bins: int = 5) -> Calibration:
    """Compare sureness with success.

    Args:
        answers: (sureness in [0, 1], whether right), at least one.
        bins: equally wide; a sureness of 1 is in the last.

    Raises:
        ValueError: no answers.
    """
    known = list(answers)
    if not known:
        raise ValueError("no answers")
    groups: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for sureness, right in known:
        groups[min(int(sureness * bins), bins - 1)].append((sureness, right))
    filled = tuple(_bin(place / bins, (place + 1) / bins, group) for place, group in enumerate(groups) if group)
    error = sum(each.count * abs(each.sureness - each.right) for each in filled) / len(known)
    brier = sum((sureness - right) ** 2 for sureness, right in known) / len(known)
    return Calibration(filled, error, brier, len(known))


def _bin(low: float, high: float, group: Sequence[tuple[float, bool]]) -> Bin:
    sureness = sum(value for value, _ in group) / len(group)
    return Bin(low, high, len(group), sureness, sum(right for _, right in group) / len(group))
