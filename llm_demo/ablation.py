"""Ablation: a prompt in named parts, its variants, and what each part was worth in probability."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from transformers import PreTrainedTokenizerBase

from llm_demo.chat import Message, has_template, render
from llm_demo.engine import Engine
from llm_demo.errors import InputError
from llm_demo.request import Request
from llm_demo.sampling import Sampling
from llm_demo.trace import Trace

Kind = Literal["full", "without", "only"]


@dataclass(frozen=True, slots=True)
class Part:
    """One instruction of a prompt, with the name a person gave it."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Variant:
    """A prompt made of some of the parts.

    Attributes:
        kind: all parts, all but `part`, or `part` alone.
        part: the name of the part; empty for the full prompt.
        prompt: as the model reads it, template included.
    """

    kind: Kind
    part: str
    prompt: str

    @property
    def name(self) -> str:
        """Return its name in the API, such as `without:tone`."""
        return f"{self.kind}:{self.part}" if self.part else self.kind


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


def read_parts(data: object, limit: int) -> list[Part]:
    """Read the JSON form: a list of objects with `name` and `text`.

    Raises:
        InputError: it is anything else, nothing is written in it, two names are one, or there are too many.
    """
    if not isinstance(data, list) or not all(
        isinstance(part, dict) and set(part) == {"name", "text"} and all(isinstance(v, str) for v in part.values())
        for part in data
    ):
        raise InputError("parts")
    parts = [Part(part["name"].strip(), part["text"]) for part in data if part["text"].strip()]
    if not parts:
        raise InputError("empty_parts")
    if len(parts) > limit:
        raise InputError("many_parts", count=len(parts), limit=limit)
    names = [part.name for part in parts]
    if "" in names or len(set(names)) < len(names):
        raise InputError("part_names")
    return parts


def make_variants(tokenizer: PreTrainedTokenizerBase, parts: Sequence[Part]) -> list[Variant]:
    """Return the full prompt, the prompt without each part, and the last part alone.

    A prompt of one part has no other variant; of two, `without` the first already is the last alone.
    """

    def variant(kind: Kind, name: str, kept: Sequence[Part]) -> Variant:
        text = "\n".join(part.text for part in kept)
        prompt = render(tokenizer, [Message("user", text)]) if has_template(tokenizer) else text
        return Variant(kind, name, prompt)

    variants = [variant("full", "", parts)]
    if len(parts) > 1:
        variants += [variant("without", left.name, [p for p in parts if p != left]) for left in parts]
    if len(parts) > 2:
        variants.append(variant("only", parts[-1].name, parts[-1:]))
    return variants


def make_requests(variants: Sequence[Variant], sampling: Sampling, samples: int) -> list[Request]:
    """Return `samples` requests a variant, in order; the seeds count up from the sampling's own."""
    return [
        Request(variant.prompt, replace(sampling, seed=sampling.seed + number))
        for variant in variants
        for number in range(samples)
    ]


def check_samples(samples: object, limit: int) -> int:
    """Return the number of samples, or raise InputError."""
    if isinstance(samples, bool) or not isinstance(samples, int) or not 1 <= samples <= limit:
        raise InputError("samples", value=repr(samples)[:40], limit=limit)
    return samples


def measure(engine: Engine, variants: Sequence[Variant], answer: Trace) -> list[Effect]:
    """Return what each left-out part was worth to the full prompt's answer, token ids as generated."""
    left_out = [variant for variant in variants if variant.kind == "without"]
    if not left_out or not answer.token_ids:
        return []
    pairs = [(variant.prompt, answer.token_ids) for variant in [variants[0], *left_out]]
    full, *others = map(sum, engine.batch_log_probs(pairs))
    return [Effect(variant.part, full - other) for variant, other in zip(left_out, others, strict=True)]
