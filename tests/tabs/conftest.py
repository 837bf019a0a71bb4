"""The app's endpoints, served from this process on the embedded model."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from gradio_client import Client

from app import build_app
from llm_demo.engine.local import LocalEngine
from tests.served import launched

QWEN3 = Path(__file__).parents[3] / "shared" / "tokenizers" / "qwen3"
SECONDS = 60
# What `gradio_client` adds where a caller says nothing; a bare POST says it all.
DEFAULTS = {
    "tokenize": ("", None),
    "next_token": ("", None, None, 10),
    "generate": ("", None, None, 10),
    "compare": ("", None, None, 10),
    "chat": ([], None, None, "", False),
    "ablate": ([], None, None, 1),
    "quiz_question": ("es", None, 0),
    "quiz_answer": (0, "es", "", None),
    "quiz_evaluate": ("es", None, 20, 0, "direct", None),
}


@pytest.fixture(scope="session")
def quiz_file(tmp_path_factory) -> Path:
    """Two questions of an operator's own; the gold letters are B and C."""

    def row(question_id: int, category: str, question: str, options: list[str], gold: str) -> str:
        values = {f"option_{place}": option for place, option in enumerate(options)}
        written = {"question_id": question_id, "category": category, "question": question, "answer": gold}
        return json.dumps({**written, **values, "src": "test"})

    file = tmp_path_factory.mktemp("quiz") / "questions.jsonl"
    rows = [
        row(7, "math", "How much is 2 + 2?", ["3", "4", "5"], "B"),
        row(8, "history", "Which came first?", ["Rome", "Paris", "Ur", "Oslo"], "C"),
    ]
    file.write_text("\n".join(rows), "utf-8")
    return file


@pytest.fixture(scope="session")
def address(engine, quiz_file, tiny_folder) -> Iterator[str]:
    """Serve the loaded model; its questions are those of the file, whatever the hub has."""
    extra = {"tiny": str(tiny_folder), "gone": str(tiny_folder / "gone")}
    extra |= {"Qwen3": str(QWEN3)} if QWEN3.is_dir() else {}
    served = LocalEngine(replace(engine.config, quiz_data=quiz_file, extra_models=extra), lambda report: engine.loaded)
    app = build_app(served)
    with launched(app) as url:
        yield url
    served.close()


@pytest.fixture(scope="session")
def client(address) -> Client:
    """A notebook of somebody who reads English."""
    return Client(address, verbose=False, analytics_enabled=False, headers={"Accept-Language": "en-GB,en;q=0.9"})


Refused = Callable[..., str]


@pytest.fixture(scope="session")
def refused(address) -> Refused:
    """Post to an endpoint what it should refuse; returns the sentence, and fails where there is none."""

    def post(name: str, *data: object, language: str = "en") -> str:
        """Send any JSON, NaN and infinities too, which `gradio_client` would not."""
        headers = {"Content-Type": "application/json", "Accept-Language": language}
        url = f"{address}/gradio_api/call/{name}"
        values = [*data, *DEFAULTS[name][len(data) :]]
        begun = httpx.post(url, content=json.dumps({"data": values}), headers=headers, timeout=SECONDS)
        events = httpx.get(f"{url}/{begun.json()['event_id']}", timeout=SECONDS).text
        kind, _, body = events.partition("\n")
        assert kind == "event: error", f"{name} took it: {body[:200]}"
        told = json.loads(body.removeprefix("data: "))
        assert told["error"], f"{name} raised something that no visitor can read"
        return told["error"]

    return post


@pytest.fixture(scope="session")
def qwen3() -> str:
    """The key of Qwen3's tokenizer."""
    if not QWEN3.is_dir():
        pytest.skip("Qwen3's tokenizer is not on this machine")
    return "Qwen3"
