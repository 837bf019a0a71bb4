"""LocalEngine: a model in this process, run by a worker for everybody."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial

from torch import Tensor

from llm_demo.batching import Worker
from llm_demo.config import ZERO, Config
from llm_demo.decoding import make_strategy, rows_of
from llm_demo.decoding.feed import Event, Waiting, Weighed
from llm_demo.decoding.glance import glance, weigh
from llm_demo.decoding.scoring import plan, read
from llm_demo.decoding.until import until
from llm_demo.engine.protocol import Engine, Result
from llm_demo.errors import DeadlineError, ModelError
from llm_demo.jobs import Decision, Job
from llm_demo.models.catalogue import ModelCard, catalogue, find
from llm_demo.models.files import Report, load_tokenizer
from llm_demo.models.loader import Loaded, check_room, load, load_default
from llm_demo.replay import CudaGraphs, prepare
from llm_demo.request import Request, check_bounds, check_context, check_forced, check_strategy
from llm_demo.sampling import DRAFTING
from llm_demo.shelf import Shelf
from llm_demo.startup import Loading, Startup
from llm_demo.turns import Turns


class LocalEngine(Engine):
    """Runs one model for everybody, in the one thread of this process that computes."""

    def __init__(self, config: Config, read: Callable[[Report], Loaded], thread: Turns | None = None) -> None:
        """Begin to load in a thread of its own; `Engine.load` is the usual way in.

        Args:
            config: the operator's.
            read: brings the model into memory; is given a function to report its stages to.
            thread: the one that computes, where another engine has it already; a single one.
        """
        self.config = config
        self.cards: Mapping[str, ModelCard] = catalogue(config)
        self._is_first = thread is None
        self._thread = thread or Turns()
        self._start: Startup[tuple[Loaded, Worker]] = Startup(lambda report: self._begin(read(report)))
        self._others: Shelf[LocalEngine] = Shelf(config.max_models)
        self._tokenizer_of = lru_cache(maxsize=8)(partial(load_tokenizer, config=config, report=lambda _stage: None))

    @classmethod
    def open(cls, model: str, config: Config) -> "LocalEngine":
        """Begin to load a model, the default one where `model` is empty; returns at once."""
        if not model:
            return cls(config, lambda report: load_default(config, report))
        config = replace(config, model=model)
        card = find(model, catalogue(config))
        return cls(config, lambda report: load(card, config, report))

    def _begin(self, loaded: Loaded) -> tuple[Loaded, Worker]:
        # Ten candidates a step are ten tokens to spell, most of them seen before.
        self._spell = lru_cache(maxsize=2**17)(loaded.tokenizer.decode)
        # Elsewhere the last bits may differ: a lone row needs no mask then, which takes time.
        same_alone = loaded.number_format == "float32"
        # Not where a GPU is lent for moments, nor for models beside the default one, whose memory is to go again.
        lasting = self._is_first and self.config.device != ZERO and loaded.model.device.type == "cuda"
        replay = prepare(loaded.model, loaded.capacity, CudaGraphs) if lasting else None
        return loaded, Worker(loaded.model, loaded.draft, loaded.capacity, same_alone, self._thread, replay)

    @property
    def loading(self) -> Loading:
        """How far the start is; never waits."""
        return self._start.loading

    @property
    def loaded(self) -> Loaded:
        """The model with all that belongs to it."""
        return self._start.result()[0]

    def call(self, work: Callable[[], Result]) -> Result:
        return self._start.result()[1].call(work)

    def close(self) -> None:
        for engine in (self, *self._others.clear()):
            engine._start.result()[1].close()

    def of(self, model: str | None) -> "LocalEngine":
        card = self._beside(model)
        if card is None:
            return self
        engine = self._others.get(card.key, lambda: beside(card, self.config, self._twin))
        try:
            engine._start.result()
        except ModelError:
            self._others.drop(card.key, engine)  # next time the hub may answer
            raise
        return engine

    def is_open(self, model: str | None) -> bool:
        card = self._beside(model)
        return card is None or card.key in self._others

    def _twin(self, config: Config, read: Callable[[Report], Loaded]) -> "LocalEngine":
        return LocalEngine(config, read, self._thread)

    def stream_many(self, requests: Sequence[Request], top_k: int = 10, visitor: str = "") -> Iterator[Decision]:
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
        _, worker = self._start.result()
        ids = self._encode_forced(prompt, forced)
        job = Job([glance(ids)], [(1, len(ids))], [False], self.config.job_seconds, visitor)
        (seen,) = (event for _, event in self._without_waiting(worker, job))
        return seen.logits

    def weigh(
        self, asked: Sequence[tuple[str, Sequence[int]]], top_k: int = 5, visitor: str = ""
    ) -> Iterator[tuple[int, Weighed]]:
        loaded, worker = self._start.result()
        strategies, shapes = [], []
        for prompt, wanted in asked:
            check_forced(wanted, loaded)
            ids = self.encode(prompt)
            check_context(len(ids), loaded)
            strategies.append(weigh(ids, wanted, top_k))
            shapes.append((1, len(ids)))
        job = Job(strategies, shapes, [False] * len(strategies), self.config.job_seconds, visitor)
        return self._without_waiting(worker, job)

    def _run(self, worker: Worker, job: Job) -> Iterator[Decision]:
        """Submit when the first decision is asked for: an iterator that nobody reads costs nothing."""
        job.began = time.monotonic()
        yield from self._heard(worker.submit(job).decisions())

    def _without_waiting(self, worker: Worker, job: Job) -> Iterator[tuple[int, Event]]:
        for decision in self._run(worker, job):
            if not isinstance(decision.event, Waiting):
                yield decision.row, decision.event

    def batch_log_probs(self, pairs: Sequence[tuple[str, str | Sequence[int]]]) -> list[list[float]]:
        loaded = self.loaded
        deadline = time.monotonic() + self.config.job_seconds
        known = self._encode_pairs(pairs)
        scores: dict[int, list[float]] = {}
        for batch in plan(known):
            if time.monotonic() > deadline:
                raise DeadlineError("deadline", seconds=self.config.job_seconds)
            scores |= self.call(partial(read, loaded.model, batch, known))
        return [scores.get(place, []) for place in range(len(known))]

    def _decode(self, ids: int | Sequence[int], **options: object) -> str:
        return self._spell(ids) if isinstance(ids, int) else self.tokenizer.decode(ids, **options)


def beside(
    card: ModelCard, config: Config, begin: Callable[[Config, Callable[[Report], Loaded]], LocalEngine]
) -> LocalEngine:
    """Begin to open a model beside another one; one that would not fit is refused.

    Args:
        card: of the model.
        config: of the other one.
        begin: makes its engine.
    """
    config = replace(config, model=card.key, draft_model="")

    def read(report: Report) -> Loaded:
        check_room(card, config, report)
        return load(card, config, report)

    return begin(config, read)
