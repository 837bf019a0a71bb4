"""Engine: what the tabs need of a model; who runs it is told in `local.py` and `remote.py`."""

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from copy import copy
from dataclasses import replace
from typing import Self, TypeVar

from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from llm_demo.config import Config
from llm_demo.decoding.feed import Waiting, Weighed
from llm_demo.errors import InputError
from llm_demo.jobs import Decision
from llm_demo.models.catalogue import ModelCard, find
from llm_demo.models.loader import Loaded
from llm_demo.offers import EVERYTHING, Offers
from llm_demo.prompt import encode, is_begun
from llm_demo.request import Request, check_bounds, check_context, check_forced, check_text
from llm_demo.sampling import Sampling
from llm_demo.startup import Loading
from llm_demo.trace import Step, Trace
from llm_demo.traces import Traces

STREAMS = 64  # texts at once of a model in this process: the worker decodes them together

Result = TypeVar("Result")


class Engine(ABC):
    """Runs one model for everybody. Every bound of `Config` is enforced here.

    Calls wait while the model is loading; if it could not be loaded they raise its ModelError.

    Attributes:
        config: the operator's.
        cards: every model that a visitor may name, by key.
    """

    config: Config
    cards: Mapping[str, ModelCard]
    _tokenizer_of: Callable[[ModelCard], PreTrainedTokenizerBase]
    _hear: Callable[[int], None] = staticmethod(lambda _place: None)

    @classmethod
    def load(cls, model: str = "", config: Config | None = None, wait: bool = True) -> "Engine":
        """Load a model: into this process, or reach it where the operator names an endpoint that serves it.

        Args:
            model: a key of the catalogue, a hub id or a folder; empty for the operator's or machine's default.
            config: the environment's where None.
            wait: False returns at once; `loading` then tells how far it is.

        Raises:
            ModelError: with `wait`, the model cannot be loaded.
        """
        config = config or Config.from_env(os.environ)
        if config.endpoint:
            from llm_demo.engine.remote import RemoteEngine as Kind
        else:
            from llm_demo.engine.local import LocalEngine as Kind
        engine = Kind.open(model, config)
        if wait:
            _ = engine.loaded
        return engine

    @property
    def offers(self) -> Offers:
        """What may be asked of it; waits while it is loading."""
        return EVERYTHING

    @property
    def streams(self) -> int:
        """How many texts it takes on at once, everybody's together: what the app lets in follows from it."""
        return STREAMS

    @property
    @abstractmethod
    def loading(self) -> Loading:
        """How far the start is; never waits."""

    @property
    @abstractmethod
    def loaded(self) -> Loaded:
        """The model with all that belongs to it."""

    @property
    def model(self) -> PreTrainedModel:
        """The transformers model itself, for whoever wants to compare; without weights where it runs elsewhere."""
        return self.loaded.model

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The transformers tokenizer itself."""
        return self.loaded.tokenizer

    @property
    def device(self) -> str:
        """What its jobs run on: `cpu`, `cuda` or `ZeroGPU`."""
        return self.model.device.type

    @abstractmethod
    def call(self, work: Callable[[], Result]) -> Result:
        """Run something that computes in the one thread of this process that does.

        A second thread that computes would bring a second team of OpenMP threads with it; teams that together
        outnumber the cores sleep between two products instead of waiting awake, and everything takes twice as long.
        """

    @abstractmethod
    def close(self) -> None:
        """Stop after the current step, the models beside this one too."""

    def tokenizer_of(self, model: str | None = None) -> PreTrainedTokenizerBase:
        """Return the tokenizer of any model of the catalogue, its weights left alone; the loaded one's by default."""
        if model in (None, ""):
            return self.tokenizer
        card = find(model, self.cards)
        is_loaded = self.loading.stage == "ready" and self.loaded.card == card
        return self.tokenizer if is_loaded else self._tokenizer_of(card)

    @abstractmethod
    def of(self, model: str | None) -> "Engine":
        """Return the engine of any model of the catalogue, by default this one; waits while it is loading.

        Another model is opened when it is first asked for, and shares the one thread that computes. Of those beside
        the default, `max_models` stay in memory. To be asked of the app's own engine, not of one that it returned.

        Raises:
            ModelError: unknown, not to be had, or too large for the memory that is free.
        """

    def _beside(self, model: str | None) -> ModelCard | None:
        """Return the card of another model of the catalogue, None where this engine's is meant."""
        if model in (None, ""):
            return None
        card = find(model, self.cards)
        return None if card == self.loaded.card else card

    @abstractmethod
    def is_open(self, model: str | None) -> bool:
        """Tell whether `of` would find a model of the catalogue opened already; ModelError where there is none."""

    def within(self, config: Config) -> Self:
        """Return this engine under other bounds: the same model, run by the same worker. Waits while it is loading."""
        _ = self.loaded
        bounded = copy(self)
        bounded.config = config
        return bounded

    def heard_by(self, hear: Callable[[int], None]) -> Self:
        """Return this engine, the same model, that tells its caller's place in the line.

        Args:
            hear: is told the place, from 1, where it is nearer than the one before, by whoever reads the answer.
        """
        heard = copy(self)
        heard._hear = hear
        return heard

    def _heard(self, decisions: Generator[Decision, None, None]) -> Iterator[Decision]:
        nearest = math.inf
        with closing(decisions):
            for decision in decisions:
                if isinstance(decision.event, Waiting) and decision.event.place < nearest:
                    nearest = decision.event.place
                    self._hear(nearest)
                yield decision

    @abstractmethod
    def stream_many(self, requests: Sequence[Request], top_k: int = 10, visitor: str = "") -> Iterator[Decision]:
        """Yield the decisions of several continuations, decoded together, each with its request's number.

        Args:
            requests: what to continue, and how.
            top_k: candidates to record for each step.
            visitor: whose they are; one visitor's calls run one after another.
        """

    @abstractmethod
    def look(self, prompt: str, forced: Sequence[int] = (), visitor: str = "") -> Tensor:
        """Read a text and return what the model says of the token after it; nothing is picked.

        Args:
            prompt: plain text, sent as it is.
            forced: tokens that follow it.
            visitor: whose it is; one visitor's calls run one after another.

        Returns:
            The logits, shape (vocab_size,), float32, on the CPU; nobody else's. Where an engine `offers` no logits,
            they are log-probabilities, which differ from logits by a constant.

        Raises:
            InputError: prompt or forced tokens past a bound, before anything runs.
            DeadlineError: it took longer than `job_seconds`.
            ModelError: the engine does not tell them.
        """

    @abstractmethod
    def weigh(
        self, asked: Sequence[tuple[str, Sequence[int]]], top_k: int = 5, visitor: str = ""
    ) -> Iterator[tuple[int, Weighed]]:
        """Read texts, each once, and tell how likely some tokens are after it; a text is answered as it is read.

        Read piece by piece, between other visitors' steps: a hundred texts hold nobody up.

        Args:
            asked: texts as in `look`, each with the ids of the tokens to weigh after it.
            top_k: likeliest tokens of the whole vocabulary to tell besides.
            visitor: whose they are; one visitor's calls run one after another.

        Yields:
            Place among `asked`, and what the model says there.

        Raises:
            InputError: a text or a token past a bound, before anything runs.
            DeadlineError: together they took longer than `job_seconds`.
        """

    @abstractmethod
    def batch_log_probs(self, pairs: Sequence[tuple[str, str | Sequence[int]]]) -> list[list[float]]:
        """Return `log_probs` of each (prompt, continuation); what several begin with is read once.

        A continuation may be token ids, to score exactly what was generated.
        """

    def next_step(self, prompt: str, sampling: Sampling, top_k: int = 10) -> Step:
        """Return the decision about the token after the prompt."""
        check_bounds([Request(prompt, sampling)], top_k, self.config)  # one token is decided, but no bound is waived
        return self.generate(prompt, replace(sampling, max_new_tokens=1), top_k).steps[0]

    def stream(self, prompt: str, sampling: Sampling, top_k: int = 10, forced: Sequence[int] = ()) -> Iterator[Step]:
        """Yield the decisions of one continuation as they fall; closing it stops the work within one step.

        Beam search decides last of all: its steps come when it has ended.

        Args:
            prompt: plain text, sent as it is.
            sampling: how to continue it.
            top_k: candidates to record for each step.
            forced: tokens that the continuation has to begin with; greedy decoding and sampling only.

        Raises:
            InputError, SettingsError: prompt or settings past a bound, before anything runs.
            DeadlineError: the job took longer than `job_seconds`.
        """
        decisions = self.stream_many([Request(prompt, sampling, tuple(forced))], top_k)
        return (decision.event for decision in decisions if isinstance(decision.event, Step))

    def generate(self, prompt: str, sampling: Sampling, top_k: int = 10, forced: Sequence[int] = ()) -> Trace:
        """Return one whole continuation; arguments and errors are those of `stream`."""
        return self.generate_many([Request(prompt, sampling, tuple(forced))], top_k)[0]

    def branch(
        self, prompt: str, trace: Trace, place: int, token_id: int, sampling: Sampling, top_k: int = 10
    ) -> Trace:
        """Continue a trace's first `place` tokens with another token: "what if it had said…".

        Raises:
            InputError: there is no such place in the trace, or no such token.
        """
        if not 0 <= place <= len(trace.token_ids):
            raise InputError("bad_place", value=place, last=len(trace.token_ids))
        return self.generate(prompt, sampling, top_k, (*trace.token_ids[:place], token_id))

    def compare(self, prompt: str, samplings: Sequence[Sampling], top_k: int = 10) -> list[Trace]:
        """Continue one prompt in several ways: it is read once, and the rows are decoded together."""
        if not 1 <= len(samplings) <= self.config.max_compared:
            raise InputError("samplings", limit=self.config.max_compared)
        return self.generate_many([Request(prompt, sampling) for sampling in samplings], top_k)

    def generate_many(self, requests: Sequence[Request], top_k: int = 10, visitor: str = "") -> list[Trace]:
        """Return one trace a request, all decoded together; arguments are those of `stream_many`."""
        decisions = self.stream_many(requests, top_k, visitor)
        traces = self.collect(requests)
        for decision in decisions:
            traces.add(decision)
        return traces.finished()

    def collect(self, requests: Sequence[Request]) -> Traces:
        """Return what makes traces of these requests' decisions, whole or partial."""
        loaded = self.loaded
        return Traces(
            [self.encode(request.prompt) for request in requests],
            [request.sampling.max_new_tokens for request in requests],
            loaded.stop_ids,
            loaded.tokenizer.decode,
        )

    def log_probs(self, prompt: str, continuation: str) -> list[float]:
        """Return the natural logarithm of each continuation token's probability after the prompt.

        The two are tokenized apart and joined, so the boundary stays where the caller put it.
        """
        return self.batch_log_probs([(prompt, continuation)])[0]

    def encode(self, prompt: str) -> tuple[int, ...]:
        """Return a prompt's token ids, as the model reads them.

        Raises:
            InputError: it is blank or longer than a prompt may be.
        """
        if not isinstance(prompt, str) or not prompt.strip():
            raise InputError("empty_prompt")
        check_text(prompt, self.config)
        return encode(self.tokenizer, prompt, special=not is_begun(self.tokenizer, prompt))

    def _encode_forced(self, prompt: str, forced: Sequence[int]) -> tuple[int, ...]:
        """Return the ids of a prompt and of tokens that follow it, all within their bounds."""
        if len(forced) > self.config.max_new_tokens:
            raise InputError("full_text", limit=self.config.max_new_tokens)
        check_forced(forced, self.loaded)
        ids = (*self.encode(prompt), *forced)
        check_context(len(ids), self.loaded)
        return ids

    def _encode_pairs(
        self, pairs: Sequence[tuple[str, str | Sequence[int]]]
    ) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        """Return the ids of each prompt and of its continuation, all within their bounds."""
        known: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
        for prompt, given in pairs:
            if isinstance(given, str):
                check_text(given, self.config)
            ids = encode(self.tokenizer, given, special=False) if isinstance(given, str) else tuple(given)
            known.append((self.encode(prompt), ids))
            check_context(sum(map(len, known[-1])), self.loaded)
        return known
