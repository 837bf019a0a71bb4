"""What all charts share: no colour of their own for words, shares written as the language does."""

import json

import pytest

from llm_demo.charts import (
    LetterBar,
    WorthBar,
    beam_tree,
    contrast_bars,
    cost_bars,
    draw_bar,
    first_bars,
    heat_map,
    letter_bars,
    parting_bars,
    percent,
    score_axis,
    top_k_bars,
    worth_bars,
)
from llm_demo.charts.style import share_axis
from llm_demo.i18n import translator
from tests.charts.test_beams import TREE, WINNER
from tests.charts.test_steps import contrastive, step

ES, EN = translator("es"), translator("en")
FIGURES = {
    "top_k_bars": top_k_bars(step(), ES),
    "parting_bars": parting_bars(step(), step(), ("voraz", "libre"), ES),
    "contrast_bars": contrast_bars(contrastive(), ES),
    "cost_bars": cost_bars([("Español", (9, 7))], ("uno", "otro"), ES),
    "draw_bar": draw_bar(step(), ES),
    "score_axis": score_axis([("voraz", -3.0, 2)], ES),
    "beam_tree": beam_tree(TREE, WINNER, ES),
    "letter_bars": letter_bars([LetterBar("A", 1.0, is_gold=True, is_model=False, is_visitor=False)], ES),
    "worth_bars": worth_bars([WorthBar("a", 1.0, (2.0,))], ES, noise=1.0),
    "heat_map": heat_map(["a"], ["b"], [[1.0]], ES),
    "first_bars": first_bars(["a"], [0.5], [0.25], ("b", "c"), ES),
}


@pytest.mark.parametrize(
    ("longest", "marks"),
    [
        (0.0625, ["0 %", "2 %", "4 %", "6 %"]),
        (0.5, ["0 %", "10 %", "20 %", "30 %", "40 %", "50 %"]),
        (1.25, ["0 %", "50 %", "100 %"]),
    ],
)
def test_an_axis_of_shares_is_marked_at_round_percentages(longest, marks):
    axis = share_axis(longest)

    assert axis["ticktext"] == marks
    assert axis["tickvals"] == [int(mark.split()[0]) / 100 for mark in marks]


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_no_chart_fixes_the_colour_of_its_words_or_page(figure):
    layout = json.loads(figure.to_json())["layout"]

    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
    assert "color" not in layout["font"]
    assert [trace.textfont.color for trace in figure.data] == [None] * len(figure.data)


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_no_chart_zooms_under_a_finger_that_scrolls(figure):
    assert figure.layout.xaxis.fixedrange
    assert figure.layout.yaxis.fixedrange


@pytest.mark.parametrize(
    ("share", "es", "en"),
    [
        (0, "0 %", "0 %"),
        (0.00049, "<0,1 %", "<0.1 %"),
        (0.0005, "0,1 %", "0.1 %"),
        (0.1234, "12,3 %", "12.3 %"),
        (1.0, "100,0 %", "100.0 %"),
    ],
)
def test_a_share_is_written_as_the_language_does_and_nothing_is_apart_from_little(share, es, en):
    assert percent(share, ES) == es
    assert percent(share, EN) == en
