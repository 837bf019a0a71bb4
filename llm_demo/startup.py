"""Startup: a model on its way into memory, in a thread of its own."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from llm_demo.models.loader import STAGES, Report

Ready = TypeVar("Ready")


@dataclass(frozen=True, slots=True)
class Loading:
    """Where the start of a model stands.

    Attributes:
        stage: one of `STAGES` while it goes on, then `ready` or `failed`.
        done: stages behind it, of `len(STAGES)`.
        error: what went wrong, where it failed.
    """

    stage: str
    done: int
    error: BaseException | None = None


class Startup(Generic[Ready]):
    """Begins at once."""

    def __init__(self, begin: Callable[[Report], Ready]) -> None:
        """
        Args:
            begin: does the work; is given a function to report its stages to.
        """
        self._stage = STAGES[0]
        self._ready: Future[Ready] = ThreadPoolExecutor(1).submit(begin, self._reported)

    def _reported(self, stage: str) -> None:
        self._stage = stage

    @property
    def loading(self) -> Loading:
        """How far it is; never waits."""
        if not self._ready.done():
            return Loading(self._stage, STAGES.index(self._stage))
        error = self._ready.exception()
        return Loading("failed", STAGES.index(self._stage), error) if error else Loading("ready", len(STAGES))

    def result(self) -> Ready:
        """Wait, and return what came of it or raise what went wrong."""
        return self._ready.result()
