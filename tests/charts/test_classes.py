"""Classes of a sentence: their shares, and what they were before."""

from llm_demo.charts import class_bars
from llm_demo.i18n import translator

ES = translator("es")
NAMES = ["POSITIVO", "<b>", "NEUTRAL"]


def test_shares_alone_are_one_bar_a_class():
    figure = class_bars(NAMES, [0.2, 0.7, 0.1], ES, "Clases")

    (bars,) = figure.data
    assert list(bars.x) == [0.2, 0.7, 0.1]
    assert list(bars.text) == ["20,0 %", "70,0 %", "10,0 %"]
    assert figure.layout.showlegend is False


def test_the_likeliest_class_is_marked_and_names_are_text():
    figure = class_bars(NAMES, [0.2, 0.7, 0.1], ES, "Clases")

    assert list(figure.layout.yaxis.ticktext) == ["POSITIVO", "▶ <b>&lt;b&gt;</b>", "NEUTRAL"]


def test_what_they_were_before_stands_beside_the_shares():
    figure = class_bars(NAMES, [0.2, 0.7, 0.1], ES, "Palabras", raw=[0.02, 0.07, 0.01])

    raw, shares = figure.data
    assert list(raw.x) == [0.02, 0.07, 0.01]
    assert list(shares.x) == [0.2, 0.7, 0.1]
    assert figure.layout.showlegend is True
    assert len(figure.to_json()) < 3_000
