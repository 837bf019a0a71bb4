"""Prefill: prompts being read, a piece at a time, in turn."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from itertools import takewhile

import torch
from torch import Tensor

from llm_demo.jobs import Job, Run
from llm_demo.rows import Fed, Rows


@dataclass(slots=True, eq=False)
class Prefill:
    """Strategies of one job that wait for the same tokens to be read by the same model.

    Attributes:
        runs: at least one.
        rows: where the tokens are read, the one row of a batch.
        done: how many have been.
        job: whose runs they are.
        model: what reads: `main` or `draft`.
        tokens: all that is to be read.
    """

    runs: list[Run]
    rows: Rows
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
        if self.model != other.model or any(run.feed.hidden for run in self.runs):
            return
        wanted = max(run.feed.wanted for run in self.runs)
        pairs = zip(self.tokens[: len(self.tokens) - wanted], other.tokens[: other.done], strict=False)
        pieces = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs)) // size
        if pieces:
            self.rows.join(other.rows)
            self.rows.forget(0, other.done - pieces * size)
            self.done = pieces * size
            for run in self.runs:
                run.forward_passes += pieces * (self.model == "main")

    def read_piece(self, size: int) -> Fed | None:
        """Read the next `size` tokens; return what all of them gave once they are read, None before."""
        piece = self.tokens[self.done : self.done + size]
        left = len(self.tokens) - self.done - len(piece)
        wanted = max(run.feed.wanted for run in self.runs) - left
        hidden = any(run.feed.hidden for run in self.runs)
        fed = self.rows.step([piece], wanted=min(max(wanted, 1), len(piece)), hidden=hidden)
        self.done += len(piece)
        self._logits.append(fed.logits)
        if hidden:
            self._hidden.append(fed.hidden)
        for run in self.runs:
            run.forward_passes += self.model == "main"
        if left:
            return None
        return Fed(torch.cat(self._logits, dim=1), torch.cat(self._hidden, dim=1) if hidden else None)


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
        self._reading: list[Prefill] = []
        self._firsts: list[Prefill] = []  # of each job that still has prompts to read, the first

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

    def read(self) -> Iterator[tuple[Prefill, Fed]]:
        """Read a piece's worth of tokens, of one long prompt or of several short ones; yield those that are read."""
        left = self._piece
        while self._reading and left > 0:
            prefill = next(one for one in self._reading if not self._awaits_first(one))
            self._reading.remove(prefill)
            self._begin(prefill)
            done = prefill.done
            fed = prefill.read_piece(self._piece)
            left -= prefill.done - done
            if fed is None:
                self._reading.append(prefill)
            else:
                yield prefill, fed

    def keep_firsts(self, waiting: Collection[Job]) -> None:
        """Keep what was read first of a job only as long as more prompts of it are to be read.

        Args:
            waiting: jobs with prompts that have not been added.
        """
        unread = [*(prefill.job for prefill in self._reading), *waiting]
        self._firsts = [first for first in self._firsts if any(first.job is job for job in unread)]

    def forget_firsts(self) -> None:
        """Give up what is kept of prompts for those that begin alike."""
        self._firsts.clear()

    def clear(self) -> None:
        """Give up all that is being read."""
        self.forget_firsts()
        self._reading.clear()

    def _begin(self, prefill: Prefill) -> None:
        """Let a prompt take over what the first of its job has read of the same tokens."""
        first = self._first(prefill)
        if first is None:
            self._firsts.append(prefill)
        elif not prefill.done:
            prefill.borrow(first, self._piece)

    def _first(self, prefill: Prefill) -> Prefill | None:
        return next((one for one in self._firsts if one.job is prefill.job), None)

    def _awaits_first(self, prefill: Prefill) -> bool:
        """Tell whether the first prompt of its job is still being read, which it may have much in common with."""
        first = self._first(prefill)
        return first is not None and first is not prefill and first in self._reading
