"""Engine: the one door to a model."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import replace
from functools import lru_cache, partial
from typing import TypeVar

from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from llm_demo.batching import Worker
from llm_demo.config import Config
from llm_demo.decoding import make_strategy, rows_of
from llm_demo.decoding.feed import Weighed
from llm_demo.decoding.glance import glance, weigh
from llm_demo.decoding.scoring import plan, read
from llm_demo.decoding.until import until
from llm_demo.errors import DeadlineError, InputError, ModelError
from llm_demo.jobs import Decision, Job
from llm_demo.models.catalogue import ModelCard, catalogue, find
from llm_demo.models.loader import Loaded, Report, check_room, load, load_default, load_tokenizer
from llm_demo.request import Request, check_bounds, check_context, check_forced, check_strategy, check_text
from llm_demo.sampling import DRAFTING, Sampling
from llm_demo.shelf import Shelf
from llm_demo.startup import Loading, Startup
from llm_demo.trace import Step, Trace
from llm_demo.traces import Traces

Result = TypeVar("Result")


class Engine:
    """Runs one model for everybody. Every bound of `Config` is enforced here.

    Calls wait while the model is loading; if it could not be loaded they raise its ModelError.

    Attributes:
        config: the operator's.
        cards: every model that a visitor may name, by key.
    """

    def __init__(
        self, config: Config, read: Callable[[Report], Loaded], thread: ThreadPoolExecutor | None = None
    ) -> None:
        """Begin to load in a thread of its own; `Engine.load` is the usual way in.

        Args:
            config: the operator's.
            read: brings the model into memory; is given a function to report its stages to.
            thread: the one that computes, where another engine has it already; a single one.
        """
        self.config = config
        self.cards: Mapping[str, ModelCard] = catalogue(config)
        self._thread = thread or ThreadPoolExecutor(1, thread_name_prefix="llm-demo-worker")
        self._start: Startup[tuple[Loaded, Worker]] = Startup(lambda report: self._begin(read(report)))
        self._others: Shelf[Engine] = Shelf(config.max_models)
        self._tokenizer_of = lru_cache(maxsize=8)(partial(load_tokenizer, config=config, report=lambda _stage: None))

    @classmethod
    def load(cls, model: str = "", config: Config | None = None, wait: bool = True) -> "Engine":
        """Load a model.

        Args:
            model: a key of the catalogue, a hub id or a folder; empty for the operator's or machine's default.
            config: the environment's where None.
            wait: False returns at once; `loading` then tells how far it is.

        Raises:
            ModelError: with `wait`, the model cannot be loaded.
        """
        config = config or Config.from_env(os.environ)
        if model:
            config = replace(config, model=model)
            card = find(model, catalogue(config))
            engine = cls(config, lambda report: load(card, config, report))
        else:
            engine = cls(config, lambda report: load_default(config, report))
        if wait:
            engine._start.result()
        return engine

    def _begin(self, loaded: Loaded) -> tuple[Loaded, Worker]:
        # Ten candidates a step are ten tokens to spell, most of them seen before.
        self._spell = lru_cache(maxsize=2**17)(loaded.tokenizer.decode)
        # The 4-bit kernel rounds each number of rows in its own way: there, twice would be for nothing.
        same_alone = loaded.number_format != "int4"
        return loaded, Worker(loaded.model, loaded.draft, loaded.capacity, same_alone, self._thread)

    @property
    def loading(self) -> Loading:
        """How far the start is; never waits."""
        return self._start.loading

    @property
    def loaded(self) -> Loaded:
        """The model with all that belongs to it."""
        return self._start.result()[0]

    @property
    def model(self) -> PreTrainedModel:
        """The transformers model itself, for whoever wants to compare."""
        return self.loaded.model

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The transformers tokenizer itself."""
        return self.loaded.tokenizer

    @property
    def device(self) -> str:
        """What its jobs run on: `cpu`, `cuda` or `ZeroGPU`."""
        return self.model.device.type

    def call(self, work: Callable[[], Result]) -> Result:
        """Run something that computes with the model in the thread that owns it, between two steps of the visitors.

        A second thread that computes would bring a second team of OpenMP threads with it; teams that together
        outnumber the cores sleep between two products instead of waiting awake, and everything takes twice as long.
        """
        return self._start.result()[1].call(work)

    def close(self) -> None:
        """Stop after the current step, the models beside this one too."""
        for engine in (self, *self._others.clear()):
            engine._start.result()[1].close()

    def tokenizer_of(self, model: str | None = None) -> PreTrainedTokenizerBase:
        """Return the tokenizer of any model of the catalogue, its weights left alone; the loaded one's by default."""
        if model in (None, ""):
            return self.tokenizer
        card = find(model, self.cards)
        return self.tokenizer if self._is_loaded(card) else self._tokenizer_of(card)

    def of(self, model: str | None) -> "Engine":
        """Return the engine of any model of the catalogue, by default this one; waits while it is loading.

        Another model is opened when it is first asked for, and shares the one thread that computes. Of those beside
        the default, `max_models` stay in memory. To be asked of the app's own engine, not of one that it returned.

        Raises:
            ModelError: unknown, not to be had, or too large for the memory that is free.
        """
        if model in (None, "") or (card := find(model, self.cards)) == self.loaded.card:
            return self
        engine = self._others.get(card.key, lambda: self._beside(card))
        try:
            engine._start.result()
        except ModelError:
            self._others.drop(card.key, engine)  # next time the hub may answer
            raise
        return engine

    def within(self, config: Config) -> "Engine":
        """Return this engine under other bounds: the same model, run by the same worker. Waits while it is loading."""
        self._start.result()
        bounded = copy(self)
        bounded.config = config
        return bounded

    def _beside(self, card: ModelCard) -> "Engine":
        number_format = self.config.dtype if self.config.dtype != "int4" else "auto"  # 4 bits are one model's alone
        config = replace(self.config, model=card.key, draft_model="", dtype=number_format)

        def read(report: Report) -> Loaded:
            check_room(card, config, report)
            return load(card, config, report)

        return self._twin(config, read)

    def _twin(self, config: Config, read: Callable[[Report], Loaded]) -> "Engine":
        return Engine(config, read, self._thread)

    def _is_loaded(self, card: ModelCard) -> bool:
        return self.loading.stage == "ready" and self.loaded.card == card

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

    def generate_many(self, requests: Sequence[Request], top_k: int = 10) -> list[Trace]:
        """Return one trace a request, all decoded together."""
        decisions = self.stream_many(requests, top_k)
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

    def stream_many(self, requests: Sequence[Request], top_k: int = 10, visitor: str = "") -> Iterator[Decision]:
        """Yield the decisions of several continuations, decoded together, each with its request's number.

        Args:
            requests: what to continue, and how.
            top_k: candidates to record for each step.
            visitor: whose they are; one visitor's calls run one after another.
        """
        loaded, worker = self._start.result()
        check_bounds(requests, top_k, self.config)
        strategies, shapes = [], []
        for request in requests:
            check_strategy(request, loaded)
            ids = self.encode(request.prompt)
            length = len(ids) + request.sampling.max_new_tokens
            check_context(length, loaded)
            strategy = make_strategy(ids, request.sampling, top_k, loaded.stop_ids, self._decode, request.forced)
            strategies.append(until(strategy, request.until, self._decode) if request.until else strategy)
            shapes.append((rows_of(request.sampling), length))
        alone = [request.sampling.strategy in DRAFTING for request in requests]
        return self._run(worker, Job(strategies, shapes, alone, self.config.job_seconds, visitor))

    def look(self, prompt: str, forced: Sequence[int] = (), visitor: str = "") -> Tensor:
        """Read a text and return what the model says of the token after it; nothing is picked.

        Args:
            prompt: plain text, sent as it is.
            forced: tokens that follow it.
            visitor: whose it is; one visitor's calls run one after another.

        Returns:
            The logits, shape (vocab_size,), float32, on the CPU; nobody else's.

        Raises:
            InputError: prompt or forced tokens past a bound, before anything runs.
            DeadlineError: it took longer than `job_seconds`.
        """
        loaded, worker = self._start.result()
        if len(forced) > self.config.max_new_tokens:
            raise InputError("full_text", limit=self.config.max_new_tokens)
        check_forced(forced, loaded)
        ids = (*self.encode(prompt), *forced)
        check_context(len(ids), loaded)
        job = Job([glance(ids)], [(1, len(ids))], [False], self.config.job_seconds, visitor)
        (seen,) = self._run(worker, job)
        return seen.event.logits

    def weigh(
        self, asked: Sequence[tuple[str, Sequence[int]]], top_k: int = 5, visitor: str = ""
    ) -> Iterator[tuple[int, Weighed]]:
        """Read texts, each once, and tell how likely some tokens are after it; a text is answered as it is read.

        Read by the worker, piece by piece: a hundred texts hold nobody up.

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
        loaded, worker = self._start.result()
        strategies, shapes = [], []
        for prompt, wanted in asked:
            check_forced(wanted, loaded)
            ids = self.encode(prompt)
            check_context(len(ids), loaded)
            strategies.append(weigh(ids, wanted, top_k))
            shapes.append((1, len(ids)))
        job = Job(strategies, shapes, [False] * len(strategies), self.config.job_seconds, visitor)
        return ((decision.row, decision.event) for decision in self._run(worker, job))

    @staticmethod
    def _run(worker: Worker, job: Job) -> Iterator[Decision]:
        """Submit when the first decision is asked for: an iterator that nobody reads costs nothing."""
        job.began = time.monotonic()
        yield from worker.submit(job).decisions()

    def log_probs(self, prompt: str, continuation: str) -> list[float]:
        """Return the natural logarithm of each continuation token's probability after the prompt.

        The two are tokenized apart and joined, so the boundary stays where the caller put it.
        """
        return self.batch_log_probs([(prompt, continuation)])[0]

    def batch_log_probs(self, pairs: Sequence[tuple[str, str | Sequence[int]]]) -> list[list[float]]:
        """Return `log_probs` of each (prompt, continuation); what several begin with is read once.

        A continuation may be token ids, to score exactly what was generated.
        """
        loaded = self.loaded
        deadline = time.monotonic() + self.config.job_seconds
        encode = partial(loaded.tokenizer, add_special_tokens=False)
        known: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
        for prompt, given in pairs:
            if isinstance(given, str):
                check_text(given, self.config)
            ids = tuple(encode(given).input_ids if isinstance(given, str) else given)
            known.append((self.encode(prompt), ids))
            check_context(len(known[-1][0]) + len(ids), loaded)
        scores: dict[int, list[float]] = {}
        for batch in plan(known):
            if time.monotonic() > deadline:
                raise DeadlineError("deadline", seconds=self.config.job_seconds)
            scores |= self.call(partial(read, loaded.model, batch, known))
        return [scores.get(place, []) for place in range(len(known))]

    def _decode(self, ids: int | Sequence[int], **options: object) -> str:
        return self._spell(ids) if isinstance(ids, int) else self.tokenizer.decode(ids, **options)

    def encode(self, prompt: str) -> tuple[int, ...]:
        """Return a prompt's token ids, as the model reads them.

        Raises:
            InputError: it is blank or longer than a prompt may be.
        """
        if not isinstance(prompt, str) or not prompt.strip():
            raise InputError("empty_prompt")
        check_text(prompt, self.config)
        tokenizer = self.tokenizer
        # A chat template may already have written the token that begins every text.
        begun = bool(tokenizer.bos_token) and prompt.startswith(tokenizer.bos_token)
        return tuple(tokenizer(prompt, add_special_tokens=not begun).input_ids)
