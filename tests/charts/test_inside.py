"""Who looks at whom, as a map and as a row of it, and which tokens are near."""

import pytest

from llm_demo.charts import attention_map, attention_row, neighbour_bars
from llm_demo.i18n import translator
from tests.charts.test_steps import labels

ES = translator("es")
WEIGHTS = [[1.0, 0.0, 0.0], [0.6, 0.4, 0.0], [0.7, 0.2, 0.1]]
TOKENS = ["El", "·perro", "·perro"]


def drawn(weights=WEIGHTS, tokens=TOKENS, row=2):
    return attention_map(weights, tokens, row, "Capa 1", ES)


def test_each_look_is_a_cell_and_what_comes_after_is_empty():
    (heat,) = drawn().data

    assert [list(row) for row in heat.z] == [[100, None, None], [60, 40, None], [70, 20, 10]]


def test_tokens_that_are_alike_keep_their_own_rows_and_columns():
    (heat,) = drawn().data

    assert list(heat.x) == list(heat.y) == ["1 El", "2 ·perro", "3 ·perro"]


def test_the_first_token_does_not_set_the_scale_of_colours():
    assert drawn().data[0].zmax == 40
    assert drawn([[1.0, 0.0], [0.97, 0.03]], ["a", "b"], 1).data[0].zmax == 10  # nor does what is next to nothing
    assert drawn([[1.0]], ["a"], 0).data[0].zmax == 10


def test_the_chosen_row_is_framed_as_far_as_it_can_look():
    (frame,) = drawn(row=1).layout.shapes

    assert (frame.x0, frame.x1, frame.y0, frame.y1) == (-0.5, 1.5, 0.5, 1.5)


def test_what_the_pointer_tells_is_a_sentence():
    assert drawn().data[0].hovertemplate.startswith("«%{y}» mira a «%{x}»: %{z:.1f} %")


def test_a_long_text_is_as_wide_as_it_needs_and_a_short_one_as_wide_as_its_place():
    n = 64
    weights = [[1 / (i + 1) if j <= i else 0.0 for j in range(n)] for i in range(n)]
    long = drawn(weights, ["a"] * n, 0)

    assert drawn().layout.width is None
    assert long.layout.width >= n * 18
    assert long.data[0].texttemplate is None
    assert len(long.to_json()) < 40_000


def test_a_row_shows_whom_it_looks_at_most_the_most_first():
    figure = attention_row(WEIGHTS[2], TOKENS, 2, ES)

    assert [bar.x[0] for bar in figure.data] == [70, 20, 10]
    assert [name.strip() for name in labels(figure)] == ["1 El (primero)", "2 ·perro", "3 ·perro (él mismo)"]
    assert [bar.text[0] for bar in figure.data] == ["70,0 %", "20,0 %", "10,0 %"]
    assert [bool(bar.marker.pattern.shape) for bar in figure.data] == [True, False, False]


def test_a_token_in_the_middle_is_shown_without_those_after_it():
    assert len(attention_row(WEIGHTS[1], TOKENS, 1, ES).data) == 2


def test_no_more_than_ten_bars_of_a_long_row():
    assert len(attention_row([1 / 64] * 64, ["a"] * 64, 63, ES).data) == 10


def test_neighbours_are_drawn_in_their_order():
    figure = neighbour_bars([0.66, 0.5, -0.1], ["·Que", "que", "x"], "·que", ES)

    assert [bar.x[0] for bar in figure.data] == [0.66, 0.5, -0.1]
    assert labels(figure) == ["·Que", "que", "x"]
    assert figure.data[0].text[0] == "0,66"
    assert figure.layout.xaxis.range[0] < -0.1


@pytest.mark.parametrize("place", ["map", "row", "near"])
def test_markup_in_a_token_is_escaped(place):
    figure = {
        "map": lambda: attention_map([[1.0]], ["<b>x</b>"], 0, "Capa 1", ES),
        "row": lambda: attention_row([1.0], ["<b>x</b>"], 0, ES),
        "near": lambda: neighbour_bars([0.5], ["<b>x</b>"], "<b>x</b>", ES),
    }[place]()

    assert "<b>" not in figure.to_json().replace("\\u003c", "<")
    assert "&lt;b&gt;" in figure.to_json().replace("\\u003c", "<").replace("\\u0026", "&").replace("\\u003e", ">")
