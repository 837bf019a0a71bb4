"""The log-probability of continuations that are given, not chosen: each token fed whatever the model preferred."""

from collections.abc import Sequence

import torch
from transformers import DynamicCache, PreTrainedModel


def log_probs(
    model: PreTrainedModel, prompt_ids: Sequence[int], continuations: Sequence[Sequence[int]]
) -> list[list[float]]:
    """Score continuations of one prompt, which is read once.

    Args:
        model: any causal language model.
        prompt_ids: at least one token.
        continuations: token ids; an empty one scores as an empty list.

    Returns:
        For each continuation one natural logarithm a token, of the raw distribution at its place.
    """
    cache = DynamicCache(config=model.config)
    device = model.device
    read = model(
        input_ids=torch.tensor([prompt_ids], device=device),
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    first = read.logits[0, -1].float().log_softmax(-1)
    longest = max(map(len, continuations), default=0)
    if longest < 2:
        return [[first[ids[0]].item()] if ids else [] for ids in continuations]

    # Shorter ones are padded on the right, where nothing that counts looks back on the padding.
    cache.batch_repeat_interleave(len(continuations))
    padded = torch.zeros((len(continuations), longest), dtype=torch.long, device=device)
    for row, ids in enumerate(continuations):
        padded[row, : len(ids)] = torch.tensor(ids, dtype=torch.long)
    fed = model(input_ids=padded[:, :-1], past_key_values=cache, use_cache=True)
    scores = torch.cat(
        [
            first[padded[:, :1]],
            fed.logits.float().log_softmax(-1).gather(2, padded[:, 1:, None])[..., 0],
        ],
        dim=1,
    )
    return [row[: len(ids)] for row, ids in zip(scores.tolist(), continuations, strict=True)]
