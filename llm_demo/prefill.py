"""Prefill: a prompt being read, a piece at a time."""

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
