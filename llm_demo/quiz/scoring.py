"""Which letter a model chooses, read off its probabilities rather than off generated text."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from llm_demo.errors import InputError
from llm_demo.quiz.dataset import shown
from llm_demo.quiz.rows import Question

SPELLINGS = ("{}", " {}")


class Scorer(Protocol):
    """The part of `Engine` that scoring needs."""

    def batch_log_probs(self, pairs: Sequence[tuple[str, str]]) -> list[list[float]]:
        """Return, for each (prompt, continuation), nats, one per token of the continuation."""


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


def score_letters(
    scorer: Scorer, prompt: str, letters: Sequence[str], spellings: Sequence[str] = SPELLINGS
) -> LetterScores:
    """Score every letter as the prompt's continuation, in one batch.

    A letter's probability is the sum over its spellings, for "A" and " A" are two tokens that say the same.

    Args:
        scorer: the engine.
        prompt: plain text, sent as it is.
        letters: the valid ones, at least one.
        spellings: templates of a continuation. For a tokenizer that makes the same ids of "A" and " A", pass
            `("{}",)`: one event would count twice.

    Returns:
        The scores; equal ones of mass 0 where the model rules every letter out.
    """
    pairs = [(prompt, spelling.format(letter)) for letter in letters for spelling in spellings]
    nats = [sum(token_nats) for token_nats in scorer.batch_log_probs(pairs)]
    totals = [_log_sum_exp(nats[start : start + len(spellings)]) for start in range(0, len(nats), len(spellings))]
    together = _log_sum_exp(totals)
    if together == -math.inf:
        return LetterScores(tuple(letters), (1 / len(letters),) * len(letters), 0.0)
    probs = tuple(math.exp(total - together) for total in totals)
    return LetterScores(tuple(letters), probs, min(1.0, math.exp(together)))  # rounding may pass 1


def is_correct(question: Question, letter: str) -> bool:
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
