"""Faults inside: each ends in a sentence, harms nobody else, and is over once its cause is."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import torch

from llm_demo import startup
from llm_demo.config import Config
from llm_demo.errors import ModelError
from llm_demo.quiz.dataset import load_bank
from llm_demo.quiz.hub import OutOfReachError
from llm_demo.quiz.kept import RETRY_SECONDS, Kept
from llm_demo.request import Request
from llm_demo.sampling import Sampling
from llm_demo.startup import Startup

SECONDS = 30
GREEDY = Sampling("greedy", max_new_tokens=6)
LONG = Sampling("greedy", max_new_tokens=60)


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


# --- a start that fails ---


def attempts(*outcomes: object):
    """Make something to begin with: each time it gives the next outcome, or raises it."""
    left = iter(outcomes)

    def begin(report) -> object:
        outcome = next(left)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return begin


def ended(start: Startup) -> str:
    """Wait until an attempt is over; returns its stage."""
    deadline = time.monotonic() + SECONDS
    while start.loading.stage not in ("ready", "failed") and time.monotonic() < deadline:
        time.sleep(0.005)
    return start.loading.stage


def test_a_start_that_failed_begins_again_after_a_minute_and_not_before():
    clock = Clock()
    start = Startup(attempts(ModelError("no_network", requirement="x"), "the model"), clock)
    assert ended(start) == "failed"

    clock.now = startup.RETRY_SECONDS - 1
    with pytest.raises(ModelError) as caught:
        start.result()
    assert caught.value.key == "no_network"

    clock.now = startup.RETRY_SECONDS
    assert start.result() == "the model"
    assert start.loading.stage == "ready"


def test_looking_at_how_far_it_is_begins_again_too():
    clock = Clock()
    start = Startup(attempts(ModelError("no_network", requirement="x"), "the model"), clock)
    ended(start)
    clock.now = startup.RETRY_SECONDS

    assert start.loading.stage in ("fetch", "ready")
    assert ended(start) == "ready"


def test_what_is_ready_never_begins_again():
    clock = Clock()
    start = Startup(attempts("the model"), clock)
    ended(start)
    clock.now = 10 * startup.RETRY_SECONDS

    assert start.result() == "the model"


def test_a_fault_that_nobody_thought_of_is_a_sentence_too_and_in_the_log(caplog):
    start = Startup(attempts(ZeroDivisionError("of ours")))

    with pytest.raises(ModelError) as caught:
        start.result()

    assert caught.value.key == "model_crashed"
    assert "of ours" in caplog.text


# --- the worker ---


@contextmanager
def failing(model, error: BaseException, after: int) -> Iterator[None]:
    """Have one pass of a model raise, after so many that do not."""
    outcomes = iter([*[None] * after, error])

    def fail(*_: object) -> None:
        if outcome := next(outcomes, None):
            raise outcome

    hook = model.register_forward_pre_hook(fail)
    try:
        yield
    finally:
        hook.remove()


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (SystemExit(1), "out_of_order"),
        (KeyboardInterrupt(), "out_of_order"),
        (torch.OutOfMemoryError("simulated"), "out_of_memory"),
    ],
    ids=["exit", "interrupt", "memory"],
)
@pytest.mark.parametrize("after", [0, 4], ids=["while-reading", "while-writing"])
def test_whatever_ends_a_step_is_a_sentence_and_the_next_text_is_whole(make_engine, make_tiny_model, error, key, after):
    model = make_tiny_model()
    engine = make_engine(model)
    whole = engine.generate("hola", GREEDY).token_ids

    with failing(model, error, after), pytest.raises(ModelError) as caught:
        list(engine.stream("hola", LONG))

    assert caught.value.key == key
    assert engine.generate("hola", GREEDY).token_ids == whole


def test_those_who_wait_in_line_are_served_when_a_step_has_failed(make_engine, watch):
    watched = watch(held=True)
    engine = make_engine(watched.model, capacity=700)
    first = engine.stream_many([Request("hola", Sampling("greedy", max_new_tokens=512))])
    with ThreadPoolExecutor(2) as visitors, failing(watched.model, SystemExit(1), after=2):
        running = visitors.submit(list, first)
        watched.allow(1)
        waiting = visitors.submit(engine.generate, "adiós", LONG)
        watched.allow()

        with pytest.raises(ModelError) as caught:
            running.result(SECONDS)
        assert caught.value.key == "out_of_order"
        assert len(waiting.result(SECONDS).token_ids) == 60


def test_memory_that_runs_out_while_scoring_is_a_sentence(make_engine, make_tiny_model):
    model = make_tiny_model()
    engine = make_engine(model)

    with failing(model, torch.OutOfMemoryError("simulated"), after=0), pytest.raises(ModelError) as caught:
        engine.log_probs("hola", " adiós")

    assert caught.value.key == "out_of_memory"
    assert len(engine.log_probs("hola", "a")) == 1


# --- a folder that is damaged ---


def test_an_engine_whose_folder_is_mended_gives_its_model(tmp_path, tiny_folder, make_engine):
    weights = (tiny_folder / "model.safetensors").read_bytes()
    folder = tmp_path / "mine"
    folder.mkdir()
    for file in tiny_folder.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    engine = make_engine(extra_models={"mine": str(folder)}, device="cpu", dtype="float32")

    with pytest.raises(ModelError) as caught:
        engine.of("mine")
    assert caught.value.key == "folder"
    (folder / "model.safetensors").write_bytes(weights)

    assert len(engine.of("mine").generate("hola", GREEDY).token_ids) == 6


# --- questions that stand in ---


def test_bundled_questions_give_way_to_the_hubs_once_it_answers_and_it_is_not_asked_all_the_time():
    clock, asked = Clock(), []
    row = {"question_id": 5, "question": "1 + 1?", "option_0": "1", "option_1": "2", "option_2": "3", "answer": "B"}

    def fetch(language: str, *_: str) -> list[dict[str, object]]:
        asked.append(language)
        if clock.now < RETRY_SECONDS:
            raise OutOfReachError(language)
        return [{**row, "category": "math", "src": "by-hand"}]

    kept = Kept(lambda language: load_bank(language, Config(), fetch), clock)

    assert [kept.of("es").origin for _ in range(3)] == ["bundled"] * 3
    clock.now = RETRY_SECONDS - 1
    assert kept.of("es").origin == "bundled"
    assert asked == ["es"]
    clock.now = RETRY_SECONDS
    assert kept.of("es").origin == "hub"
    clock.now = 10 * RETRY_SECONDS
    assert kept.of("es").origin == "hub"
    assert asked == ["es", "es"]


def test_while_one_looks_again_the_others_take_what_there_is():
    clock, looking, go_on = Clock(), threading.Event(), threading.Event()

    def load(language: str):
        if clock.now:
            looking.set()
            assert go_on.wait(SECONDS)
        return load_bank(language, Config(), out_of_reach)

    kept = Kept(load, clock)
    bundled = kept.of("es")
    clock.now = RETRY_SECONDS
    one = threading.Thread(target=kept.of, args=("es",))
    one.start()
    assert looking.wait(SECONDS)

    assert kept.of("es") is bundled
    go_on.set()
    one.join(SECONDS)


def out_of_reach(language: str, *_: str) -> list[dict[str, object]]:
    raise OutOfReachError(language)
