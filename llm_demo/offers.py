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
        whole: whether it tells the probability of every token.
        logits: whether it tells their scores before the softmax too, which the repetition penalty changes.
        inside: whether its weights are here to be looked into.
        raw: whether its probabilities are the model's own, before any filter; else those after them.
    """

    strategies: tuple[str, ...] = STRATEGIES
    without: tuple[str, ...] = ()
    candidates: int = 0
    whole: bool = True
    logits: bool = True
    inside: bool = True
    raw: bool = True

    @property
    def lacking(self) -> tuple[str, ...]:
        """Those of `sampling.STRATEGIES` that it does not run."""
        return tuple(name for name in STRATEGIES if name not in self.strategies)


EVERYTHING = Offers()
