"""Prompt lookup and speculative decoding: guess several tokens, check them all in one pass.

What is emitted is always what the model itself picks, position by position, with the same numbers as without
guesses: greedy text stays greedy text, and a seed's sample stays that sample, so the distribution is the model's
own, as Leviathan et al. 2023 ("Fast Inference from Transformers via Speculative Decoding") require. Guesses only
save passes. Instead of their accept-or-resample rule, the drafter draws with the very number that the model will.
"""

from collections.abc import Callable, Generator, Sequence

import torch
from torch import Tensor

from llm_demo.decoding.feed import Event, Feed, Strategy
from llm_demo.decoding.recorder import Recorder
from llm_demo.ranking import Ranking
from llm_demo.rows import Fed
from llm_demo.sampling import draw, warpers
from llm_demo.trace import Draft

LOOKUP_TOKENS = 10  # transformers' default for prompt lookup
LOOKUP_NGRAM = 2  # and the longest run of tokens that it looks for
DRAFT_TOKENS = 5

Guess = Generator[Feed | Event, Fed | None, tuple[int, ...]]


def prompt_lookup(prompt_ids: Sequence[int], recorder: Recorder) -> Strategy:
    """Guess that what followed the latest tokens earlier in the text follows again.

    Source: Saxena 2023, "Prompt Lookup Decoding".
    """
    most = recorder.sampling.num_draft_tokens or LOOKUP_TOKENS

    def guess(limit: int) -> Guess:
        yield from ()  # it never asks the model
        return find_continuation(recorder.ids, min(most, limit))

    return _verify(prompt_ids, recorder, guess)


def speculative(prompt_ids: Sequence[int], recorder: Recorder) -> Strategy:
    """Let a smaller model of the same vocabulary write ahead."""
    return _verify(prompt_ids, recorder, _Drafter(recorder).guess)


def find_continuation(ids: Sequence[int], count: int) -> tuple[int, ...]:
    """Return up to `count` tokens that followed the last ones at an earlier place, longest match first."""
    for size in range(min(LOOKUP_NGRAM, len(ids) - 1), 0, -1):
        tail = ids[-size:]
        for start in range(len(ids) - size):
            follows = ids[start + size : start + size + count]
            if ids[start : start + size] == tail and follows:
                return tuple(follows)
    return ()


def _verify(prompt_ids: Sequence[int], recorder: Recorder, guess: Callable[[int], Guess]) -> Strategy:
    """Emit what the recorder picks after each fed token, as long as it is what was guessed."""
    fed = yield Feed((tuple(prompt_ids),))
    draft: tuple[int, ...] = ()
    while True:
        place, accepted = recorder.count, 0
        for position, logits in enumerate(fed.logits[0]):
            step = recorder.choose(logits)
            yield step
            agreed = position < len(draft) and step.chosen.token_id == draft[position]
            accepted += agreed
            if recorder.finished or not agreed:
                break
        yield Draft(place, draft, tuple(map(recorder.decode, draft)), accepted)
        if recorder.finished:
            return
        rejected = len(draft) - accepted
        draft = yield from guess(recorder.sampling.max_new_tokens - recorder.count - 1)
        fed = yield Feed(((step.chosen.token_id, *draft),), forget=rejected, wanted=len(draft) + 1)


class _Drafter:
    """The smaller model's side: what its row has read, and what it writes ahead."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._warp = warpers(recorder.sampling)
        self._read: list[int] = []

    def guess(self, limit: int) -> Guess:
        """Write up to `limit` tokens ahead of what the recorder has picked."""
        ids, draft = self._recorder.ids, []
        count = min(self._recorder.sampling.num_draft_tokens or DRAFT_TOKENS, limit)
        # What it read and the model rejected is taken back; the last token is always to be read.
        known = min(_common(self._read, ids), len(ids) - 1)
        forget, unread = len(self._read) - known, ids[known:]
        for number in self._recorder.numbers(count):
            fed = yield Feed((tuple(unread),), forget=forget, model="draft")
            forget, unread = 0, [self._pick([*ids, *draft], fed.logits[0, -1], number)]
            draft += unread
        if draft:
            self._read = ids + draft[:-1]
        return tuple(draft)

    def _pick(self, ids: list[int], logits: Tensor, number: float) -> int:
        scores = self._warp(torch.tensor([ids], device=logits.device), logits[None].float())[0]
        return draw(Ranking(scores.softmax(-1)), number)[0] if self._recorder.sampling.draws else int(scores.argmax())


def _common(left: Sequence[int], right: Sequence[int]) -> int:
    """Return how many tokens two sequences share from the start."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(left), len(right)))
