"""Which letter a model chooses, read off its probabilities rather than off generated text."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from transformers import PreTrainedTokenizerBase

from llm_demo.errors import InputError
from llm_demo.quiz.dataset import shown
from llm_demo.quiz.rows import Question

SPELLINGS = ("{}", " {}")
LOW_MASS = 0.5  # below it the model was about to write something else than a letter

Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LetterScores:
    """What a model gives the letters of one question.

    Attributes:
        letters: the valid ones, "A" first.
        probs: of the letters, among the letters alone: they sum to 1.
        mass: what the model gave all the letters together, 0..1. Where it is low, the model was about to
            write something else, and `probs` divide up a little.
    """

    letters: tuple[str, ...]
    probs: tuple[float, ...]
    mass: float

    @property
    def best(self) -> str:
        """The likeliest letter; of equals the first."""
        return self.letters[self.probs.index(max(self.probs))]

    @property
    def is_low(self) -> bool:
        """Whether so little is on letters that the best of them says little."""
        return self.mass < LOW_MASS


def spelled(tokenizer: PreTrainedTokenizerBase, letters: Sequence[str]) -> list[tuple[Ids, ...]]:
    """Return the token ids of each letter's spellings, with and without a space before it, no two alike."""

    def ids(text: str) -> Ids:
        return tuple(tokenizer(text, add_special_tokens=False).input_ids)

    # For a tokenizer that makes the same ids of both they are one event, which would count twice.
    return [tuple(dict.fromkeys(ids(spelling.format(letter)) for spelling in SPELLINGS)) for letter in letters]


def combine(letters: Sequence[str], nats: Sequence[Sequence[float]]) -> LetterScores:
    """Sum up how likely each letter's spellings are, for "A" and " A" are two tokens that say the same.

    Args:
        letters: the valid ones, at least one.
        nats: for each letter the natural logarithm of the probability of each of its spellings.

    Returns:
        The scores; equal ones of mass 0 where the model rules every letter out.
    """
    totals = [_log_sum_exp(spellings) for spellings in nats]
    together = _log_sum_exp(totals)
    if together == -math.inf:
        return LetterScores(tuple(letters), (1 / len(letters),) * len(letters), 0.0)
    probs = tuple(math.exp(total - together) for total in totals)
    return LetterScores(tuple(letters), probs, min(1.0, math.exp(together)))  # rounding may pass 1


def rotated(question: Question, by: int) -> Question:
    """Return a question whose first option is the one at place `by`, the others after it in a circle."""
    place = (question.letters.index(question.answer) - by) % len(question.options)
    options = question.options[by:] + question.options[:by]
    return replace(question, options=options, answer=question.letters[place])


def averaged(orders: Sequence[LetterScores]) -> LetterScores:
    """Return what each option gets on average over the cyclic orders, under its letter in the first of them.

    Each option stands once under each letter, so a letter that the model loves helps them all alike. Source: Zheng et
    al. 2024, "Large Language Models Are Not Robust Multiple Choice Selectors", whose cyclic permutations these are.

    Args:
        orders: the scores of `rotated(question, by)` for each `by` from 0.
    """
    count = len(orders)
    probs = tuple(
        sum(orders[by].probs[(option - by) % count] for by in range(count)) / count for option in range(count)
    )
    return LetterScores(orders[0].letters, probs, sum(order.mass for order in orders) / count)


def letter_shares(orders: Sequence[LetterScores]) -> tuple[float, ...]:
    """Return what each letter gets on average over the cyclic orders, whatever option stands under it: its charm."""
    return tuple(sum(order.probs[place] for order in orders) / len(orders) for place in range(len(orders[0].probs)))


def is_correct(question: Question, letter: str | None) -> bool:
    """Tell whether a letter is the gold one."""
    return letter == question.answer


def check_letter(question: Question, letter: object) -> str:
    """Return a visitor's letter as the question writes it: "b " -> "B".

    Raises:
        InputError: no letter, or none of the question's.
    """
    last = question.letters[-1]
    tidy = shown(letter if letter is not None else "").strip().upper()
    if not tidy:
        raise InputError("quiz_no_letter", last=last)
    if tidy not in question.letters:
        raise InputError("quiz_letter", letter=shown(letter), last=last)
    return tidy


def _log_sum_exp(nats: Sequence[float]) -> float:
    highest = max(nats)
    if highest == -math.inf:
        return highest
    return highest + math.log(sum(math.exp(value - highest) for value in nats))
