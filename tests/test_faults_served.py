"""Faults as a visitor meets them, on `python app.py`: the hub in trouble, damaged questions, leaving, and the end."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests import apart
from tests.fake_hub import FakeHub
from tests.served import Served, serve
from tests.window import API, Layout, Window

pytestmark = pytest.mark.slow

SECONDS = 60  # until a sentence has to be there, on a busy machine
END_SECONDS = 15  # until the process is gone
QUESTION = {
    "question_id": 7,
    "category": "math",
    "question": "2 + 2?",
    "answer": "B",
    "src": "by-hand",
    **{f"option_{place}": option for place, option in enumerate(("3", "4", "5"))},
}
GREEDY = {"strategy": "greedy", "max_new_tokens": 3}


@pytest.fixture(scope="module")
def hub(tiny_folder) -> Iterator[FakeHub]:
    with FakeHub(tiny_folder).open() as hub:
        yield hub


@pytest.fixture(scope="module")
def served(hub, tmp_path_factory) -> Iterator[Served]:
    """The app on the embedded model, its hub a local one, its questions damaged."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "questions.jsonl").write_bytes(b"\xff\xfe{half of a")
    with serve(
        folder,
        HF_ENDPOINT=hub.address,
        HF_HUB_OFFLINE="0",
        HF_HOME=str(folder / "hub"),
        LLM_DEMO_EXTRA_MODELS="silent=nobody/silent,broken=nobody/broken,half=nobody/half,well=nobody/well",
        LLM_DEMO_QUIZ_DATA=str(folder / "questions.jsonl"),
    ) as served:
        assert "tokens" in ask(served, "tokenize", "a", None)
        yield served


def ask(served: Served, name: str, *values: object) -> dict:
    """Ask an endpoint; returns its answer, or `{"error": sentence}`."""
    headers = {"Accept-Language": "en"}
    url = f"{served.url}{API}/call/{name}"
    begun = httpx.post(url, json={"data": values}, headers=headers, timeout=SECONDS).json()
    told = httpx.get(f"{url}/{begun['event_id']}", timeout=SECONDS).text.rpartition("event: ")[2]
    kind, _, data = told.partition("\ndata: ")
    found = json.loads(data)
    return found[0] if kind == "complete" else found


def test_a_hub_that_is_well_serves_another_model(served):
    assert ask(served, "generate", "hola", "well", GREEDY, 3)["finish_reason"] == "length"


@pytest.mark.parametrize("model", ["silent", "broken", "half"])
def test_a_hub_in_trouble_is_a_sentence_and_the_app_goes_on(served, model):
    assert "cannot be fetched from the Hugging Face Hub" in ask(served, "generate", "hola", model, GREEDY, 3)["error"]
    assert ask(served, "generate", "hola", None, GREEDY, 3)["finish_reason"] == "length"


def test_a_hub_that_is_well_again_gives_the_model_without_a_restart(served, hub):
    hub.mend()

    for model in ("silent", "broken", "half"):
        assert ask(served, "generate", "hola", model, GREEDY, 3)["finish_reason"] == "length"


def mend_questions(served: Served) -> None:
    (served.log.parent / "questions.jsonl").write_text(json.dumps(QUESTION), "utf-8")


def test_damaged_questions_are_a_sentence_the_app_goes_on_and_they_can_be_mended(served):
    assert "questions.jsonl" in ask(served, "quiz_question", "es", None, 0)["error"]
    assert "tokens" in ask(served, "tokenize", "a", None)

    mend_questions(served)

    assert ask(served, "quiz_question", "es", None, 0)["question_id"] == 7


async def begin_and_leave(served: Served, visitors: int) -> None:
    """Let visitors begin a long answer each, and leave when they have seen some of it."""

    async def one(client: httpx.AsyncClient, layout: Layout, number: int) -> None:
        async with Window(client, layout) as window:
            window.values[layout.id("decoding-prompt")] = f"Person {number} says"
            async for count in counted(window.do("decoding-run")):
                if count == 3:
                    return

    async with httpx.AsyncClient(base_url=served.url, timeout=SECONDS) as client:
        layout = Layout((await client.get("/config")).json())
        await asyncio.gather(*(one(client, layout, number) for number in range(visitors)))


async def counted(answers):
    """Yield 1, 2, 3… with each answer."""
    count = 0
    async for _ in answers:
        count += 1
        yield count


def test_what_visitors_leave_in_mid_stream_is_not_worked_on(served):
    mend_questions(served)

    apart.run(begin_and_leave(served, 4))

    assert served.settle(idle=0.2, seconds=20) <= 0.2
    assert served.queued == 0


def test_the_end_comes_within_seconds_in_the_middle_of_work(served):
    children = psutil.Process(served.process.pid).children(recursive=True)
    body = {"data": ["hola", None, {"strategy": "greedy", "max_new_tokens": 500}, 10]}
    httpx.post(f"{served.url}{API}/call/generate", json=body, timeout=SECONDS).raise_for_status()
    works = psutil.Process(served.process.pid)
    deadline = time.monotonic() + SECONDS
    while works.cpu_percent(interval=0.5) < 15 and time.monotonic() < deadline:  # until it has begun
        pass

    os.kill(served.process.pid, signal.SIGTERM)

    begun = time.monotonic()
    served.process.wait(END_SECONDS)
    assert time.monotonic() - begun < END_SECONDS
    assert [child for child in children if child.is_running()] == []
    assert served.tracebacks == []
    assert "Fatal" not in Path(served.log).read_text("utf-8", "replace")
