"""The benchmark: the shape of what it reports. How fast anything is depends on the machine and is not tested."""

import json
import math

import pytest

from llm_demo import bench
from llm_demo.bench import Timed, crowd, in_turn, main, measure, peer, percentile, summary, table
from llm_demo.engine import Engine
from llm_demo.sampling import Sampling


@pytest.fixture(scope="module")
def figures(tiny_folder) -> dict:
    engine = Engine.load(str(tiny_folder))
    figures = measure(engine, runs=2, tokens=4)
    engine.close()
    return figures


def test_every_figure_is_there(figures):
    assert list(figures) == [
        "model",
        "device",
        "dtype",
        "runs",
        "tokens",
        "traced_vs_generate",
        "compare_six_speedup",
        "visitors",
        "peak_memory_mb",
    ]


def test_ratios_and_memory_are_numbers_above_zero(figures):
    for name in ("traced_vs_generate", "compare_six_speedup", "peak_memory_mb"):
        assert math.isfinite(figures[name])
        assert figures[name] > 0


def test_crowds_of_one_four_and_eight_are_measured(figures):
    assert [row["n"] for row in figures["visitors"]] == [1, 4, 8]
    for row in figures["visitors"]:
        assert set(row) == {
            "n",
            "tokens_per_second",
            "first_token_p50",
            "first_token_p95",
            "gap_p50",
            "gap_p95",
        }
        assert 0 < row["first_token_p50"] <= row["first_token_p95"]
        assert 0 <= row["gap_p50"] <= row["gap_p95"]


def test_the_figures_survive_json(figures):
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures


def test_the_table_is_small_and_holds_the_ratios(figures):
    lines = table({**figures, "traced_vs_generate": 0.987, "compare_six_speedup": 3.21, "dtype": "float32"})

    assert len(lines.splitlines()) <= 10
    assert "0.99" in lines
    assert "3.21" in lines
    assert "float32" in lines


def test_the_peer_makes_as_many_tokens_as_asked_for_though_the_model_would_end(make_engine, make_tiny_model):
    model = make_tiny_model()
    model.generation_config.eos_token_id = list(range(200))
    engine = make_engine(model)

    assert peer(engine, Sampling(strategy="greedy", max_new_tokens=9)) == 9


def test_the_ratio_is_the_median_of_speeds_taken_in_turn(monkeypatch):
    seconds = iter([2, 1, 4, 4, 9, 1])  # theirs, ours; ours, theirs; theirs, ours
    monkeypatch.setattr(bench, "timed", lambda work: Timed(work(), next(seconds)))
    order: list[str] = []

    ratio = in_turn(3, lambda: order.append("ours") or 10, lambda: order.append("theirs") or 10)

    assert order == ["theirs", "ours", "ours", "theirs", "theirs", "ours"]
    assert ratio == 2  # of 2, 1 and 9


def test_a_crowd_is_as_many_visitors_who_each_get_their_tokens(make_engine):
    whole, arrivals = crowd(make_engine(), n=3, tokens=5)

    assert [len(times) for times in arrivals] == [5, 5, 5]
    assert all(times == sorted(times) for times in arrivals)
    assert whole.tokens == 15


def test_first_tokens_and_gaps_are_told_apart():
    figures = summary(2, [(Timed(6, 2.0), [[1.0, 1.5, 2.0], [3.0, 3.5, 4.0]])])

    assert figures == {
        "n": 2,
        "tokens_per_second": 3.0,
        "first_token_p50": 2.0,
        "first_token_p95": pytest.approx(2.9),
        "gap_p50": 0.5,
        "gap_p95": 0.5,
    }


def test_the_percentile_of_one_value_is_that_value():
    assert percentile([0.25], 95) == 0.25


def test_the_command_prints_the_table_and_writes_the_json(monkeypatch, capsys, tmp_path, tiny_folder):
    monkeypatch.setenv("LLM_DEMO_MODEL", str(tiny_folder))
    file = tmp_path / "figures.json"

    main(["--json", str(file), "--tokens", "2"])

    assert "bare generate" in capsys.readouterr().out
    assert json.loads(file.read_text())["runs"] == 5


@pytest.mark.parametrize("arguments", [["--runs", "4"], ["--tokens", "0"], ["--tokens", "x"], ["--fast"]])
def test_arguments_that_make_no_sense_are_refused(arguments, capsys):
    with pytest.raises(SystemExit):
        main(arguments)

    assert "usage: python -m llm_demo.bench" in capsys.readouterr().err
