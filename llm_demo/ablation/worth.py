"""Worth: what a part did for the probability of an answer that the whole prompt had got."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

from llm_demo.ablation.experiment import Result
from llm_demo.ablation.variants import Variant
from llm_demo.engine import Engine
from llm_demo.trace import Trace


@dataclass(frozen=True, slots=True)
class Effect:
    """What leaving a part out cost the full prompt's own first answer.

    Attributes:
        part: its name.
        nats: the answer's log-probability under the full prompt less that without the part; positive where
            the part made the answer likelier.
    """

    part: str
    nats: float


@dataclass(frozen=True, slots=True)
class Worth:
    """What the first variant's answers lose under another variant.

    Attributes:
        variant: the other one.
        nats: of the first answer: its log-probability under the first variant less that under this one.
        by_token: the same of each token of the first answer; they add up to `nats`.
        others: `nats` of each further answer.
    """

    variant: Variant
    nats: float
    by_token: tuple[float, ...]
    others: tuple[float, ...]


def measure(engine: Engine, variants: Sequence[Variant], answer: Trace) -> list[Effect]:
    """Return what each left-out part was worth to the full prompt's answer, token ids as generated."""
    left_out = [variant for variant in variants if variant.kind == "without"]
    if not left_out or not answer.token_ids:
        return []
    # One at a time: rows padded to one length would differ in the last bits.
    scores = [engine.batch_log_probs([(one.prompt, answer.token_ids)])[0] for one in (variants[0], *left_out)]
    full, *others = map(sum, scores)
    return [Effect(variant.part, full - other) for variant, other in zip(left_out, others, strict=True)]


def worths(result: Result) -> list[Worth]:
    """Return what every variant but the first cost the first one's answers, as far as it was measured."""
    if not result.scores:
        return []
    (full, *others), *more = result.scores
    found = []
    for number, score in enumerate(others, start=1):
        by_token = tuple(mine - other for mine, other in zip(full, score, strict=True))
        further = tuple(sum(scores[0]) - sum(scores[number]) for scores in more if number < len(scores))
        found.append(Worth(result.experiment.variants[number], sum(by_token), by_token, further))
    return found


def noise(result: Result) -> float | None:
    """Return by how many nats two answers to the first variant differ that differ in nothing but their seeds.

    It is the mean over all pairs of its sampled answers (Gini's mean difference) of the difference between their
    log-probabilities, as far as the shorter one goes: a part that is worth less has done no more than another throw of
    the dice. None of fewer than two whole ones.
    """
    sampled = [answer.log_probs for answer in result.answers[0] if answer.whole and answer.sampling.draws]
    differences = []
    for one, other in combinations(sampled, 2):
        shared = min(len(one), len(other))
        differences.append(abs(sum(one[:shared]) - sum(other[:shared])))
    return fmean(differences) if differences else None
