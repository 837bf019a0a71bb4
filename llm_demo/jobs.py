"""Job: what one visitor asked for at once, and the line in which it waits."""

import queue
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from llm_demo.decoding.feed import Event, Feed, Strategy, Waiting
from llm_demo.errors import DeadlineError, ModelError
from llm_demo.rows import Rows


@dataclass(frozen=True, slots=True)
class Decision:
    """Something happened in one strategy of a job.

    Attributes:
        row: which strategy of the job.
        event: a Step, or what else its strategy tells.
        forward_passes: how many times the model ran for it so far.
    """

    row: int
    event: Event
    forward_passes: int


@dataclass(slots=True)
class Job:
    """Strategies started together; those that begin with the same prompt share its prefill.

    Attributes:
        strategies: run by the worker, each with an end of its own.
        shapes: for each strategy, how many rows it may have at once, and how many tokens each may grow to.
        alone: for each strategy, whether it feeds several tokens at once, in a pass of its own.
        seconds: how long the job may take, waiting included.
        visitor: whose it is; of one visitor's jobs one runs at a time. Empty for nobody's.
        place: its own in the line, by strategies; 0 once it runs.
        running: how many of its strategies have not ended.
        began: when it was asked for, by the monotonic clock.
        cancelled: set once nobody listens any more.
        outbox: what happened, then None; or what went wrong.
    """

    strategies: Sequence[Strategy]
    shapes: Sequence[tuple[int, int]]
    alone: Sequence[bool]
    seconds: float
    visitor: str = ""
    place: int = 0
    running: int = 0
    began: float = field(default_factory=time.monotonic)
    cancelled: threading.Event = field(default_factory=threading.Event)
    outbox: "queue.SimpleQueue[Decision | BaseException | None]" = field(default_factory=queue.SimpleQueue)

    def decisions(self) -> Generator[Decision, None, None]:
        """Yield what the strategies decide, as it happens; closing the iterator cancels the job.

        Raises:
            DeadlineError: the job's seconds are over.
        """
        try:
            while True:
                try:
                    item = self.outbox.get(timeout=max(self.deadline - time.monotonic(), 0))
                except queue.Empty:
                    raise DeadlineError("deadline", seconds=self.seconds) from None
                if item is None:
                    return
                if isinstance(item, Exception):
                    raise item
                if isinstance(item, BaseException):  # meant for the worker's thread; here it would end the listener's
                    raise ModelError("out_of_order") from item
                yield item
        finally:
            self.cancelled.set()

    @property
    def deadline(self) -> float:
        """When its seconds are over, by the monotonic clock."""
        return self.began + self.seconds

    @property
    def owner(self) -> str:
        """Whose it counts as when turns are given out."""
        return self.visitor or f"job {id(self)}"

    def wait(self, place: int) -> None:
        """Take a place in the line, and tell the listener; 0 for the end of waiting."""
        if place not in (0, self.place):
            self.outbox.put(Decision(0, Waiting(place), 0))
        self.place = place

    def fail(self, error: BaseException) -> None:
        """Tell the listener and be done."""
        self.outbox.put(error)
        self.cancelled.set()


@dataclass(slots=True, eq=False)
class Run:
    """One strategy of a job, as the worker sees it.

    Attributes:
        number: which of the job's strategies.
        shape: the most rows that it may have, and the most tokens of each.
        feed: what it wants next.
        history: the tokens of each of its rows in the main model.
        rows: where they are among the rows that everybody shares; empty where they are its own.
        alone: whether it has its rows to itself, as it feeds several tokens at once.
        own: those rows, by model.
        forward_passes: of the main model.
    """

    job: Job
    number: int
    strategy: Strategy
    shape: tuple[int, int]
    feed: Feed
    alone: bool = False
    history: list[tuple[int, ...]] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    own: dict[str, Rows] = field(default_factory=dict)
    forward_passes: int = 0

    def remember(self) -> None:
        """Take the tokens of the feed into the history, as the rows do."""
        if self.feed.model != "main":
            return
        parents = self.feed.parents or range(len(self.feed.tokens))
        history = self.history or [()]
        kept = [history[parent][: len(history[parent]) - self.feed.forget] for parent in parents]
        self.history = [(*old, *new) for old, new in zip(kept, self.feed.tokens, strict=True)]
