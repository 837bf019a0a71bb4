"""Replay: what a recorded step gives is what the model gives. No GPU is needed: torch's own tracer records.

A traced step is a list of torch's operations, run again without the Python that led to them: as with a CUDA graph,
whatever was decided, or looked up in a place that is not written again, stays as it was at the recording.
"""

import pytest
import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx

from llm_demo.batching import Worker
from llm_demo.decoding import make_strategy
from llm_demo.decoding import rows_of as rows_at_once
from llm_demo.jobs import Job
from llm_demo.replay import Replay, Step, prepare, room
from llm_demo.rows import Rows
from llm_demo.sampling import Sampling
from llm_demo.slots import COLUMNS
from llm_demo.trace import Step as Decided

SEQUENCES = ([5, 6], [7, 8, 9, 10, 11], [12], [13, 14, 15])


def traced(step: Step) -> Step:
    """Record a step as the operations that it consists of, and write what they give to one place, as a graph does."""
    graph = make_fx(step)()
    logits = step().clone()

    def again() -> Tensor:
        return logits.copy_(graph())

    return again


class Counted:
    """Records as `traced` does, and counts how often each recording is used."""

    def __init__(self) -> None:
        self.used = 0

    def __call__(self, step: Step) -> Step:
        recorded = traced(step)

        def again() -> Tensor:
            self.used += 1
            return recorded()

        return again


@pytest.fixture(autouse=True)
def inference():
    with torch.inference_mode():
        yield


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
def replay(tiny_model, counted) -> Replay:
    return Replay(tiny_model, 4, 2 * COLUMNS, counted)


def rows_of(model, replay: Replay | None, *sequences: list[int]) -> Rows:
    rows = Rows(model, same_alone=False, replay=replay)
    for ids in sequences:
        read = Rows(model, same_alone=False)
        read.step([ids])
        rows.join(read)
    return rows


def both(model, replay: Replay, *sequences: list[int]) -> list[Rows]:
    return [rows_of(model, replay, *sequences), rows_of(model, None, *sequences)]


