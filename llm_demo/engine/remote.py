"""RemoteEngine: a model that a server elsewhere runs, behind an OpenAI-compatible interface."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import lru_cache, partial
from weakref import WeakValueDictionary

import torch
from openai.types import Model
from torch import Tensor

from llm_demo.config import Config
from llm_demo.decoding.feed import Event, Weighed
from llm_demo.engine.local import LocalEngine, beside
from llm_demo.engine.protocol import Engine, Result
from llm_demo.errors import ModelError, SettingsError
from llm_demo.jobs import Decision, Job
from llm_demo.models.catalogue import ModelCard, catalogue
from llm_demo.models.files import Report, load_tokenizer
from llm_demo.models.loader import Loaded
from llm_demo.offers import Offers
from llm_demo.remote.endpoint import Endpoint
from llm_demo.remote.probe import probe
from llm_demo.remote.rows import Ready, Row, score, spread, weigh, write
from llm_demo.remote.serving import cards_of, describe_model
from llm_demo.request import Request, check_bounds, check_context, check_forced, check_strategy
from llm_demo.sampling import PENALTIES, Sampling
from llm_demo.shelf import Shelf
from llm_demo.startup import Loading, Startup
from llm_demo.turns import Turns

log = logging.getLogger(__name__)

AGAIN = 5.0  # seconds after which a server that was not there is looked for anew
UNREADABLE = (AttributeError, IndexError, KeyError, TypeError, ValueError)  # an answer of another shape than expected

Served = Mapping[str, tuple[ModelCard, Model]]


class RemoteEngine(Engine):
    """Has one model of a server run; models of the catalogue that the server does not have run in this process."""

    def __init__(
        self,
        config: Config,
        endpoint: Endpoint,
        model: str = "",
        served: Served | None = None,
        thread: Turns | None = None,
    ) -> None:
        """Begin to find out what the server tells; `Engine.load` is the usual way in.

        Args:
            config: the operator's.
            endpoint: the server.
            model: which of its models, by key or name; empty for its first.
            served: its models, where they are known already.
            thread: the one of this process that computes, where another engine has it; a single one.
        """
        self.config = config
        self._endpoint = endpoint
        self._model = model
        self._served: Served = served or {}
        self._thread = thread or Turns()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._local: Shelf[LocalEngine] = Shelf(config.max_models)
        self._remote: dict[str, RemoteEngine] = {}
        self._tokenizer_of = lru_cache(maxsize=8)(partial(load_tokenizer, config=config, report=lambda _stage: None))
        self._known = threading.Event()
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._start = Startup(self._begin)

    @classmethod
    def open(cls, model: str, config: Config) -> "RemoteEngine":
        """Ask the operator's server for its models and begin to find out what it tells of one; soon returns."""
        engine = cls(config, Endpoint(config), model or config.model)
        engine._known.wait()  # the page names the models as it is built
        return engine

    def _begin(self, report: Report) -> Ready:
        report("load")
        try:
            if not self._served:
                models = self._endpoint.start(self._endpoint.models()).result()
                self._served = cards_of(models, catalogue(self.config))
        finally:
            self._known.set()
        card, served = self._chosen()
        loaded = describe_model(card, served, self.config)
        asked = probe(self._endpoint, served.id, loaded.tokenizer, self.config.max_top_k)
        dialect = self._endpoint.start(asked).result()
        return Ready(loaded, dialect, lru_cache(maxsize=2**17)(loaded.tokenizer.decode))

    def _chosen(self) -> tuple[ModelCard, Model]:
        """Return the card and the server's entry of the model wanted; ModelError where the server has none of it."""
        if not self._model:
            return next(iter(self._served.values()))
        for card, served in self._served.values():
            if self._model in (card.key, card.source, served.id):
                return card, served
        raise ModelError("unknown_model", name=self._model[:60], known=", ".join(self._served))

    def _ready(self) -> Ready:
        """Wait until the model can be asked; a server that was not there is looked for anew after a while."""
        with self._lock:
            if self._start.loading.stage == "failed" and time.monotonic() > self._began + AGAIN:
                self._began = time.monotonic()
                self._start = Startup(self._begin)
            start = self._start
        return start.result()

    @property
    def cards(self) -> Mapping[str, ModelCard]:  # type: ignore[override] - known once the server has told its own
        """The server's models, then those of the catalogue, which run here."""
        return {key: card for key, (card, _) in self._served.items()} | catalogue(replace(self.config, model=""))

    @property
    def offers(self) -> Offers:
        return self._ready().dialect.offers

    @property
    def streams(self) -> int:
        """The server's, but no fewer than here: whoever is let in and finds it full is told a place in its line."""
        return max(super().streams, self.config.max_streams)

    @property
    def loading(self) -> Loading:
        return self._start.loading

    @property
    def loaded(self) -> Loaded:
        return self._ready().loaded

    def call(self, work: Callable[[], Result]) -> Result:
        return self._thread.submit(torch.inference_mode()(work)).result()

    def close(self) -> None:
        for engine in self._local.clear():
            engine.close()
        self._endpoint.close()
        self._thread.shutdown(cancel_futures=True)

    def of(self, model: str | None) -> Engine:
        card = self._beside(model)
        if card is None:
            return self
        if card.key in self._served:
            with self._lock:
                if card.key not in self._remote:
                    more = (self._endpoint, card.key, self._served, self._thread)
                    self._remote[card.key] = RemoteEngine(self.config, *more)
                engine = self._remote[card.key]
            _ = engine.loaded
            return engine
        local = self._local.get(card.key, lambda: beside(card, self.config, self._here))
        try:
            _ = local.loaded
        except ModelError:
            self._local.drop(card.key, local)  # next time the hub may answer
            raise
        return local

    def is_open(self, model: str | None) -> bool:
        card = self._beside(model)
        return card is None or card.key in self._served or card.key in self._local

    def _here(self, config: Config, read: Callable[[Report], Loaded]) -> LocalEngine:
        return LocalEngine(replace(config, endpoint=""), read, self._thread)

    def stream_many(self, requests: Sequence[Request], top_k: int = 10, visitor: str = "") -> Iterator[Decision]:
        ready = self._ready()
        check_bounds(requests, top_k, self.config)
        rows = []
        for request in requests:
            check_strategy(request, ready.loaded)
            _check_offered(request.sampling, ready.dialect.offers)
            ids = self.encode(request.prompt)
            check_context(len(ids) + request.sampling.max_new_tokens, ready.loaded)
            rows.append(partial(write, ready, request, ids, top_k))
        return self._run(rows, visitor)

    def look(self, prompt: str, forced: Sequence[int] = (), visitor: str = "") -> Tensor:
        ready, ids = self._ready(), self._encode_forced(prompt, forced)
        if not ready.dialect.offers.whole:
            raise ModelError("engine_whole")
        (seen,) = self._weighed([partial(weigh, ready, ids, (), -1)], visitor)
        size = ready.loaded.model.config.get_text_config().vocab_size
        return self.call(partial(spread, seen.event.likeliest, size))

    def weigh(
        self, asked: Sequence[tuple[str, Sequence[int]]], top_k: int = 5, visitor: str = ""
    ) -> Iterator[tuple[int, Weighed]]:
        ready, rows = self._ready(), []
        for prompt, wanted in asked:
            check_forced(wanted, ready.loaded)
            ids = self.encode(prompt)
            check_context(len(ids), ready.loaded)
            rows.append(partial(weigh, ready, ids, tuple(wanted), top_k))
        return ((decision.row, decision.event) for decision in self._weighed(rows, visitor))

    def batch_log_probs(self, pairs: Sequence[tuple[str, str | Sequence[int]]]) -> list[list[float]]:
        ready, known = self._ready(), self._encode_pairs(pairs)
        return [list(decision.event.log_probs) for decision in self._weighed([partial(score, ready, known)], "")]

    def _weighed(self, rows: Sequence[Row], visitor: str) -> Iterator[Decision]:
        return (decision for decision in self._run(rows, visitor) if isinstance(decision.event, Weighed))

    def _run(self, rows: Sequence[Row], visitor: str) -> Iterator[Decision]:
        """Yield what the rows, run together, have to tell; begins when the first is asked for."""
        job = Job((), (), (), self.config.job_seconds, visitor)
        task = self._endpoint.start(self._together(job, rows))
        task.add_done_callback(partial(_over, job))
        try:
            yield from self._heard(job.decisions())
        finally:
            task.cancel()

    async def _together(self, job: Job, rows: Sequence[Row]) -> None:
        lock = self._turns.setdefault(job.visitor, asyncio.Lock()) if job.visitor else asyncio.Lock()
        async with lock, asyncio.TaskGroup() as group:
            for number, row in enumerate(rows):
                group.create_task(row(partial(_put, job, number)))


def _put(job: Job, number: int, event: Event) -> None:
    job.outbox.put(Decision(number, event, 0))


def _over(job: Job, task: "Future[None]") -> None:
    """Tell the listener that all is told, or what went wrong."""
    error = None if task.cancelled() else task.exception()
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, UNREADABLE):
        log.error("the server's answer cannot be read", exc_info=error)
        error = ModelError("engine_broken")
    job.outbox.put(error)


def _check_offered(sampling: Sampling, offers: Offers) -> None:
    """Refuse what the server does not do: SettingsError."""
    if sampling.strategy not in offers.strategies:
        raise SettingsError("engine_strategy", strategy=sampling.strategy, choices=", ".join(offers.strategies))
    neutral = Sampling()
    for knob in offers.without:
        matters = sampling.draws or knob in PENALTIES
        if matters and getattr(sampling, knob) != getattr(neutral, knob):
            raise SettingsError("engine_knob", knob=knob)
