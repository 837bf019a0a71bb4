"""Files: an experiment as a document to keep, its tables for a spreadsheet, and the document read again.

Whoever sends a document may have written anything into it.
"""

import json
import reprlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from llm_demo.ablation.experiment import Answer, Result
from llm_demo.ablation.first import RIVALS
from llm_demo.ablation.grid import grid
from llm_demo.ablation.parts import check_parts
from llm_demo.ablation.worth import worths
from llm_demo.config import Config
from llm_demo.errors import InputError
from llm_demo.request import check_text
from llm_demo.sampling import RANGES
from llm_demo.spreadsheet import Cell, table
from llm_demo.strict_json import LARGEST, Range, Reader, parse

VERSION = 1  # of the document; a change of `Result`, or of what it is made of, makes another
MAX_TOKENS = int(RANGES["max_new_tokens"][1])
BOUNDS: dict[str, Range] = {
    **dict.fromkeys(("token_id", "token_ids"), (0, 2**31 - 1)),
    "numbers": (0, 2**31 - 1),
    **dict.fromkeys(("log_probs", "scores"), (-LARGEST, 0)),
    **dict.fromkeys(("bits", "reference", "variant"), (0, 1)),
}
CHECKS = ("variant", "part", "check", "value", "passed", "of", "low", "high")
ANSWERS = ("variant", "strategy", "seed", "finish_reason", "tokens", "log_prob", "text")
WORTH = ("variant", "step", "token_id", "text", "nats")


@dataclass(frozen=True, slots=True)
class _Document:
    version: int
    result: Result


def to_json(result: Result) -> str:
    """Write a document that `from_json` reads; ValueError where a log-probability is infinite."""
    document = _Document(VERSION, result)
    return json.dumps(asdict(document), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def checks_csv(result: Result, names: Sequence[str]) -> str:
    """Write the rates of each check for each variant, with Wilson's 95 % interval.

    Args:
        result: whole or partial.
        names: of the variants.
    """
    rows: list[tuple[Cell, ...]] = []
    for column in grid(result):
        check = column.check
        for name, rate in zip(names, column.rates, strict=True):
            rows.append((name, check.part, check.kind, check.value, rate.passed, rate.of, rate.low, rate.high))
    return table(CHECKS, rows)


def answers_csv(result: Result, names: Sequence[str]) -> str:
    """Write every answer; the log-probability, in nats, is that of the whole of it under its own variant."""

    def row(name: str, answer: Answer) -> tuple[Cell, ...]:
        how = answer.sampling
        count, total = len(answer.token_ids), sum(answer.log_probs)
        return name, how.strategy, how.seed, answer.finish_reason, count, total, answer.text

    return table(
        ANSWERS, (row(name, one) for name, all_of_it in zip(names, result.answers, strict=True) for one in all_of_it)
    )


def worth_csv(result: Result, names: Sequence[str]) -> str:
    """Write what each token of the first variant's first answer loses under every other variant, in nats."""
    rows: list[tuple[Cell, ...]] = []
    for name, worth in zip(names[1:], worths(result), strict=False):
        answer = result.answers[0][0]
        columns = zip(answer.token_ids, answer.pieces, worth.by_token, strict=True)
        rows += [(name, step, *cells) for step, cells in enumerate(columns, start=1)]
    return table(WORTH, rows)


def from_json(text: str | bytes, config: Config) -> Result:
    """Read what `to_json` wrote, as a stranger may send it.

    Args:
        text: bytes are UTF-8, with or without its mark.
        config: whose bounds hold.

    Raises:
        InputError: saying what is wrong and where; nothing else is raised, whatever the text.
    """
    data = parse(text, config.max_upload_mb)
    version = data.get("version") if isinstance(data, dict) else None
    if version != VERSION or not isinstance(data.get("result"), dict):
        raise InputError("experiment_version", value=reprlib.repr(version), version=VERSION)
    most_answers = config.max_samples + 1
    lengths = {
        "parts": (1, config.max_parts),
        "checks": (0, config.max_parts),
        "variants": (1, config.max_variants),
        "numbers": (1, config.max_parts),
        "samplings": (1, most_answers),
        # Lists of lists: the larger bound holds for both.
        "answers": (0, max(config.max_variants, most_answers)),
        "scores": (0, max(config.max_variants, most_answers, MAX_TOKENS)),
        **dict.fromkeys(("token_ids", "pieces", "log_probs"), (0, MAX_TOKENS)),
        "first": (0, config.max_variants),
        "rivals": (1, 2 * RIVALS),
    }
    result = Reader(BOUNDS, lengths).read(_Document, data).result
    _check(result, config)
    return result


def _check(result: Result, config: Config) -> None:
    """Refuse a result whose parts contradict each other, or that is past a bound of the page."""
    experiment = result.experiment
    check_parts(experiment.parts, config.max_parts)
    for text in (*(part.text for part in experiment.parts), *(variant.prompt for variant in experiment.variants)):
        check_text(text, config)
    names = {part.name for part in experiment.parts}
    for place, variant in enumerate(experiment.variants):
        _agree(max(variant.numbers) < len(experiment.parts), f"experiment.variants[{place}].numbers")
    for place, check in enumerate(experiment.checks):
        _agree(check.part in names, f"experiment.checks[{place}].part")
    _agree(len(result.answers) == len(experiment.variants), "answers")
    _agree(len(result.first) <= len(experiment.variants), "first")
    for place, answers in enumerate(result.answers):
        _agree(len(answers) in (0, len(experiment.samplings)), f"answers[{place}]")
        for number, one in enumerate(answers):
            same = len(one.token_ids) == len(one.pieces) == len(one.log_probs)
            _agree(same, f"answers[{place}][{number}].token_ids")
    _agree(len(result.scores) <= len(result.answers[0]), "scores")
    for place, scores in enumerate(result.scores):
        tokens = len(result.answers[0][place].token_ids)
        right = len(scores) <= len(experiment.variants) and all(len(score) == tokens for score in scores)
        _agree(right and len(scores) >= (place == 0), f"scores[{place}]")


def _agree(right: bool, where: str) -> None:
    if not right:
        raise InputError("trace_file_contradiction", where=f"result.{where}")
