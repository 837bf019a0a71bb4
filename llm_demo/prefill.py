"""Prefill: prompts being read, a piece at a time, in turn."""

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

import torch
from torch import Tensor

from llm_demo.jobs import Job, Run
from llm_demo.rows import Fed, Rows, padded

AT_ONCE = 4  # pieces' worth of short prompts that are read together where nobody waits for a next token


@dataclass(slots=True, eq=False)
class Prefill:
    """Strategies of one job that wait for the same tokens to be read by the same model.

    Attributes:
        runs: at least one.
        rows: where the tokens are read, and `row`, which of these it is.
        done: how many have been.
        job: whose runs they are.
        model: what reads: `main` or `draft`.
        tokens: all that is to be read.
    """

    runs: list[Run]
    rows: Rows
    row: int = 0
    done: int = 0
    job: Job = field(init=False)
    model: str = field(init=False)
    tokens: tuple[int, ...] = field(init=False)
    _logits: list[Tensor] = field(default_factory=list)
    _hidden: list[Tensor] = field(default_factory=list)

    def __post_init__(self) -> None:
        run = self.runs[0]
        self.job, self.model, self.tokens = run.job, run.feed.model, run.feed.tokens[0]

    def suits(self, run: Run) -> bool:
        """Tell whether a run can still wait for this one instead of reading the same again."""
        its = run.feed
        return not self.done and self.job is run.job and self.model == its.model and its.tokens == (self.tokens,)

    def borrow(self, other: "Prefill", size: int) -> None:
        """Begin with what another has read of the same tokens.

        In whole pieces of `size`, so that it is to the last bit what reading them here would give; what is wanted
        is left to be read.
        """
        if self.model != other.model or self.hidden:
            return
        wanted = max(run.feed.wanted for run in self.runs)
        pairs = zip(self.tokens[: len(self.tokens) - wanted], other.tokens[: other.done], strict=False)
        pieces = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs)) // size
        if pieces:
            self.rows.join(other.rows, other.row)
            self.rows.forget(0, other.done - pieces * size)
            self.done = pieces * size
            for run in self.runs:
                run.forward_passes += pieces * (self.model == "main")

    def piece(self, size: int) -> tuple[int, ...]:
        """Return the next `size` tokens to be read."""
        return self.tokens[self.done : self.done + size]

    def wanted(self, count: int) -> int:
        """Return after how many of the next `count` tokens, the last ones, the logits are wanted; one at least."""
        left = len(self.tokens) - self.done - count
        return min(max(max(run.feed.wanted for run in self.runs) - left, 1), count)

    @property
    def hidden(self) -> bool:
        """Whether the last layer's states are wanted too."""
        return any(run.feed.hidden for run in self.runs)

    def take(self, rows: Rows, row: int, count: int, fed: Fed) -> Fed | None:
        """Take what a pass over the next `count` tokens gave, its own row of several; return what all passes gave.

        None where tokens are left to be read.
        """
        self._logits.append(fed.logits[row : row + 1, -self.wanted(count) :])
        if self.hidden:
            self._hidden.append(fed.hidden[row : row + 1, -count:])
        self.rows, self.row = rows, row
        self.done += count
        for run in self.runs:
            run.forward_passes += self.model == "main"
        if self.done < len(self.tokens):
            return None
        return Fed(torch.cat(self._logits, dim=1), torch.cat(self._hidden, dim=1) if self.hidden else None)


def read(batch: Sequence[Prefill], size: int) -> list[Fed | None]:
    """Read the next `size` tokens of one prompt, or the whole of several in one pass; return what `take` does."""
    pieces = [prefill.piece(size) for prefill in batch]
    rows = batch[0].rows
    wanted = max(prefill.wanted(len(piece)) for prefill, piece in zip(batch, pieces, strict=True))
    fed = rows.step(pieces, wanted, hidden=any(prefill.hidden for prefill in batch))
    return [prefill.take(rows, row, len(pieces[row]), fed) for row, prefill in enumerate(batch)]


