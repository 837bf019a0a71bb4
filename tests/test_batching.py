"""Worker: everybody's rows in one pass, each with its own numbers, its own end and its own failures."""

import gc
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from llm_demo.batching import PIECES, Worker
from llm_demo.crowd import MAX_ROWS
from llm_demo.decoding.feed import Feed, Strategy, Waiting
from llm_demo.errors import DeadlineError, InputError, ModelError
from llm_demo.jobs import Decision, Job
from llm_demo.slots import COLUMNS
from llm_demo.trace import Candidate, Step

PIECE = PIECES["cpu"]
FOREVER = 30  # seconds that no job of these tests comes near


def make_job(strategies: list[Strategy], seconds: float, rows: int = 1, width: int = 600, visitor: str = "") -> Job:
    count = len(strategies)
    return Job(strategies, [(rows, width)] * count, [False] * count, seconds, visitor)


def feed(*tokens: int) -> Feed:
    """One row's tokens."""
    return Feed((tokens,))


def step(token_id: int) -> Step:
    return Step(Candidate(token_id, "", 1.0, 1.0), (), None, 0.0, 0.0)


def follow(prompt: list[int], tokens: list[int], received: list[Tensor]) -> Strategy:
    """Feed the prompt and then the given tokens, whatever the model thinks, and keep the logits."""
    received.append((yield feed(*prompt)).logits[0, -1])
    for token in tokens:
        yield step(token)
        received.append((yield feed(token)).logits[0, -1])


def greedy(prompt: list[int], count: int) -> Strategy:
    fed = yield feed(*prompt)
    for _ in range(count):
        token = int(fed.logits[0, -1].argmax())
        yield step(token)
        fed = yield feed(token)


def broken(prompt: list[int], passes: int, error: Exception) -> Strategy:
    """Raise after so many passes."""
    fed = None
    for turn in range(passes):
        fed = yield feed(*prompt) if turn == 0 else feed(int(fed.logits[0, -1].argmax()))
    raise error


def alone(model, prompt: list[int], tokens: list[int]) -> Tensor:
    """Return the logits after the prompt and after each token: one plain pass, no cache, no neighbours."""
    with torch.inference_mode():
        return model(input_ids=torch.tensor([[*prompt, *tokens]]), use_cache=False).logits[0, len(prompt) - 1 :]


def chosen(decisions: Iterator[Decision]) -> list[int]:
    return [decision.event.chosen.token_id for decision in decisions if isinstance(decision.event, Step)]


@pytest.fixture
def start():
    """Start a worker on a model; its thread ends with the test. No row goes in twice: passes show who is there."""
    workers: list[Worker] = []

    def make(model, **options: int) -> Worker:
        workers.append(Worker(model, **options, same_alone=False))
        return workers[-1]

    yield make
    for worker in workers:
        worker.close()


def settle(worker: Worker) -> None:
    """Return when the worker has had time for several more steps, were there any to take."""
    for _ in range(5):
        worker.call(lambda: None)


# --- the numbers ---


def test_a_strategy_receives_the_logits_after_what_it_fed(tiny_model, start):
    received: list[Tensor] = []
    job = make_job([follow([1, 2, 3], [4, 5, 6], received)], FOREVER)

    assert chosen(start(tiny_model).submit(job).decisions()) == [4, 5, 6]
    torch.testing.assert_close(torch.stack(received), alone(tiny_model, [1, 2, 3], [4, 5, 6]), rtol=0, atol=1e-4)


