"""Forced tokens: fed and recorded whatever the model preferred."""

from collections.abc import Generator, Sequence

from torch import Tensor

from llm_demo.decoding.feed import Event, Feed
from llm_demo.decoding.recorder import Recorder
from llm_demo.rows import Fed


def begin(
    prompt_ids: Sequence[int], recorder: Recorder, forced: Sequence[int]
) -> Generator[Feed | Event, Fed | None, Tensor]:
    """Read the prompt and the tokens that a continuation has to begin with, each recorded as a step.

    Returns:
        The logits after the last of them, shape (vocab_size,).
    """
    fed = yield Feed(((*prompt_ids, *forced),), wanted=len(forced) + 1)
    for logits, token_id in zip(fed.logits[0], forced, strict=False):
        yield recorder.force(logits, token_id)
        if recorder.finished:
            break
    return fed.logits[0, -1]
