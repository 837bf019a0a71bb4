"""Kept: what was loaded for each language; what stood in for the hub's is asked for again from time to time."""

import threading
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

RETRY_SECONDS = 600.0  # between two looks at a hub that was out of reach


class Loaded(Protocol):
    """Questions or worked examples."""

    @property
    def origin(self) -> str:
        """ "bundled" where they stand in for the hub's."""


Item = TypeVar("Item", bound=Loaded)


class Kept(Generic[Item]):
    """One item a language: reading it from the hub takes seconds. Any thread may ask."""

    def __init__(self, load: Callable[[str], Item], clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            load: reads a language's; what it raises is raised, and it is asked again next time.
            clock: tells the seconds that have passed since whenever.
        """
        self._load = load
        self._clock = clock
        self._items: dict[str, Item] = {}
        self._again_at: dict[str, float] = {}  # of what stands in
        self._lock = threading.Lock()

    def of(self, language: str) -> Item:
        """Return a language's item, loaded where it is not there or where it is time to look again."""
        with self._lock:
            kept, now = self._items.get(language), self._clock()
            if kept and now < self._again_at.get(language, now + 1):
                return kept
            # One looks; the others take meanwhile what there is.
            self._again_at[language] = now + RETRY_SECONDS
        item = self._load(language)
        with self._lock:
            self._items[language] = item
            if item.origin != "bundled":
                self._again_at.pop(language, None)
        return item
