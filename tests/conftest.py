"""What tests share: the embedded model, loaded once, and tiny random ones made from a seed."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from llm_demo.config import Config
from llm_demo.engine import Engine
from llm_demo.engine.local import LocalEngine
from llm_demo.models.catalogue import EMBEDDED, ModelCard
from llm_demo.models.loader import Loaded

torch.set_num_threads(1)  # tests run side by side, a core for each

SECONDS = 60  # no test waits longer for a pass that should come
END = "<|end|>"
END_ID = 256  # the tiny tokenizer's ids below it are the 256 bytes


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """The embedded model in float32 on the CPU, where our numbers must equal transformers' own."""
    cache = Config.from_env({name: os.environ.get(name, "") for name in ("LLM_DEMO_CACHE",)}).cache
    loaded = Engine.load(EMBEDDED, Config(cache=cache, device="cpu", dtype="float32"))
    yield loaded
    loaded.close()


@pytest.fixture(scope="session")
def make_tiny_model() -> Callable[..., LlamaForCausalLM]:
    """Make a random model of 259 tokens, the same for the same seed; keywords go to its config."""

    def make(seed: int = 0, **options: object) -> LlamaForCausalLM:
        torch.manual_seed(seed)
        sizes = {
            "vocab_size": 259,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 1024,
            "initializer_range": 0.5,  # wide enough that its distributions are far from flat
            "bos_token_id": None,
            "eos_token_id": END_ID,
            "pad_token_id": END_ID,
        }
        return LlamaForCausalLM(LlamaConfig(**{**sizes, **options})).eval()

    return make


@pytest.fixture(scope="session")
def tiny_model(make_tiny_model) -> LlamaForCausalLM:
    """A random model that no test may change."""
    return make_tiny_model()


class Watched:
    """A model whose forward passes are seen and, with `held`, wait until they are allowed.

    Attributes:
        model: the model itself.
        passes: (rows, tokens a row) of each pass that began.
    """

    def __init__(self, model: LlamaForCausalLM, held: bool) -> None:
        self.model = model
        self.passes: list[tuple[int, int]] = []
        self._permits = threading.Semaphore(0) if held else None
        model.register_forward_pre_hook(self._begin, with_kwargs=True)

    def allow(self, passes: int = 100_000) -> None:
        self._permits.release(passes)

    def _begin(self, model: LlamaForCausalLM, args: tuple, kwargs: dict) -> None:
        if self._permits and not self._permits.acquire(timeout=SECONDS):
            raise TimeoutError("nobody allowed this pass")
        self.passes.append(tuple(kwargs["input_ids"].shape))


@pytest.fixture
def watch(make_tiny_model) -> Iterator[Callable[..., Watched]]:
    """Make a tiny model whose passes are watched; whatever is still held at the end is let go.

    A test names it after the fixture that runs the model, so that this one ends first.
    """
    made: list[Watched] = []

    def make(held: bool = False, **options: object) -> Watched:
        made.append(Watched(make_tiny_model(**options), held))
        return made[-1]

    yield make
    for watched in made:
        if watched._permits:
            watched.allow()


@pytest.fixture(scope="session")
def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte, and one that ends a text."""
    bytes_alone = {letter: id_ for id_, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(BPE(vocab=bytes_alone, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END)


@pytest.fixture
def make_engine(make_tiny_model, tiny_tokenizer) -> Iterator[Callable[..., Engine]]:
    """Run a tiny model; keywords go to `Config`."""
    made: list[Engine] = []

    def make(
        model: LlamaForCausalLM | None = None,
        stop_ids: frozenset[int] = frozenset(),
        draft: LlamaForCausalLM | None = None,
        capacity: int = 100_000,
        number_format: str = "float32",
        **options: object,
    ) -> Engine:
        model = model or make_tiny_model()
        context = model.config.max_position_embeddings
        loaded = Loaded(
            ModelCard("tiny", "/nowhere"), model, tiny_tokenizer, stop_ids, context, capacity, number_format, draft
        )
        made.append(LocalEngine(Config(**options), lambda report: loaded))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory, tiny_model, tiny_tokenizer) -> Path:
    """A tiny model and its tokenizer as an operator would keep them: safetensors in a folder."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    tiny_model.save_pretrained(folder)
    tiny_tokenizer.save_pretrained(folder)
    return folder
