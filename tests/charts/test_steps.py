"""Candidates of a step: the values given are the values drawn, every token keeps its row, no text is markup."""

import math

import pytest

from llm_demo.charts import contrast_bars, parting_bars, top_k_bars
from llm_demo.charts.style import RAW, REMOVED
from llm_demo.i18n import translator
from llm_demo.trace import Candidate, Contrast, Step

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


# What the model gave, and what the filters left


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


def test_what_the_filters_removed_is_grey_and_hatched():
    given = top_k_bars(step(), ES).data[0]

    assert list(given.marker.color) == [RAW, RAW, REMOVED]
    assert list(given.marker.pattern.shape) == ["", "", "/"]


def test_where_nothing_was_removed_no_bar_is_hatched():
    given = top_k_bars(step(top=TOP[:2]), ES).data[0]

    assert given.marker.color == RAW
    assert given.marker.pattern.shape is None


# Two strategies where they part

# Greedy filters nothing; the other kept two, and drew one that is not among the likeliest three.
FAR = Candidate(7, " gris", 0.05, 0.3)
GREEDY = step(
    chosen=Candidate(1, " azul", 0.4, 0.4),
    top=tuple(Candidate(c.token_id, c.text, c.raw_prob, c.raw_prob) for c in TOP),
)
FREE = step(chosen=FAR)


def test_a_candidate_has_its_probability_under_each_strategy():
    figure = parting_bars(GREEDY, FREE, ("voraz", "libre"), ES)

    assert [bars.name for bars in figure.data] == ["A: voraz", "B: libre"]
    assert labels(figure) == ["A ▶ <b>·azul</b>", "·rojo", "↵", "B ▶ <b>·gris</b>"]
    assert drawn(figure, 0) == {0: 0.4, 1: 0.3, 2: 0.1, 3: 0.0}
    assert drawn(figure, 1) == {0: 0.8, 1: 0.2, 2: 0.0, 3: 0.3}


def test_removed_is_told_from_not_recorded():
    figure = parting_bars(GREEDY, FREE, ("voraz", "libre"), ES)

    assert list(figure.data[0].text) == ["40,0 %", "30,0 %", "10,0 %", "–"]
    assert list(figure.data[1].text) == ["80,0 %", "20,0 %", "✕", "30,0 %"]


def test_the_two_strategies_are_told_apart_without_colour():
    plain, hatched = parting_bars(GREEDY, FREE, ("voraz", "libre"), ES).data

    assert plain.marker.pattern.shape != hatched.marker.pattern.shape
    assert plain.offsetgroup != hatched.offsetgroup


def test_both_chosen_tokens_stay_in_sight_of_many():
    many = tuple(Candidate(n, f" p{n}", 0.05 - n / 1000, 0.05) for n in range(20))
    a, b = Candidate(30, " a", 0.001, 0.001), Candidate(31, " b", 0.002, 0.002)

    figure = parting_bars(step(chosen=a, top=many), step(chosen=b, top=many), ("x", "y"), EN)

    assert labels(figure) == [f"·p{n}" for n in range(10)] + ["B ▶ <b>·b</b>", "A ▶ <b>·a</b>"]
    assert len(figure.to_json()) < 8_000


def test_no_name_of_a_strategy_and_no_token_is_markup():
    hostile = step(chosen=Candidate(5, HOSTILE, 0.5, 0.5))

    text = parting_bars(hostile, FREE, (HOSTILE, "<b>y</b>"), EN).to_json().replace("\\u003c", "<")

    assert "<img" not in text
    assert "B: &lt;b&gt;y" in text


@pytest.mark.parametrize(
    ("t", "title"),
    [(ES, "Donde se separan: lo que cada una dejaba posible"), (EN, "Where they part: what each still allowed")],
)
def test_the_parting_is_told_in_both_languages(t, title):
    assert parting_bars(GREEDY, FREE, ("a", "b"), t).layout.title.text == title


# Candidates of contrastive search


def contrastive(text: str = " rojo") -> Step:
    """Alpha 0.5: half of the confidence less half of the likeness. The second wins, unlike what came before."""
    return Step(
        chosen=Candidate(2, text, 0.3, 0.3),
        top=TOP,
        draw=None,
        entropy=1.0,
        log_prob=math.log(0.3),
        contrast=(Contrast(1, " azul", 0.4, 0.9, -0.25), Contrast(2, text, 0.3, -0.1, 0.2)),
    )


def test_confidence_adds_and_likeness_takes_away():
    confidence, likeness, score = contrast_bars(contrastive(), ES).data

    assert list(confidence.x) == [0.4, 0.3]
    assert list(confidence.text) == ["+0,40", "+0,30"]
    assert list(likeness.x) == [-0.9, 0.1]
    assert list(likeness.text) == ["−0,90", "+0,10"]
    assert list(score.x) == [-0.25, 0.2]
    assert confidence.marker.pattern.shape != likeness.marker.pattern.shape


@pytest.mark.parametrize(
    ("t", "first", "second"),
    [(ES, "puntuación −0,250", "puntuación +0,200"), (EN, "score −0.250", "score +0.200")],
)
def test_the_score_is_written_and_the_chosen_one_marked(t, first, second):
    plain, marked = labels(contrast_bars(contrastive(), t))

    assert plain.startswith("·azul<br>")
    assert first in plain
    assert marked.startswith("▶ <b>·rojo</b><br>")
    assert second in marked


def test_every_bar_of_contrastive_search_lies_within_the_axis():
    low, high = contrast_bars(contrastive(), ES).layout.xaxis.range

    assert low < -0.9
    assert high > 0.4


def test_sixteen_contrastive_candidates_are_a_small_figure_without_markup():
    many = tuple(Contrast(n, HOSTILE, 0.1, 0.5, -0.2) for n in range(16))
    figure = contrast_bars(Step(TOP[0], TOP, None, 1.0, -1.0, many), ES)

    assert len(figure.to_json()) < 8_000
    assert "<img" not in figure.to_json().replace("\\u003c", "<")
