"""What a strategy and whoever runs it say to each other."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from llm_demo.rows import Fed
from llm_demo.trace import BeamStep, Draft, Ranked, Step


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What the model says of one place, before anything is picked.

    Attributes:
        logits: shape (vocab_size,), float32, on the CPU.
    """

    logits: Tensor


@dataclass(frozen=True, slots=True)
class Weighed:
    """How likely some tokens are in one place.

    Attributes:
        log_probs: natural logarithms of the probabilities of the tokens asked for, in their order.
        likeliest: (token id, natural logarithm) of the likeliest of the whole vocabulary, likeliest first.
    """

    log_probs: tuple[float, ...]
    likeliest: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """All room is taken, here or at a server elsewhere; `place` is the one in the line, from 1."""

    place: int


@dataclass(frozen=True, slots=True)
class Ended:
    """A server elsewhere has ended a text without telling the token that ended it."""


Event = Step | Draft | BeamStep | Ranked | Scores | Weighed | Waiting | Ended


@dataclass(frozen=True, slots=True)
class Feed:
    """What a strategy wants its rows to be, and the model to read, before it goes on. It is sent a `Fed`.

    Attributes:
        tokens: for each row that it wants from now on, what to append; equally many, more than one a row only
            from a strategy of a single row.
        parents: which of its present rows each of them continues; None where they stay as they are.
        forget: tokens to take back first from the end of its only row.
        wanted: of how many last positions it wants the logits.
        hidden: whether it wants the last layer's states of every position fed.
        model: the model itself, or the smaller one that drafts for it; the rows of each are apart.
    """

    tokens: tuple[tuple[int, ...], ...]
    parents: tuple[int, ...] | None = None
    forget: int = 0
    wanted: int = 1
    hidden: bool = False
    model: Literal["main", "draft"] = "main"


# Yields what it wants fed, and what happened as it happens; is sent a Fed after a Feed, None after an event.
Strategy = Generator[Feed | Event, Fed | None, None]
