"""Offers: what an engine can tell of its model, so that nothing is shown that it did not tell."""

from dataclasses import dataclass

from llm_demo.sampling import STRATEGIES


@dataclass(frozen=True, slots=True)
class Offers:
    """What may be asked of an engine.

    Attributes:
        strategies: those of `sampling.STRATEGIES` that it runs.
        without: knobs of `Sampling` that it does not know.
        candidates: the most that it tells of a step; 0 for as many as there are tokens.
        logits: whether it tells the scores of the whole vocabulary.
        inside: whether its weights are here to be looked into.
        raw: whether its probabilities are the model's own, before any filter; else those after them.
    """

    strategies: tuple[str, ...] = STRATEGIES
    without: tuple[str, ...] = ()
    candidates: int = 0
    logits: bool = True
    inside: bool = True
    raw: bool = True


EVERYTHING = Offers()
