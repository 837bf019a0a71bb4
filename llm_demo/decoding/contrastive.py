"""Contrastive search: confident, but unlike what was said before.

Source: Su et al. 2022, "A Contrastive Framework for Neural Text Generation", equation 5.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from llm_demo.decoding.feed import Feed, Strategy
from llm_demo.decoding.recorder import Recorder
from llm_demo.ranking import likeliest
from llm_demo.trace import Contrast


def contrastive_search(prompt_ids: Sequence[int], recorder: Recorder) -> Strategy:
    """Continue the prompt; each step looks one token ahead with `top_k` candidates, each in a row of its own.

    The candidates are the likeliest after penalties; the prompt's tokens count among those before.
    """
    alpha, k = recorder.sampling.penalty_alpha, recorder.sampling.top_k
    fed = yield Feed((tuple(prompt_ids),), hidden=True)
    logits, before = fed.logits[0, -1], _unit(fed.hidden[0])
    parent = 0
    while True:
        probs = recorder.probs(logits)
        ids = likeliest(probs, k)[1]
        fed = yield Feed(tuple((token_id,) for token_id in ids), parents=(parent,) * len(ids), hidden=True)
        ahead = _unit(fed.hidden[:, -1])
        confidence = probs[ids]
        penalty = (ahead @ before.T).amax(-1)
        score = (1 - alpha) * confidence - alpha * penalty
        parent = int(score.argmax())
        columns = zip(ids, confidence.tolist(), penalty.tolist(), score.tolist(), strict=True)
        contrast = tuple(Contrast(i, recorder.decode(i), *figures) for i, *figures in columns)
        yield recorder.force(logits, ids[parent], contrast)
        if recorder.finished:
            return
        logits, before = fed.logits[parent, -1], torch.cat([before, ahead[parent : parent + 1]])


def _unit(states: Tensor) -> Tensor:
    """Return float32 vectors of length 1, so that a product is a cosine."""
    return torch.nn.functional.normalize(states.float(), dim=-1)
