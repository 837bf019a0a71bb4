"""Crowd: everybody who has a job with one worker, those who run and those who wait in line."""

import time
from collections.abc import Sequence

from llm_demo.errors import DeadlineError, ModelError
from llm_demo.jobs import Run

MAX_ROWS = 64  # decoded together; more wait in line


class Crowd:
    """Lets in whoever's turn it is, as long as rows and memory last.

    Attributes:
        waiting: in line, the first to come first.
        running: let in, in the order in which they were.
    """

    def __init__(self, capacity: int) -> None:
        """
        Args:
            capacity: tokens that the caches of all who run may hold.
        """
        self.waiting: list[Run] = []
        self.running: list[Run] = []
        self._capacity = capacity
        self._max_rows = MAX_ROWS

    def __bool__(self) -> bool:
        return bool(self.running or self.waiting)

    def line_up(self, run: Run) -> None:
        """Take a run into the line; ModelError where it would not fit if it were alone."""
        rows, tokens = run.shape
        if rows * tokens > self._capacity:
            raise ModelError("too_large", tokens=rows * tokens, capacity=self._capacity)
        self.waiting.append(run)

    def admit(self) -> list[Run]:
        """Let in whoever fits, fair between their owners; return the newcomers, and tell the others their places."""
        newcomers: list[Run] = []
        if not self.waiting:
            return newcomers
        while turns := in_turn(self.waiting, self.running):
            run = turns[0]
            if self.running and not self._fits(run):
                break
            self.waiting.remove(run)
            self.running.append(run)
            newcomers.append(run)
        number_the_line(self.waiting, self.running)
        return newcomers

    def leave(self, run: Run) -> None:
        """Let go of one who runs."""
        self.running.remove(run)

    def send_back(self, runs: Sequence[Run]) -> None:
        """Put some who run at the head of the line."""
        for run in runs:
            self.leave(run)
        self.waiting = [*runs, *self.waiting]

    def stay_as_few(self) -> None:
        """Let no more rows in from now on than those who run have."""
        self._max_rows = max(sum(len(run.rows) for run in self.running), 1)

    def drop_the_gone(self) -> None:
        """Fail whoever is late, and forget everybody whose job is over."""
        now = time.monotonic()
        for run in [*self.waiting, *self.running]:
            if now > run.job.deadline and not run.job.cancelled.is_set():
                run.job.fail(DeadlineError("deadline", seconds=run.job.seconds))
        self.waiting = [run for run in self.waiting if not run.job.cancelled.is_set()]
        self.running = [run for run in self.running if not run.job.cancelled.is_set()]

    def _fits(self, newcomer: Run) -> bool:
        inside = [*self.running, newcomer]
        rows = sum(run.shape[0] for run in inside)
        # Rows share one rectangle of memory, as wide as the longest of them.
        return rows <= self._max_rows and rows * max(run.shape[1] for run in inside) <= self._capacity


def in_turn(waiting: Sequence[Run], running: Sequence[Run]) -> list[Run]:
    """Return who comes next: whoever's owner has the fewest rows running, then the order of arrival."""
    rows: dict[str, int] = {}
    for run in running:
        rows[run.job.owner] = rows.get(run.job.owner, 0) + run.shape[0]
    busy = {run.job.visitor: run.job for run in running if run.job.visitor}
    may_run = [run for run in waiting if busy.get(run.job.visitor, run.job) is run.job]
    return sorted(may_run, key=lambda run: rows.get(run.job.owner, 0))


def number_the_line(waiting: Sequence[Run], running: Sequence[Run]) -> None:
    """Tell every waiting job its place: that of its first strategy."""
    places = {id(run.job): place for place, run in reversed(list(enumerate(waiting, start=1)))}
    started = {id(run.job) for run in running}
    for job in {id(run.job): run.job for run in (*waiting, *running)}.values():
        job.wait(0 if id(job) in started else places[id(job)])
