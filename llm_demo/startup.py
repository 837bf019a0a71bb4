"""Startup: a model on its way into memory, in a thread of its own."""

import logging
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from llm_demo.errors import DemoError, ModelError
from llm_demo.models.files import STAGES, Report

RETRY_SECONDS = 60.0

Ready = TypeVar("Ready")

log = logging.getLogger(__name__)


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
    """Begins at once. What failed begins again when it is next asked for, a minute later at the earliest.

    A network comes back, a disk is emptied, a folder is mended: none of that takes a restart.
    """

    def __init__(self, begin: Callable[[Report], Ready], clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            begin: does the work; is given a function to report its stages to.
            clock: tells the seconds that have passed since whenever.
        """
        self._begin = begin
        self._clock = clock
        self._lock = threading.Lock()
        self._start()

    def _start(self) -> None:
        self._stage = STAGES[0]
        self._again_at = math.inf
        self._ready: Future[Ready] = ThreadPoolExecutor(1).submit(self._begin, self._reported)
        self._ready.add_done_callback(self._ended)

    def _reported(self, stage: str) -> None:
        self._stage = stage

    def _ended(self, ready: Future[Ready]) -> None:
        error = ready.exception()
        if error and not isinstance(error, DemoError):
            log.error("A model could not be loaded", exc_info=error)
        self._again_at = self._clock() + RETRY_SECONDS

    def _latest(self) -> Future[Ready]:
        """Return the attempt that counts now; begin a new one where that is due."""
        with self._lock:
            if self._clock() >= self._again_at and self._ready.exception():
                self._start()
            return self._ready

    @property
    def loading(self) -> Loading:
        """How far it is; never waits."""
        ready = self._latest()
        if not ready.done():
            return Loading(self._stage, STAGES.index(self._stage))
        error = ready.exception()
        return Loading("failed", STAGES.index(self._stage), error) if error else Loading("ready", len(STAGES))

    def result(self, seconds: float | None = None) -> Ready:
        """Wait, and return what came of it; TimeoutError where that takes longer.

        Raises:
            ModelError: it failed.
        """
        ready = self._latest()
        error = ready.exception(seconds)
        if error and not isinstance(error, DemoError):
            raise ModelError("model_crashed") from error
        return ready.result()
