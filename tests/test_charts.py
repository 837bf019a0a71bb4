"""Figures: the values given are the values drawn, every token keeps its own row, and no text is markup."""

import json
import math

import pytest

from llm_demo.charts import CHOSEN, FILTERED, LetterBar, letter_bars, percent, top_k_bars, worth_bars
from llm_demo.i18n import translator
from llm_demo.trace import Candidate, Step

ES, EN = translator("es"), translator("en")
HOSTILE = '<img src=x onerror="hacked=1"><b>bold</b>'
TOP = (
    Candidate(1, " azul", 0.4, 0.8),
    Candidate(2, " rojo", 0.3, 0.2),
    Candidate(3, "\n", 0.1, 0.0),
)


def step(chosen: Candidate = TOP[1], top: tuple[Candidate, ...] = TOP) -> Step:
    return Step(chosen=chosen, top=top, draw=None, entropy=1.0, log_prob=math.log(chosen.raw_prob))


def labels(figure) -> list[str]:
    return list(figure.layout.yaxis.ticktext)


def drawn(figure, trace: int) -> dict[int, float]:
    """Return row -> length of the bars of one kind."""
    return dict(zip(figure.data[trace].y, figure.data[trace].x, strict=True))


def letter(name: str, prob: float, gold: bool = False, model: bool = False, visitor: bool = False) -> LetterBar:
    return LetterBar(name, prob, is_gold=gold, is_model=model, is_visitor=visitor)


# Candidates of a step


def test_raw_and_filtered_probabilities_stand_side_by_side():
    figure = top_k_bars(step(), ES)

    assert [bars.name for bars in figure.data] == ["Lo que da el modelo", "Tras los filtros", "▶ Elegido"]
    assert drawn(figure, 0) == {0: 0.4, 1: 0.3, 2: 0.1}
    assert drawn(figure, 1) == {0: 0.8, 2: 0.0}
    assert drawn(figure, 2) == {1: 0.2}
    assert figure.data[0].offsetgroup != figure.data[1].offsetgroup == figure.data[2].offsetgroup


def test_the_chosen_and_the_filtered_out_are_marked():
    assert labels(top_k_bars(step(), ES)) == ["·azul", "▶ <b>·rojo</b>", "✕ ↵"]


def test_the_likeliest_stands_on_top():
    assert top_k_bars(step(), ES).layout.yaxis.autorange == "reversed"


def test_a_chosen_token_outside_the_top_is_added_below():
    figure = top_k_bars(step(chosen=Candidate(9, " gris", 0.01, 0.02)), ES)

    assert labels(figure) == ["·azul", "·rojo", "✕ ↵", "▶ <b>·gris</b>"]
    assert drawn(figure, 0)[3] == 0.01
    assert drawn(figure, 2) == {3: 0.02}
    assert figure.layout.title.text == "Los 3 tokens siguientes más probables"


def test_tokens_that_look_alike_keep_their_own_rows():
    twins = (Candidate(1, "\ufffd", 0.4, 0.5), Candidate(2, "\ufffd", 0.3, 0.3), Candidate(3, "\ufffd", 0.2, 0.2))

    figure = top_k_bars(step(chosen=twins[1], top=twins), ES)

    assert drawn(figure, 0) == {0: 0.4, 1: 0.3, 2: 0.2}
    assert len(labels(figure)) == 3
    assert [text.startswith("▶") for text in labels(figure)] == [False, True, False]


def test_markup_in_a_token_is_escaped_everywhere():
    figure = top_k_bars(step(chosen=Candidate(1, "<b>x</b>", 0.5, 1.0), top=(Candidate(1, "<b>x</b>", 0.5, 1.0),)), ES)

    assert labels(figure) == ["▶ <b>&lt;b&gt;x&lt;/b&gt;</b>"]
    assert {*figure.data[0].customdata, *figure.data[2].customdata} == {"&lt;b&gt;x&lt;/b&gt;"}


def test_a_long_token_is_cut_before_it_is_escaped():
    long = Candidate(1, "<" * 40, 0.5, 1.0)

    assert labels(top_k_bars(step(chosen=long, top=(long,)), ES)) == ["▶ <b>" + "&lt;" * 15 + "…</b>"]


def test_no_part_of_a_token_becomes_an_element_of_the_figure():
    hostile = Candidate(1, HOSTILE, 0.5, 1.0)

    figure = top_k_bars(step(chosen=hostile, top=(hostile,)), ES)

    assert "<img" not in figure.to_json().replace("\\u003c", "<")


@pytest.mark.parametrize(
    ("t", "title", "names", "separators", "text"),
    [
        (ES, "Los 3 tokens siguientes más probables", "Tras los filtros", ",.", "40,0 %"),
        (EN, "The 3 likeliest next tokens", "After the filters", ".,", "40.0 %"),
    ],
)
def test_a_chart_speaks_the_visitors_language(t, title, names, separators, text):
    figure = top_k_bars(step(), t)

    assert figure.layout.title.text == title
    assert figure.data[1].name == names
    assert figure.layout.separators == separators
    assert figure.data[0].text[0] == text


def test_a_title_of_its_own_replaces_the_usual_one():
    assert top_k_bars(step(), ES, "El primer token").layout.title.text == "El primer token"


def test_every_bar_lies_within_the_axis():
    figure = top_k_bars(step(), ES)

    assert figure.layout.xaxis.range[0] == 0
    assert figure.layout.xaxis.range[1] > 0.8


def test_ten_candidates_are_a_small_figure():
    ten = tuple(Candidate(n, f" palabra{n}", 0.1 - n / 1000, 0.1) for n in range(10))

    assert len(top_k_bars(step(chosen=ten[0], top=ten), ES).to_json()) < 6_000


# Letters of a question


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


# Worth of parts


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


# All


@pytest.mark.parametrize(
    "figure", [top_k_bars(step(), ES), letter_bars([letter("A", 1.0)], ES), worth_bars([("a", 1.0)], ES)]
)
def test_no_chart_fixes_the_colour_of_its_words_or_page(figure):
    layout = json.loads(figure.to_json())["layout"]

    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
    assert "color" not in layout["font"]


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
