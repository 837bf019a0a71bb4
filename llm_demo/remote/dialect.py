"""Dialect: how one kind of server is asked for tokens and their log-probabilities, and how its answers are read."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from llm_demo.errors import ModelError
from llm_demo.offers import Offers
from llm_demo.remote.line import Tell, unheard
from llm_demo.sampling import Sampling

IMPOSSIBLE = -9999.0  # what servers write for the logarithm of 0, which JSON cannot hold

Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What a server told of one token.

    Attributes:
        token_id: the token.
        log_prob: its own, in nats; the model's, or after the filters, as the server does it.
        top: (token id, log-probability) of the likeliest, falling, none left out between them.
        falling: log-probabilities of the likeliest, those of `top` and further ones whose tokens it did not name.
    """

    token_id: int
    log_prob: float
    top: tuple[tuple[int, float], ...]
    falling: tuple[float, ...]


class Dialect(Protocol):
    """A kind of server. Its coroutines run in the endpoint's thread and raise ModelError where the server fails.

    Attributes:
        offers: what the server tells and runs.
        order: of its filters, as `filters.filtered` takes it.
    """

    offers: Offers
    order: tuple[str, ...]

    def stream(self, ids: Ids, sampling: Sampling, top: int, stops: Ids, tell: Tell) -> AsyncIterator[Told]:
        """Yield the tokens that continue a text, as they come.

        Args:
            ids: of the text.
            sampling: greedy decoding or sampling.
            top: candidates wanted for each token.
            stops: the end-of-text tokens.
            tell: is told the place in line.
        """

    async def score(self, pairs: Sequence[tuple[Ids, Ids]], top: int, tell: Tell = unheard) -> list[list[Told]]:
        """Return what the model says of each token of each continuation, in its place after the prompt.

        These are the model's own probabilities, whatever filters the server has. `tell` is told the place in line.
        """

    async def next(self, ids: Ids, top: int, tell: Tell = unheard) -> tuple[tuple[int, float], ...]:
        """Return (token id, log-probability) of the likeliest tokens after a text, falling; -1 for all of them."""


def told(token_id: int, log_prob: float, pairs: Iterable[tuple[int, float]], asked: int) -> Told:
    """Return a token with its likeliest rivals.

    Args:
        token_id, log_prob: of the token itself.
        pairs: what was told of the place; the token itself is among them even where it is not one of the likeliest.
        asked: how many of the likeliest were asked for; -1 for all.
    """
    known = dict(pairs)
    if asked >= 0 and len(known) > asked:
        known.pop(token_id, None)
    possible = [(one, value) for one, value in known.items() if value > IMPOSSIBLE]
    top = tuple(sorted(possible, key=lambda pair: (-pair[1], pair[0])))
    return Told(token_id, log_prob, top, tuple(value for _, value in top))


def check_read(mine: Ids, theirs: Sequence[int], decode: Callable[..., str]) -> None:
    """Raise ModelError where a server reads a text as other tokens than the tokenizer here; it shows both.

    What would be shown of the tokens would be true of another text.
    """
    if mine == tuple(theirs):
        return
    place = next((n for n, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a != b), min(len(mine), len(theirs)))
    ours, others = (decode(ids[place : place + 1]) or "—" for ids in (mine, tuple(theirs)))
    raise ModelError(
        "engine_other_ids", mine=len(mine), theirs=len(theirs), place=place + 1, one=ours[:20], other=others[:20]
    )
