"""Embedding: the vector that a token has before any layer has read it, and the tokens whose vectors are near."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from llm_demo.engine import Engine
from llm_demo.errors import InputError, ModelError
from llm_demo.tokens import Token, describe

ROWS = 8_192  # of the matrix at once: in float32 the whole of a large vocabulary would not fit


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A token near another one.

    Attributes:
        token: which; its index is its rank, from 0.
        similarity: the cosine of the angle between the two vectors, -1 to 1.
    """

    token: Token
    similarity: float


def nearest(engine: Engine, token_id: int, count: int) -> tuple[Neighbour, ...]:
    """Return the `count` tokens of the whole vocabulary that are nearest to one, itself left out, the nearest first.

    Raises:
        InputError: there is no such token.
    """
    if not engine.offers.inside:
        raise ModelError("engine_inside", name=engine.loaded.card.key)
    size = len(engine.tokenizer)
    if not 0 <= token_id < size:
        raise InputError("bad_id", value=repr(token_id)[:40], last=size - 1)

    def work() -> tuple[list[float], list[int]]:
        # The matrix may have more rows than there are tokens, to make its size a round one.
        likeness = cosines(engine.model.get_input_embeddings().weight[:size], token_id)
        likeness[token_id] = -torch.inf
        found = likeness.topk(min(count, len(likeness) - 1))
        return found.values.tolist(), found.indices.tolist()

    values, ids = engine.call(work)
    return tuple(map(Neighbour, describe(engine.tokenizer, ids), values))


def cosines(matrix: Tensor, row: int) -> Tensor:
    """Return the cosine similarity of one row of a matrix with each, shape (rows,), float32; a row of zeros gives 0."""
    one = normalize(matrix[row].float(), dim=0)
    return torch.cat([normalize(some.float(), dim=1) @ one for some in matrix.split(ROWS)])
