"""The same model twice or more: in this process, and behind servers."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel

from llm_demo.config import Config
from llm_demo.engine import Engine
from tests.contract.fake import FakeServer

NAME = "tiny"
LLAMA_CPP = os.environ.get("CONTRACT_LLAMA_CPP", "")  # address of its server with the embedded model: see llama_cpp.py


@dataclass(frozen=True, slots=True)
class Side:
    """An engine, and what it is held against.

    Attributes:
        judge: the model itself, asked directly.
        slack: by how much a probability may differ from the judge's.
    """

    engine: Engine
    judge: PreTrainedModel
    slack: float = 2e-5

    @property
    def words(self) -> tuple[int, ...]:
        """Two tokens that a text may go on with."""
        return tuple(self.engine.tokenizer(" a b", add_special_tokens=False).input_ids[:2])

    def rows(self, ids: tuple[int, ...] | list[int]) -> Tensor:
        """Return the log-probabilities after every token, by one plain pass without a cache."""
        with torch.inference_mode():
            return self.judge(input_ids=torch.tensor([list(ids)]), use_cache=False).logits[0].float().log_softmax(-1)


@pytest.fixture(scope="session")
def serve(tiny_folder: Path, tiny_model, tiny_tokenizer) -> Iterator[Callable[..., tuple[Engine, FakeServer]]]:
    """Serve the tiny model and open an engine on it; `server` goes to the server, the rest to `Config`."""
    engines: list[Engine] = []
    servers: list[FakeServer] = []

    def start(server: dict | None = None, **options: object) -> tuple[Engine, FakeServer]:
        servers.append(FakeServer(tiny_model, tiny_tokenizer, **{"names": [NAME], **(server or {})}))
        config = Config(endpoint=servers[-1].url, extra_models={NAME: str(tiny_folder)}, device="cpu", **options)
        engines.append(Engine.load(config=config))
        return engines[-1], servers[-1]

    yield start
    for one in (*engines, *servers):
        one.close()


@pytest.fixture(scope="session")
def local(tiny_folder: Path, tiny_model) -> Iterator[Side]:
    config = Config(device="cpu", dtype="float32", extra_models={NAME: str(tiny_folder)})
    engine = Engine.load(NAME, config)
    yield Side(engine, tiny_model)
    engine.close()


@pytest.fixture(scope="session")
def remote(serve, tiny_model) -> Side:
    return Side(serve()[0], tiny_model)


@pytest.fixture(scope="session")
def llama_cpp(engine: Engine) -> Iterator[Side]:
    """llama.cpp on the embedded file; its products of 4 bits are not those of the float32 weights made from it."""
    opened = Engine.load(config=Config(endpoint=LLAMA_CPP, cache=engine.config.cache, device="cpu"))
    yield Side(opened, engine.model, slack=0.1)
    opened.close()


@pytest.fixture(params=["local", "remote", *(["llama_cpp"] if LLAMA_CPP else [])])
def side(request) -> Side:
    """Each engine in its turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["local", "remote"])
def exact(request) -> Side:
    """Those that compute as the judge does, and take any token."""
    return request.getfixturevalue(request.param)