def test_jobs_of_several_threads_each_receive_their_own_logits(tiny_model, start):
    worker = start(tiny_model)
    random = torch.Generator().manual_seed(0)
    texts = [
        (
            torch.randint(0, 256, (1 + 7 * i % 30,), generator=random).tolist(),
            torch.randint(0, 256, (5 + 11 * i % 20,), generator=random).tolist(),
        )
        for i in range(12)
    ]

    def run(text: tuple[list[int], list[int]]) -> Tensor:
        received: list[Tensor] = []
        assert chosen(worker.submit(make_job([follow(*text, received)], FOREVER)).decisions()) == text[1]
        return torch.stack(received)

    with ThreadPoolExecutor(6) as visitors:
        results = list(visitors.map(run, texts))

    for text, result in zip(texts, results, strict=True):
        torch.testing.assert_close(result, alone(tiny_model, *text), rtol=0, atol=1e-4)


@pytest.mark.parametrize("length", [PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 40])
def test_a_prompt_read_in_pieces_gives_the_logits_of_one_read_whole(tiny_model, start, length):
    prompt = torch.randint(0, 256, (length,), generator=torch.Generator().manual_seed(length)).tolist()
    received: list[Tensor] = []
    list(start(tiny_model).submit(make_job([follow(prompt, [4, 5], received)], FOREVER)).decisions())

    torch.testing.assert_close(torch.stack(received), alone(tiny_model, prompt, [4, 5]), rtol=0, atol=1e-4)


# --- the passes ---


def test_strategies_with_one_prompt_share_its_reading_and_then_their_passes(start, watch):
    watched = watch()
    job = make_job([follow([1, 2, 3], [i, i, i], []) for i in range(4)], FOREVER)
    list(start(watched.model).submit(job).decisions())

    assert watched.passes == [(1, 3), (4, 1), (4, 1), (4, 1)]


def some_ids(count: int, seed: int) -> list[int]:
    return torch.randint(0, 256, (count,), generator=torch.Generator().manual_seed(seed)).tolist()


def test_what_two_prompts_of_a_job_begin_with_is_read_once_in_whole_pieces(start, watch):
    watched = watch()
    begun = some_ids(2 * PIECE + 10, 0)
    longer, other = [*begun, 1, 2, 3], [*begun[: PIECE + 5], 4]
    received: list[list[Tensor]] = [[], [], []]
    prompts = [begun, longer, other]
    job = make_job([follow(prompt, [9], got) for prompt, got in zip(prompts, received, strict=True)], FOREVER)
    list(start(watched.model).submit(job).decisions())

    read = sum(rows * count for rows, count in watched.passes) - 3  # each feeds a token of its own at the end
    assert read == len(begun) + (len(longer) - 2 * PIECE) + (len(other) - PIECE)
    for prompt, got in zip(prompts, received, strict=True):
        apart: list[Tensor] = []
        list(start(watched.model).submit(make_job([follow(prompt, [9], apart)], FOREVER)).decisions())
        assert torch.equal(got[0], apart[0])  # to the last bit
        torch.testing.assert_close(torch.stack(got), alone(watched.model, prompt, [9]), rtol=0, atol=1e-4)


def test_a_prompt_that_is_the_beginning_of_another_still_has_its_end_read(start, watch):
    watched = watch()
    long = some_ids(2 * PIECE, 1)
    received: list[Tensor] = []
    job = make_job([follow(long, [9], []), follow(long[:PIECE], [9], received)], FOREVER)
    list(start(watched.model).submit(job).decisions())

    torch.testing.assert_close(torch.stack(received), alone(watched.model, long[:PIECE], [9]), rtol=0, atol=1e-4)


def test_nothing_is_taken_over_from_another_job(start, watch):
    watched = watch()
    worker, prompt = start(watched.model), some_ids(2 * PIECE, 2)
    for _ in range(2):
        list(worker.submit(make_job([follow(prompt, [9], [])], FOREVER)).decisions())

    assert watched.passes == 2 * [(1, PIECE), (1, PIECE), (1, 1)]


def test_strategies_with_different_prompts_are_decoded_together_all_the_same(start, watch):
    watched = watch()
    job = make_job([follow([1, 2, 3], [4] * 9, []), follow([5], [6] * 9, [])], FOREVER)
    list(start(watched.model).submit(job).decisions())

    assert (2, 1) in watched.passes
    assert len(watched.passes) < 2 * 10


