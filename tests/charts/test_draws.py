"""The bar of the draw: every interval where `sampling.draw` has it, and nothing of the whole left out."""

import pytest
import torch

from llm_demo.charts import draw_bar
from llm_demo.i18n import translator
from llm_demo.ranking import Ranking
from llm_demo.sampling import draw
from llm_demo.trace import Candidate, Draw, Step

ES, EN = translator("es"), translator("en")
A, B, C = Candidate(1, " a", 0.25, 0.5), Candidate(2, " b", 0.5, 0.25), Candidate(3, " c", 0.125, 0.125)


def step(chosen: Candidate, drawn: Draw | None, top: tuple[Candidate, ...] = (B, A, C)) -> Step:
    return Step(chosen=chosen, top=top, draw=drawn, entropy=1.0, log_prob=-1.0)


def intervals(figure) -> dict[str, list[tuple[float, float]]]:
    """Return the pieces of each kind, from where to where."""
    kinds = ("candidate", "chosen", "others")
    return {
        kind: [(low, low + length) for low, length in zip(bars.base, bars.x, strict=True)]
        for kind, bars in zip(kinds, figure.data[:3], strict=True)
    }


def words(figure) -> list[str]:
    return [text for trace in figure.data[3:] for text in trace.text or ()]


def test_candidates_stand_by_falling_probability_after_the_filters():
    figure = draw_bar(step(B, Draw(0.6, 0.5, 0.75)), ES)

    assert intervals(figure) == {
        "candidate": [(0, 0.5), (0.75, 0.875)],
        "chosen": [(0.5, 0.75)],
        "others": [(0.875, 1)],
    }
    assert list(figure.data[0].text) == ["·a", "·c"]


def test_the_number_is_a_line_with_its_label():
    figure = draw_bar(step(B, Draw(0.61234, 0.5, 0.75)), ES)

    assert list(figure.data[3].x) == [0.61234, 0.61234]
    assert words(figure) == ["<b>0,612</b> → ·b"]


def test_a_chosen_token_outside_the_recorded_stands_inside_the_rest():
    far = Candidate(9, " z", 0.01, 0.0625)

    figure = draw_bar(step(far, Draw(0.92, 0.90625, 0.96875)), ES)

    assert intervals(figure) == {
        "candidate": [(0, 0.5), (0.5, 0.75), (0.75, 0.875)],
        "chosen": [(0.90625, 0.96875)],
        "others": [(0.875, 0.90625), (0.96875, 1)],
    }


def test_of_equals_the_smaller_id_comes_first_as_in_the_draw():
    probs = torch.tensor([0.25, 0.5, 0.25])
    chosen, drawn = draw(Ranking(probs), 0.6)
    top = tuple(Candidate(n, f" t{n}", probs[n].item(), probs[n].item()) for n in (2, 1, 0))

    figure = draw_bar(step(top[2 - chosen], drawn, top), ES)

    assert chosen == 0
    assert intervals(figure) == {"candidate": [(0, 0.5), (0.75, 1)], "chosen": [(0.5, 0.75)], "others": []}
    assert list(figure.data[0].text) == ["·t1", "·t2"]


def test_what_the_filters_removed_has_no_interval():
    figure = draw_bar(step(A, Draw(0.1, 0, 1), top=(Candidate(1, " a", 0.5, 1.0), Candidate(2, " b", 0.5, 0.0))), ES)

    assert intervals(figure) == {"candidate": [], "chosen": [(0, 1)], "others": []}


def test_where_nothing_was_drawn_there_is_no_line():
    figure = draw_bar(step(A, None), ES)

    assert intervals(figure)["chosen"] == [(0, 0.5)]
    assert figure.layout.title.text == "Aquí no se sortea nada"
    assert [trace.mode for trace in figure.data[3:]] == ["markers+text"]
    assert words(figure) == ["<b>·a</b>"]


def test_a_forced_token_that_the_filters_removed_is_nowhere():
    figure = draw_bar(step(Candidate(4, " d", 0.1, 0.0), None), ES)

    assert intervals(figure)["chosen"] == []
    assert words(figure) == []


@pytest.mark.parametrize(
    ("t", "title", "names"),
    [
        (ES, "Un número al azar, 0,600, elige el token", ["Candidatos", "▶ Elegido", "Los demás"]),
        (EN, "A random number, 0.600, picks the token", ["Candidates", "▶ Chosen", "The others"]),
    ],
)
def test_the_draw_is_told_in_both_languages(t, title, names):
    figure = draw_bar(step(B, Draw(0.6, 0.5, 0.75)), t)

    assert figure.layout.title.text == title
    assert [bars.name for bars in figure.data[:3]] == names
    assert (
        figure.data[1].customdata[0]
        == {"es": "·b: 25,0 %<br>0,500 – 0,750", "en": "·b: 25.0 %<br>0.500 – 0.750"}[t.language]
    )


def test_fifty_hostile_candidates_are_a_small_figure_without_markup():
    many = tuple(Candidate(n, "<b>bold</b>", 0.02, 0.02) for n in range(50))

    text = draw_bar(step(many[7], Draw(0.15, 0.14, 0.16), many), ES).to_json().replace("\\u003c", "<")

    assert len(text) < 8_000
    assert "<b>bold" not in text
    assert "&lt;b&gt;bold" in text
