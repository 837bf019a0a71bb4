"""Greedy decoding and ancestral sampling: one token after another, each fed back."""

from collections.abc import Sequence

from llm_demo.decoding.feed import Feed, Strategy
from llm_demo.decoding.recorder import Recorder


def sample(prompt_ids: Sequence[int], recorder: Recorder) -> Strategy:
    """Continue the prompt until the recorder is finished.

    Whether a token is drawn or the likeliest one taken is the recorder's to know: greedy decoding is the same
    loop without the draw. Source: Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration".
    """
    logits = yield Feed(tuple(prompt_ids))
    while True:
        step = recorder.choose(logits)
        yield step
        if recorder.finished:
            return
        logits = yield Feed((step.chosen.token_id,))
