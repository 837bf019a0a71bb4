"""The log-probability of continuations that are given, computed together and no more than once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

import torch
from transformers import DynamicCache, PreTrainedModel

BATCH_TOKENS = 2_048  # fed in one pass
BATCH_LOGITS = 512  # positions whose logits one pass gives: of a large vocabulary, 300 MB
WORTH_SHARING = 8  # tokens of a common beginning from which reading it apart pays

Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A text to be read once, and from where on its logits are needed.

    Attributes:
        ids: the tokens fed.
        start: the first position whose logits some continuation needs.
    """

    ids: Ids
    start: int


def plan(pairs: Iterable[tuple[Ids, Ids]]) -> list[list[Reading]]:
    """Return batches of what has to be read to score every (prompt, continuation), the short texts first.

    A text that another one begins with is not read again, so letters after one question cost one reading.
    """
    starts: dict[Ids, int] = {}
    for prompt, continuation in pairs:
        if continuation:
            ids = prompt + continuation[:-1]
            starts[ids] = min(starts.get(ids, len(prompt) - 1), len(prompt) - 1)
    kept: list[Reading] = []
    for ids in sorted(starts, reverse=True):  # what a text begins with comes right after it
        longer = kept[-1] if kept else None
        if longer and longer.ids[: len(ids)] == ids:
            kept[-1] = Reading(longer.ids, min(longer.start, starts[ids]))
        else:
            kept.append(Reading(ids, starts[ids]))
    batches: list[list[Reading]] = []
    for reading in sorted(kept, key=lambda reading: len(reading.ids)):
        if batches and _fits([*batches[-1], reading]):
            batches[-1].append(reading)
        else:
            batches.append([reading])
    return batches


def read(model: PreTrainedModel, batch: Sequence[Reading], pairs: Sequence[tuple[Ids, Ids]]) -> dict[int, list[float]]:
    """Read one batch and score the pairs that it covers.

    Returns:
        Place among `pairs` -> a natural logarithm for each token of the continuation.
    """
    device = model.device
    shared = _shared(batch) if len(batch) > 1 else 0
    cache = DynamicCache(config=model.config)
    if shared:
        model(
            input_ids=torch.tensor([batch[0].ids[:shared]], device=device),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        cache.batch_repeat_interleave(len(batch))
    # The rest is padded on the left: what is needed stands at the end, and the head computes nothing else.
    width = max(len(reading.ids) for reading in batch) - shared
    rest = torch.zeros((len(batch), width), dtype=torch.long)
    mask = torch.ones((len(batch), shared + width), dtype=torch.long)
    for row, reading in enumerate(batch):
        padding = width - (len(reading.ids) - shared)
        rest[row, padding:] = torch.tensor(reading.ids[shared:])
        mask[row, shared : shared + padding] = 0
    positions = (mask.cumsum(-1) - 1).clamp_min(0)[:, shared:]
    needed = max(len(reading.ids) - reading.start for reading in batch)
    logits = model(
        input_ids=rest.to(device),
        attention_mask=mask.to(device),
        position_ids=positions.to(device),
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=needed,
    ).logits
    scores: dict[int, list[float]] = {}
    for row, reading in enumerate(batch):
        mine = [
            p
            for p, (prompt, ids) in enumerate(pairs)
            if ids and reading.ids[: len(prompt) + len(ids) - 1] == prompt + ids[:-1]
        ]
        for place in mine:
            prompt, ids = pairs[place]
            begin = needed - len(reading.ids) + len(prompt) - 1
            chosen = torch.tensor(ids, device=device)
            log_probs = logits[row, begin : begin + len(ids)].float().log_softmax(-1)
            scores[place] = log_probs.gather(1, chosen[:, None])[:, 0].tolist()
    return scores


def _fits(batch: Sequence[Reading]) -> bool:
    """Tell whether a batch, the longest text last, can be read in one pass."""
    needed = max(len(reading.ids) - reading.start for reading in batch)
    return len(batch) * len(batch[-1].ids) <= BATCH_TOKENS and len(batch) * needed <= BATCH_LOGITS


def _shared(batch: Sequence[Reading]) -> int:
    """Return how many tokens all texts of a batch begin with, short of where their logits are needed."""
    columns = zip(*(reading.ids for reading in batch), strict=False)
    common = sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
    common = min([common, *(reading.start for reading in batch)])
    return common if common >= WORTH_SHARING else 0
