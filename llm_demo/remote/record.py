"""Record: what a server told of a token, as a Step; what does not follow from it exactly is None."""

import math
from collections.abc import Callable

from llm_demo.remote.dialect import Dialect, Told
from llm_demo.remote.filters import filtered
from llm_demo.sampling import Sampling
from llm_demo.trace import Candidate, Step

Shares = dict[int, float]


def record(
    told: Told, sampling: Sampling, dialect: Dialect, top_k: int, decode: Callable[[int], str], scored: bool = False
) -> Step:
    """Return one decision of a server's. How it drew the token, and its entropy over all tokens, it does not tell.

    Args:
        told: of the token.
        sampling: what it was asked to do.
        dialect: how it was asked.
        top_k: candidates to record.
        decode: one token id to text.
        scored: whether the token was given and only scored, so that nothing was chosen and nothing filtered.
    """
    values = dict(told.top) | {told.token_id: told.log_prob}
    given: Shares = {token: math.exp(value) for token, value in values.items()}
    untouched = sampling.repetition_penalty == 1.0 and (not sampling.draws or not _filters(sampling))
    if dialect.offers.raw or scored:
        raw, left = given, given if untouched else _left(told, sampling, dialect, scored)
    else:
        raw, left = (given if untouched else {}), given
    shown = [told.token_id, *(token for token, _ in told.top[:top_k])]
    candidates = [Candidate(token, decode(token), raw.get(token), left.get(token)) for token in shown]
    log_prob = told.log_prob if raw else None
    return Step(candidates[0], tuple(candidates[1:]), None, None, log_prob)


def _filters(sampling: Sampling) -> bool:
    return (sampling.temperature, sampling.top_k, sampling.top_p, sampling.min_p) != (1.0, 0, 1.0, 0.0)


def _left(told: Told, sampling: Sampling, dialect: Dialect, scored: bool) -> Shares:
    """Return what the filters left, of the tokens told; empty where it does not follow."""
    if sampling.repetition_penalty != 1.0:  # it changes scores before the softmax, which nobody told
        return {}
    found = filtered(told.falling, sampling, dialect.order, whole=False)
    if found is None:
        return {}
    left = dict(zip((token for token, _ in told.top), found, strict=False))
    if told.log_prob in told.falling:
        left[told.token_id] = found[told.falling.index(told.log_prob)]
    if scored or left.get(told.token_id):
        return left
    return {}  # it chose what cannot be left: it filters in another way
