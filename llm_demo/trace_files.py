"""Trace files: continuations as a document to keep, or as a table for a spreadsheet, and the document read again.

Whoever sends a document may have written anything into it.
"""

import json
import reprlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from llm_demo.config import Config
from llm_demo.errors import InputError
from llm_demo.request import check_text
from llm_demo.sampling import MAX_CONTRAST, RANGES, Sampling
from llm_demo.spreadsheet import Cell, table
from llm_demo.strict_json import LARGEST, Range, Reader, parse
from llm_demo.trace import BeamStep, Candidate, Draft, Trace

VERSION = 1  # of the document; a change of `Trace` or `Sampling` makes another
COLUMNS = ("strategy", "step", "rank", "token_id", "text", "raw_prob", "prob", "chosen")

MAX_STEPS = int(RANGES["max_new_tokens"][1])
MAX_BEAMS = int(RANGES["num_beams"][1])
MAX_NODES = 128 * MAX_BEAMS  # beam search looks at one more than there are end-of-text tokens for each beam
ROUNDING = 1e-3  # by which sums and cosines may miss their range
# Inclusive, by a field's name.
BOUNDS: dict[str, Range] = {
    **dict.fromkeys(("token_id", "token_ids", "prompt_ids"), (0, 2**31 - 1)),
    **dict.fromkeys(("place", "accepted", "parent", "beam", "forward_passes", "seconds", "entropy"), (0, 2**53)),
    **dict.fromkeys(("raw_prob", "prob", "confidence", "number"), (0, 1)),
    **dict.fromkeys(("low", "high"), (0, 1 + ROUNDING)),
    **dict.fromkeys(("log_prob", "total"), (-LARGEST, 0)),
    "penalty": (-1 - ROUNDING, 1 + ROUNDING),
}


@dataclass(frozen=True, slots=True)
class LoadedTraces:
    """What a document held.

    Attributes:
        model: the key of the model that wrote the traces; it need not be one of this app's.
        prompt: within `max_prompt_chars`.
        samplings: one a trace.
        traces: at least one; none contradicts itself, but nothing says that a model ever wrote them.
    """

    model: str
    prompt: str
    samplings: tuple[Sampling, ...]
    traces: tuple[Trace, ...]


@dataclass(frozen=True, slots=True)
class _Continuation:
    sampling: Sampling
    trace: Trace


@dataclass(frozen=True, slots=True)
class _Document:
    version: int
    model: str
    prompt: str
    continuations: tuple[_Continuation, ...]


def to_json(traces: Sequence[Trace], prompt: str, samplings: Sequence[Sampling], model: str) -> str:
    """Write a document that `from_json` reads.

    Args:
        traces: continuations of `prompt`.
        samplings: the settings of each.
        model: the key of the model that wrote them.

    Raises:
        ValueError: not one setting a trace, or an infinite log-probability, which JSON cannot hold.
    """
    pairs = zip(samplings, traces, strict=True)
    document = _Document(VERSION, model, prompt, tuple(_Continuation(*pair) for pair in pairs))
    return json.dumps(asdict(document), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def to_csv(traces: Sequence[Trace], names: Sequence[str]) -> str:
    """Write one row for each candidate of each step, after a row with the names in `COLUMNS`.

    Steps and ranks count from 1, ranks by falling raw probability; a chosen token outside the candidates has a row
    without a rank. `chosen` is 1 or 0. Rows end as RFC 4180 has it; a text that a spreadsheet would take for a
    formula has a `'` before it, and so has one that begins with `'`.

    Args:
        traces: their steps are the rows.
        names: of the strategies, one a trace.
    """
    rows: list[tuple[Cell, ...]] = []
    for name, trace in zip(names, traces, strict=True):
        for number, step in enumerate(trace.steps, start=1):
            ranked: list[tuple[int | str, Candidate]] = list(enumerate(step.top, start=1))
            if step.chosen not in step.top:
                ranked.append(("", step.chosen))
            for rank, one in ranked:
                cells = (one.token_id, one.text, one.raw_prob, one.prob, int(one == step.chosen))
                rows.append((name, number, rank, *cells))
    return table(COLUMNS, rows)


def from_json(text: str | bytes, config: Config) -> LoadedTraces:
    """Read what `to_json` wrote, as a stranger may send it.

    Args:
        text: bytes are UTF-8, with or without its mark.
        config: whose `max_upload_mb`, `max_compared`, `max_top_k` and `max_prompt_chars` hold.

    Raises:
        InputError: saying what is wrong and where; nothing else is raised, whatever the text.
    """
    data = parse(text, config.max_upload_mb)
    version = data.get("version") if isinstance(data, dict) else None
    if version != VERSION:
        raise InputError("trace_file_version", value=reprlib.repr(version), version=VERSION)
    lengths = {
        **dict.fromkeys(("steps", "token_ids", "beam_steps"), (0, MAX_STEPS)),
        "continuations": (1, config.max_compared),
        "top": (1, config.max_top_k),
        "contrast": (0, MAX_CONTRAST),
        "nodes": (1, MAX_NODES),
        "ranking": (0, MAX_BEAMS),
    }
    document = Reader(BOUNDS, lengths).read(_Document, data)
    check_text(document.prompt, config)
    for number, one in enumerate(document.continuations):
        _check_trace(one.trace, f"continuations[{number}].trace")
    return LoadedTraces(
        document.model,
        document.prompt,
        tuple(one.sampling for one in document.continuations),
        tuple(one.trace for one in document.continuations),
    )


def _check_trace(trace: Trace, where: str) -> None:
    """Refuse a trace whose parts contradict each other."""
    if tuple(step.chosen.token_id for step in trace.steps) != trace.token_ids:
        raise InputError("trace_file_contradiction", where=f"{where}.token_ids")
    _check_drafts(trace.drafts, trace.token_ids, f"{where}.drafts")
    _check_beams(trace.beam_steps, f"{where}.beam_steps")


def _check_drafts(drafts: Sequence[Draft], ids: Sequence[int], where: str) -> None:
    """Each begins behind the token that the model chose after the one before, and what was accepted is the text."""
    begin = 0
    for number, draft in enumerate(drafts):
        end = draft.place + draft.accepted
        accepted = draft.token_ids[: draft.accepted]
        right = draft.place == begin < len(ids) and len(accepted) == draft.accepted
        if not right or tuple(ids[draft.place : end]) != accepted or len(draft.texts) != len(draft.token_ids):
            raise InputError("trace_file_contradiction", where=f"{where}[{number}]")
        begin = end + 1


def _check_beams(steps: Sequence[BeamStep], where: str) -> None:
    """Every node continues a survivor of the step before, and the survivors are numbered from 0."""
    survivors = 1
    for number, step in enumerate(steps):
        beams = [node.beam for node in step.nodes if node.fate == "survived"]
        others = [node.beam for node in step.nodes if node.fate != "survived"]
        parents = all(node.parent < survivors for node in step.nodes)
        survivors = len(beams)
        if not parents or set(beams) != set(range(survivors)) or any(beam is not None for beam in others):
            raise InputError("trace_file_contradiction", where=f"{where}[{number}]")
