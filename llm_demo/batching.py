"""Worker: one thread that owns the model and decodes every visitor's rows together.

Between two forward passes newcomers join and whoever is finished, cancelled or late leaves, so nobody waits for
anybody's whole text. All rows that feed one token share a pass; a strategy that feeds several has its own.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import torch
from transformers import PreTrainedModel

from llm_demo.crowd import Crowd
from llm_demo.decoding.feed import Feed
from llm_demo.errors import DemoError, ModelError
from llm_demo.jobs import Decision, Job, Run
from llm_demo.memory import give_back
from llm_demo.prefill import Prefill, Prompts
from llm_demo.replay import Replay
from llm_demo.rows import Fed, Rows
from llm_demo.turns import Turns

PIECES = {"cpu": 64, "cuda": 512}  # tokens of a prompt read between two steps of everybody else: about one step's time
GIVE_BACK_SECONDS = 5.0  # more often, and new tokens wait for memory: it takes milliseconds, and so does asking again
MUCH = 64 * 2**20  # bytes of keys and values that are given back as soon as nobody needs them
# What torch, transformers and arithmetic raise, and what a person can be told.
FAILURES = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError, DemoError)
FAILURES += (AssertionError, AttributeError, MemoryError)

Result = TypeVar("Result")

log = logging.getLogger(__name__)


class Worker:
    """Runs jobs on one model until `close`. All its state belongs to its one thread."""

    def __init__(
        self,
        model: PreTrainedModel,
        draft: PreTrainedModel | None = None,
        capacity: int = 1_000_000,
        same_alone: bool = True,
        thread: Turns | None = None,
        replay: Replay | None = None,
    ) -> None:
        """
        Args:
            model: every job's.
            draft: a smaller one of the same vocabulary, for speculative decoding.
            capacity: tokens that the caches may hold over all rows; jobs beyond it wait.
            same_alone: whether a lone row is to get to the last bit what it would get in a crowd.
            thread: a single one, shared with other models' workers, whose steps take turns; its own where None.
            replay: the model's recorded decode steps; what they keep reserved is taken off the capacity.
        """
        self._models = {"main": model, "draft": draft}
        self._same_alone = same_alone
        self._replay = replay
        self._thread = thread or Turns()
        self._crowd = Crowd(capacity - (replay.rows * replay.width if replay else 0))
        self._prompts = Prompts(self._make_rows, PIECES.get(model.device.type, PIECES["cuda"]))
        self._shared = self._make_shared()
        self._busy = False
        self._closed = False
        self._gave_back = time.monotonic()

    def submit(self, job: Job) -> Job:
        """Queue a job; its `decisions` follow."""
        admitted = self._thread.submit(self._line_up, job)
        admitted.add_done_callback(lambda done: done.exception() and job.fail(done.exception()))
        return job

    def call(self, work: Callable[[], Result]) -> Result:
        """Run something that needs the model between two steps, and return its result."""
        try:
            return self._thread.submit(torch.inference_mode()(work)).result()
        except torch.OutOfMemoryError as error:
            raise ModelError("out_of_memory") from error

    def close(self) -> None:
        """Stop after the current step and wait for the thread; whoever listens hears nothing more."""
        self._closed = True
        self._thread.shutdown(cancel_futures=True)
        for run in [*self._crowd.running, *self._crowd.waiting]:
            run.job.outbox.put(None)

    def _make_rows(self, model: str = "main") -> Rows:
        return Rows(self._models[model], self._same_alone)

    def _make_shared(self) -> Rows:
        return Rows(self._models["main"], self._same_alone, self._replay)

    def _line_up(self, job: Job) -> None:
        job.running = len(job.strategies)
        for number, (strategy, shape) in enumerate(zip(job.strategies, job.shapes, strict=True)):
            self._crowd.line_up(Run(job, number, strategy, shape, next(strategy), alone=job.alone[number]))
        if not self._busy:
            self._busy = True
            self._schedule()

    def _schedule(self) -> None:
        """Queue the next ticks behind whatever was asked for meanwhile."""
        self._thread.submit(self._ticks).add_done_callback(self._ticked)

    @torch.inference_mode()
    def _ticks(self) -> bool:
        """Take one tick after another until somebody else wants the thread; return whether there is more to do."""
        self._tick()
        while goes_on := self._goes_on():
            if self._thread.wanted:
                break
            self._tick()
        return goes_on

    def _ticked(self, ticks: Future[bool]) -> None:
        if error := ticks.exception():
            self._fail_all(error)
        if self._goes_on() if error else ticks.result():
            self._schedule()

    def _tick(self) -> None:
        """Admit newcomers, read some of their prompts, and take one step with all rows."""
        self._crowd.drop_the_gone()
        self._prompts.drop_the_gone()
        self._admit()
        self._read_prompts()
        self._shared_pass()
        for run in [run for run in self._crowd.running if run.own and not run.rows]:
            self._own_pass(run)

    def _goes_on(self) -> bool:
        """Let go of what nobody needs any more; return whether there is more to do."""
        self._busy = bool(self._crowd)
        freed = 0
        if not self._crowd.running:
            freed = self._shared.nbytes
            self._shared = self._make_shared()
        if freed > MUCH or time.monotonic() - self._gave_back > GIVE_BACK_SECONDS:
            give_back()  # caches come and go in every width, and what is left between them would only ever grow
            self._gave_back = time.monotonic()
        return self._busy and not self._closed

    def _admit(self) -> None:
        for run in self._crowd.admit():
            if run.history:  # it ran before, until memory was short
                self._resume(run)
            else:
                self._prompts.add(run)

    def _read_prompts(self) -> None:
        if self._prompts.idle:
            return
        streaming = any(run.rows or run.own for run in self._crowd.running)
        for prefill, fed in self._prompts.read(streaming):
            for run in prefill.runs:
                if fed is None:
                    self._turn_away(run)
                    continue
                run.remember()
                if self._advance(run, Fed(fed.logits[:, -run.feed.wanted :], fed.hidden)):
                    self._settle(run, prefill)
        self._prompts.keep_firsts([run.job for run in self._crowd.waiting])

    def _settle(self, run: Run, prefill: Prefill) -> None:
        """Give a run the row that was read for it: among everybody's, or its own."""
        if run.alone:
            run.own[prefill.model] = self._make_rows(prefill.model)
            run.own[prefill.model].join(prefill.rows, prefill.row)
        else:
            if self._replay or self._shared or len(prefill.rows) > 1 or self._prompts.lends(prefill):
                self._shared.join(prefill.rows, prefill.row)
            else:
                self._shared = prefill.rows  # where nobody else is, it stays where it was read
            run.rows = [len(self._shared) - 1]

    def _shared_pass(self) -> None:
        runs = sorted((run for run in self._crowd.running if run.rows), key=lambda run: run.rows[0])
        if not runs:
            return
        parents, tokens = [], []
        for run in runs:
            chosen = run.feed.parents or range(len(run.rows))
            parents += [run.rows[parent] for parent in chosen]
            tokens += run.feed.tokens
        self._shared.arrange(parents)
        place = 0
        for run in runs:
            run.rows = list(range(place, place + len(run.feed.tokens)))
            place += len(run.rows)
            run.remember()
            run.feed = Feed(run.feed.tokens, hidden=run.feed.hidden)  # its parents are these rows now
        try:
            fed = self._shared.step(tokens, hidden=any(run.feed.hidden for run in runs))
        except torch.OutOfMemoryError:
            self._make_do(runs)
            return
        for run in runs:
            run.forward_passes += 1
            rows = slice(run.rows[0], run.rows[-1] + 1)
            self._advance(run, Fed(fed.logits[rows], fed.hidden[rows] if run.feed.hidden else None))

    def _own_pass(self, run: Run) -> None:
        model = run.feed.model
        if model not in run.own:
            if run not in self._prompts:
                self._prompts.add(run)
            return
        rows = run.own[model]
        rows.forget(0, run.feed.forget)
        run.remember()
        run.forward_passes += model == "main"
        self._advance(run, rows.step(run.feed.tokens, wanted=run.feed.wanted, hidden=run.feed.hidden))

    def _advance(self, run: Run, fed: Fed) -> bool:
        """Let a strategy decide; return whether it wants another pass."""
        try:
            said = run.strategy.send(fed)
            while not isinstance(said, Feed):
                run.job.outbox.put(Decision(run.number, said, run.forward_passes))
                said = next(run.strategy)
        except StopIteration:
            run.job.running -= 1
            if not run.job.running:
                run.job.outbox.put(None)
        except FAILURES as error:  # fails this job alone
            run.job.fail(error)
        else:
            run.feed = said
            return True
        self._crowd.leave(run)
        return False

    def _make_do(self, runs: list[Run]) -> None:
        """Out of memory: the newest half goes back into the line, and fewer are let in from now on."""
        self._prompts.forget_firsts()
        leaving = runs[len(runs) // 2 :]
        for run in runs:
            run.history = [tokens[:-1] for tokens in run.history]  # the pass did not happen
        if len(runs) == 1:
            self._turn_away(leaving[0])
        else:
            for run in leaving:
                run.rows = []
            self._crowd.send_back(leaving)
        self._crowd.stay_as_few()
        # The memory is given back before anybody's cache is made anew, rows in the order that they had.
        staying = [run for run in runs if run in self._crowd.running]
        self._shared = self._make_shared()
        if self._models["main"].device.type == "cuda":
            torch.cuda.empty_cache()
        for run in staying:
            self._resume(run)

    def _turn_away(self, run: Run) -> None:
        """Fail a run that is too much for the memory by itself."""
        self._crowd.leave(run)
        run.job.fail(ModelError("out_of_memory"))

    def _resume(self, run: Run) -> None:
        """Read again what a run's rows held; its feed is still to come."""
        run.rows = []
        for tokens in run.history:
            rows = self._make_rows()
            rows.step([tokens])
            run.rows.append(len(self._shared))
            self._shared.join(rows)

    def _fail_all(self, error: BaseException) -> None:
        """The model itself failed: nobody's cache can be trusted any more."""
        log.error("A step of the model failed", exc_info=error)
        if isinstance(error, torch.OutOfMemoryError):
            error = ModelError("out_of_memory")
        for run in self._crowd.running:
            run.job.fail(error)
        self._crowd.running.clear()  # with the last of them their rows go
        self._prompts.clear()
