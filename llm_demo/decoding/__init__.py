"""Decoding strategies: one readable file each, all of them generators that a worker runs together."""

from collections.abc import Callable, Sequence

from llm_demo.decoding.beam import beam_search
from llm_demo.decoding.contrastive import contrastive_search
from llm_demo.decoding.feed import Strategy
from llm_demo.decoding.recorder import Recorder
from llm_demo.decoding.sampling import sample
from llm_demo.decoding.speculative import prompt_lookup, speculative
from llm_demo.errors import SettingsError
from llm_demo.sampling import Sampling

FORCIBLE = ("greedy", "sample")
# Those that decide token by token through a Recorder, by the names of `sampling.STRATEGIES`.
BY_NAME: dict[str, Callable[[Sequence[int], Recorder], Strategy]] = {
    "greedy": sample,
    "sample": sample,
    "contrastive": contrastive_search,
    "prompt_lookup": prompt_lookup,
    "speculative": speculative,
}


def make_strategy(
    prompt_ids: Sequence[int],
    sampling: Sampling,
    top_k: int,
    stop_ids: frozenset[int],
    decode: Callable[..., str],
    forced: Sequence[int] = (),
) -> Strategy:
    """Return the strategy that a Sampling names, ready to run.

    Raises:
        SettingsError: tokens are forced on a strategy that picks them in another order than one by one.
    """
    if forced and sampling.strategy not in FORCIBLE:
        raise SettingsError("forced", strategy=sampling.strategy, choices=", ".join(FORCIBLE))
    if sampling.strategy == "beam":
        return beam_search(prompt_ids, sampling, top_k, stop_ids, decode)
    recorder = Recorder(prompt_ids, sampling, top_k, stop_ids, decode)
    if forced:
        return sample(prompt_ids, recorder, forced)
    return BY_NAME[sampling.strategy](prompt_ids, recorder)


def rows_of(sampling: Sampling) -> int:
    """Return how many rows a strategy may have at once."""
    return {"beam": sampling.num_beams, "contrastive": sampling.top_k}.get(sampling.strategy, 1)
