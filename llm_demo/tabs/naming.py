"""Naming: what a strategy with its settings is called in a visitor's language."""

from collections.abc import Sequence

from llm_demo.i18n import Translate
from llm_demo.sampling import DRAFTING, PENALTIES, Sampling

DRAWN = ("temperature", "top_k", "top_p", "min_p", "typical_p", "seed")
# The knobs that change something, in the order in which they act; `max_new_tokens` is everybody's, and a strategy
# that is not here looks at the penalties alone.
RELEVANT = {
    "greedy": PENALTIES,
    "sample": (*PENALTIES, *DRAWN),
    "beam": ("num_beams", "length_penalty", "early_stopping", *PENALTIES),
    "contrastive": ("penalty_alpha", "top_k", *PENALTIES),
    "prompt_lookup": ("num_draft_tokens", "do_sample", *PENALTIES),
    "speculative": ("num_draft_tokens", "do_sample", *PENALTIES),
}
NEUTRAL = Sampling()
DIGITS = 3


def relevant(strategy: str, do_sample: bool) -> tuple[str, ...]:
    """Return the names of the knobs that change what a strategy does."""
    return (*RELEVANT.get(strategy, PENALTIES), *(DRAWN if do_sample and strategy in DRAFTING else ()))


def name_of(sampling: Sampling, t: Translate) -> str:
    """Return a strategy and its settings, the neutral ones left out: `Muestreo (sampling) · T 0,7 · top-k 5`."""
    parts = [t(f"strategy.{sampling.strategy}")]
    for knob in relevant(sampling.strategy, sampling.do_sample):
        value = getattr(sampling, knob)
        if isinstance(value, bool):
            parts += [t(f"strategy.short_{knob}")] if value else []
        elif value != getattr(NEUTRAL, knob):
            parts.append(t(f"strategy.short_{knob}", value=t.exact(round(value, DIGITS))))
    return " · ".join(parts)


def names_of(samplings: Sequence[Sampling], t: Translate) -> list[str]:
    """Return a numbered name for each; with its length where that is not the same for all."""
    lengths = {sampling.max_new_tokens for sampling in samplings}
    names = []
    for number, sampling in enumerate(samplings, start=1):
        length = f" · {t('strategy.short_max_new_tokens', value=sampling.max_new_tokens)}" if len(lengths) > 1 else ""
        names.append(f"{number} · {name_of(sampling, t)}{length}")
    return names
