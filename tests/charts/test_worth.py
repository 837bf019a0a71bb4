"""What parts were worth as charts: bars with their band of noise, a heat map of tokens, two distributions."""

import pytest

from llm_demo.charts import CHOSEN, FILTERED, WorthBar, first_bars, heat_map, worth_bars
from llm_demo.i18n import LANGUAGES, translator

ES = translator("es")
BARS = [WorthBar("tono", 12.5, (10.0, 14.0)), WorthBar("<b>formato</b>", -1.2)]


def test_a_bar_for_each_part_the_first_on_top():
    bars, _ = worth_bars(BARS, ES).data

    assert list(bars.x) == [12.5, -1.2]
    assert list(bars.marker.color) == [FILTERED, CHOSEN]
    axis = worth_bars(BARS, ES).layout.yaxis
    assert list(axis.ticktext) == ["tono<br><b>+12,5</b>", "&lt;b&gt;formato&lt;/b&gt;<br><b>−1,2</b>"]
    assert axis.range[0] > axis.range[1]


def test_further_answers_are_dots_in_the_row_of_their_part():
    _, dots = worth_bars(BARS, ES).data

    assert list(zip(dots.x, dots.y, strict=True)) == [(10.0, 0), (14.0, 0)]
    assert len(worth_bars([WorthBar("a", 1.0)], ES).data) == 1


def test_noise_is_a_band_to_both_sides_and_in_sight():
    figure = worth_bars([WorthBar("a", 1.0)], ES, noise=5.0)

    (band,) = figure.layout.shapes
    assert (band.x0, band.x1, band.layer) == (-5.0, 5.0, "below")
    low, high = figure.layout.xaxis.range
    assert low < -5 < 5 < high


def test_without_noise_there_is_no_band():
    assert not worth_bars(BARS, ES).layout.shapes
    assert not worth_bars(BARS, ES, noise=0.0).layout.shapes


@pytest.mark.parametrize("nats", [0.0, 1e-9, 1e6, -1e6])
def test_every_bar_is_in_sight(nats):
    low, high = worth_bars([WorthBar("a", nats)], ES).layout.xaxis.range

    assert low < min(nats, 0) <= max(nats, 0) < high


def test_the_heat_map_has_tokens_down_and_parts_across():
    (cells,) = heat_map(["Git", " es\n"], ["tono", "<i>"], [[1.0, -0.01], [-2.0, 0.0]], ES).data

    assert [list(row) for row in cells.z] == [[1.0, -2.0], [-0.01, 0.0]]
    assert [list(row) for row in cells.text] == [["+1,0", "−2,0"], ["", ""]]
    assert (cells.zmin, cells.zmax) == (-2.0, 2.0)
    layout = heat_map(["Git", " es\n"], ["tono", "<i>"], [[1.0, -0.01], [-2.0, 0.0]], ES).layout
    assert list(layout.xaxis.ticktext) == ["tono", "&lt;i&gt;"]
    assert list(layout.yaxis.ticktext) == ["Git", "·es↵"]


def test_two_distributions_share_the_rows():
    full, other = first_bars(["a", "<b>"], [0.5, 0.0001], [0.25, 0.75], ("todo", "sin <tono>"), ES).data

    assert (list(full.x), list(other.x)) == ([0.5, 0.0001], [0.25, 0.75])
    assert (full.name, other.name) == ("todo", "sin &lt;tono&gt;")
    assert list(full.text) == ["50,0 %", "&lt;0,1 %"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_pictures_are_small(language):
    t = translator(language)
    bars = [WorthBar(f"parte {n}", n, tuple(range(8))) for n in range(8)]

    assert len(worth_bars(bars, t, 3.0).to_json()) < 4_000
    assert len(heat_map(["token"] * 60, ["parte"] * 8, [[1.25] * 60] * 8, t).to_json()) < 16_000
