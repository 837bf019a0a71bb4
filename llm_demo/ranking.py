"""Ranking: tokens by falling probability, as far down as anybody looks."""

from operator import gt

from torch import Tensor


class Ranking:
    """A distribution over the vocabulary, its tokens put in order only as far as anybody looks."""

    def __init__(self, probs: Tensor) -> None:
        """
        Args:
            probs: shape (vocab_size,), float32, on any device.
        """
        self.probs = probs
        self._ranked: tuple[list[float], list[int]] = [], []

    def first(self, k: int) -> tuple[list[float], list[int]]:
        """Return the `k` largest probabilities, all where there are fewer, and their tokens, as `likeliest` does."""
        if len(self._ranked[0]) < min(k, len(self.probs)):
            self._ranked = likeliest(self.probs, k)
        probs, ids = self._ranked
        return probs[:k], ids[:k]


def likeliest(probs: Tensor, k: int) -> tuple[list[float], list[int]]:
    """Return the `k` largest and their token ids, falling; of equals the smaller id first."""
    if k >= len(probs):
        values, ids = probs.sort(descending=True, stable=True)
        return values.tolist(), ids.tolist()
    values, ids = (part.tolist() for part in probs.topk(k + 1))
    if all(map(gt, values, values[1:])):
        return values[:k], ids[:k]
    least = values[k - 1]
    above = sorted((-value, token) for value, token in zip(values, ids, strict=True) if value > least)
    level = (probs == least).nonzero().flatten()[: k - len(above)].tolist()
    return [-value for value, _ in above] + [least] * len(level), [token for _, token in above] + level
