"""Glance: read a text and tell what the model says of the token after it; nothing is picked."""

from collections.abc import Sequence

import torch

from llm_demo.decoding.feed import Feed, Scores, Strategy, Weighed


def glance(ids: Sequence[int]) -> Strategy:
    """Tell the logits after the last of `ids`, as one `Scores`, and end."""
    fed = yield Feed((tuple(ids),))
    # A copy: what the pass gave may be a view into the scores of all rows.
    yield Scores(fed.logits[0, -1].to("cpu", torch.float32, copy=True))


def weigh(ids: Sequence[int], wanted: Sequence[int], top_k: int) -> Strategy:
    """Tell how likely each of the tokens `wanted` is after `ids`, as one `Weighed`, and end."""
    fed = yield Feed((tuple(ids),))
    log_probs = fed.logits[0, -1].float().log_softmax(-1)
    values, places = log_probs.topk(min(top_k, log_probs.numel()))
    asked = log_probs[torch.tensor(wanted, dtype=torch.long, device=log_probs.device)]
    yield Weighed(tuple(asked.tolist()), tuple(zip(places.tolist(), values.tolist(), strict=True)))
