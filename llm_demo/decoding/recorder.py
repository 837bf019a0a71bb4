"""Recorder: logits in, the decision and its record out."""

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from llm_demo.ranking import Ranking
from llm_demo.sampling import Sampling, draw, generator, next_number, warpers
from llm_demo.trace import Candidate, Contrast, Draw, Step


class Recorder:
    """Picks each token of one continuation and records why.

    Attributes:
        sampling: how to pick.
        stop_ids: the end-of-text tokens.
        finished: True once an end-of-text token came or the bound on new tokens was reached.
        count: tokens picked so far.
        ids: the prompt and what was picked so far.
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
        self.ids = list(prompt_ids)
        self._seen = torch.tensor([self.ids])
        self._warp = warpers(sampling)
        self._rng = generator(sampling.seed)
        self._top_k = top_k
        self._numbers: deque[float] = deque()

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
        given = self._distributions(logits)
        if not self.sampling.draws:
            return self._record(given, self._best(given))
        return self._record(given, *draw(given.final, *self.numbers(1)))

    def force(self, logits: Tensor, token_id: int, contrast: tuple[Contrast, ...] = ()) -> Step:
        """Record a token that something else chose. It spends a number, so that later draws stay in step."""
        return self._record(self._distributions(logits), token_id, contrast=contrast)

    def probs(self, logits: Tensor) -> Tensor:
        """Return the distribution after penalties and filters, shape (vocab_size,), without picking."""
        return self._distributions(logits).final.probs

    def _distributions(self, logits: Tensor) -> "_Distributions":
        scores = logits.float()  # half precision would round the tail to 0
        log_probs = scores.log_softmax(-1)
        # `exp` of these would be shared out among threads, which takes longer than to begin again.
        raw = final = Ranking(scores.softmax(-1))
        if self._warp:
            self._seen = self._seen.to(scores.device)
            scores = self._warp(self._seen, scores[None].clone())[0]
            final = Ranking(scores.softmax(-1))
        return _Distributions(log_probs, raw, scores, final)

    def _best(self, given: "_Distributions") -> int:
        """Return the token of the highest score, of equals the first."""
        if given.final is given.raw:
            probs, ids = given.raw.first(max(self._top_k, 2))
            if probs[:1] > probs[1:2]:
                return ids[0]
        return int(given.scores.argmax())  # probabilities are rounded: different scores can give equal ones

    def _record(
        self, given: "_Distributions", chosen: int, drawn: Draw | None = None, contrast: tuple[Contrast, ...] = ()
    ) -> Step:
        after = given.final.probs
        step = record_step(given.log_probs, given.raw, after, chosen, self._top_k, self.decode, drawn, contrast)
        if self.sampling.draws:  # each token spends a number, even one that was not drawn
            self.skip(1)
        self.ids.append(chosen)
        if self._warp:
            self._seen = torch.cat([self._seen, self._seen.new_tensor([[chosen]])], dim=1)
        self.count += 1
        self.finished = chosen in self.stop_ids or self.count == self.sampling.max_new_tokens
        return step


@dataclass(frozen=True, slots=True, eq=False)
class _Distributions:
    """What the model says of one place, before and after penalties and filters.

    Attributes:
        log_probs: logarithms of the model's own probabilities.
        raw: these probabilities.
        scores: after penalties and filters.
        final: their probabilities; `raw` itself where there are none, so that its tokens are put in order once.
    """

    log_probs: Tensor
    raw: Ranking
    scores: Tensor
    final: Ranking


def record_step(
    raw_log_probs: Tensor,
    raw: Ranking,
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
        raw: of these probabilities.
        probs: shape (vocab_size,), after penalties, temperature and filters.
        chosen: the token's id.
        top_k: candidates to record.
        decode: one token id to text.
        drawn: how it was drawn.
        contrast: how contrastive search chose it.
    """
    before, ids = raw.first(top_k)
    after = before if probs is raw.probs else probs[ids].tolist()
    top = tuple(Candidate(i, decode(i), *both) for i, *both in zip(ids, before, after, strict=True))
    if chosen in ids:
        picked = top[ids.index(chosen)]
    else:
        picked = Candidate(chosen, decode(chosen), raw.probs[chosen].item(), probs[chosen].item())
    return Step(
        chosen=picked,
        top=top,
        draw=drawn,
        entropy=_entropy(raw.probs, raw_log_probs),
        log_prob=raw_log_probs[chosen].item(),
        contrast=contrast,
    )


def _entropy(probs: Tensor, log_probs: Tensor) -> float:
    """Return the entropy in bits."""
    nats = -torch.dot(probs, log_probs).item()
    if math.isnan(nats):  # 0 * -inf: a token that impossible adds nothing
        nats = -torch.dot(probs, log_probs.clamp_min(torch.finfo(torch.float32).min)).item()
    return nats / math.log(2)
