"""What a model did, step by step, as plain values that survive JSON.

Owns the record of a decision and of a run. Knows nothing of how logits are made or drawn on a screen.
"""

from dataclasses import asdict, dataclass
from typing import Literal

FinishReason = Literal["stop", "length", "cancelled"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One token that the model could have emitted next.

    Attributes:
        token_id: its id in the vocabulary.
        text: the token decoded alone, leading space kept; U+FFFD where it is not a whole character.
        raw_prob: softmax of the model's own logits over the whole vocabulary, in [0, 1].
        prob: the same after penalties, temperature and filters; 0.0 means filtered out.
    """

    token_id: int
    text: str
    raw_prob: float
    prob: float


@dataclass(frozen=True, slots=True)
class Draw:
    """How a seeded number chose a token: inverse transform sampling.

    Attributes:
        number: uniform in [0, 1).
        low: where the chosen token's interval of the cumulative distribution begins.
        high: where it ends; `low <= number < high`. Tokens stand by falling `prob`.
    """

    number: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Step:
    """One next-token decision.

    Attributes:
        chosen: the token that was emitted; it may be outside `top`.
        top: the likeliest candidates by falling `raw_prob`, ties by token id.
        draw: how it was drawn; None where nothing was.
        entropy: of the raw distribution, in bits.
        log_prob: natural logarithm of the chosen token's `raw_prob`.
    """

    chosen: Candidate
    top: tuple[Candidate, ...]
    draw: Draw | None
    entropy: float
    log_prob: float

    def to_dict(self) -> dict[str, object]:
        """Return plain JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict) -> "Step":
        """Take back what `to_dict` gave; KeyError or TypeError on anything else."""
        return cls(
            chosen=Candidate(**data["chosen"]),
            top=tuple(Candidate(**candidate) for candidate in data["top"]),
            draw=Draw(**data["draw"]) if data["draw"] else None,
            entropy=data["entropy"],
            log_prob=data["log_prob"],
        )


@dataclass(frozen=True, slots=True)
class Trace:
    """One continuation of a prompt.

    Attributes:
        prompt_ids: the prompt as the model read it.
        token_ids: what was generated, the end-of-text token included where it came.
        steps: one decision a generated token.
        text: the generated ids as text, special tokens left out.
        finish_reason: an end-of-text token, the bound on new tokens, or a visitor's stop.
        log_prob: of the whole continuation under the raw distributions, in nats.
        forward_passes: how many times the model ran for it, pieces of a long prompt counted.
        seconds: from the request to the last token, waiting included.
    """

    prompt_ids: tuple[int, ...]
    token_ids: tuple[int, ...]
    steps: tuple[Step, ...]
    text: str
    finish_reason: FinishReason
    log_prob: float
    forward_passes: int
    seconds: float

    def to_dict(self) -> dict[str, object]:
        """Return plain JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict) -> "Trace":
        """Take back what `to_dict` gave; KeyError or TypeError on anything else."""
        return cls(
            **{
                **data,
                "prompt_ids": tuple(data["prompt_ids"]),
                "token_ids": tuple(data["token_ids"]),
                "steps": tuple(Step.from_dict(step) for step in data["steps"]),
            }
        )
