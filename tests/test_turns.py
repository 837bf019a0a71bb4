"""Turns: one thread, one thing after another, and whether somebody waits."""

import threading

import pytest

from llm_demo.turns import Turns


@pytest.fixture
def turns():
    with Turns() as made:
        yield made


def test_work_is_done_in_the_order_of_asking_by_one_thread(turns):
    done = [turns.submit(lambda place: (place, threading.get_ident()), place) for place in range(20)]

    assert [one.result()[0] for one in done] == list(range(20))
    assert len({one.result()[1] for one in done}) == 1


def test_it_is_wanted_from_the_asking_until_the_work_begins(turns):
    begun, go_on = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go_on.wait(10)

    first = turns.submit(work)
    begun.wait(10)
    assert not turns.wanted  # it is at work, and nobody else waits

    second = turns.submit(lambda: turns.wanted)
    assert turns.wanted
    go_on.set()
    first.result()
    assert not second.result()  # what has begun waits no more


def test_work_that_raises_raises_for_who_asked_and_the_next_is_done(turns):
    failing = turns.submit(lambda: 1 / 0)

    assert turns.submit(lambda: 7).result() == 7
    with pytest.raises(ZeroDivisionError):
        failing.result()
    assert not turns.wanted
