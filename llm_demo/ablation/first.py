"""First token: the next-token distributions after two prompts, and how far apart they are."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from llm_demo.ranking import likeliest

RIVALS = 6  # of each distribution


@dataclass(frozen=True, slots=True)
class Rival:
    """A token that may begin the answer.

    Attributes:
        text: decoded alone.
        reference: its probability after the first variant, in [0, 1].
        variant: its probability after this one.
    """

    token_id: int
    text: str
    reference: float
    variant: float


@dataclass(frozen=True, slots=True)
class FirstToken:
    """Two next-token distributions in one.

    Attributes:
        bits: their Jensen-Shannon divergence over the whole vocabulary: 0 where they are equal, 1 where no token is
            possible in both.
        rivals: the likeliest of each, those of the first variant before the others.
    """

    bits: float
    rivals: tuple[Rival, ...]


def first_token(reference: Tensor, variant: Tensor, decode: Callable[[int], str]) -> FirstToken:
    """Compare two next-token distributions.

    Args:
        reference, variant: logits, shape (vocab_size,).
        decode: a token's id to its text.
    """
    probs = [logits.float().softmax(-1) for logits in (reference, variant)]
    ids = dict.fromkeys(token_id for one in probs for token_id in likeliest(one, RIVALS)[1])
    rivals = tuple(Rival(one, decode(one), probs[0][one].item(), probs[1][one].item()) for one in ids)
    return FirstToken(jensen_shannon(reference, variant), rivals)


def jensen_shannon(one: Tensor, other: Tensor) -> float:
    """Return the Jensen-Shannon divergence of two distributions, in bits, in [0, 1].

    Source: Lin 1991, "Divergence Measures Based on the Shannon Entropy", equation 4.1 with equal weights.

    Args:
        one, other: logits, shape (vocab_size,), any float type.
    """
    p, q = one.double().log_softmax(-1), other.double().log_softmax(-1)
    middle = torch.logaddexp(p, q) - math.log(2)

    def relative_entropy(log_probs: Tensor) -> Tensor:
        probs = log_probs.exp()  # what is impossible, with a logarithm of minus infinity, adds nothing
        return torch.where(probs > 0, probs * (log_probs - middle), 0.0).sum()

    nats = (relative_entropy(p) + relative_entropy(q)).item() / 2
    return min(max(nats / math.log(2), 0.0), 1.0)
