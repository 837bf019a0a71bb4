"""What languages cost: a bar for each, and one beside it for the other tokenizer."""

import pytest

from llm_demo.charts import cost_bars
from llm_demo.i18n import translator

ES, EN = translator("es"), translator("en")
ROWS = [("English", (1_100, 10)), ("العربية", (2_900, 11))]


@pytest.mark.parametrize(("t", "written"), [(ES, ["1.100", "2.900"]), (EN, ["1,100", "2,900"])])
def test_every_language_has_its_number_for_each_tokenizer(t, written):
    first, second = cost_bars(ROWS, ("uno", "otro"), t).data

    assert (list(first.x), list(second.x)) == ([1_100, 2_900], [10, 11])
    assert list(first.text) == written
    assert (first.name, second.name) == ("uno", "otro")


def test_the_second_tokenizer_is_told_apart_without_colour():
    first, second = cost_bars(ROWS, ("uno", "otro"), ES).data

    assert first.marker.pattern.shape is None
    assert second.marker.pattern.shape == "/"


def test_one_tokenizer_has_one_row_of_bars():
    assert len(cost_bars([("English", (11,))], ("uno",), ES).data) == 1


def test_a_name_written_from_the_right_leaves_its_neighbours_alone():
    labels = cost_bars(ROWS, ("uno", "otro"), ES).layout.yaxis.ticktext

    assert labels == ("\u2068English\u2069", "\u2068العربية\u2069")


def test_names_are_text_and_never_markup():
    text = cost_bars([("<b>x</b>", (1,))], ("<i>y</i>",), ES).to_json().replace("\\u003c", "<")

    assert "<b>" not in text
    assert "<i>" not in text
