"""Rows: what a server is asked of one text each, and what it says put into events as it comes."""

import re
from collections.abc import Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from llm_demo.decoding.feed import Ended, Event, Waiting, Weighed
from llm_demo.decoding.until import WINDOW
from llm_demo.models.loader import Loaded
from llm_demo.remote.dialect import Dialect, Ids, Told
from llm_demo.remote.line import Tell
from llm_demo.remote.record import record
from llm_demo.request import Request

FOLLOWED = 20  # candidates asked for at least where filters have to be followed

Put = Callable[[Event], None]
Row = Callable[[Put], Coroutine[None, None, None]]


@dataclass(frozen=True, slots=True)
class Ready:
    """A model that can be asked.

    Attributes:
        loaded: it, without weights.
        dialect: how its server is asked.
        spell: one token id to text.
    """

    loaded: Loaded
    dialect: Dialect
    spell: Callable[[int], str]


async def write(ready: Ready, request: Request, ids: Ids, top_k: int, put: Put) -> None:
    """Have a text continued and tell each decision."""
    sampling, dialect, text = request.sampling, ready.dialect, list[int]()
    top = max(top_k, sampling.top_k + 1, FOLLOWED) if sampling.draws else top_k
    search = re.compile(request.until).search if request.until else None

    def take(told: Told, scored: bool = False) -> None:
        put(record(told, sampling, dialect, top_k, ready.spell, scored))
        text.append(told.token_id)

    def found() -> bool:
        return bool(search and search(ready.loaded.tokenizer.decode(text[-WINDOW:])))

    def over() -> bool:
        return bool(text) and (text[-1] in ready.loaded.stop_ids or len(text) == sampling.max_new_tokens)

    if request.forced:
        (told,) = await dialect.score([(ids, request.forced)], top, _waiting(put))
        for one in told:
            take(one, scored=True)
            if over() or found():
                return
    rest = replace(sampling, max_new_tokens=sampling.max_new_tokens - len(request.forced))
    stops = tuple(sorted(ready.loaded.stop_ids))
    written = dialect.stream((*ids, *request.forced), rest, top, stops, _waiting(put))
    async with aclosing(written) as tokens:
        async for one in tokens:  # to its very end: a connection that is read out serves the next one
            take(one)
            if found():
                return
    if not over():
        put(Ended())


async def weigh(ready: Ready, ids: Ids, wanted: Ids, top_k: int, put: Put) -> None:
    """Tell how likely tokens are after a text; those that are not among the likeliest are scored apart."""
    likeliest = await ready.dialect.next(ids, top_k if top_k < 0 else max(top_k, FOLLOWED), _waiting(put))
    known = dict(likeliest)
    missing = [token for token in dict.fromkeys(wanted) if token not in known]
    if missing:
        scored = await ready.dialect.score([(ids, (token,)) for token in missing], 0, _waiting(put))
        known |= {token: told.log_prob for token, (told,) in zip(missing, scored, strict=True)}
    shown = likeliest if top_k < 0 else likeliest[:top_k]
    put(Weighed(tuple(known[token] for token in wanted), shown))


async def score(ready: Ready, pairs: Sequence[tuple[Ids, Ids]], put: Put) -> None:
    """Tell the log-probability of each token of the continuations, one `Weighed` a pair, all at once."""
    asked = [pair for pair in pairs if pair[1]]
    found = iter(await ready.dialect.score(asked, 0, _waiting(put)) if asked else [])
    for _, ids in pairs:
        put(Weighed(tuple(told.log_prob for told in next(found)) if ids else (), ()))


def spread(likeliest: Sequence[tuple[int, float]], size: int) -> Tensor:
    """Return log-probabilities by token id, shape (size,), float32."""
    found = torch.full((size,), float("-inf"))
    ids, values = zip(*((token, value) for token, value in likeliest if token < size), strict=True)
    found[list(ids)] = torch.tensor(values)
    return found


def _waiting(put: Put) -> Tell:
    return lambda place: put(Waiting(place))
