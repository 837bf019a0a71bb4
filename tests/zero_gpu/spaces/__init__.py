"""`spaces` as it is on ZeroGPU hardware, less the GPU: what spaces 0.51.3 does to a decorated generator function.

Arguments and what is yielded are pickled; the call runs in a forked process, whose threads are its own, and the next
call may find that process again; closing the iterator stops it at its next word; of an exception only the name comes
back. Outside such a process `torch.cuda` says that there is a GPU, and using it fails.
"""

import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import torch

FORK = multiprocessing.get_context("fork")
END, FAILED, SAID = "end", "failed", "said"


def forbidden() -> None:
    raise RuntimeError("CUDA was touched outside a process that has a GPU")


OUTSIDE = {"is_available": lambda: True, "_lazy_init": forbidden}
INSIDE = {name: getattr(torch.cuda, name) for name in OUTSIDE}


running: list["Process"] = []


def pretend(functions: dict[str, Callable]) -> None:
    for name, function in functions.items():
        setattr(torch.cuda, name, function)


class Process:
    """One that carries out calls of a task, one after another."""

    def __init__(self, task: Callable[..., Iterator[object]]) -> None:
        self.orders, self.said, self.stop = FORK.SimpleQueue(), FORK.SimpleQueue(), FORK.Event()
        self.process = FORK.Process(target=self._work, args=(task,), daemon=True)
        self.process.start()
        running.append(self)

    def _work(self, task: Callable[..., Iterator[object]]) -> None:
        pretend(INSIDE)
        while True:
            given = pickle.loads(self.orders.get())
            self.stop.clear()
            with ThreadPoolExecutor() as thread:
                ended = thread.submit(self._iterate, task, given).result()
            self.said.put(ended)

    def _iterate(self, task: Callable[..., Iterator[object]], given: tuple) -> tuple[str, bytes]:
        iterator = task(*given)
        try:
            for value in iterator:
                if self.stop.is_set():
                    iterator.close()
                    break
                self.said.put((SAID, pickle.dumps(value)))
        except Exception as error:  # noqa: BLE001 - so does the package
            return FAILED, pickle.dumps(type(error).__name__)
        return END, pickle.dumps(None)


def GPU(task: Callable[..., Iterator[object]] | None = None, *, duration: Callable | None = None) -> Callable:  # noqa: N802
    if task is None:
        return partial(GPU, duration=duration)
    idle: list[Process] = []
    lock = threading.Lock()

    def call(*given: object) -> Iterator[object]:
        with Path(os.environ["ZERO_GPU_LOG"]).open("a") as log:
            print(duration(*given), file=log)
        with lock:
            process = idle.pop() if idle else Process(task)
        process.orders.put(pickle.dumps(given))
        kind = SAID
        try:
            while kind == SAID:
                kind, value = process.said.get()
                if kind == FAILED:
                    raise RuntimeError(f"ZeroGPU worker error: {pickle.loads(value)}")
                if kind == SAID:
                    yield pickle.loads(value)
        finally:
            process.stop.set()
            while kind == SAID:
                kind, _ = process.said.get()
            if kind == END:
                idle.append(process)

    return call


def stop_all() -> None:
    while running:
        running.pop().process.kill()


if os.environ.get("SPACES_ZERO_GPU") == "true":
    pretend(OUTSIDE)
