"""Trace: what it holds comes back from JSON as it went in."""

import json

import pytest

from llm_demo.trace import Candidate, Draw, Step, Trace

PARIS = Candidate(7042, " Paris", 0.75, 0.9)
THE = Candidate(260, " the", 0.25, 0.0)
DRAWN = Step(PARIS, (PARIS, THE), Draw(0.5, 0.0, 0.9), 0.8112781244591328, -0.2876820724517809)
GREEDY = Step(THE, (PARIS,), None, 0.8112781244591328, -1.3862943611198906)
TRACE = Trace((1, 2), (7042, 260), (DRAWN, GREEDY), " Paris 😀 ñ", "length", -1.67, 2, 0.25)


def through_json(value: dict) -> dict:
    return json.loads(json.dumps(value, allow_nan=False))


@pytest.mark.parametrize("step", [DRAWN, GREEDY], ids=["drawn", "greedy"])
def test_a_step_survives_json(step):
    assert Step.from_dict(through_json(step.to_dict())) == step


def test_a_trace_survives_json():
    assert Trace.from_dict(through_json(TRACE.to_dict())) == TRACE


def test_what_comes_back_is_as_immutable_as_what_went_in():
    assert hash(Trace.from_dict(through_json(TRACE.to_dict()))) == hash(TRACE)


def test_the_field_names_are_those_of_the_contract():
    trace = TRACE.to_dict()

    assert list(trace) == [
        "prompt_ids",
        "token_ids",
        "steps",
        "text",
        "finish_reason",
        "log_prob",
        "forward_passes",
        "seconds",
        "drafts",
        "beam_steps",
        "ranking",
    ]
    assert {"chosen", "top", "draw", "entropy"} <= set(trace["steps"][0])
    assert list(trace["steps"][0]["chosen"]) == ["token_id", "text", "raw_prob", "prob"]
    assert trace["steps"][0]["draw"] == {"number": 0.5, "low": 0.0, "high": 0.9}
    assert trace["steps"][1]["draw"] is None


@pytest.mark.parametrize("broken", [{}, {"chosen": {}, "top": [], "draw": None, "entropy": 0, "log_prob": 0}])
def test_anything_else_is_no_step(broken):
    with pytest.raises((KeyError, TypeError)):
        Step.from_dict(broken)
