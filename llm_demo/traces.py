"""Traces: what the strategies of a job decide, collected into one Trace each, whole or partial."""

import time
from collections.abc import Callable, Sequence

from llm_demo.decoding.feed import Ended
from llm_demo.jobs import Decision
from llm_demo.trace import BeamStep, Draft, FinishReason, Ranked, Step, Trace


class Traces:
    """Collects the decisions of `Engine.stream_many`."""

    def __init__(
        self,
        prompts: Sequence[tuple[int, ...]],
        lengths: Sequence[int],
        stop_ids: frozenset[int],
        decode: Callable[..., str],
    ) -> None:
        """The seconds of the traces count from here.

        Args:
            prompts: the token ids of each request's prompt.
            lengths: the most tokens that each may generate.
            stop_ids: the end-of-text tokens.
            decode: token ids to text.
        """
        self._prompts = prompts
        self._lengths = lengths
        self._stop_ids = stop_ids
        self._decode = decode
        self._begun = time.monotonic()
        self._decisions: list[list[Decision]] = [[] for _ in prompts]
        self._seconds = [0.0 for _ in prompts]

    def add(self, decision: Decision) -> None:
        """Take the next decision."""
        self._decisions[decision.row].append(decision)
        self._seconds[decision.row] = time.monotonic() - self._begun

    def finished(self) -> list[Trace]:
        """Return what there is so far; a continuation that has not ended counts as cancelled."""
        return [self._trace(row) for row in range(len(self._prompts))]

    def _trace(self, row: int) -> Trace:
        decisions = self._decisions[row]

        def events(kind: type) -> tuple:
            return tuple(decision.event for decision in decisions if isinstance(decision.event, kind))

        steps = events(Step)
        ids = tuple(step.chosen.token_id for step in steps)
        log_probs = [step.log_prob for step in steps]
        return Trace(
            prompt_ids=self._prompts[row],
            token_ids=ids,
            steps=steps,
            text=self._decode(ids, skip_special_tokens=True),
            finish_reason=self._finish_reason(row, ids),
            log_prob=None if None in log_probs else sum(log_probs),
            forward_passes=decisions[-1].forward_passes if decisions else 0,
            seconds=self._seconds[row],
            drafts=events(Draft),
            beam_steps=events(BeamStep),
            ranking=events(Ranked),
        )

    def _finish_reason(self, row: int, ids: tuple[int, ...]) -> FinishReason:
        ended = any(isinstance(decision.event, Ended) for decision in self._decisions[row])
        if ended or (ids and ids[-1] in self._stop_ids):
            return "stop"
        return "length" if len(ids) == self._lengths[row] else "cancelled"
