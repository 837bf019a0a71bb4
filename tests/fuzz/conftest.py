"""The app under fire: served from this process on the embedded model, its jobs kept short."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from app import build_app
from llm_demo.engine.local import LocalEngine
from tests.served import launched


@pytest.fixture(scope="session")
def address(engine, tmp_path_factory) -> Iterator[str]:
    """Serve a few short jobs at a time; the rates are high enough for thousands of requests from one address."""
    file = tmp_path_factory.mktemp("quiz") / "questions.jsonl"
    options = {f"option_{place}": text for place, text in enumerate(["3", "4", "5"])}
    question = {"question_id": 7, "category": "math", "question": "2 + 2?", "answer": "B", "src": "test", **options}
    file.write_text(json.dumps(question), "utf-8")
    many = {"max_visitor_jobs": 10**6, "max_address_jobs": 10**6, "max_address_requests": 10**6}
    short = {"max_new_tokens": 4, "job_seconds": 5, "quiz_seconds": 5, "max_quiz_tokens": 8}
    config = replace(engine.config, quiz_data=file, max_address_uploads=10**6, **many, **short)
    served = LocalEngine(config, lambda report: engine.loaded)
    app = build_app(served)
    with launched(app) as url:
        yield url
    served.close()