def test_a_newcomer_does_not_wait_for_the_end_of_a_long_text(start, watch):
    watched = watch(held=True)
    worker = start(watched.model)
    worker.submit(make_job([greedy([1, 2], 500)], FOREVER))
    newcomer = worker.submit(make_job([greedy([3], 1)], FOREVER))

    watched.allow(6)

    assert len(chosen(newcomer.decisions())) == 1
    assert len(watched.passes) <= 7


def test_a_long_prompt_is_read_in_pieces_between_the_steps_of_others(start, watch):
    watched = watch(held=True)
    worker = start(watched.model)
    first = worker.submit(make_job([greedy([1, 2], 10)], FOREVER))
    second = worker.submit(make_job([greedy([3] * (PIECE * 3), 1)], FOREVER))
    watched.allow()
    list(first.decisions())
    list(second.decisions())

    pieces = [place for place, (_, tokens) in enumerate(watched.passes) if tokens == PIECE]
    assert len(pieces) == 3
    assert all((1, 1) in watched.passes[one:next_] for one, next_ in pairwise(pieces))


def test_short_prompts_are_read_together_before_the_next_step_of_others(start, watch):
    watched = watch()
    worker = start(watched.model)
    decisions = worker.submit(make_job([greedy([1, 2], 500)], FOREVER)).decisions()
    next(decisions)
    # Asked for by the worker's own thread, all of them come between the same two steps.
    jobs = worker.call(lambda: [worker.submit(make_job([greedy([3] * (PIECE // 4), 2)], FOREVER)) for _ in range(8)])
    for job in jobs:
        list(job.decisions())
    decisions.close()

    prompts = [place for place, (_, tokens) in enumerate(watched.passes) if tokens == PIECE // 4]
    assert [watched.passes[place] for place in prompts] == [(4, PIECE // 4), (4, PIECE // 4)]
    assert prompts[1] - prompts[0] == 2  # everybody's step lies between


def test_where_nobody_streams_more_short_prompts_share_a_pass_with_those_of_about_their_length(start, watch):
    watched = watch()
    worker, lengths = start(watched.model), [3, 30, 16, 5, 17, 9, 32, 1, 12]
    prompts = [some_ids(length, seed) for seed, length in enumerate(lengths)]
    received: list[list[Tensor]] = [[] for _ in prompts]
    jobs = worker.call(
        lambda: [
            worker.submit(make_job([follow(prompt, [9], got)], FOREVER))
            for prompt, got in zip(prompts, received, strict=True)
        ]
    )
    for job in jobs:
        list(job.decisions())

    assert watched.passes[0] == (6, 16)  # those of 16 tokens at most
    assert (3, 32) in watched.passes
    for prompt, got in zip(prompts, received, strict=True):
        torch.testing.assert_close(torch.stack(got), alone(watched.model, prompt, [9]), rtol=0, atol=1e-4)


def test_a_decision_counts_the_passes_that_its_row_took(tiny_model, start):
    job = make_job([greedy([1] * (PIECE + 1), 3)], FOREVER)

    assert [d.forward_passes for d in start(tiny_model).submit(job).decisions()] == [2, 3, 4]


def test_more_rows_than_fit_wait_in_line_and_all_finish(start, watch):
    watched = watch()
    worker = start(watched.model)
    jobs = [worker.submit(make_job([greedy([i], 5) for i in range(8)], FOREVER)) for _ in range(6)]

    assert [len(chosen(job.decisions())) for job in jobs] == [40] * 6
    assert max(rows for rows, _ in watched.passes) <= MAX_ROWS


# --- ends ---


def test_a_short_strategy_leaves_and_the_others_of_its_job_go_on(tiny_model, start):
    job = make_job([greedy([1, 2], 2), greedy([1, 2], 6), greedy([3], 4)], FOREVER)

    decisions = list(start(tiny_model).submit(job).decisions())

    assert [sum(d.row == row for d in decisions) for row in range(3)] == [2, 6, 4]


def caches() -> dict[int, Tensor]:
    """Return every tensor of keys or values that is held somewhere."""
    gc.collect()
    tensors = [held for held in gc.get_objects() if type(held) is Tensor]
    return {id(held): held for held in tensors if held.dim() == 4 and held.shape[2] == COLUMNS}


def test_once_all_have_gone_nothing_keeps_their_keys_and_values(tiny_model, start):
    worker, earlier = start(tiny_model), caches()
    list(worker.submit(make_job([greedy([1, 2, 3], 4), greedy([5, 6], 2)], FOREVER)).decisions())
    worker.call(lambda: None)  # behind the last tick

    assert not caches().keys() - earlier.keys()


def test_a_job_whose_reader_closes_leaves_within_one_step(start, watch):
    watched = watch(held=True)
    worker = start(watched.model)
    leaving = worker.submit(make_job([greedy([1, 2], 400)], FOREVER)).decisions()
    staying = worker.submit(make_job([greedy([3], 20)], FOREVER))
    watched.allow(4)  # read the first, step it, read the second, step both; or read both and step them
    for _ in range(3):
        next(leaving)

    leaving.close()  # while a fifth pass may be on its way
    watched.allow()

    assert len(chosen(staying.decisions())) == 20
    assert (2, 1) in watched.passes[:4]
    assert {rows for rows, _ in watched.passes[5:]} == {1}
    assert len(watched.passes) < 30


def test_a_job_cancelled_while_its_prompt_is_read_leaves_the_rest_unread(start, watch):
    watched = watch(held=True)
    worker = start(watched.model)
    job = worker.submit(make_job([greedy([1] * (PIECE * 4), 1)], FOREVER))
    watched.allow(1)

    job.cancelled.set()
    watched.allow()
    settle(worker)

    assert len(watched.passes) <= 2


def test_a_job_past_its_seconds_raises_and_leaves(start, watch):
    watched = watch(held=True)
    worker = start(watched.model)
    job = worker.submit(make_job([greedy([1], 400)], 0.05))

    with pytest.raises(DeadlineError) as caught:
        list(job.decisions())

    assert (caught.value.key, caught.value.values) == ("deadline", {"seconds": 0.05})
    watched.allow()
    settle(worker)
    assert len(watched.passes) <= 2


def test_waiting_in_line_counts_against_the_seconds(start, watch):
    watched = watch(held=True)
    worker = start(watched.model)
    worker.submit(make_job([greedy([1], 4)], FOREVER))
    late = worker.submit(make_job([greedy([2], 4)], 0.05))

    with pytest.raises(DeadlineError):
        list(late.decisions())


# --- failures ---

ERRORS = [
    ValueError("x"),
    RuntimeError("x"),
    KeyError("x"),
    TypeError("x"),
    ZeroDivisionError(),
    InputError("x"),
    AttributeError("x"),
    AssertionError("x"),
    MemoryError("x"),
]


@pytest.mark.parametrize("passes", [0, 1, 3])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_strategy_that_raises_fails_its_own_job_alone(start, watch, error, passes):
    watched = watch(held=True)
    worker = start(watched.model)
    healthy = worker.submit(make_job([greedy([1, 2], 12)], FOREVER))
    failing = worker.submit(make_job([broken([3], passes, error)], FOREVER))
    later = worker.submit(make_job([greedy([4, 5, 6], 12)], FOREVER))
    watched.allow()

    with pytest.raises(type(error)) as caught:
        list(failing.decisions())
    assert caught.value is error
    assert len(chosen(healthy.decisions())) == len(chosen(later.decisions())) == 12


def test_the_other_strategies_of_a_failed_job_stop_too(start, watch):
    watched = watch()
    worker = start(watched.model)
    job = worker.submit(make_job([greedy([1], 400), broken([1], 2, ValueError("x"))], FOREVER))

    with pytest.raises(ValueError, match="x"):
        list(job.decisions())
    settle(worker)

    assert len(watched.passes) < 20


def test_a_model_that_fails_tells_everybody_and_serves_the_next(make_tiny_model, start):
    model = make_tiny_model()
    failures = iter([False, False, False, True])

    def fail(*call: object) -> None:
        if next(failures, False):
            raise RuntimeError("out of memory")

    model.register_forward_pre_hook(fail)
    worker = start(model)
    jobs = [make_job([greedy([1], 50)], FOREVER), make_job([greedy([2, 3], 50)], FOREVER)]
    for job in jobs:
        worker.submit(job)

    for job in jobs:
        with pytest.raises(RuntimeError, match="out of memory"):
            list(job.decisions())
    received: list[Tensor] = []
    list(worker.submit(make_job([follow([7, 8], [9], received)], FOREVER)).decisions())
    torch.testing.assert_close(torch.stack(received), alone(model, [7, 8], [9]), rtol=0, atol=1e-4)


# --- the line, and memory ---


def test_a_job_that_does_not_fit_waits_with_its_place_known(start, watch):
    watched = watch(held=True)
    worker = start(watched.model, capacity=700)
    running = worker.submit(make_job([greedy([1], 8)], FOREVER, width=600))
    waiting = [worker.submit(make_job([greedy([2], 8)], FOREVER, width=600)) for _ in range(2)]
    watched.allow(3)
    streams = [job.decisions() for job in (running, *waiting)]
    first = [next(stream).event for stream in streams]

    assert first[1:] == [Waiting(1), Waiting(2)]
    assert (running.place, *(job.place for job in waiting)) == (0, 1, 2)
    watched.allow()
    for place, (job, stream) in enumerate(zip(waiting, streams[1:], strict=True), start=1):
        told = [Waiting(place), *(decision.event for decision in stream)]
        assert told[:place] == [Waiting(before) for before in range(place, 0, -1)]
        assert [type(event) for event in told[place:]] == [Step] * 8
        assert job.place == 0
    assert {rows for rows, _ in watched.passes} == {1}


def test_a_job_larger_than_all_memory_is_told_so(tiny_model, start):
    job = start(tiny_model, capacity=100).submit(make_job([greedy([1], 8)], FOREVER, width=101))

    with pytest.raises(ModelError) as caught:
        list(job.decisions())
    assert caught.value.key == "too_large"


def test_one_visitors_jobs_run_one_after_another(start, watch):
    watched = watch()
    worker = start(watched.model)
    jobs = [worker.submit(make_job([greedy([i], 6)], FOREVER, visitor="ana")) for i in range(3)]

    assert [len(chosen(job.decisions())) for job in jobs] == [6, 6, 6]
    assert {rows for rows, _ in watched.passes} == {1}


def test_a_newcomer_goes_before_the_rest_of_a_large_job(start, watch):
    watched = watch(held=True)
    worker = start(watched.model, capacity=3 * 600)
    large = worker.submit(make_job([greedy([i], 4) for i in range(9)], FOREVER))
    newcomer = worker.submit(make_job([greedy([99], 1)], FOREVER))
    watched.allow(12)

    assert len(chosen(newcomer.decisions())) == 1
    assert large.running > 3
    watched.allow()
    assert len(chosen(large.decisions())) == 36


def test_out_of_memory_halves_the_crowd_and_everybody_still_finishes_with_the_same_text(make_tiny_model, start):
    model = make_tiny_model()
    prompts = [[1, 2, 3], [4, 5], [6], [7, 8, 9, 10], [11, 12]]
    alone_texts = [chosen(start(model).submit(make_job([greedy(p, 12)], FOREVER)).decisions()) for p in prompts]

    def fail(_module: object, _args: tuple, kwargs: dict) -> None:
        if kwargs["input_ids"].shape[0] > 2:
            raise torch.OutOfMemoryError("simulated")

    model.register_forward_pre_hook(fail, with_kwargs=True)
    worker = start(model)
    jobs = [worker.submit(make_job([greedy(p, 12)], FOREVER)) for p in prompts]

    assert [chosen(job.decisions()) for job in jobs] == alone_texts


def test_a_row_that_is_too_much_alone_ends_in_a_sentence(make_tiny_model, start):
    model = make_tiny_model()

    def fail(_module: object, _args: tuple, kwargs: dict) -> None:
        if kwargs["position_ids"].max() > 5:
            raise torch.OutOfMemoryError("simulated")

    model.register_forward_pre_hook(fail, with_kwargs=True)
    worker = start(model)
    job = worker.submit(make_job([greedy([1, 2], 50)], FOREVER))

    with pytest.raises(ModelError) as caught:
        list(job.decisions())
    assert caught.value.key == "out_of_memory"
    assert len(chosen(worker.submit(make_job([greedy([1], 2)], FOREVER)).decisions())) == 2


def test_a_prompt_that_is_too_much_alone_fails_by_itself(make_tiny_model, start):
    model = make_tiny_model()

    def fail(_module: object, _args: tuple, kwargs: dict) -> None:
        if kwargs["input_ids"].shape[1] > 20:
            raise torch.OutOfMemoryError("simulated")

    model.register_forward_pre_hook(fail, with_kwargs=True)
    worker = start(model)
    streaming = worker.submit(make_job([greedy([1, 2], 60)], FOREVER))
    job = worker.submit(make_job([greedy([3] * 25, 5)], FOREVER))

    with pytest.raises(ModelError) as caught:
        list(job.decisions())
    assert caught.value.key == "out_of_memory"
    assert len(chosen(streaming.decisions())) == 60


def test_forked_and_dropped_rows_follow_their_parents(tiny_model, start):
    received: list[Tensor] = []

    def fork() -> Strategy:
        yield feed(1, 2, 3)
        yield Feed(((4,), (5,), (6,)), parents=(0, 0, 0))
        received.append((yield Feed(((7,), (8,)), parents=(2, 0))).logits[:, -1])

    list(start(tiny_model).submit(make_job([fork(), greedy([9], 6)], FOREVER, rows=3)).decisions())

    expected = [alone(tiny_model, [1, 2, 3], tokens)[-1] for tokens in ([6, 7], [4, 8])]
    torch.testing.assert_close(received[0], torch.stack(expected), rtol=0, atol=1e-4)


# --- calls ---


def test_a_call_runs_between_two_steps_of_a_job(start, watch):
    watched = watch(held=True)
    worker = start(watched.model)
    job = worker.submit(make_job([greedy([1], 30)], FOREVER))
    threading.Timer(0.05, watched.allow).start()

    passes_at_call = worker.call(lambda: len(watched.passes))

    assert passes_at_call < 30
    assert len(chosen(job.decisions())) == 30


def test_a_call_returns_its_result_and_needs_no_gradients(tiny_model, start):
    assert start(tiny_model).call(torch.is_inference_mode_enabled) is True


def test_a_call_that_raises_raises_for_its_caller_and_harms_nobody(tiny_model, start):
    worker = start(tiny_model)
    job = worker.submit(make_job([greedy([1], 30)], FOREVER))

    with pytest.raises(ZeroDivisionError):
        worker.call(lambda: 1 / 0)
    assert len(chosen(job.decisions())) == 30


def test_close_returns_though_a_job_is_running(make_tiny_model):
    worker = Worker(make_tiny_model())
    worker.submit(make_job([greedy([1], 100_000)], FOREVER))

    begun = time.monotonic()
    worker.close()

    assert time.monotonic() - begun < FOREVER
