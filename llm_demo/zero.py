"""ZeroGPU: an engine each of whose jobs runs in a process of its own, which has a GPU for as long as the job takes.

A Space on this hardware has no GPU until a function decorated with `spaces.GPU` is called; the call runs in a forked
process, its arguments and what it yields are pickled, and CUDA must not be touched anywhere else. So the weights wait
on the CPU, and what goes to the other process is an `Order`: plain values, and the name of the model.
Source: https://huggingface.co/docs/hub/spaces-zerogpu, and `spaces/zero/wrappers.py` of spaces 0.51.3.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from typing import Literal

import torch
from torch import Tensor

from llm_demo.config import ZERO, Config
from llm_demo.decoding.feed import Weighed
from llm_demo.engine import Engine
from llm_demo.engine.local import LocalEngine
from llm_demo.errors import DemoError
from llm_demo.jobs import Decision
from llm_demo.models.files import Report
from llm_demo.models.loader import Loaded, cache_capacity, choose_device, load_default
from llm_demo.request import Request

START_SECONDS = 10  # a process, CUDA and the weights on their way to the GPU
PASS_SECONDS = 0.05  # of a small model on such a GPU, its record included

Task = Callable[..., Iterator[object]]
Lend = Callable[..., Task]  # `spaces.GPU`: takes a task and, by name, the seconds that a call of it may take


def lender(environ: Mapping[str, str]) -> Lend | None:
    """Return `spaces.GPU` on ZeroGPU hardware, before anything has touched CUDA; None anywhere else."""
    on_zero = environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
    return import_module("spaces").GPU if on_zero and find_spec("spaces") else None


@dataclass(frozen=True, slots=True)
class Order:
    """What a process is asked for.

    Attributes:
        method: of `Engine`.
        given: its arguments.
        passes: of the model, at most about so many one after another.
    """

    method: Literal["stream_many", "look", "weigh", "batch_log_probs"]
    given: tuple[object, ...]
    passes: int


def seconds(_key: str, config: Config, order: Order) -> int:
    """Return for how long a GPU is asked; a shorter time is granted sooner, and fits into a smaller quota."""
    return min(config.job_seconds, START_SECONDS + math.ceil(order.passes * PASS_SECONDS))


class ZeroEngine(LocalEngine):
    """Sends out what decodes, reads or scores; `call` stays here, on the CPU.

    Visitors' rows are not decoded together: each job has a process to itself, and it is ZeroGPU that says who may
    have one, and when.
    """

    def __init__(
        self,
        config: Config,
        read: Callable[[Report], Loaded],
        thread: ThreadPoolExecutor | None = None,
        lend: Lend | None = None,
        task: Task | None = None,
    ) -> None:
        """Begin to load, onto the CPU.

        Args:
            config: the operator's; its device is not asked.
            read: as of `Engine`.
            thread: as of `Engine`.
            lend: decorates the task of the app's own engine, before the app is launched.
            task: that of the app's own engine, for the models beside it.
        """
        super().__init__(config, read, thread)
        self._on_gpu: dict[str, Engine] = {}  # used in the other process alone, which may be asked again
        self._task = task or lend(self._job, duration=seconds)

    @classmethod
    def lent(cls, lend: Lend, config: Config) -> "ZeroEngine":
        """Return the app's own engine, its model on the way into memory; `lend` is `spaces.GPU`."""
        config = replace(config, device=ZERO)
        return cls(config, lambda report: load_default(config, report), lend=lend)

    @property
    def device(self) -> str:
        """Not that of its weights, which wait on the CPU."""
        return "ZeroGPU"

    def stream_many(self, requests: Sequence[Request], top_k: int = 10, visitor: str = "") -> Iterator[Decision]:
        """As `Engine.stream_many`; nothing is sent out before it is read."""
        super().stream_many(requests, top_k, visitor)  # refuses what is past a bound; unread, it runs nothing
        longest = max((request.sampling.max_new_tokens for request in requests), default=1)
        return self._send(Order("stream_many", (tuple(requests), top_k), longest))

    def look(self, prompt: str, forced: Sequence[int] = (), visitor: str = "") -> Tensor:  # noqa: ARG002
        """As `Engine.look`."""
        (logits,) = self._send(Order("look", (prompt, tuple(forced)), 1))
        return torch.from_numpy(logits)

    def weigh(
        self, asked: Sequence[tuple[str, Sequence[int]]], top_k: int = 5, visitor: str = ""
    ) -> Iterator[tuple[int, Weighed]]:
        """As `Engine.weigh`; nothing is sent out before it is read."""
        super().weigh(asked, top_k, visitor)
        return self._send(Order("weigh", (tuple(asked), top_k), len(asked)))

    def batch_log_probs(self, pairs: Sequence[tuple[str, str | Sequence[int]]]) -> list[list[float]]:
        """As `Engine.batch_log_probs`."""
        (scores,) = self._send(Order("batch_log_probs", (tuple(pairs),), len(pairs)))
        return scores

    def _twin(self, config: Config, read: Callable[[Report], Loaded]) -> LocalEngine:
        return ZeroEngine(config, read, self._thread, task=self._task)

    def _send(self, order: Order) -> Iterator:
        """Have an order carried out elsewhere; yield what comes of it, and raise what a person can be told."""
        for said in self._task(self.loaded.card.key, self.config, order):
            if isinstance(said, DemoError):
                raise said
            yield said

    def _job(self, key: str, config: Config, order: Order) -> Iterator[object]:
        """Carry an order out, in the process that has the GPU. It sees this engine as it was when that one began."""
        torch.set_num_threads(1)  # OpenMP's team of threads did not come along, and waiting for it would never end
        try:
            found = getattr(self._engine_here(key).within(config), order.method)(*order.given)
            for said in found if isinstance(found, Iterator) else (found,):
                # A tensor would be sent as shared memory, which this process cannot lend after its end.
                yield said.numpy() if isinstance(said, Tensor) else said
        except DemoError as error:  # any other is told by `spaces` as a name alone
            yield error

    def _engine_here(self, key: str) -> Engine:
        """Return what runs a model on this process's GPU, with a worker and threads of its own."""
        if key not in self._on_gpu:
            beside = self.of(key)
            self._on_gpu[key] = LocalEngine(beside.config, lambda _report: _moved(beside.loaded, beside.config))
        return self._on_gpu[key]


def _moved(loaded: Loaded, config: Config) -> Loaded:
    device = choose_device(replace(config, device="auto"))
    model = loaded.model.to(device)
    draft = loaded.draft and loaded.draft.to(device)
    return replace(loaded, model=model, draft=draft, capacity=cache_capacity(model, config))
