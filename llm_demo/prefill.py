"""Prefill: a prompt being read, a piece at a time."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from llm_demo.jobs import Run
from llm_demo.rows import Fed, Rows


@dataclass(slots=True, eq=False)
class Prefill:
    """Strategies of one job that wait for the same tokens to be read by the same model.

    Attributes:
        runs: at least one.
        rows: where the tokens are read, the one row of a batch.
        done: how many have been.
    """

    runs: list[Run]
    rows: Rows
    done: int = 0
    _logits: list[Tensor] = field(default_factory=list)
    _hidden: list[Tensor] = field(default_factory=list)

    @property
    def tokens(self) -> tuple[int, ...]:
        """All that is to be read."""
        return self.runs[0].feed.tokens[0]

    def suits(self, run: Run) -> bool:
        """Tell whether a run can still wait for this one instead of reading the same again."""
        mine, its = self.runs[0], run.feed
        return not self.done and mine.job is run.job and mine.feed.model == its.model and its.tokens == (self.tokens,)

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
            run.forward_passes += run.feed.model == "main"
        if left:
            return None
        return Fed(torch.cat(self._logits, dim=1), torch.cat(self._hidden, dim=1) if hidden else None)
