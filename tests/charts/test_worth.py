"""Worth of parts: what helped and what harmed."""

import pytest

from llm_demo.charts import CHOSEN, FILTERED, worth_bars
from llm_demo.i18n import translator
from tests.charts.test_steps import labels

ES = translator("es")


def test_parts_that_helped_and_parts_that_harmed_are_told_apart():
    figure = worth_bars([("tono", 3.5), ("formato", -1.5), ("tema", 0.0)], ES)

    assert list(figure.data[0].x) == [3.5, -1.5, 0.0]
    assert list(figure.data[0].text) == ["+3,5", "−1,5", "+0,0"]
    assert list(figure.data[0].marker.color) == [FILTERED, CHOSEN, FILTERED]
    assert labels(figure) == ["tono", "formato", "tema"]


@pytest.mark.parametrize("values", [[3.0, -4.0], [-4.0, -2.0], [5.0, 2.0], [0.0, 0.0]])
def test_the_axis_of_worth_holds_zero_and_every_bar(values):
    low, high = worth_bars([(str(n), nats) for n, nats in enumerate(values)], ES).layout.xaxis.range

    assert low <= min([0, *values])
    assert high > max([0, *values])


def test_parts_that_look_alike_keep_their_own_rows():
    figure = worth_bars([("x" * 30, 1.0), ("x" * 31, 2.0)], ES)

    assert list(figure.data[0].y) == [0, 1]
    assert labels(figure) == ["x" * 24, "x" * 24]


def test_markup_in_the_name_of_a_part_is_escaped():
    assert labels(worth_bars([("<b>tono</b>", 1.0)], ES)) == ["&lt;b&gt;tono&lt;/b&gt;"]
