"""Worker: one thread that owns the model and decodes every visitor's rows together.

A job is a few strategies started by one visitor. Between two forward passes newcomers join and whoever is
finished, cancelled or late leaves, so nobody waits for anybody's whole text.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from llm_demo.decoding.feed import Feed, Strategy
from llm_demo.errors import DeadlineError
from llm_demo.rows import Rows
from llm_demo.trace import Step

PREFILL_PIECE = 256  # tokens of a prompt read between two steps of everybody else
MAX_ROWS = 32  # decoded together; more wait in line
FAILURES = (RuntimeError, ValueError, TypeError, LookupError)  # what torch and transformers raise

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Decision:
    """One strategy of a job took a step.

    Attributes:
        row: which strategy of the job.
        step: what it decided.
        forward_passes: how many times the model ran for this row so far.
    """

    row: int
    step: Step
    forward_passes: int


@dataclass(slots=True)
class Job:
    """Strategies started together; those that begin with the same prompt share its prefill.

    Attributes:
        strategies: run by the worker, each with an end of its own.
        seconds: how long the job may take, waiting included.
    """

    strategies: Sequence[Strategy]
    seconds: float
    running: int = 0
    cancelled: threading.Event = field(default_factory=threading.Event)
    outbox: "queue.SimpleQueue[Decision | BaseException | None]" = field(default_factory=queue.SimpleQueue)

    def decisions(self) -> Iterator[Decision]:
        """Yield what the strategies decide, as it happens; closing the iterator cancels the job.

        Raises:
            DeadlineError: the job's seconds are over.
        """
        deadline = time.monotonic() + self.seconds
        try:
            while True:
                try:
                    item = self.outbox.get(timeout=max(deadline - time.monotonic(), 0))
                except queue.Empty:
                    raise DeadlineError("deadline", seconds=f"{self.seconds:g}") from None
                if item is None:
                    return
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            self.cancelled.set()


@dataclass(slots=True)
class _Row:
    """One running strategy, as the worker sees it."""

    job: Job
    number: int
    strategy: Strategy
    feed: Feed
    forward_passes: int = 0


@dataclass(slots=True)
class _Prefill:
    """Rows of one job that wait for the same prompt to be read."""

    rows: list[_Row]
    cache: DynamicCache
    read: int = 0


class Worker:
    """Runs jobs on one model until `close`. All its state belongs to its one thread."""

    def __init__(self, model: PreTrainedModel) -> None:
        self._model = model
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="llm-demo-worker")
        self._prefills: deque[_Prefill] = deque()
        self._rows: list[_Row] = []
        self._batch = Rows(model)
        self._busy = False

    def submit(self, job: Job) -> Job:
        """Queue a job; its `decisions` follow."""
        admitted = self._thread.submit(self._admit, job)
        admitted.add_done_callback(lambda done: done.exception() and job.outbox.put(done.exception()))
        return job

    def call(self, work: Callable[[], Result]) -> Result:
        """Run something that needs the model between two steps, and return its result."""
        return self._thread.submit(torch.inference_mode()(work)).result()

    def close(self) -> None:
        """Stop after the current step and wait for the thread."""
        self._thread.shutdown(cancel_futures=True)

    def _admit(self, job: Job) -> None:
        by_prompt: dict[Feed, _Prefill] = {}
        for number, strategy in enumerate(job.strategies):
            feed = next(strategy)
            prefill = by_prompt.setdefault(feed, _Prefill([], DynamicCache(config=self._model.config)))
            prefill.rows.append(_Row(job, number, strategy, feed))
        job.running = len(job.strategies)
        self._prefills.extend(by_prompt.values())
        if not self._busy:
            self._busy = True
            self._schedule()

    def _schedule(self) -> None:
        """Queue the next tick behind whatever was asked for meanwhile."""
        self._thread.submit(self._tick).add_done_callback(self._ticked)

    @torch.inference_mode()
    def _tick(self) -> None:
        """Read one piece of a newcomer's prompt and take one step with all rows."""
        self._drop_cancelled()
        self._prefill_piece()
        self._step()

    def _ticked(self, tick: Future[None]) -> None:
        if error := tick.exception():
            self._fail_all(error)
        self._busy = bool(self._rows or self._prefills)
        if self._busy:
            self._schedule()

    def _drop_cancelled(self) -> None:
        self._prefills = deque(p for p in self._prefills if not p.rows[0].job.cancelled.is_set())
        self._keep([row for row in self._rows if not row.job.cancelled.is_set()])

    def _prefill_piece(self) -> None:
        if not self._prefills or len(self._rows) + len(self._prefills[0].rows) > MAX_ROWS:
            return
        prefill = self._prefills[0]
        prompt = prefill.rows[0].feed.token_ids
        piece = prompt[prefill.read : prefill.read + PREFILL_PIECE]
        output = self._model(
            input_ids=torch.tensor([piece], device=self._model.device),
            past_key_values=prefill.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        prefill.read += len(piece)
        for row in prefill.rows:
            row.forward_passes += 1
        if prefill.read == len(prompt):
            self._prefills.popleft()
            going_on = [row for row in prefill.rows if self._advance(row, output.logits[0, -1])]
            if going_on:
                self._batch.join(prefill.cache, copies=len(going_on))
                self._rows += going_on

    def _step(self) -> None:
        if not self._rows:
            return
        logits = self._batch.step([row.feed.token_ids[0] for row in self._rows])
        for row in self._rows:
            row.forward_passes += 1
        self._keep([row for row, scores in zip(self._rows, logits, strict=True) if self._advance(row, scores)])

    def _advance(self, row: _Row, logits: Tensor) -> bool:
        """Let a strategy decide; return whether it wants another pass."""
        try:
            said = row.strategy.send(logits)
            while isinstance(said, Step):
                row.job.outbox.put(Decision(row.number, said, row.forward_passes))
                said = next(row.strategy)
        except StopIteration:
            row.job.running -= 1
            if not row.job.running:
                row.job.outbox.put(None)
            return False
        except FAILURES as error:  # fails this job alone
            row.job.outbox.put(error)
            row.job.cancelled.set()
            return False
        row.feed = said
        return True

    def _keep(self, rows: list[_Row]) -> None:
        places = {id(row): place for place, row in enumerate(self._rows)}
        self._batch.keep([places[id(row)] for row in rows])
        self._rows = rows

    def _fail_all(self, error: BaseException) -> None:
        """The model itself failed: nobody's cache can be trusted any more."""
        for row in [*self._rows, *(row for prefill in self._prefills for row in prefill.rows)]:
            row.job.outbox.put(error)
        self._rows.clear()
        self._prefills.clear()
        self._batch = Rows(self._model)
