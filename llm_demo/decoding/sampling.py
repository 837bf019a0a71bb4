"""Greedy decoding and ancestral sampling: one token after another, each fed back."""

from collections.abc import Sequence

from torch import Tensor

from llm_demo.decoding.feed import Feed, Strategy
from llm_demo.decoding.forced import begin
from llm_demo.decoding.recorder import Recorder


def sample(prompt_ids: Sequence[int], recorder: Recorder, forced: Sequence[int] = ()) -> Strategy:
    """Continue the prompt until the recorder is finished.

    Whether a token is drawn or the likeliest one taken is the recorder's to know: greedy decoding is the same
    loop without the draw. Source: Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration".

    Args:
        prompt_ids: what to continue.
        recorder: picks and records.
        forced: tokens that the continuation has to begin with.
    """
    logits: Tensor = yield from begin(prompt_ids, recorder, forced)
    while not recorder.finished:
        step = recorder.choose(logits)
        yield step
        if recorder.finished:
            return
        fed = yield Feed(((step.chosen.token_id,),))
        logits = fed.logits[0, -1]
