"""Filters: what a server's filters leave of a distribution of which only the likeliest tokens are known."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from llm_demo.sampling import Sampling

# In which order each server applies its filters; what a filter sees is what the ones before it have left.
# Sources: vllm/v1/sample/sampler.py and `_init_sampler` of llama_cpp/llama.py.
VLLM = ("temperature", "min_p", "top_k", "top_p")
LLAMA_CPP = ("top_k", "top_p", "min_p", "temperature")


@dataclass(frozen=True, slots=True)
class _Left:
    """What is left of a distribution.

    Attributes:
        scores: of the likeliest tokens, falling, in nats; up to a constant where `total` is unknown.
        total: the sum of the exponentials of all that is left, those of unknown tokens too; None where not known.
        whole: whether nothing else is left.
    """

    scores: tuple[float, ...]
    total: float | None
    whole: bool


def filtered(log_probs: Sequence[float], sampling: Sampling, order: Sequence[str], whole: bool) -> list[float] | None:
    """Return the probabilities of the likeliest tokens after temperature and filters.

    Args:
        log_probs: the model's own, in nats, falling: those of the likeliest tokens.
        sampling: greedy decoding or sampling, without a penalty.
        order: in which the server filters.
        whole: whether these are all tokens that there are.

    Returns:
        One probability each, 0.0 for what was filtered out; None where they do not follow from what is known.
    """
    left = _Left(tuple(log_probs), 1.0, whole)
    if sampling.draws:
        for name in order:
            value = getattr(sampling, name)
            if value != _NEUTRAL[name]:
                found = _FILTERS[name](left, value)
                if found is None:
                    return None
                left = found
    if left.total is None:
        return None
    kept = [math.exp(score) / left.total for score in left.scores]
    return kept + [0.0] * (len(log_probs) - len(kept))


def _temperature(left: _Left, value: float) -> _Left:
    scores = tuple(score / value for score in left.scores)
    return _closed(scores) if left.whole else _Left(scores, None, whole=False)


def _top_k(left: _Left, k: int) -> _Left | None:
    known = len(left.scores)
    if left.whole and k >= known:
        return left
    # Of equals at the edge a server may keep all or some.
    if k >= known or left.scores[k - 1] == left.scores[k]:
        return None
    return _closed(left.scores[:k])


def _top_p(left: _Left, p: float) -> _Left | None:
    if left.total is None:
        return None
    mass = 0.0
    for count, score in enumerate(left.scores, start=1):
        mass += math.exp(score) / left.total
        if mass >= p:
            return _closed(left.scores[:count])
    return left if left.whole else None


def _min_p(left: _Left, share: float) -> _Left | None:
    edge = left.scores[0] + math.log(share)
    kept = tuple(score for score in left.scores if score >= edge)
    return _closed(kept) if left.whole or len(kept) < len(left.scores) else None


def _closed(scores: tuple[float, ...]) -> _Left:
    return _Left(scores, math.fsum(map(math.exp, scores)), whole=True)


_NEUTRAL = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0}
_FILTERS = {"temperature": _temperature, "top_k": _top_k, "top_p": _top_p, "min_p": _min_p}