class Prompts:
    """Every prompt that is being read: a long one does not hold a short one up."""

    def __init__(self, make_rows: Callable[[str], Rows], piece: int) -> None:
        """
        Args:
            make_rows: makes empty rows of the model, `main` or `draft`.
            piece: tokens that are read at a time.
        """
        self._make_rows = make_rows
        self._piece = piece
        self._most = math.inf  # prompts in one pass, as far as memory has told
        self._reading: list[Prefill] = []
        self._firsts: list[Prefill] = []  # of each job that still has prompts to read, the first long one

    @property
    def idle(self) -> bool:
        """Whether nothing is being read, and nothing kept of what was."""
        return not (self._reading or self._firsts)

    def __contains__(self, run: Run) -> bool:
        return any(run in prefill.runs for prefill in self._reading)

    def add(self, run: Run) -> None:
        """Have a run's prompt read, together with the job's other strategies that begin with it."""
        for prefill in self._reading:
            if prefill.suits(run):
                prefill.runs.append(run)
                return
        self._reading.append(Prefill([run], self._make_rows(run.feed.model)))

    def drop_the_gone(self) -> None:
        """Leave unread what nobody waits for any more."""
        for prefill in self._reading:
            prefill.runs = [run for run in prefill.runs if not run.job.cancelled.is_set()]
        self._reading = [prefill for prefill in self._reading if prefill.runs]

    def read(self, streaming: bool = True) -> Iterator[tuple[Prefill, Fed | None]]:
        """Read a piece's worth of tokens, of one long prompt or of several short ones; yield those that are read.

        Short ones of about one length are read in one pass, which takes little longer than that of the first alone;
        more of them than a piece's worth where nobody is `streaming` who would have to wait for it. Where memory does
        not suffice they are fewer from then on; one that is too much by itself is yielded with None.
        """
        left = self._piece
        while self._reading and left > 0:
            batch = self._take_next(left if streaming else AT_ONCE * self._piece)
            size = len(batch) * padded(len(batch[0].piece(self._piece)))
            try:
                taken = read(batch, self._piece)
            except torch.OutOfMemoryError:
                self._most = max(len(batch) // 2, 1)
                if len(batch) == 1:
                    yield batch[0], None
                else:
                    batch[0].rows = self._make_rows(batch[0].model)
                    self._reading = batch + self._reading
                continue
            left -= size
            for prefill, fed in zip(batch, taken, strict=True):
                if fed is None:
                    self._reading.append(prefill)
                else:
                    yield prefill, fed

    def keep_firsts(self, waiting: Collection[Job]) -> None:
        """Keep what was read of a job's first long prompt only as long as more prompts of it are to be read.

        Args:
            waiting: jobs with prompts that have not been added.
        """
        unread = [*(prefill.job for prefill in self._reading), *waiting]
        self._firsts = [first for first in self._firsts if any(first.job is job for job in unread)]

    def lends(self, prefill: Prefill) -> bool:
        """Tell whether others may still begin with what was read of a prompt."""
        return prefill in self._firsts

    def forget_firsts(self) -> None:
        """Give up what is kept of prompts for those that begin alike."""
        self._firsts.clear()

    def clear(self) -> None:
        """Give up all that is being read."""
        self.forget_firsts()
        self._reading.clear()

    def _take_next(self, budget: int) -> list[Prefill]:
        """Return whose turn it is, with those who can be read in the same pass; they take at most `budget` tokens."""
        turn = next(one for one in self._reading if not self._awaits_first(one))
        batch = [turn]
        if self._is_short(turn):
            width = padded(len(turn.tokens))
            alike = [one for one in self._reading if one.model == turn.model and padded(len(one.tokens)) == width]
            batch = alike[: max(min(budget // width, self._most), 1)]
        else:
            self._begin(turn)
        self._reading = [one for one in self._reading if one not in batch]
        return batch

    def _is_short(self, prefill: Prefill) -> bool:
        """Tell whether a prompt is read in one go, and has nothing to lend or to borrow."""
        return len(prefill.tokens) <= self._piece

    def _begin(self, prefill: Prefill) -> None:
        """Let a prompt take over what the first long one of its job has read of the same tokens."""
        first = self._first(prefill)
        if first is None:
            self._firsts.append(prefill)
        elif not prefill.done:
            prefill.borrow(first, self._piece)

    def _first(self, prefill: Prefill) -> Prefill | None:
        return next((one for one in self._firsts if one.job is prefill.job), None)

    def _awaits_first(self, prefill: Prefill) -> bool:
        """Tell whether the first of its job is still being read, which it may have much in common with."""
        first = self._first(prefill)
        awaits = first is not None and first is not prefill and first in self._reading
        return awaits and not self._is_short(prefill)
