"""Beam search: the few likeliest continuations kept side by side.

The rules are those of transformers' `generate` (https://huggingface.co/docs/transformers/generation_strategies),
written for one prompt: candidates are ranked by total log-probability; the best that do not end the text go on;
those that end it among the first `num_beams` compete for the result by `total / length ** length_penalty`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from llm_demo.decoding.feed import Feed, Strategy
from llm_demo.decoding.recorder import record_step
from llm_demo.ranking import Ranking
from llm_demo.sampling import Sampling, warpers
from llm_demo.trace import BeamNode, BeamStep, Ranked, Step


@dataclass(frozen=True, slots=True)
class _Beam:
    """A continuation, running or finished."""

    ids: tuple[int, ...]
    steps: tuple[Step, ...]
    total: float


@dataclass(frozen=True, slots=True)
class _Candidate:
    parent: int
    token_id: int
    log_prob: float
    total: float
    ends: bool


def beam_search(
    prompt_ids: Sequence[int], sampling: Sampling, top_k: int, stop_ids: frozenset[int], decode: Callable[..., str]
) -> Strategy:
    """Yield a BeamStep a step, then the finished texts best first, then the winner's own steps.

    Args:
        prompt_ids: what to continue.
        sampling: `num_beams`, `length_penalty`, `early_stopping`, `max_new_tokens` and penalties count.
        top_k: candidates to record for each step of the winner.
        stop_ids: the end-of-text tokens.
        decode: token ids to text.
    """
    width, warp = sampling.num_beams, warpers(sampling)
    # With so many candidates at least `width` go on, should all the others end the text.
    looked_at = max(2, 1 + len(stop_ids)) * width
    running, finished = [_Beam((), (), 0.0)], []
    fed = yield Feed((tuple(prompt_ids),))
    while True:
        logits = fed.logits[:, -1].float()
        ids = torch.tensor([[*prompt_ids, *beam.ids] for beam in running], device=logits.device)
        log_probs = warp(ids, logits.log_softmax(-1))
        candidates = _rank(log_probs, running, looked_at, sampling, stop_ids)
        going_on = [c for c in candidates if not c.ends][:width]

        extend = partial(_extend, running, logits, log_probs, top_k, decode)
        ended = [c for c in candidates[:width] if c.ends]
        finished = _best([*finished, *map(extend, ended)], sampling)
        yield _picture(candidates, ended, going_on, decode)
        if not going_on or _is_over(going_on[0].total, len(running[0].ids) + 1, finished, sampling):
            break
        running = [extend(candidate) for candidate in going_on]
        fed = yield Feed(
            tuple((candidate.token_id,) for candidate in going_on),
            parents=tuple(candidate.parent for candidate in going_on),
        )
    for beam in finished:
        text = decode(beam.ids, skip_special_tokens=True)
        yield Ranked(beam.ids, text, beam.total, _score(beam, sampling))
    yield from finished[0].steps


def _extend(
    running: Sequence[_Beam],
    logits: Tensor,
    log_probs: Tensor,
    top_k: int,
    decode: Callable[..., str],
    candidate: _Candidate,
) -> _Beam:
    beam, row = running[candidate.parent], candidate.parent
    raw = logits[row].float().log_softmax(-1)
    step = record_step(raw, Ranking(raw.exp()), log_probs[row].softmax(-1), candidate.token_id, top_k, decode)
    return _Beam((*beam.ids, candidate.token_id), (*beam.steps, step), candidate.total)


def _rank(
    log_probs: Tensor, running: Sequence[_Beam], count: int, sampling: Sampling, stop_ids: frozenset[int]
) -> list[_Candidate]:
    """Return the likeliest continuations of all beams together, falling; shape (beams, vocab_size) in."""
    totals = log_probs + torch.tensor(
        [[beam.total] for beam in running], dtype=log_probs.dtype, device=log_probs.device
    )
    best = totals.flatten().topk(min(count, totals.numel()))
    last = len(running[0].ids) + 1 == sampling.max_new_tokens
    candidates = []
    for total, place in zip(best.values.tolist(), best.indices.tolist(), strict=True):
        parent, token_id = divmod(place, log_probs.shape[1])
        log_prob = log_probs[parent, token_id].item()
        candidates.append(_Candidate(parent, token_id, log_prob, total, last or token_id in stop_ids))
    return candidates


def _score(beam: _Beam, sampling: Sampling) -> float:
    return beam.total / len(beam.ids) ** sampling.length_penalty


def _best(finished: list[_Beam], sampling: Sampling) -> list[_Beam]:
    return sorted(finished, key=lambda beam: -_score(beam, sampling))[: sampling.num_beams]


def _is_over(best_running: float, length: int, finished: Sequence[_Beam], sampling: Sampling) -> bool:
    """Tell whether no running beam is expected to enter the finished ones any more."""
    if len(finished) < sampling.num_beams:
        return False
    return sampling.early_stopping or best_running / length**sampling.length_penalty <= _score(finished[-1], sampling)


def _picture(
    candidates: Sequence[_Candidate],
    ended: Sequence[_Candidate],
    going_on: Sequence[_Candidate],
    decode: Callable[..., str],
) -> BeamStep:
    def node(candidate: _Candidate) -> BeamNode:
        survives = candidate in going_on
        return BeamNode(
            token_id=candidate.token_id,
            text=decode(candidate.token_id),
            parent=candidate.parent,
            log_prob=candidate.log_prob,
            total=candidate.total,
            fate="survived" if survives else "finished" if candidate in ended else "pruned",
            beam=going_on.index(candidate) if survives else None,
        )

    return BeamStep(tuple(map(node, candidates)))
