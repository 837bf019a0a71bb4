"""The crowd: who is let in and when, who waits and where, and who is forgotten."""

import time

import pytest

from llm_demo.crowd import MAX_ROWS, Crowd
from llm_demo.decoding.feed import Feed, Waiting
from llm_demo.errors import DeadlineError, ModelError
from llm_demo.jobs import Job, Run


def run_of(visitor: str = "", rows: int = 1, tokens: int = 10, seconds: float = 60, job: Job | None = None) -> Run:
    """Return a run of a job of its own, unless one is given; nothing of it is ever decoded."""
    job = job or Job([], [], [], seconds, visitor)
    return Run(job, 0, iter(()), (rows, tokens), Feed(((1,),)))


def crowd_of(*waiting: Run, capacity: int = 1_000) -> Crowd:
    crowd = Crowd(capacity)
    for run in waiting:
        crowd.line_up(run)
    return crowd


def heard(run: Run) -> list[object]:
    """Return what a job's listener was told."""
    told = []
    while not run.job.outbox.empty():
        told.append(run.job.outbox.get())
    return told


def test_whoever_fits_is_let_in_and_the_next_knows_its_place():
    first, second, third = run_of(tokens=400), run_of(tokens=500), run_of(tokens=10)
    crowd = crowd_of(first, second, third)

    assert crowd.admit() == [first, second]  # two rows as wide as the longer; a third would make 1,500
    assert (crowd.running, crowd.waiting) == ([first, second], [third])
    assert [decision.event for decision in heard(third)] == [Waiting(1)]


def test_what_would_not_fit_alone_is_refused():
    crowd = Crowd(100)
    crowd.line_up(run_of(rows=4, tokens=25))

    with pytest.raises(ModelError) as caught:
        crowd.line_up(run_of(rows=4, tokens=26))

    assert (caught.value.key, caught.value.values) == ("too_large", {"tokens": 104, "capacity": 100})


def test_one_visitors_many_do_not_keep_another_out():
    greedy_visitor = Job([], [], [], 60)
    many, other = [run_of(job=greedy_visitor) for _ in range(MAX_ROWS + 5)], run_of()
    crowd = crowd_of(*many, other, capacity=1_000_000)

    newcomers = crowd.admit()

    assert len(newcomers) == MAX_ROWS
    assert newcomers[1] is other  # after one of the first's, who came before


def test_of_one_visitors_jobs_one_runs_at_a_time():
    first, second = run_of("ana"), run_of("ana")
    crowd = crowd_of(first, second)

    assert crowd.admit() == [first]
    crowd.leave(first)
    assert crowd.admit() == [second]


def test_who_is_sent_back_is_the_next_and_no_more_are_let_in_than_stayed():
    first, second, third = run_of(), run_of(), run_of()
    crowd = crowd_of(first, second)
    crowd.admit()
    crowd.line_up(third)
    first.rows, second.rows = [0], []

    crowd.send_back([second])
    crowd.stay_as_few()

    assert crowd.waiting == [second, third]
    assert crowd.admit() == []
    crowd.leave(first)
    assert crowd.admit() == [second]


def test_the_late_are_told_and_the_gone_are_forgotten():
    late, gone, stays = run_of(seconds=0), run_of(), run_of()
    gone.job.cancelled.set()
    crowd = crowd_of(late, gone, stays)
    time.sleep(0.01)

    crowd.drop_the_gone()

    assert crowd.waiting == [stays]
    assert [type(told) for told in heard(late)] == [DeadlineError]
    assert heard(gone) == []


def test_nobody_is_left_once_all_have_gone():
    run = run_of()
    crowd = crowd_of(run)
    crowd.admit()

    assert crowd
    crowd.leave(run)
    assert not crowd
