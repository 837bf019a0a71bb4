"""The benchmark: the shape of what it reports. How fast anything is depends on the machine and is not tested."""

import json
import math

import pytest
import torch

from llm_demo import measures
from llm_demo.bench import RATIOS, endless, main, measure, table
from llm_demo.charts import crowd_chart
from llm_demo.config import Config
from llm_demo.measures import (
    bandwidth,
    bytes_per_token,
    crowd,
    crowd_vs_one,
    in_turn,
    peer,
    percentile,
    ratio,
    slowest_vs_median,
    summary,
)
from llm_demo.sampling import Sampling

KEYS = [
    "model",
    "device",
    "processor",
    "dtype",
    "runs",
    "tokens",
    "single_stream_tokens_per_second",
    "traced_vs_generate",
    "untraced_vs_generate",
    "default_vs_float32_generate",
    "compare_six_speedup",
    "compare_six_speedup_default",
    "batch_log_probs_speedup",
    "ablation_speedup",
    "crowd_16_vs_1",
    "slowest_vs_median_16",
    "visitors",
    "visitors_default",
    "peak_memory_mb",
    "bandwidth_share",
]
FLOAT32_HAS_NONE = ("compare_six_speedup_default", "visitors_default")
ROW = ["n", "tokens_per_second", "first_token_p50", "first_token_p95", "gap_p50", "gap_p95"]


@pytest.fixture(autouse=True, scope="module")
def small_matrix():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measures, "MATRIX", (64, 32))
        yield


@pytest.fixture
def figures(tiny_folder) -> dict:
    """Of a tiny model in float32."""
    config = Config(model=str(tiny_folder), device="cpu", dtype="float32")
    return measure(endless(config), runs=1, tokens=3, sizes=[1, 2, 16])


@pytest.fixture
def beside_float32(monkeypatch, capsys, tmp_path, tiny_folder) -> tuple[dict, str, str]:
    """What the command writes and prints for a model whose default is not float32: figures, page and table."""
    monkeypatch.setenv("LLM_DEMO_MODEL", str(tiny_folder))
    monkeypatch.setenv("LLM_DEMO_DTYPE", "bfloat16")
    written, page = tmp_path / "figures.json", tmp_path / "page.html"
    small = ["--quick", "--runs", "1", "--tokens", "2", "--visitors", "1,3"]
    main([*small, "--json", str(written), "--picture", str(page)])
    return json.loads(written.read_text()), page.read_text(), capsys.readouterr().out


def test_every_figure_is_there_and_survives_json(figures):
    assert list(figures) == KEYS
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures


def test_ratios_are_numbers_above_zero_and_none_beside_float32_itself(figures):
    for name in RATIOS:
        if name in FLOAT32_HAS_NONE:
            assert figures[name] is None
        else:
            assert math.isfinite(figures[name])
            assert figures[name] > 0
    assert figures["visitors_default"] is None


def test_each_size_of_crowd_is_a_row(figures):
    assert [row["n"] for row in figures["visitors"]] == [1, 2, 16]
    for row in figures["visitors"]:
        assert list(row) == ROW
        assert 0 < row["first_token_p50"] <= row["first_token_p95"]
        assert 0 <= row["gap_p50"] <= row["gap_p95"]


def test_a_default_that_is_not_float32_is_measured_beside_a_copy_that_is(beside_float32):
    figures, page, printed = beside_float32

    assert figures["dtype"] == "bfloat16"
    assert all(figures[name] for name in FLOAT32_HAS_NONE)
    assert [row["n"] for row in figures["visitors_default"]] == [1, 3]
    assert set(figures["single_stream_tokens_per_second"]) == {"traced", "untraced", "generate", "float32_generate"}
    assert "one stream, top 10 recorded : generate in float32" in printed
    assert "visitors at once" in page


def test_crowds_that_were_not_asked_for_have_no_ratio(beside_float32):
    figures, _, printed = beside_float32

    assert figures["crowd_16_vs_1"] is None
    assert figures["slowest_vs_median_16"] is None
    assert "no measurement" in printed


