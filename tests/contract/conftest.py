"""The same tiny model twice: in this process, and behind a server that speaks as vLLM does."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from llm_demo.config import Config
from llm_demo.engine import Engine
from tests.contract.fake import FakeServer

NAME = "tiny"


@pytest.fixture(scope="session")
def serve(tiny_folder: Path, tiny_model, tiny_tokenizer) -> Iterator[Callable[..., tuple[Engine, FakeServer]]]:
    """Serve the tiny model and open an engine on it; `server` goes to the server, the rest to `Config`."""
    made: list[tuple[Engine, FakeServer]] = []

    def start(server: dict | None = None, **options: object) -> tuple[Engine, FakeServer]:
        fake = FakeServer(tiny_model, tiny_tokenizer, **{"names": [NAME], **(server or {})})
        config = Config(endpoint=fake.url, extra_models={NAME: str(tiny_folder)}, device="cpu", **options)
        made.append((Engine.load(config=config), fake))
        return made[-1]

    yield start
    for engine, fake in made:
        engine.close()
        fake.close()


@pytest.fixture(scope="session")
def local(tiny_folder: Path) -> Iterator[Engine]:
    config = Config(device="cpu", dtype="float32", extra_models={NAME: str(tiny_folder)})
    engine = Engine.load(NAME, config)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def remote(serve) -> Engine:
    return serve()[0]


@pytest.fixture(params=["local", "remote"])
def either(request) -> Engine:
    """Each side in its turn."""
    return request.getfixturevalue(request.param)
