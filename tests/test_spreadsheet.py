"""Rows as CSV: quoted where they must be, and never a formula."""

import csv
import io

import pytest

from llm_demo.spreadsheet import guard, table


def test_texts_are_quoted_and_numbers_are_not():
    assert table(("a", "b"), [("x, y", 1), ('"', 0.5)]) == '"a","b"\r\n"x, y",1\r\n"""",0.5\r\n'


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\t=1", "\r", "\n", "'", "＝1", "'=1"])
def test_what_would_be_a_formula_is_guarded_and_can_be_taken_back(text):
    assert guard(text) == f"'{text}"

    (_, (cell,)) = csv.reader(io.StringIO(table(("a",), [(text,)]), newline=""))
    assert cell.removeprefix("'") == text


@pytest.mark.parametrize("text", ["", "a=1", " =1", "¿"])
def test_any_other_text_stays_as_it_is(text):
    assert guard(text) == text
