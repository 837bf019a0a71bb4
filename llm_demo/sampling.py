"""A visitor's settings, checked once, and what they turn into: transformers' own warpers and a seeded draw."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import accumulate

import torch
from torch import Tensor
from transformers import (
    GenerationConfig,
    LogitsProcessorList,
    MinPLogitsWarper,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from llm_demo.errors import SettingsError
from llm_demo.ranking import Ranking
from llm_demo.trace import Draw

# A strategy is added here together with its file in `decoding/`.
STRATEGIES = ("greedy", "sample", "beam", "contrastive", "prompt_lookup", "speculative")
DRAFTING = ("prompt_lookup", "speculative")

# Inclusive ranges, wide enough for every exercise of the course; an operator's own bounds come on top.
RANGES: dict[str, tuple[float, float]] = {
    "max_new_tokens": (1, 2048),
    "temperature": (0.001, 10.0),
    "top_k": (0, 1_000_000),
    "top_p": (0.001, 1.0),
    "min_p": (0.0, 1.0),
    "typical_p": (0.001, 1.0),
    "repetition_penalty": (0.1, 10.0),
    "no_repeat_ngram_size": (0, 100),
    "num_beams": (1, 8),
    "length_penalty": (-10.0, 10.0),
    "penalty_alpha": (0.0, 1.0),
    "num_draft_tokens": (0, 64),
    "seed": (0, 2**53 - 1),  # what a browser's number holds exactly
}

PENALTIES = ("repetition_penalty", "no_repeat_ngram_size")
TRANSFORMERS_DEFAULTS = {"top_k": 50}  # what `generate` samples with where a model says nothing
LIKELY = 32  # most numbers fall among so many tokens; to sort a whole vocabulary takes milliseconds
CLASS_BITS = 19  # of a float32's 32, the lower ones, that classes of probabilities leave out
LONG = 1e15  # a number past it is quoted as it came
MAX_CONTRAST = 16  # candidates of contrastive search: each is a row of its own at every step


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is picked. Names and meanings are those of transformers' GenerationConfig.

    Attributes:
        strategy: one of `STRATEGIES`.
        top_k: 0 keeps all.
        top_p: 1.0 keeps all.
        min_p: 0.0 keeps all.
        num_beams: for beam search.
        length_penalty: for beam search; above 0 favours long texts.
        penalty_alpha: for contrastive search; its number of candidates is `top_k`.
        num_draft_tokens: guessed at once by prompt lookup and speculative decoding; 0 lets them choose.
        seed: of the request's own random generator. The same seed gives the same text, whoever else is there, as far
            as the logits are the same: rows decoded together differ in the last bits of float32, which can change the
            places of two nearly equal tokens far down an unfiltered tail.
        typical_p: 1.0 keeps all.
        do_sample: whether prompt lookup and speculative decoding draw, as `sample` would, or are greedy.
        early_stopping: whether beam search ends as soon as it has `num_beams` finished texts.

    Raises:
        SettingsError: naming the knob, its value and its range.
    """

    strategy: str = "sample"
    max_new_tokens: int = 50
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    num_beams: int = 1
    length_penalty: float = 1.0
    penalty_alpha: float = 0.0
    num_draft_tokens: int = 0
    seed: int = 0
    typical_p: float = 1.0
    do_sample: bool = False
    early_stopping: bool = False

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            raise SettingsError("strategy", value=_shown(self.strategy), choices=", ".join(STRATEGIES))
        for knob in fields(self):
            value = getattr(self, knob.name)
            if knob.type is bool and not isinstance(value, bool):
                raise SettingsError("knob_switch", knob=knob.name, value=_shown(value))
            if knob.name in RANGES:
                object.__setattr__(self, knob.name, _checked(knob.name, value, whole=knob.type is int))
        if self.strategy == "contrastive" and not 1 <= self.top_k <= MAX_CONTRAST:
            raise SettingsError("knob_whole", knob="top_k", value=self.top_k, low=1, high=MAX_CONTRAST)

    @classmethod
    def from_dict(cls, settings: Mapping[str, object]) -> "Sampling":
        """Read a JSON object; a field that is no knob is refused with SettingsError."""
        if not isinstance(settings, Mapping):
            raise SettingsError("sampling_shape", value=_shown(settings))
        known = [knob.name for knob in fields(cls)]
        for name in settings:
            if name not in known:
                raise SettingsError("unknown_knob", name=_shown(name), known=", ".join(known))
        return cls(**settings)

    @classmethod
    def from_generation_config(cls, config: GenerationConfig) -> "Sampling":
        """Return what `generate` without options would do: a model's own defaults, over those of transformers.

        Source: https://huggingface.co/docs/transformers/main_classes/text_generation#transformers.GenerationConfig
        """
        strategy = "sample" if config.do_sample else "beam" if (config.num_beams or 1) > 1 else "greedy"
        names = {
            "sample": ("temperature", "top_k", "top_p", "min_p", "typical_p", *PENALTIES),
            "beam": ("num_beams", "length_penalty", *PENALTIES),
            "greedy": PENALTIES,
        }[strategy]
        own = {name: value for name in names if (value := getattr(config, name)) is not None}
        return cls(strategy, **(TRANSFORMERS_DEFAULTS if strategy == "sample" else {}) | own)

    @property
    def draws(self) -> bool:
        """Whether a random number takes part."""
        return self.strategy == "sample" or (self.strategy in DRAFTING and self.do_sample)


