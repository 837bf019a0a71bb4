"""The page in front of a server: what it offers, what it says while it waits, and how many it lets in."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from app import build_app
from llm_demo.config import Config
from llm_demo.engine import Engine
from llm_demo.engine import remote as remote_module
from llm_demo.errors import ModelError
from llm_demo.i18n import translator
from llm_demo.links import Link, to_json
from llm_demo.sampling import STRATEGIES, Sampling
from tests import apart
from tests.contract.fake import FakeServer, Faults
from tests.served import free_port, launched
from tests.window import API, Layout, TroubleError, Window

SECONDS = 60
KNOBS = "repetition_penalty", "no_repeat_ngram_size"  # the server knows the first alone
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
    same = {"category": "math", "src": "by hand", "answer": "B", "option_0": "3", "option_1": "4", "option_2": "5"}
    rows = [{**same, "question_id": number, "question": f"{number} + {4 - number}?"} for number in (1, 2)]
    file.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return file


@pytest.fixture(scope="module")
def front(tiny_folder, tiny_model, tiny_tokenizer, questions) -> Iterator[Front]:
    """The server comes when the page is there already."""
    port = free_port()
    config = Config(
        endpoint=f"http://127.0.0.1:{port}/v1",
        extra_models={"tiny": str(tiny_folder)},
        device="cpu",
        quiz_data=questions,
        max_streams=STREAMS,
        max_address_running=STREAMS,
        endpoint_seconds=SECONDS,
    )
    engine = Engine.load(config=config, wait=False)
    page = build_app(engine)
    with pytest.MonkeyPatch.context() as patch, launched(page, max_threads=2 * engine.streams) as url:
        patch.setattr(remote_module, "AGAIN", 0.0)
        with pytest.raises(ModelError):
            _ = engine.loaded
        server = FakeServer(tiny_model, tiny_tokenizer, ["tiny", "newcomer"], port=port)
        yield Front(url, engine, server)
    engine.close()
    server.close()


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


@asynccontextmanager
async def opened(front: Front) -> AsyncIterator[tuple[Window, Layout]]:
    """Open the page as a visitor does."""
    async with httpx.AsyncClient(base_url=front.url, timeout=SECONDS) as client:
        layout = Layout((await client.get("/config")).json())
        async with Window(client, layout) as window:
            yield window, layout


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


# --- which models it lists ---

LISTS = (
    *("tokenizer-model", "tokenizer-other", "card-first", "card-second", "inside-model"),
    *("chat-model", "chat-beside", "quiz-model", "evaluate-model"),
)


def test_models_of_a_server_that_was_away_are_listed_when_a_page_is_opened(front):
    async def visit() -> dict[str, set[str]]:
        async with opened(front) as (window, layout):
            return {
                name: {key.rpartition(":")[2] for _, key in window.updates[layout.id(name)]["choices"]}
                for name in LISTS
            }

    lists = apart.run(visit())

    assert {name for name, keys in lists.items() if {"tiny", "newcomer"} <= keys} == set(LISTS)


# --- which strategies it offers ---


async def choices_of(window: Window, layout: Layout) -> tuple[set[str], str]:
    """Return the strategies to choose from, and what is told of the others."""
    es = translator("es")
    strategy = layout.labelled(es("plan.strategy"), layout.events("decoding-run", "click"))
    return {name for _, name in window.updates[strategy]["choices"]}, window.values[layout.id("decoding-missing")]


def test_strategies_and_knobs_that_the_server_lacks_are_left_out_and_named(front):
    es = translator("es")
    lacking = ", ".join(es(f"strategy.{name}") for name in STRATEGIES[2:])

    async def visit() -> None:
        async with opened(front) as (window, layout):
            choices, told = await choices_of(window, layout)
            knobs = [layout.labelled(es(f"knob.{name}"), layout.events("decoding-run", "click")) for name in KNOBS]

            assert choices == {"greedy", "sample"}
            assert es("elsewhere.no_strategies", names=lacking) in told
            assert [window.updates[knob]["visible"] for knob in knobs] == [True, False]

    apart.run(visit())


def test_a_lesson_that_wants_another_is_shown_whole_and_ends_in_a_sentence(front):
    async def visit() -> None:
        async with opened(front) as (window, layout):
            window.values[layout.id("decoding-lesson")] = "D1"
            await window.settle(layout.events("decoding-lesson", "input"))
            window.values[layout.id("decoding-chosen")] = 2
            await window.settle(layout.events("decoding-chosen", "input"))
            choices, _ = await choices_of(window, layout)

            assert choices == {"greedy", "sample", "beam"}  # the lesson's own is not hidden from whoever changes it
            assert await refused(window, layout)

    apart.run(visit())


def test_a_link_that_wants_another_does_so_too(front):
    link = Link("decoding", values={"text": "uno", "s1": Sampling("beam", num_beams=2)})
    file = to_json(link, front.engine.config, front.engine.cards)

    async def visit() -> None:
        async with opened(front) as (window, layout):
            sent = httpx.post(f"{front.url}{API}/upload", files={"files": ("link.json", file)}, timeout=SECONDS)
            (path,) = sent.raise_for_status().json()
            window.values[layout.id("decoding-link-open")] = {"path": path, "meta": {"_type": "gradio.FileData"}}
            await window.settle(layout.events("decoding-link-open", "upload"))

            assert window.values[layout.id("decoding-prompt")] == "uno"
            assert await refused(window, layout)

    apart.run(visit())


async def refused(window: Window, layout: Layout) -> bool:
    """Tell whether beam search ends in the sentence that says what the server runs."""
    with pytest.raises(TroubleError) as caught:
        await window.settle(layout.events("decoding-run", "click"))
    asked = {"strategy": "beam", "choices": "greedy, sample"}
    return str(caught.value) == translator("es")("errors.engine_strategy", **asked)


# --- that it says how long to wait ---

ASKING = {"decoding-run": "decoding", "chat-send": "chat", "ablation-run": "ablation", "evaluate-run": "evaluate"}
TYPED = {"ablation-schemes": ["only"], "ablation-text-2": "uno", "evaluate-count": 2, "quiz-options": "A"}


def test_every_tab_tells_a_visitor_the_place_in_line(front):
    async def told(window: Window, button: str) -> bool:
        """Press a button while the server is busy, until the place is told."""
        window.notices.clear()
        front.server.faults.busy = 1
        async for _ in window.do(button):
            if window.notices:
                break
        return translator("es")("elsewhere.waiting", place=1) in window.notices

    async def visit() -> list[str]:
        async with opened(front) as (window, layout):
            window.values |= {layout.id(name): value for name, value in TYPED.items()}
            silent = [] if await told(window, "quiz-answer") else ["quiz-answer"]
            for button, tab in ASKING.items():
                silent += [] if await told(window, button) else [button]
                await window.stop(f"{tab}-stop")
            return silent

    assert apart.run(visit()) == []
