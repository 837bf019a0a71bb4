"""Charts of what many questions add up to: the numbers that they draw, and that a label is never markup."""

import pytest

from llm_demo.charts import ShareBar, SurenessLine, letter_counts, share_bars, sureness_lines
from llm_demo.i18n import translator

T = translator("es")


def test_shares_have_their_intervals_and_the_line_of_chance():
    figure = share_bars([ShareBar("química", 0.5, 0.2, 0.8, 4), ShareBar("<b>", 1.0, 0.4, 1.0, 2)], 0.125, T)
    (bars,) = figure.data

    assert list(bars.x) == [0.5, 1.0]
    assert list(bars.error_x.array) == pytest.approx([0.3, 0.0])
    assert list(bars.error_x.arrayminus) == pytest.approx([0.3, 0.6])
    assert list(figure.layout.yaxis.ticktext) == ["química (4)", "&lt;b&gt; (2)"]
    assert figure.layout.shapes[0].x0 == 0.125
    assert figure.layout.annotations[0].text == "azar: 12,5 %"


def test_letters_chosen_stand_beside_letters_correct():
    chosen, gold = letter_counts({"A": 3, "B": 0}, {"A": 1, "B": 2}, T).data

    assert (list(chosen.x), list(chosen.y)) == (["A", "B"], [3, 0])
    assert list(gold.y) == [1, 2]


def test_sureness_is_drawn_against_success_and_the_diagonal():
    diagonal, mine = sureness_lines([SurenessLine("Tú", [(0.2, 0.5, 4), (0.8, 0.75, 8)])], T).data

    assert (list(diagonal.x), list(diagonal.y)) == ([0, 1], [0, 1])
    assert (list(mine.x), list(mine.y), list(mine.customdata)) == ([0.2, 0.8], [0.5, 0.75], [4, 8])
