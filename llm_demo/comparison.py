"""Comparison: what several continuations of one prompt have and have not in common."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from llm_demo.trace import Candidate, Trace

NGRAM = 3  # tokens of a run that counts as repeated

Origin = Literal["draft", "model"]


@dataclass(frozen=True, slots=True)
class Facts:
    """A continuation in numbers. Those of a text without tokens that would divide by zero are None.

    Attributes:
        tokens: generated, the end-of-text token included.
        log_prob: of the whole continuation under the raw distributions, in nats, at most 0; None where it is not known.
        mean_log_prob: `log_prob / tokens`, in nats a token.
        perplexity: `exp(-mean_log_prob)`, at least 1; of the model's own text, so low means expected, not good.
        repetition: `1 - different 3-grams / all 3-grams` of the token ids, in [0, 1); 0.0 for fewer than 3 tokens.
            It is seq-rep-3 of Welleck et al. 2020, "Neural Text Generation with Unlikelihood Training".
        distinct: how many different token ids there are.
        forward_passes: how many times the model ran, pieces of a long prompt counted; 0 where nobody told.
        tokens_per_second: waiting included; None where no time was measured either.
        finish_reason: as in the trace.
    """

    tokens: int
    log_prob: float | None
    mean_log_prob: float | None
    perplexity: float | None
    repetition: float
    distinct: int
    forward_passes: int
    tokens_per_second: float | None
    finish_reason: str


@dataclass(frozen=True, slots=True)
class Parting:
    """Where two continuations go different ways.

    Attributes:
        place: of the first token that differs; as many tokens before it are the same.
        chosen: what each of the two chose there; None for the one that had already ended.
    """

    place: int
    chosen: tuple[Candidate | None, Candidate | None]


@dataclass(frozen=True, slots=True)
class Rejected:
    """Guesses of one pass that did not become text.

    Attributes:
        place: of the token that the first of them was guessed to be: the model chose another one there, or the text
            had ended. The rest were built upon it.
        token_ids: at least one.
        texts: each decoded alone.
    """

    place: int
    token_ids: tuple[int, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drafted:
    """What guessing ahead was worth to one continuation.

    Attributes:
        origins: of each generated token: guessed and accepted (`draft`), or chosen by the `model` where nothing was
            guessed or the guess was wrong; None where the text was stopped before the pass had told.
        rejected: in the order of their places.
        drafted: tokens guessed.
        accepted: how many of them the model would have chosen itself, and so became text.
        passes_saved: tokens of known origin less the passes that decided them. Without guesses a pass decides one
            token, so that many passes more would have been needed; reading the prompt costs both the same. It is
            `accepted`, or one less where the last token of the text is an accepted one.
    """

    origins: tuple[Origin | None, ...]
    rejected: tuple[Rejected, ...]
    drafted: int
    accepted: int
    passes_saved: int


def facts(trace: Trace) -> Facts:
    """Return a continuation in numbers."""
    count = len(trace.token_ids)
    mean = trace.log_prob / count if count and trace.log_prob is not None else None
    return Facts(
        tokens=count,
        log_prob=trace.log_prob,
        mean_log_prob=mean,
        perplexity=None if mean is None else _exp(-mean),
        repetition=_repetition(trace.token_ids),
        distinct=len(set(trace.token_ids)),
        forward_passes=trace.forward_passes,
        tokens_per_second=count / trace.seconds if count and trace.seconds else None,
        finish_reason=trace.finish_reason,
    )


def _exp(exponent: float) -> float:
    try:
        return math.exp(exponent)
    except OverflowError:  # a text that the model held for impossible
        return math.inf


def _repetition(ids: Sequence[int]) -> float:
    ngrams = [tuple(ids[place : place + NGRAM]) for place in range(len(ids) - NGRAM + 1)]
    return 1 - len(set(ngrams)) / len(ngrams) if ngrams else 0.0


def parting(left: Trace, right: Trace) -> Parting | None:
    """Return where two continuations part; None where all their tokens are the same."""
    if left.token_ids == right.token_ids:
        return None
    pairs = enumerate(zip(left.token_ids, right.token_ids, strict=False))
    shorter = min(len(left.token_ids), len(right.token_ids))
    place = next((place for place, (mine, other) in pairs if mine != other), shorter)
    return Parting(place, (_chosen(left, place), _chosen(right, place)))


def _chosen(trace: Trace, place: int) -> Candidate | None:
    return trace.steps[place].chosen if place < len(trace.steps) else None


def partings(traces: Sequence[Trace]) -> dict[tuple[int, int], Parting | None]:
    """Return `parting` of every pair of traces, by their two numbers, the smaller first."""
    numbered = combinations(enumerate(traces), 2)
    return {(i, j): parting(left, right) for (i, left), (j, right) in numbered}


def drafted(trace: Trace) -> Drafted:
    """Tell guessed tokens from the model's own.

    Args:
        trace: of prompt lookup or speculative decoding; any other counts as one where nothing was guessed.
    """
    count = len(trace.token_ids)
    origins: list[Origin | None] = [None if trace.drafts else "model"] * count
    rejected: list[Rejected] = []
    for draft in trace.drafts:
        end = draft.place + draft.accepted
        origins[draft.place : end] = ["draft"] * draft.accepted
        if end < count:  # a text that ends with an accepted token has no token of the model's after it
            origins[end] = "model"
        if draft.accepted < len(draft.token_ids):
            rejected.append(Rejected(end, draft.token_ids[draft.accepted :], draft.texts[draft.accepted :]))
    passes = len(trace.drafts) if trace.drafts else count
    return Drafted(
        origins=tuple(origins),
        rejected=tuple(rejected),
        drafted=sum(len(draft.token_ids) for draft in trace.drafts),
        accepted=sum(draft.accepted for draft in trace.drafts),
        passes_saved=sum(origin is not None for origin in origins) - passes,
    )
