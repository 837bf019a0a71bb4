"""What a model did, step by step, as plain values that survive JSON.

Owns the record of a decision and of a run. Knows nothing of how logits are made or drawn on a screen.
"""

from dataclasses import asdict, dataclass
from typing import Literal

FinishReason = Literal["stop", "length", "cancelled"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One token that the model could have emitted next.

    A probability that a model elsewhere does not tell, and that does not follow from what it tells, is None.

    Attributes:
        token_id: its id in the vocabulary.
        text: the token decoded alone, leading space kept; U+FFFD where it is not a whole character.
        raw_prob: softmax of the model's own logits over the whole vocabulary, in [0, 1].
        prob: the same after penalties, temperature and filters; 0.0 means filtered out.
    """

    token_id: int
    text: str
    raw_prob: float | None
    prob: float | None


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
class Contrast:
    """One candidate of contrastive search (Su et al. 2022, equation 5).

    Attributes:
        token_id: which token.
        confidence: what the model gives it, in [0, 1].
        penalty: its largest cosine similarity to any token before it, in [-1, 1].
        score: (1 - alpha) * confidence - alpha * penalty; the largest is chosen.
    """

    token_id: int
    text: str
    confidence: float
    penalty: float
    score: float


@dataclass(frozen=True, slots=True)
class Draft:
    """One pass of prompt lookup or speculative decoding: tokens guessed, then checked all at once.

    Attributes:
        place: how many tokens had been generated before it.
        token_ids: the guess; empty where there was none.
        texts: each decoded alone.
        accepted: how many of them, from the first, the model would have chosen itself.
    """

    place: int
    token_ids: tuple[int, ...]
    texts: tuple[str, ...]
    accepted: int


@dataclass(frozen=True, slots=True)
class BeamNode:
    """One continuation that beam search looked at.

    Attributes:
        token_id: its last token.
        parent: the place of the beam that it continues among the survivors of the step before.
        log_prob: of the token given its beam, after penalties, in nats.
        total: of the whole continuation so far, in nats.
        fate: survives as a beam, ended the text and competes for the result, or pruned.
        beam: its place among the survivors of this step; None where it did not survive.
    """

    token_id: int
    text: str
    parent: int
    log_prob: float
    total: float
    fate: Literal["survived", "finished", "pruned"]
    beam: int | None


@dataclass(frozen=True, slots=True)
class BeamStep:
    """Every continuation looked at in one step of beam search, the likeliest first."""

    nodes: tuple[BeamNode, ...]


@dataclass(frozen=True, slots=True)
class Ranked:
    """One finished text of beam search; they come best first.

    Attributes:
        token_ids: as generated.
        text: special tokens left out.
        log_prob: of the whole continuation, in nats, after penalties.
        score: `log_prob / length ** length_penalty`, which ranks them.
    """

    token_ids: tuple[int, ...]
    text: str
    log_prob: float
    score: float


@dataclass(frozen=True, slots=True)
class Step:
    """One next-token decision.

    Attributes:
        chosen: the token that was emitted; it may be outside `top`.
        top: the likeliest candidates by falling `raw_prob`, ties by token id.
        draw: how it was drawn; None where nothing was, or a model elsewhere does not tell.
        entropy: of the raw distribution, in bits; None where a model elsewhere does not tell.
        log_prob: natural logarithm of the chosen token's `raw_prob`; None where that is.
        contrast: the candidates of contrastive search, likeliest first; empty for every other strategy.
    """

    chosen: Candidate
    top: tuple[Candidate, ...]
    draw: Draw | None
    entropy: float | None
    log_prob: float | None
    contrast: tuple[Contrast, ...] = ()

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
            contrast=tuple(Contrast(**candidate) for candidate in data["contrast"]),
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
        log_prob: of the whole continuation under the raw distributions, in nats; None where a step's is.
        forward_passes: how many times the model ran for it, pieces of a long prompt counted; 0 where a model
            elsewhere does not tell.
        seconds: from the request to the last token, waiting included.
        drafts: one a pass, for prompt lookup and speculative decoding.
        beam_steps: the tree of beam search, a step at a time.
        ranking: its finished texts, best first.
    """

    prompt_ids: tuple[int, ...]
    token_ids: tuple[int, ...]
    steps: tuple[Step, ...]
    text: str
    finish_reason: FinishReason
    log_prob: float | None
    forward_passes: int
    seconds: float
    drafts: tuple[Draft, ...] = ()
    beam_steps: tuple[BeamStep, ...] = ()
    ranking: tuple[Ranked, ...] = ()

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
                "drafts": tuple(
                    Draft(d["place"], tuple(d["token_ids"]), tuple(d["texts"]), d["accepted"]) for d in data["drafts"]
                ),
                "beam_steps": tuple(
                    BeamStep(tuple(BeamNode(**node) for node in step["nodes"])) for step in data["beam_steps"]
                ),
                "ranking": tuple(
                    Ranked(tuple(r["token_ids"]), r["text"], r["log_prob"], r["score"]) for r in data["ranking"]
                ),
            }
        )
