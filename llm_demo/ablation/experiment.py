"""Experiment: variants of a prompt times ways of answering, planned within the bounds, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from llm_demo.ablation.first import FirstToken
from llm_demo.ablation.parts import Part, check_parts, check_texts
from llm_demo.ablation.variants import DEFAULT, Scheme, Variant, make_variants
from llm_demo.adherence import Check
from llm_demo.engine import Engine
from llm_demo.errors import InputError
from llm_demo.request import Request, check_bounds, check_context
from llm_demo.sampling import Sampling
from llm_demo.trace import FinishReason


@dataclass(frozen=True, slots=True)
class Experiment:
    """What is to be run.

    Attributes:
        model: the key of the model.
        parts: those that were switched on.
        checks: each belongs to one of the parts.
        variants: at least one; the first, as a rule the full prompt, is what the others are compared with.
        samplings: of the answers of each variant; greedy decoding, where it was asked for, comes first.
    """

    model: str
    parts: tuple[Part, ...]
    checks: tuple[Check, ...]
    variants: tuple[Variant, ...]
    samplings: tuple[Sampling, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model wrote for one variant.

    Attributes:
        sampling: how, its seed included.
        token_ids: as generated, the end-of-text token included where it came.
        pieces: each decoded alone.
        log_probs: of each under the variant's own raw distributions, in nats.
        text: special tokens left out.
        finish_reason: `cancelled` while it is being written, and for good where it was stopped.
    """

    sampling: Sampling
    token_ids: tuple[int, ...]
    pieces: tuple[str, ...]
    log_probs: tuple[float, ...]
    text: str
    finish_reason: FinishReason

    @property
    def whole(self) -> bool:
        """Whether it was written to its end, or to the bound on new tokens."""
        return self.finish_reason != "cancelled"


@dataclass(frozen=True, slots=True)
class Result:
    """What is known of an experiment, as far as it has run.

    Attributes:
        experiment: what was asked for.
        answers: of each variant, in the order of the samplings; none of a variant that has not been begun.
        scores: by answer of the first variant, then by variant: the log-probability of each token of the answer, in
            nats. Lists end where the run has.
        first: by variant, the next-token distribution beside that of the first.
    """

    experiment: Experiment
    answers: tuple[tuple[Answer, ...], ...]
    scores: tuple[tuple[tuple[float, ...], ...], ...] = ()
    first: tuple[FirstToken, ...] = ()


def plan(
    engine: Engine,
    parts: Sequence[Part],
    checks: Sequence[Check],
    sampling: Sampling,
    samples: int,
    greedy: bool = True,
    schemes: Sequence[Scheme] = DEFAULT,
    chosen: Sequence[Sequence[int]] = (),
) -> Experiment:
    """Return an experiment within the bounds.

    Args:
        engine: what is to run it.
        parts, checks: as `Experiment` has them.
        sampling: of the samples; their seeds count up from its own.
        samples: of each variant; 0 where `greedy` is enough.
        greedy: whether to decode each variant greedily too.
        schemes, chosen: which variants, as `make_variants` takes them.

    Raises:
        InputError, SettingsError: something is past a bound, or cannot be sent to the model as it is.
    """
    config = engine.config
    parts = check_parts(parts, config.max_parts)
    check_texts(parts, engine.tokenizer, config)
    count = check_samples(samples, config.max_samples, least=0 if greedy else 1)
    variants = make_variants(engine.tokenizer, parts, schemes, chosen)
    if len(variants) > config.max_variants:
        raise InputError("many_variants", count=len(variants), limit=config.max_variants)
    samplings = [replace(sampling, strategy="sample", seed=sampling.seed + number) for number in range(count)]
    if greedy:
        samplings.insert(0, replace(sampling, strategy="greedy"))
    for variant in variants:
        check_bounds([Request(variant.prompt, sampling)], 1, config)
        check_context(len(engine.encode(variant.prompt)) + sampling.max_new_tokens, engine.loaded)
    return Experiment(engine.loaded.card.key, tuple(parts), tuple(checks), tuple(variants), tuple(samplings))


def check_samples(samples: object, limit: int, least: int = 1) -> int:
    """Return the number of samples, or raise InputError."""
    if isinstance(samples, bool) or not isinstance(samples, int) or not least <= samples <= limit:
        raise InputError("samples", value=repr(samples)[:40], limit=limit)
    return samples


def make_requests(variants: Sequence[Variant], sampling: Sampling, samples: int) -> list[Request]:
    """Return `samples` requests a variant, in order; the seeds count up from the sampling's own."""
    return [
        Request(variant.prompt, replace(sampling, seed=sampling.seed + number))
        for variant in variants
        for number in range(samples)
    ]