def _shown(value: object) -> str:
    """Quote what a stranger sent, at a length that a sentence bears."""
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _checked(name: str, value: object, whole: bool) -> float | int:
    low, high = RANGES[name]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    # NaN and infinities are outside every range.
    if not number or not low <= value <= high or (whole and value != int(value)):
        kind = "knob_whole" if whole else "knob"
        given = value if number and abs(value) < LONG else _shown(value)
        raise SettingsError(kind, knob=name, value=given, low=low, high=high)
    return int(value) if whole else float(value)


def warpers(sampling: Sampling) -> LogitsProcessorList:
    """Return the processors of `model.generate`, in its order, for shape (rows, vocab_size) scores.

    Penalties act for every strategy; temperature and filters only where something is drawn. A knob at its
    neutral value adds nothing. Source: https://huggingface.co/docs/transformers/internal/generation_utils
    """
    chain = LogitsProcessorList()
    if sampling.repetition_penalty != 1.0:
        chain.append(RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty))
    if sampling.no_repeat_ngram_size:
        chain.append(NoRepeatNGramLogitsProcessor(sampling.no_repeat_ngram_size))
    if sampling.draws:
        if sampling.temperature != 1.0:
            chain.append(TemperatureLogitsWarper(sampling.temperature))
        if sampling.top_k:
            chain.append(TopKLogitsWarper(sampling.top_k))
        if sampling.top_p < 1.0:
            chain.append(TopPLogitsWarper(sampling.top_p))
        if sampling.min_p:
            chain.append(MinPLogitsWarper(sampling.min_p))
        if sampling.typical_p < 1.0:
            chain.append(TypicalLogitsWarper(sampling.typical_p))
    return chain


def generator(seed: int) -> torch.Generator:
    """Return a request's own source of randomness, so that nobody else's draws move it."""
    return torch.Generator().manual_seed(seed)


def next_number(rng: torch.Generator) -> float:
    """Return the next uniform number in [0, 1) of a request."""
    return torch.rand((), generator=rng, dtype=torch.float64).item()


def draw(ranking: Ranking, number: float) -> tuple[int, Draw]:
    """Draw a token by inverse transform sampling (Devroye 1986, chapter II.2).

    Args:
        ranking: of the distribution.
        number: uniform in [0, 1).

    Returns:
        The token's id and where the number fell. Never a token of probability 0.
    """
    total = ranking.probs.sum().item()  # float32 probabilities miss 1 by a rounding error
    probs, ids = ranking.first(LIKELY)
    edges = [min(edge / total, 1.0) for edge in accumulate(probs)]
    if len(probs) == len(ranking.probs) or not probs[-1]:
        edges[sum(map(bool, probs)) - 1 :] = [1.0]  # no number falls beyond the last one possible
    if number >= edges[-1]:
        return _draw_far(ranking.probs.cpu(), number, total)
    place = bisect_right(edges, number)
    return ids[place], Draw(number, edges[place - 1] if place else 0.0, edges[place])


def _draw_far(probs: Tensor, number: float, total: float) -> tuple[int, Draw]:
    """Draw a token that is not among the likeliest; only those of about its probability are put in order.

    Args:
        probs: shape (vocab_size,), float32, on the CPU.
        number: uniform in [0, 1).
        total: what the probabilities add up to.
    """
    # Of positive numbers the bits rise as they do; the upper ones make classes of probabilities within 1/16 or so.
    classes = probs.view(torch.int32) >> CLASS_BITS
    masses = torch.bincount(classes, weights=probs.double()).flip(0)
    edges = (masses.cumsum(0) / total).clamp_(max=1.0)
    edges[int(masses.nonzero()[-1]) :] = 1.0
    place = int(torch.searchsorted(edges, number, right=True))
    low, high = edges[place - 1].item() if place else 0.0, edges[place].item()
    members = ((classes == len(masses) - 1 - place) & (probs > 0)).nonzero().flatten()
    falling, order = probs[members].sort(descending=True, stable=True)
    inner = [min(low + mass / total, high) for mass in accumulate(falling.tolist())]
    inner[-1] = high
    place = bisect_right(inner, number)
    return int(members[order[place]]), Draw(number, inner[place - 1] if place else low, inner[place])
