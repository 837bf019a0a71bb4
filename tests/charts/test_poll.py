"""A class beside the model: two bars an answer, marks, ranks, and what students write kept harmless."""

import pytest

from llm_demo.charts import poll_bars
from llm_demo.charts.poll import MOST_ROWS
from llm_demo.i18n import translator
from llm_demo.poll import Outcome, Row

ES, EN = translator("es"), translator("en")


def token(name: str, votes: int, prob: float, rank: int) -> Row:
    return Row(name, rank, votes, prob, rank, (name.strip(),) if votes else ())


TOKENS = Outcome((token(",", 1, 0.75, 1), token(" y", 0, 0.1, 2), token(" ro", 3, 0.0002, 70)), 4, "tiny")
LETTERS = Outcome((Row("A", None, 1, 0.25, 2), Row("B", None, 0, 0.5, 1), Row("C", None, 3, 0.25, 2)), 4, "tiny", "C")


def test_the_class_and_the_model_have_a_bar_each():
    votes, model = poll_bars(TOKENS, ES).data

    assert list(votes.x) == [0.25, 0, 0.75]
    assert list(votes.text) == ["25,0 % (1)", "", "75,0 % (3)"]
    assert list(model.x) == [0.75, 0.1, 0.0002]
    assert list(model.text) == ["75,0 %", "10,0 %", "&lt;0,1 %"]
    assert votes.marker.pattern.shape == "/"  # told apart without colour


def test_tokens_have_their_white_space_and_where_they_stand_apart_their_rank():
    labels = poll_bars(TOKENS, EN).layout.yaxis.ticktext

    assert labels[:2] == ("▶ <b>,</b>", "·y")
    assert labels[2].startswith("<b>·ro</b>")
    assert "rank 70" in labels[2]


def test_the_right_letter_and_the_models_are_marked():
    assert poll_bars(LETTERS, EN).layout.yaxis.ticktext == ("<b>A</b>", "▶ <b>B</b>", "✓ <b>C</b>")


def test_no_answer_at_all_leaves_the_model_alone():
    alone = Outcome((token(",", 0, 0.75, 1),), 0, "tiny")

    assert list(poll_bars(alone, ES).data[0].x) == [0]


def test_of_many_answers_those_with_most_votes_are_shown_and_the_models_first():
    rows = [token(",", 0, 0.5, 1), *(token(f" {n}", n % 40, 0.001, n) for n in range(2, 100))]
    crowd = Outcome(tuple(rows), sum(row.votes for row in rows), "tiny")

    votes = poll_bars(crowd, ES).data[0]

    assert len(votes.x) == MOST_ROWS
    assert votes.customdata[0] == ","
    shown = sorted((row.votes for row in rows), reverse=True)[: MOST_ROWS - 1]
    assert sorted(votes.x[1:], reverse=True) == pytest.approx([count / crowd.votes for count in shown])


def test_a_token_cannot_bring_html_into_the_chart():
    hostile = Outcome((token("<img src=x>", 1, 0.5, 1),), 1, "tiny")

    assert "<img" not in poll_bars(hostile, ES).to_json()
