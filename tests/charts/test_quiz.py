"""Letters of a question: their marks and the line of chance."""

import pytest

from llm_demo.charts import CHOSEN, FILTERED, LetterBar, letter_bars
from llm_demo.i18n import translator

ES, EN = translator("es"), translator("en")


def letter(name: str, prob: float, gold: bool = False, model: bool = False, visitor: bool = False) -> LetterBar:
    return LetterBar(name, prob, is_gold=gold, is_model=model, is_visitor=visitor)


def test_letters_carry_the_marks_of_who_chose_them():
    bars = [letter("A", 0.5, gold=True, model=True), letter("B", 0.3, visitor=True), letter("C", 0.2)]

    figure = letter_bars(bars, ES)

    assert list(figure.data[0].x) == ["A ✓ ▶", "B ●", "C"]
    assert list(figure.data[0].y) == [0.5, 0.3, 0.2]
    assert list(figure.data[0].text) == ["50,0 %", "30,0 %", "20,0 %"]
    assert list(figure.data[0].marker.color) == [CHOSEN, FILTERED, FILTERED]


@pytest.mark.parametrize(("count", "chance", "said"), [(4, 0.25, "azar: 25,0 %"), (10, 0.1, "azar: 10,0 %")])
def test_the_line_of_chance_depends_on_the_number_of_letters(count, chance, said):
    figure = letter_bars([letter("ABCDEFGHIJ"[n], 1 / count) for n in range(count)], ES)

    line = figure.layout.shapes[0]
    assert (line.y0, line.y1) == (chance, chance)
    assert figure.layout.annotations[0].text == said


def test_the_line_of_chance_lies_within_the_axis_where_all_bars_are_lower():
    figure = letter_bars([letter("A", 0.01), letter("B", 0.01)], ES)

    assert figure.layout.yaxis.range[1] > 0.5


def test_the_title_of_the_letters_explains_their_marks():
    assert letter_bars([letter("A", 1.0)], EN).layout.title.text == (
        "Probability of each letter<br><sup>✓ correct · ▶ model · ● you</sup>"
    )


def test_ten_letters_are_a_small_figure():
    assert len(letter_bars([letter(name, 0.1) for name in "ABCDEFGHIJ"], ES).to_json()) < 6_000