def assert_same(sides: list[Rows], tokens: list[int], hidden: bool = False) -> None:
    recorded, plain = (rows.step([[token] for token in tokens], hidden=hidden).logits for rows in sides)
    torch.testing.assert_close(recorded, plain, rtol=0, atol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_step_after_step_the_logits_are_the_models(tiny_model, replay, counted, count):
    sides = both(tiny_model, replay, *SEQUENCES[:count])

    for turn in range(6):
        assert_same(sides, [20 + turn + row for row in range(count)])

    assert counted.used == 6
    assert sides[0].lengths == sides[1].lengths


def test_rows_that_come_leave_and_fork_keep_their_own_numbers(tiny_model, replay, counted):
    sides = both(tiny_model, replay, *SEQUENCES[:3])
    assert_same(sides, [20, 21, 22])
    for rows in sides:
        rows.arrange([2, 0])
    assert_same(sides, [23, 24])
    for rows in sides:
        rows.arrange([1, 1, 0, 1])
    assert_same(sides, [25, 26, 27, 28])
    for rows in sides:
        rows.arrange([3])
        read = Rows(tiny_model, same_alone=False)
        read.step([SEQUENCES[3]])
        rows.join(read)
    assert_same(sides, [29, 30])

    assert counted.used == 4


def test_a_wider_step_is_taken_where_a_row_grows_past_the_narrower(tiny_model, replay, counted):
    long = [token % 250 for token in range(COLUMNS - 2)]
    sides = both(tiny_model, replay, long, SEQUENCES[0])

    for turn in range(4):
        assert_same(sides, [20 + turn, 30 + turn])

    assert counted.used == 4


def test_what_was_not_recorded_goes_through_the_model(tiny_model, replay, counted):
    sides = both(tiny_model, replay, *SEQUENCES[:2])
    assert_same(sides, [20, 21], hidden=True)  # the last layer's states are not among what is recorded
    assert counted.used == 0
    assert_same(sides, [22, 23])
    assert counted.used == 1

    several = [rows.step([[24, 25], [26, 27]], wanted=2).logits for rows in sides]
    torch.testing.assert_close(*several, rtol=0, atol=1e-5)
    assert counted.used == 1


@pytest.mark.parametrize("sequences", [SEQUENCES + SEQUENCES[:1], ([1] * 2 * COLUMNS, [2, 3])], ids=["many", "long"])
def test_rows_that_outgrow_the_reserved_memory_go_on_in_their_own(tiny_model, replay, counted, sequences):
    sides = both(tiny_model, replay, *sequences)

    for turn in range(3):
        assert_same(sides, [20 + turn + row for row in range(len(sequences))])

    assert counted.used == 0
    assert sides[0].nbytes > 0


def test_the_next_crowd_lives_in_the_reserved_memory_again(tiny_model, replay, counted):
    for _ in range(2):
        sides = both(tiny_model, replay, *SEQUENCES)
        assert_same(sides, [20, 21, 22, 23])
        assert sides[0].nbytes == 0  # it is there anyway

    assert counted.used == 2


def test_logits_of_a_step_stay_when_the_next_one_is_taken(tiny_model, replay):
    rows = rows_of(tiny_model, replay, *SEQUENCES[:2])
    first = rows.step([[20], [21]]).logits
    kept = first.clone()

    rows.step([[22], [23]])

    assert torch.equal(first, kept)


def test_recordings_are_compared_with_the_model_before_they_are_used(tiny_model):
    def stale(step: Step) -> Step:
        """Give what the recording saw, whatever is asked."""
        logits = step().clone()
        return lambda: logits

    assert Replay(tiny_model, 2, COLUMNS, traced).agrees()
    assert not Replay(tiny_model, 2, COLUMNS, stale).agrees()


def test_a_step_that_cannot_be_recorded_leaves_the_model_as_it_is(tiny_model, caplog):
    def fail(step: Step) -> Step:
        raise RuntimeError("operation not permitted when stream is capturing")

    assert prepare(tiny_model, 10**6, lambda: fail) is None
    assert "not permitted" in caplog.text


def test_recordings_that_differ_are_not_used(tiny_model, caplog):
    assert prepare(tiny_model, 10**6, lambda: lambda step: lambda: step() + 1) is None
    assert "other logits" in caplog.text


def test_a_model_that_decides_by_its_numbers_is_not_recorded(make_tiny_model):
    model = make_tiny_model()

    def decide(_module: object, _args: tuple, kwargs: dict) -> None:
        assert kwargs["input_ids"].max().item() < 256

    model.register_forward_pre_hook(decide, with_kwargs=True)

    assert prepare(model, 10**6, lambda: traced) is None


@pytest.mark.parametrize(
    ("capacity", "reserved"),
    [(0, None), (32_767, None), (32_768, (32, 256)), (65_536, (32, 512)), (100_000, (32, 512)), (10**6, (32, 4096))],
)
def test_a_quarter_of_the_memory_is_reserved_at_most(capacity, reserved):
    assert room(capacity) == reserved


def test_a_worker_with_recorded_steps_writes_the_texts_of_one_without(tiny_model, tiny_tokenizer, counted):
    replay = Replay(tiny_model, 8, COLUMNS, counted)  # room for the rows of all four, whenever each begins
    samplings = [
        Sampling("greedy", max_new_tokens=9),
        Sampling(seed=3, top_k=20, max_new_tokens=12),
        Sampling("beam", num_beams=2, max_new_tokens=6),
        Sampling("contrastive", top_k=2, penalty_alpha=0.5, max_new_tokens=4),
    ]

    def texts(worker: Worker) -> list[list[int]]:
        def job(ids: list[int], sampling: Sampling) -> Job:
            strategy = make_strategy(ids, sampling, 3, frozenset(), tiny_tokenizer.decode)
            return worker.submit(Job([strategy], [(rows_at_once(sampling), 60)], [False], 30))

        found = []
        for _ in range(2):  # the second time in memory that was used before
            jobs = [job(*request) for request in zip(SEQUENCES, samplings, strict=True)]
            events = [[decision.event for decision in job.decisions()] for job in jobs]
            found += [[event.chosen.token_id for event in said if isinstance(event, Decided)] for said in events]
        worker.close()
        return found

    with_it = texts(Worker(tiny_model, capacity=5_000, same_alone=False, replay=replay))

    assert counted.used > 0
    assert with_it == texts(Worker(tiny_model, capacity=5_000, same_alone=False))
