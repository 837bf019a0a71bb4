"""An experiment as files: written, read again, and refused where anything in it is out of place."""

import csv
import io
import json
from copy import deepcopy
from dataclasses import replace

import pytest

from llm_demo.ablation.experiment import Answer, Experiment, Result
from llm_demo.ablation.files import answers_csv, checks_csv, from_json, to_json, worth_csv
from llm_demo.ablation.first import FirstToken, Rival
from llm_demo.ablation.parts import Part
from llm_demo.ablation.variants import Variant
from llm_demo.adherence import Check
from llm_demo.config import Config
from llm_demo.errors import DemoError, InputError
from llm_demo.sampling import Sampling
from llm_demo.stats import wilson

GREEDY, DRAWN = Sampling("greedy"), Sampling(temperature=0.7, seed=5)


def answer(sampling: Sampling, text: str, *log_probs: float, finish: str = "stop") -> Answer:
    ids = tuple(range(len(log_probs)))
    return Answer(sampling, ids, ("=a", "ñ")[: len(ids)], log_probs, text, finish)


RESULT = Result(
    Experiment(
        "tiny",
        (Part("formato", "Tres puntos."), Part("tema", "¿Qué es Git?"), Part("nada", "")),
        (Check("formato", "bullets", "1"), Check("tema", "contains", "git")),
        (Variant("full", "", "todo", (0, 1, 2)), Variant("without", "formato", "poco", (1, 2))),
        (GREEDY, DRAWN),
    ),
    (
        (answer(GREEDY, "- Git", -1.0, -2.0), answer(DRAWN, "- Git", -0.5)),
        (answer(GREEDY, "=Git", -3.0), answer(DRAWN, "no", finish="cancelled")),
    ),
    (((-1.0, -2.0), (-4.0, -2.5)), ((-0.5,),)),
    (FirstToken(0.0, (Rival(1, "a", 0.5, 0.5),)), FirstToken(0.25, (Rival(1, "a", 0.5, 0.1),))),
)
NAMES = ("todo", "=sin «formato»")


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def refusal(text: str | bytes, config: Config | None = None) -> str:
    with pytest.raises(InputError) as caught:
        from_json(text, config or Config())
    return caught.value.key


def test_what_was_written_is_read_again():
    assert from_json(to_json(RESULT), Config()) == RESULT
    assert from_json(to_json(RESULT).encode("utf-8-sig"), Config()) == RESULT


def test_an_experiment_that_has_only_begun_is_read_again():
    begun = Result(RESULT.experiment, ((), ()))

    assert from_json(to_json(begun), Config()) == begun


def test_rates_are_a_row_for_each_variant_and_check():
    header, first, second, *others = rows(checks_csv(RESULT, NAMES))

    assert header == ["variant", "part", "check", "value", "passed", "of", "low", "high"]
    assert first[:6] == ["todo", "formato", "bullets", "1", "1", "1"]
    assert [float(end) for end in first[6:]] == pytest.approx(wilson(1, 1))
    assert second[:6] == ["'=sin «formato»", "formato", "bullets", "1", "0", "0"]  # its one sample has no end
    assert len(others) == 2


def test_answers_are_a_row_each_and_no_formulas():
    header, *found = rows(answers_csv(RESULT, NAMES))

    assert header == ["variant", "strategy", "seed", "finish_reason", "tokens", "log_prob", "text"]
    assert found[0] == ["todo", "greedy", "0", "stop", "2", "-3.0", "'- Git"]
    assert found[1][1:3] == ["sample", "5"]
    assert found[2] == ["'=sin «formato»", "greedy", "0", "stop", "1", "-3.0", "'=Git"]


def test_worth_is_a_row_for_each_token():
    assert rows(worth_csv(RESULT, NAMES)) == [
        ["variant", "step", "token_id", "text", "nats"],
        ["'=sin «formato»", "1", "0", "'=a", "3.0"],
        ["'=sin «formato»", "2", "1", "ñ", "0.5"],
    ]


