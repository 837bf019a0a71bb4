"""Evaluating in the page: progress, stopped and gone on with, every question opened, two runs compared, files."""

import csv
import io
import json
import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.slow  # each of its pages takes seconds to open

MINUTES = 240_000


@pytest.fixture(scope="module")
def lab(enter):
    """A visitor in front of the evaluations."""
    with enter() as visitor:
        visitor.open_tab("quiz")
        visitor.page.get_by_role("tab", name=visitor.t("evaluate.title"), exact=True).click()
        yield visitor


@pytest.fixture(scope="module")
def evaluated(lab):
    """The same, after it was stopped on its way and gone on with."""
    page = lab.page
    count = page.locator("#evaluate-count input")
    count.fill("12")
    count.press("Tab")
    page.locator("#evaluate-run").click()
    expect(page.locator("#evaluate-progress")).to_contain_text(re.compile(r"\b([1-9]|1[01]) de 12"), timeout=MINUTES)
    page.locator("#evaluate-stop").click()
    expect(page.locator("#evaluate-progress")).to_contain_text("Parada aquí", timeout=MINUTES)
    page.locator("#evaluate-resume").click()
    expect(page.locator("#evaluate-progress")).to_contain_text("12 de 12 preguntas", timeout=MINUTES)
    expect(page.locator("#evaluate-table tr[data-i]")).to_have_count(12, timeout=MINUTES)
    return lab


@pytest.fixture(scope="module")
def through(client) -> dict:
    """The same evaluation, run through by a program."""
    return client.predict("es", None, 12, 0, "direct", api_name="/quiz_evaluate")


def rows(page) -> list[list[str]]:
    return [row.locator("td").all_inner_texts() for row in page.locator("#evaluate-table tr[data-i]").all()]


def test_what_was_stopped_and_gone_on_with_equals_what_ran_through(evaluated, through):
    letters = [row[3].split()[-1] for row in rows(evaluated.page)]
    right = sum(row[3].startswith("✓") for row in rows(evaluated.page))

    assert {letter: letters.count(letter) for letter in through["letters"]} == through["letters"]
    assert right / 12 == pytest.approx(through["accuracy"])
    expect(evaluated.page.locator("#evaluate-facts")).to_contain_text(f"{right} de 12")


def test_the_charts_show_categories_and_letters(evaluated, through):
    shares = evaluated.page.locator("#evaluate-shares .js-plotly-plot").evaluate("plot => [...plot.data[0].x]")
    letters = evaluated.page.locator("#evaluate-letters .js-plotly-plot").evaluate("plot => [...plot.data[0].y]")

    assert len(shares) == len(through["by_category"]) + 1
    assert shares[-1] == pytest.approx(through["accuracy"])
    assert letters == list(through["letters"].values())


def test_our_own_questions_and_published_figures_are_told_apart(evaluated):
    facts = evaluated.page.locator("#evaluate-facts")

    expect(facts).to_contain_text("Preguntas propias de esta demo, no de MMLU-ProX")
    expect(facts).to_contain_text("no se comparan con estos")


def test_a_question_is_opened(evaluated):
    second = rows(evaluated.page)[1]
    evaluated.page.locator("#evaluate-table [data-i='1'] button").click()
    opened = evaluated.page.locator("#evaluate-opened")

    expect(opened.locator(".question")).to_contain_text(second[0][:40])
    expect(opened.locator(".options li", has_text="✓")).to_contain_text(f"{second[2]}.")


def test_answers_are_filtered(evaluated):
    wrong = sum(row[3].startswith("✗") for row in rows(evaluated.page))
    only = evaluated.page.locator("#evaluate-only")

    only.get_by_text("Fallos", exact=True).click()
    expect(evaluated.page.locator("#evaluate-table tr[data-i]")).to_have_count(wrong)
    only.get_by_text("Sin letra", exact=True).click()
    expect(evaluated.page.locator("#evaluate-table")).to_contain_text("Ninguna respuesta es así.")
    only.get_by_text("Todas", exact=True).click()
    expect(evaluated.page.locator("#evaluate-table tr[data-i]")).to_have_count(12)


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_the_run_is_saved(evaluated, through, kind):
    with evaluated.page.expect_download() as download:
        evaluated.page.locator(f"#evaluate-{kind}").click()
    text = download.value.path().read_text("utf-8-sig")

    if kind == "json":
        held = json.loads(text)
        assert (held["answered"], held["letters"]) == (12, through["letters"])
    else:
        assert len(list(csv.DictReader(io.StringIO(text)))) == 12


def test_too_many_questions_are_refused_in_a_sentence(evaluated):
    count = evaluated.page.locator("#evaluate-count input")
    count.fill("5000")
    count.press("Tab")
    evaluated.page.locator("#evaluate-run").click()

    evaluated.expect_toast("El número de preguntas debe ser un entero entre 1 y 200, y vale 5000.")


def test_two_runs_are_compared_question_by_question(evaluated):
    page = evaluated.page
    count = page.locator("#evaluate-count input")
    count.fill("4")
    count.press("Tab")
    page.locator("#evaluate-way input").click()
    page.get_by_role("option", name=evaluated.t("quiz_ways.two_tokens"), exact=True).click()
    page.locator("#evaluate-run").click()
    expect(page.locator("#evaluate-progress")).to_contain_text("4 de 4 preguntas", timeout=MINUTES)
    expect(page.locator("#evaluate-facts")).to_contain_text("Sin letra", timeout=MINUTES)

    page.get_by_role("tab", name=evaluated.t("contest.title"), exact=True).click()
    page.locator("#contest-run").click()

    told = page.locator("#contest-told")
    expect(told).to_contain_text("En 4 preguntas comunes")
    expect(told).to_contain_text("Prueba de McNemar, exacta: p = ")
    expect(told).to_contain_text("se obtuvieron de maneras distintas")
