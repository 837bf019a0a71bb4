"""Shelf: an item a key, opened once, the least lately used let go."""

from concurrent.futures import ThreadPoolExecutor

from llm_demo.shelf import Shelf


def opener(opened: list[str], key: str):
    def open_it() -> object:
        opened.append(key)
        return object()

    return open_it


def test_an_item_is_opened_once_however_many_ask():
    opened: list[str] = []
    shelf: Shelf[object] = Shelf(2)

    with ThreadPoolExecutor(8) as askers:
        items = set(askers.map(lambda _: shelf.get("a", opener(opened, "a")), range(50)))

    assert len(items) == 1
    assert opened == ["a"]


def test_the_least_lately_used_is_let_go():
    opened: list[str] = []
    shelf: Shelf[object] = Shelf(2)

    for key in ("a", "b", "a", "c", "a", "b"):
        shelf.get(key, opener(opened, key))

    assert opened == ["a", "b", "c", "b"]


def test_dropping_lets_go_of_that_very_item_alone():
    opened: list[str] = []
    shelf: Shelf[object] = Shelf(2)
    first = shelf.get("a", opener(opened, "a"))

    shelf.drop("a", object())
    assert shelf.get("a", opener(opened, "a")) is first
    shelf.drop("a", first)
    second = shelf.get("a", opener(opened, "a"))

    assert second is not first
    assert shelf.clear() == [second]
    assert shelf.clear() == []
