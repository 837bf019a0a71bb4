"""Run: an experiment's answers a block of variants at a time, and what is measured of them afterwards."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from llm_demo.ablation.experiment import Answer, Experiment, Result
from llm_demo.ablation.first import first_token
from llm_demo.crowd import MAX_ROWS
from llm_demo.engine import Engine
from llm_demo.errors import InputError, ModelError
from llm_demo.request import Request
from llm_demo.sampling import Sampling
from llm_demo.trace import Trace

UPDATE_EVERY = 4  # tokens of each answer between two pictures
BLOCK_SECONDS = 20.0  # that a block is meant to take, a third of what a job may
# What a step of several rows costs, as measured on two cores: once, and for each row. Only their ratio counts.
STEP_COST, ROW_COST = 50, 3

Stage = Literal["answers", "worth", "first", "noise", "done"]


@dataclass(frozen=True, slots=True)
class Progress:
    """A picture of a run.

    Attributes:
        result: all that is known by now.
        stage: what is being done; `done` at the end.
        done: of `of` pieces of the stage.
    """

    result: Result
    stage: Stage
    done: int
    of: int


def run(engine: Engine, experiment: Experiment, visitor: str = "") -> Iterator[Progress]:
    """Run an experiment, each picture with all that is known by then; closing the iterator stops it.

    Variants are decoded together, in blocks of which each is a job of its own, so that none runs past a job's seconds.

    Raises:
        DeadlineError: a job took too long; the picture before stands.
    """
    result = Result(experiment, ((),) * len(experiment.variants))
    if not engine.offers.raw:
        raise ModelError("engine_raw")
    for picture in _answer(engine, result, visitor):
        result = picture
        yield Progress(result, "answers", sum(map(_whole, result.answers)), _cells(experiment))
    yield from _measure(engine, result, visitor)


def run_again(engine: Engine, result: Result, variant: int, answer: int, visitor: str = "") -> Iterator[Progress]:
    """Write one answer anew, with a seed that no answer had; a greedy one comes out as it was.

    An answer of the first variant is measured anew too.

    Raises:
        InputError: there is no such answer.
    """
    if not 0 <= variant < len(result.answers) or not 0 <= answer < len(result.answers[variant]):
        raise InputError("no_such_answer")
    old = result.answers[variant][answer].sampling
    last = max(one.sampling.seed for answers in result.answers for one in answers)
    sampling = replace(old, seed=last + 1) if old.draws else old
    requests = [Request(result.experiment.variants[variant].prompt, sampling)]
    for traces in _decode(engine, requests, visitor):
        answers = _replaced(result.answers[variant], answer, _read(sampling, traces[0]))
        new = replace(result, answers=_replaced(result.answers, variant, answers))
        yield Progress(new, "answers", 0, 1)
    if variant == 0 and answer < len(result.scores):
        scores = tuple(_score(engine, one.prompt, [answers[answer]])[0] for one in result.experiment.variants)
        new = replace(new, scores=_replaced(result.scores, answer, scores))
    yield Progress(new, "done", 1, 1)


def block_size(ways: int, budget: float, step: float, rows: int) -> int:
    """Return how many variants to decode together, at least one, as the block before went.

    Args:
        ways: answers of each variant.
        budget: seconds that a step of the block may take.
        step: seconds that one took in the block before.
        rows: of the block before.
    """
    costs = budget / max(step, 1e-9) * (STEP_COST + ROW_COST * rows)
    affordable = min((costs - STEP_COST) / ROW_COST, MAX_ROWS)
    return max(int(affordable) // ways, 1)


def _answer(engine: Engine, result: Result, visitor: str) -> Iterator[Result]:
    """Answer the first variant, and then as many of the others at once as this machine manages in good time."""
    variants, samplings = result.experiment.variants, result.experiment.samplings
    tokens = samplings[0].max_new_tokens
    begin, size = 0, 1
    while begin < len(variants):
        end = min(begin + size, len(variants))
        requests = [Request(variant.prompt, one) for variant in variants[begin:end] for one in samplings]
        begun = time.monotonic()
        for traces in _decode(engine, requests, visitor):
            read = [_read(request.sampling, trace) for request, trace in zip(requests, traces, strict=True)]
            new = tuple(tuple(read[at : at + len(samplings)]) for at in range(0, len(read), len(samplings)))
            result = replace(result, answers=result.answers[:begin] + new + result.answers[end:])
            yield result
        longest = max(len(trace.token_ids) for trace in traces)
        step = (time.monotonic() - begun) / longest
        begin, size = end, block_size(len(samplings), BLOCK_SECONDS / tokens, step, len(requests))


def _decode(engine: Engine, requests: Sequence[Request], visitor: str) -> Iterator[list[Trace]]:
    collected = engine.collect(requests)
    for count, decision in enumerate(engine.stream_many(requests, 1, visitor)):
        collected.add(decision)
        if count % (UPDATE_EVERY * len(requests)) == 0:
            yield collected.finished()
    yield collected.finished()


def _measure(engine: Engine, result: Result, visitor: str) -> Iterator[Progress]:
    variants, (main, *others) = result.experiment.variants, result.answers[0]
    scores: tuple[tuple[float, ...], ...] = ()
    for number, variant in enumerate(variants):
        yield Progress(result, "worth", number, len(variants))
        scores = (*scores, *_score(engine, variant.prompt, [main]))
        result = replace(result, scores=(scores,))
    reference = engine.look(variants[0].prompt, visitor=visitor) if engine.offers.whole else None
    for number, variant in enumerate(variants if engine.offers.whole else ()):
        yield Progress(result, "first", number, len(variants))
        logits = engine.look(variant.prompt, visitor=visitor) if number else reference
        first = engine.call(partial(first_token, reference, logits, engine.tokenizer.decode))
        result = replace(result, first=(*result.first, first))
    more: tuple[tuple[tuple[float, ...], ...], ...] = ((),) * len(others)
    for number, variant in enumerate(variants if others else ()):
        yield Progress(result, "noise", number, len(variants))
        given = _score(engine, variant.prompt, others)
        more = tuple((*old, new) for old, new in zip(more, given, strict=True))
        result = replace(result, scores=(scores, *more))
    yield Progress(result, "done", 1, 1)


def _score(engine: Engine, prompt: str, answers: Sequence[Answer]) -> list[tuple[float, ...]]:
    """Return the log-probabilities of answers to one prompt; a single one is read without any padding."""
    pairs = [(prompt, answer.token_ids) for answer in answers]
    return [tuple(found) for found in engine.batch_log_probs(pairs)]


def _read(sampling: Sampling, trace: Trace) -> Answer:
    return Answer(
        sampling,
        trace.token_ids,
        tuple(step.chosen.text for step in trace.steps),
        tuple(step.log_prob for step in trace.steps),
        trace.text,
        trace.finish_reason,
    )


def _whole(answers: Sequence[Answer]) -> int:
    return sum(answer.whole for answer in answers)


def _cells(experiment: Experiment) -> int:
    return len(experiment.variants) * len(experiment.samplings)


def _replaced(items: tuple, place: int, item: object) -> tuple:
    return (*items[:place], item, *items[place + 1 :])
