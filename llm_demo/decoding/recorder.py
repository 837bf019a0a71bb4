"""Recorder: logits in, the decision and its record out."""

import math
from collections import deque
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from llm_demo.sampling import Sampling, draw, generator, likeliest, next_number, warpers
from llm_demo.trace import Candidate, Contrast, Draw, Step


class Recorder:
    """Picks each token of one continuation and records why.

    Attributes:
        sampling: how to pick.
        stop_ids: the end-of-text tokens.
        finished: True once an end-of-text token came or the bound on new tokens was reached.
        count: tokens picked so far.
        decode: one token id, or several, to text.
    """

    def __init__(
        self,
        prompt_ids: Sequence[int],
        sampling: Sampling,
        top_k: int,
        stop_ids: frozenset[int],
        decode: Callable[..., str],
    ) -> None:
        """
        Args:
            prompt_ids: what the penalties look back on at the first step.
            sampling: how to pick.
            top_k: candidates to record, at least 1; capped at the vocabulary.
            stop_ids: the end-of-text tokens.
            decode: token ids to text, as a tokenizer does.
        """
        self.sampling = sampling
        self.stop_ids = stop_ids
        self.finished = False
        self.count = 0
        self.decode = decode
        self._ids = torch.tensor([prompt_ids])
        self._warp = warpers(sampling)
        self._rng = generator(sampling.seed)
        self._top_k = top_k
        self._numbers: deque[float] = deque()

    @property
    def ids(self) -> list[int]:
        """The prompt and what was picked so far."""
        return self._ids[0].tolist()

    def numbers(self, count: int) -> list[float]:
        """Return the numbers that the next draws will use; looking at them does not spend them."""
        while len(self._numbers) < count:
            self._numbers.append(next_number(self._rng))
        return list(self._numbers)[:count]

    def skip(self, count: int) -> None:
        """Spend as many numbers without picking anything."""
        self.numbers(count)
        for _ in range(count):
            self._numbers.popleft()

    def choose(self, logits: Tensor) -> Step:
        """Pick the next token.

        Args:
            logits: shape (vocab_size,), straight from the model, any float type and device.
        """
        scores, log_probs, probs = self._distributions(logits)
        if not self.sampling.draws:
            return self._record(log_probs, probs, int(scores.argmax()))  # the probabilities are rounded
        chosen, drawn = draw(probs, *self.numbers(1))
        return self._record(log_probs, probs, chosen, drawn)

    def force(self, logits: Tensor, token_id: int, contrast: tuple[Contrast, ...] = ()) -> Step:
        """Record a token that something else chose. It spends a number, so that later draws stay in step."""
        return self._record(*self._distributions(logits)[1:], token_id, contrast=contrast)

    def probs(self, logits: Tensor) -> Tensor:
        """Return the distribution after penalties and filters, shape (vocab_size,), without picking."""
        return self._distributions(logits)[2]

    def _distributions(self, logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the scores after the filters, the logarithms of the model's own probabilities, and those after."""
        raw = logits.float()  # half precision would round the tail to 0
        log_probs = raw.log_softmax(-1)
        if not self._warp:
            return raw, log_probs, log_probs.exp()
        self._ids = self._ids.to(raw.device)
        scores = self._warp(self._ids, raw[None].clone())[0]
        return scores, log_probs, scores.softmax(-1)

    def _record(
        self,
        log_probs: Tensor,
        probs: Tensor,
        chosen: int,
        drawn: Draw | None = None,
        contrast: tuple[Contrast, ...] = (),
    ) -> Step:
        step = record_step(log_probs, probs, chosen, self._top_k, self.decode, drawn, contrast)
        if self.sampling.draws:  # each token spends a number, even one that was not drawn
            self.skip(1)
        self._ids = torch.cat([self._ids, torch.tensor([[chosen]], device=self._ids.device)], dim=1)
        self.count += 1
        self.finished = chosen in self.stop_ids or self.count == self.sampling.max_new_tokens
        return step


def record_step(
    raw_log_probs: Tensor,
    probs: Tensor,
    chosen: int,
    top_k: int,
    decode: Callable[..., str],
    drawn: Draw | None = None,
    contrast: tuple[Contrast, ...] = (),
) -> Step:
    """Record one decision.

    Args:
        raw_log_probs: shape (vocab_size,), logarithms of the model's own probabilities.
        probs: shape (vocab_size,), after penalties, temperature and filters.
        chosen: the token's id.
        top_k: candidates to record.
        decode: one token id to text.
        drawn: how it was drawn.
        contrast: how contrastive search chose it.
    """
    raw_probs = raw_log_probs.exp()
    shown = [chosen, *likeliest(raw_probs, top_k)[1].tolist()]
    places = torch.tensor(shown, device=probs.device)
    columns = zip(shown, raw_probs[places].tolist(), probs[places].tolist(), strict=True)
    candidates = [Candidate(i, decode(i), raw_prob, prob) for i, raw_prob, prob in columns]
    # 0 * -inf would be no number; a token that impossible adds nothing.
    nats = -torch.dot(raw_probs, raw_log_probs.clamp_min(torch.finfo(torch.float32).min)).item()
    return Step(
        chosen=candidates[0],
        top=tuple(candidates[1:]),
        draw=drawn,
        entropy=nats / math.log(2),
        log_prob=raw_log_probs[chosen].item(),
        contrast=contrast,
    )
