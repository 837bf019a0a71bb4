"""Turns: the thread that computes, for everybody who asks."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


class Turns(ThreadPoolExecutor):
    """A single thread that does one thing after another, and tells whether somebody waits for it.

    Work that goes on for long can so keep the thread while nobody else wants it: to hand it back after every step
    costs a small model half a percent of its speed.
    """

    def __init__(self) -> None:
        super().__init__(1, thread_name_prefix="llm-demo-worker")
        self._waiting: deque[None] = deque()  # its length alone counts; appending and popping need no lock

    @property
    def wanted(self) -> bool:
        """Whether something waits that was asked for and has not begun."""
        return bool(self._waiting)

    def submit(self, work: Callable[..., Result], /, *given: object, **named: object) -> Future[Result]:
        self._waiting.append(None)
        return super().submit(self._begin, work, *given, **named)

    def _begin(self, work: Callable[..., Result], /, *given: object, **named: object) -> Result:
        self._waiting.pop()
        return work(*given, **named)
