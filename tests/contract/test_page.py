"""The page in front of a server: what it offers, what it says while it waits, and how many it lets in."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from app import build_app
from llm_demo.engine import Engine
from tests import apart
from tests.contract.fake import FakeServer, Faults
from tests.served import launched
from tests.window import API

SECONDS = 60
STREAMS = 80  # more than a process lets in where it runs the model itself


@dataclass(frozen=True, slots=True)
class Front:
    """A page, the engine behind it and the server behind that."""

    url: str
    engine: Engine
    server: FakeServer


@pytest.fixture(scope="module")
def questions(tmp_path_factory) -> Path:
    """Two questions of an operator's own."""
    file = tmp_path_factory.mktemp("quiz") / "questions.jsonl"
    same = {"category": "math", "src": "by hand", "answer": "B", "option_0": "3", "option_1": "4"}
    rows = [{**same, "question_id": number, "question": f"{number} + {4 - number}?"} for number in (1, 2)]
    file.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return file


@pytest.fixture(scope="module")
def front(serve, questions) -> Iterator[Front]:
    engine, server = serve(
        max_streams=STREAMS, max_address_running=STREAMS, endpoint_seconds=SECONDS, quiz_data=questions
    )
    page = build_app(engine)
    with launched(page, max_threads=2 * engine.streams) as url:
        yield Front(url, engine, server)


@pytest.fixture(autouse=True)
def well(front):
    """Let every test begin with a server that is well."""
    yield
    front.server.faults = Faults()


async def ask(client: httpx.AsyncClient, name: str, *values: object) -> tuple[str, object]:
    """Ask an endpoint; returns how it ended and what it said."""
    url = f"{API}/call/{name}"
    begun = (await client.post(url, json={"data": values})).raise_for_status().json()
    told = (await client.get(f"{url}/{begun['event_id']}")).text.rpartition("event: ")[2]
    kind, _, data = told.partition("\ndata: ")
    return kind, json.loads(data)


# --- how many it lets in ---


def test_it_lets_in_as_many_as_the_engine_takes_on(serve, front, make_engine):
    few, _ = serve(max_streams=1)

    assert front.engine.streams == STREAMS
    assert few.streams == make_engine().streams == 64  # the others of 64 wait in the server's line, and are told so


@pytest.mark.slow
def test_as_many_texts_as_the_server_may_write_are_written_at_once(front):
    faults, seen = front.server.faults, front.server.seen
    faults.silent_after = 1

    async def release() -> None:
        async with asyncio.timeout(SECONDS):
            while seen.streaming < STREAMS:
                await asyncio.sleep(0.05)
        faults.silent_after = None

    async def crowd() -> list[tuple[str, object]]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=front.url, timeout=SECONDS, limits=limits) as client:
            sampling = {"strategy": "greedy", "max_new_tokens": 2}
            asked = (ask(client, "generate", f"visitor {n}", None, sampling, 3) for n in range(STREAMS))
            return (await asyncio.gather(release(), *asked))[1:]

    assert {kind for kind, _ in apart.run(crowd())} == {"complete"}
    assert seen.most == STREAMS
