"""Shelf: what was opened lately, kept within reach; the least lately used is let go."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Shelf(Generic[Item]):
    """At most `room` items, each opened when it is first asked for. Any thread may ask."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._items: dict[str, Item] = {}
        self._lock = threading.Lock()

    def __contains__(self, key: str) -> bool:
        with self._lock:
            return key in self._items

    def get(self, key: str, open_it: Callable[[], Item]) -> Item:
        """Return the item of a key; `open_it` must not wait, others are waiting behind it.

        What is let go lives on with whoever still uses it.
        """
        with self._lock:
            item = self._items.pop(key) if key in self._items else open_it()
            self._items[key] = item  # the last in a dict is the most lately used
            while len(self._items) > self._room:
                del self._items[next(iter(self._items))]
            return item

    def drop(self, key: str, item: Item) -> None:
        """Let go of an item, unless another has taken its place."""
        with self._lock:
            if self._items.get(key) is item:
                del self._items[key]

    def clear(self) -> list[Item]:
        """Let go of everything, and return it."""
        with self._lock:
            items = list(self._items.values())
            self._items.clear()
            return items