def changed(path: str, value: object) -> str:
    """Return the document with something else at a path such as `result.answers.0`."""
    data = json.loads(to_json(RESULT))
    *way, end = [int(step) if step.isdigit() else step for step in path.split(".")]
    place = data
    for step in way:
        place = place[step]
    if isinstance(place, list) and end == len(place):
        place.append(value)
    else:
        place[end] = value
    return json.dumps(data)


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        ("version", 2, "experiment_version"),
        ("result", [], "experiment_version"),
        ("more", 1, "trace_file_unknown"),
        ("result.experiment.model", 5, "trace_file_value"),
        ("result.experiment.parts", [], "trace_file_count"),
        ("result.experiment.parts.0.text", None, "trace_file_value"),
        ("result.experiment.parts.1.name", "formato", "part_names"),
        ("result.experiment.parts.1.text", "a" * 8_001, "long_prompt"),
        ("result.experiment.checks.0.part", "otra", "trace_file_contradiction"),
        ("result.experiment.checks.0.kind", "smell", "trace_file_value"),
        ("result.experiment.checks.0.value", "muchos", "check_count"),
        ("result.experiment.variants.0.kind", "half", "trace_file_value"),
        ("result.experiment.variants.0.prompt", "a" * 8_001, "long_prompt"),
        ("result.experiment.variants.0.numbers", [3], "trace_file_contradiction"),
        ("result.experiment.variants.0.numbers", [], "trace_file_count"),
        ("result.experiment.samplings.0.temperature", -1, "trace_file_value"),
        ("result.experiment.samplings", [], "trace_file_count"),
        ("result.answers.2", [], "trace_file_contradiction"),
        ("result.answers.0", [], "trace_file_contradiction"),
        ("result.answers.0.0.token_ids", [1], "trace_file_contradiction"),
        ("result.answers.0.0.token_ids", [-1, 2], "trace_file_value"),
        ("result.answers.0.0.log_probs", [-1, 2], "trace_file_value"),
        ("result.answers.0.0.log_probs", [-1, float("nan")], "trace_file_value"),
        ("result.answers.0.0.finish_reason", "bored", "trace_file_value"),
        ("result.answers.0.0.text", "\ud800", "trace_file_value"),
        ("result.scores.0.1", [-1], "trace_file_contradiction"),
        ("result.scores.0", [], "trace_file_contradiction"),
        ("result.scores.2", [[-1]], "trace_file_contradiction"),
        ("result.first.2", {"bits": 0, "rivals": [{"token_id": 1, "text": "", "reference": 0, "variant": 0}]},
         "trace_file_contradiction"),
        ("result.first.0.bits", 1.5, "trace_file_value"),
        ("result.first.0.rivals", [], "trace_file_count"),
    ],
)  # fmt: skip
def test_whatever_is_out_of_place_is_refused(path, value, key):
    assert refusal(changed(path, value)) == key


@pytest.mark.parametrize("text", ["", "{", "[]", "null", b"\xff\xfe", '{"version": 1}', "[" * 100_000])
def test_what_is_no_experiment_is_refused(text):
    assert refusal(text) in ("trace_file_json", "experiment_version")


@pytest.mark.parametrize("bound", ["max_parts", "max_variants", "max_samples"])
def test_the_operators_bounds_hold(bound):
    narrow = replace(Config(), **{bound: 1})
    grown = json.loads(to_json(RESULT))
    grown["result"]["experiment"]["samplings"] *= 2

    assert refusal(json.dumps(grown), narrow) == "trace_file_count"


def test_a_file_that_is_too_large_is_not_even_read():
    assert refusal("[" * (2**20 + 1), Config(max_upload_mb=1)) == "trace_file_size"


def test_a_lacking_field_is_named_wherever_it_lacks():
    whole = json.loads(to_json(RESULT))

    def every(node: object, way: tuple = ()):
        items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for step, child in items:
            if isinstance(node, dict):
                yield (*way, step)
            yield from every(child, (*way, step))

    for *way, end in every(whole):
        broken = deepcopy(whole)
        place = broken
        for step in way:
            place = place[step]
        del place[end]
        with pytest.raises(DemoError):
            from_json(json.dumps(broken), Config())


def test_an_infinite_log_probability_is_not_written():
    impossible = replace(RESULT, answers=((answer(GREEDY, "a", float("-inf")),) * 2, ()))

    with pytest.raises(ValueError, match="JSON"):
        to_json(impossible)