def test_the_table_holds_the_ratios(figures):
    lines = table({**figures, "traced_vs_generate": 0.987, "compare_six_speedup": 3.214, "dtype": "float32"})

    assert "0.99" in lines
    assert "3.21" in lines
    assert "float32" in lines
    assert len(lines.splitlines()) == 2 + len(RATIOS) + 1 + len(figures["visitors"])


def test_the_peer_makes_as_many_tokens_as_asked_for_though_the_model_would_end(make_engine, make_tiny_model):
    model = make_tiny_model()
    model.generation_config.eos_token_id = list(range(200))
    samplings = [Sampling(strategy="greedy", max_new_tokens=9), Sampling(max_new_tokens=4, top_p=0.5)]

    assert peer(make_engine(model), samplings) == 13


def test_works_take_turns_and_turns_at_being_first(monkeypatch):
    clock = iter([0, 2, 0, 1, 0, 4, 0, 4, 0, 9, 0, 1])
    monkeypatch.setattr(measures.time, "perf_counter", lambda: next(clock))
    order: list[str] = []

    speeds = in_turn(3, {"theirs": lambda: order.append("theirs") or 36, "ours": lambda: order.append("ours") or 36})

    assert order == ["theirs", "ours", "ours", "theirs", "theirs", "ours"]
    assert speeds == {"theirs": [18, 9, 4], "ours": [36, 9, 36]}
    assert ratio(speeds, "ours", "theirs") == 2  # of 2, 1 and 9


def test_a_crowd_is_as_many_visitors_who_each_get_their_tokens(make_engine):
    arrivals = crowd(make_engine(), n=3, tokens=5)

    assert [len(times) for times in arrivals] == [5, 5, 5]
    assert all(times == sorted(times) for times in arrivals)


def test_first_tokens_and_gaps_are_told_apart():
    figures = summary(2, [[[1.0, 1.5, 2.0], [3.0, 3.5, 4.0]]])

    assert figures == {
        "n": 2,
        "tokens_per_second": 1.5,
        "first_token_p50": 2.0,
        "first_token_p95": pytest.approx(2.9),
        "gap_p50": 0.5,
        "gap_p95": 0.5,
    }


def test_a_crowd_is_held_against_one_visitor_and_its_last_against_its_middle():
    results = {1: [[[1.0, 2.0]]], 16: [[[1.0, 2.0]] * 15 + [[1.0, 4.0]]]}

    assert crowd_vs_one(results) == 8  # 32 tokens in 4 seconds : 2 tokens in 2
    assert slowest_vs_median(results) == 2


def test_the_percentile_of_one_value_is_that_value():
    assert percentile([0.25], 95) == 0.25


@pytest.mark.parametrize(("number_format", "bits"), [("float32", 32), ("bfloat16", 16), ("float16", 16)])
@pytest.mark.parametrize("tied", [True, False])
def test_a_token_reads_all_weights_but_the_embedding(make_tiny_model, number_format, bits, tied):
    model = make_tiny_model(tie_word_embeddings=tied)
    layers = sum(weight.numel() for weight in model.model.parameters()) - 259 * 32
    head = 259 * 32

    assert bytes_per_token(model, number_format) == (layers + head) * bits / 8


def test_the_bandwidth_is_a_number_above_zero():
    assert 0 < bandwidth(torch.device("cpu")) < math.inf


def test_the_picture_has_two_curves_for_each_number_format():
    row = {"n": 4, "tokens_per_second": 50.0, "gap_p95": 0.25}
    figure = crowd_chart({"float32": [row], "float16": [row]}, "a title", "visitors", "speed", "gap")

    assert [(curve.name, curve.y[0]) for curve in figure.data] == [
        ("float32", 50.0),
        ("float32", 250.0),
        ("float16", 50.0),
        ("float16", 250.0),
    ]
    assert figure.layout.xaxis2.title.text == "visitors"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--runs", "4"],
        ["--runs", "0", "--quick"],
        ["--tokens", "1"],
        ["--tokens", "x"],
        ["--visitors", "1,,4"],
        ["--visitors", "0"],
        ["--picture", "bench.png"],
        ["--fast"],
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, capsys):
    with pytest.raises(SystemExit):
        main(arguments)

    assert "usage: python -m llm_demo.bench" in capsys.readouterr().err
