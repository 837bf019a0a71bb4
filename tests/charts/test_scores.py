"""Whole texts on one axis: each line as long as its text is unlikely."""

import pytest

from llm_demo.charts import score_axis
from llm_demo.i18n import translator

ES, EN = translator("es"), translator("en")
ROWS = [("voraz", -12.5, 10), ("libre", -40.0, 1), ("seguro", 0.0, 0)]


def test_each_text_is_a_dot_with_a_line_to_zero_in_the_order_given():
    lines, dots = score_axis(ROWS, ES).data

    assert list(lines.x) == [-12.5, 0, None, -40.0, 0, None, 0.0, 0, None]
    assert list(lines.y) == [0, 0, None, 1, 1, None, 2, 2, None]
    assert list(zip(dots.x, dots.y, strict=True)) == [(-12.5, 0), (-40.0, 1), (0.0, 2)]


@pytest.mark.parametrize(
    ("t", "title", "values", "counts", "share"),
    [
        (ES, "Más probable no es mejor", ["−12,5", "−40,0", "0,0"], ["10 tokens", "1 token"], "−1,25 nats por token"),
        (EN, "Likelier is not better", ["−12.5", "−40.0", "0.0"], ["10 tokens", "1 token"], "−1.25 nats per token"),
    ],
)
def test_values_and_lengths_are_written_beside(t, title, values, counts, share):
    figure = score_axis(ROWS, t)

    assert figure.layout.title.text == title
    assert list(figure.data[1].text) == [f"<b>{value}</b>" for value in values]
    assert all(count in label for count, label in zip(counts, figure.layout.yaxis.ticktext, strict=False))
    assert figure.data[1].customdata[0] == share


def test_the_first_text_stands_on_top_and_every_dot_within_the_axis():
    layout = score_axis(ROWS, ES).layout

    assert layout.yaxis.range[0] > layout.yaxis.range[1]
    assert layout.xaxis.range[0] < -40.0
    assert layout.xaxis.range[1] > 0


def test_eight_hostile_names_are_a_small_figure_without_markup():
    text = score_axis([("<b>x</b>", -3.0, 2)] * 8, ES).to_json().replace("\\u003c", "<")

    assert len(text) < 8_000
    assert "<b>x" not in text
