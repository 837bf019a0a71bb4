"""Recorder: logits in, the decision and its record out."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from llm_demo.sampling import Sampling, draw, generator, warpers
from llm_demo.trace import Candidate, Step

NATS_PER_BIT = 0.6931471805599453


class Recorder:
    """Picks each token of one row and records why.

    Attributes:
        finished: True once an end-of-text token came or the bound on new tokens was reached.
    """

    def __init__(
        self,
        prompt_ids: Sequence[int],
        sampling: Sampling,
        top_k: int,
        stop_ids: frozenset[int],
        decode: Callable[[int], str],
    ) -> None:
        """
        Args:
            prompt_ids: what the penalties look back on at the first step.
            sampling: how to pick.
            top_k: candidates to record, at least 1; capped at the vocabulary.
            stop_ids: the end-of-text tokens.
            decode: one token id to text.
        """
        self.finished = False
        self._ids = torch.tensor([prompt_ids])
        self._left = sampling.max_new_tokens
        self._greedy = not sampling.draws
        self._warp = warpers(sampling)
        self._rng = generator(sampling.seed)
        self._top_k = top_k
        self._stop_ids = stop_ids
        self._decode = decode

    def choose(self, logits: Tensor) -> Step:
        """Pick the next token.

        Args:
            logits: shape (vocab_size,), straight from the model, any float type and device.
        """
        raw = logits.float()  # half precision would round the tail to 0
        ids = self._ids = self._ids.to(raw.device)
        warped = self._warp(ids, raw[None].clone())[0] if self._warp else raw
        raw_log_probs = raw.log_softmax(-1)
        raw_probs = raw_log_probs.exp()
        probs = warped.softmax(-1) if self._warp else raw_probs
        chosen, drawn = (int(warped.argmax()), None) if self._greedy else draw(probs, self._rng)

        shown = [chosen, *self._likeliest(raw_probs)]
        columns = zip(shown, raw_probs[shown].tolist(), probs[shown].tolist(), strict=True)
        candidates = [Candidate(i, self._decode(i), raw_prob, prob) for i, raw_prob, prob in columns]
        entropy = -torch.xlogy(raw_probs, raw_probs).sum().item() / NATS_PER_BIT
        step = Step(candidates[0], tuple(candidates[1:]), drawn, entropy, raw_log_probs[chosen].item())

        self._ids = torch.cat([ids, torch.tensor([[chosen]], device=ids.device)], dim=1)
        self._left -= 1
        self.finished = chosen in self._stop_ids or self._left == 0
        return step

    def _likeliest(self, raw_probs: Tensor) -> list[int]:
        k = min(self._top_k, raw_probs.numel())
        tied = (raw_probs >= raw_probs.topk(k).values[-1]).nonzero().flatten()  # by token id
        order = raw_probs[tied].sort(descending=True, stable=True).indices
        return tied[order[:k]].tolist()
