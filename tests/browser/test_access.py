"""The page by keyboard alone, and what a screen reader is told of it."""

import re

import pytest
from playwright.sync_api import expect

FOCUSED = "selector => document.activeElement.matches(selector)"
MOST_STOPS = 60  # of the tab key, from one control to another further down


@pytest.fixture(scope="module")
def reader(enter):
    with enter() as visitor:
        expect(visitor.shown(".token").first).to_be_visible()
        yield visitor


def press_tab_until(visitor, selector: str) -> None:
    """Go on from where the focus is to the first element that matches."""
    for _ in range(MOST_STOPS):
        visitor.page.keyboard.press("Tab")
        if visitor.page.evaluate(FOCUSED, selector):
            return
    pytest.fail(f"the tab key does not reach {selector}")


def expect_selected(visitor, tab: str) -> None:
    expect(visitor.page.get_by_role("tab", name=visitor.t(f"{tab}.title"), exact=True)).to_have_attribute(
        "aria-selected", "true"
    )


def test_the_arrow_keys_open_the_tabs(reader):
    reader.page.get_by_role("tab", name=reader.t("tokenizer.title"), exact=True).focus()

    for tab in ("chat", "decoding"):
        reader.page.keyboard.press("ArrowRight")
        expect_selected(reader, tab)


@pytest.fixture(scope="module")
def decoded(reader):
    """A short comparison, run by keyboard."""
    reader.open_tab("decoding")
    reader.set_knob("knob.max_new_tokens", 4)
    reader.page.get_by_role("tab", name=reader.t("decoding.title"), exact=True).focus()
    press_tab_until(reader, "#decoding-run")
    reader.page.keyboard.press("Enter")
    expect(reader.page.locator("#decoding-slot-2 .gtitle")).to_be_visible()
    return reader


def test_a_keyboard_moves_through_the_steps_of_what_it_ran(decoded):
    press_tab_until(decoded, "#decoding-step input[type=range]")
    decoded.page.keyboard.press("ArrowRight")
    expect(decoded.shown("#decoding-slot-0 .hint")).to_contain_text("Paso 2:")

    press_tab_until(decoded, "#decoding-slot-0 .token")
    for _ in range(2):
        decoded.page.keyboard.press("ArrowRight")
    expect(decoded.shown("#decoding-slot-0 .hint")).to_contain_text("Paso 3:")
    expect(decoded.page.locator("#decoding-slot-0 .token").nth(2)).to_have_attribute("aria-pressed", "true")


def test_what_is_drawn_is_told_in_words(decoded):
    chart = decoded.page.locator("#decoding-slot-0 .js-plotly-plot")

    expect(chart).to_have_attribute("role", "img")
    expect(chart).to_have_attribute(
        "aria-label",
        re.compile(
            r"^Los 10 tokens siguientes más probables\. Lo que da el modelo: .*▶ .+ \d+,\d %.*Tras los filtros: "
        ),
    )


def test_results_are_said_once_they_stand_still(decoded):
    expect(decoded.page.locator("#access [role=status]")).to_contain_text("1 y 3 se separan en el paso")


def test_sliders_and_folds_are_named_in_the_language_of_the_page(decoded):
    slider = decoded.page.locator("#decoding-step")

    expect(slider.get_by_role("slider", name="Paso", exact=True)).to_be_visible()
    expect(slider.get_by_role("button", name="Volver al valor inicial: Paso")).to_be_visible()
    expect(decoded.page.locator("#decoding-background > button")).to_have_attribute("aria-expanded", "false")
    expect(decoded.page.get_by_role("group", name=decoded.t("plan.chosen"))).to_be_visible()


def test_buttons_that_show_a_sign_are_named_in_words(reader):
    reader.open_tab("ablation")

    for word, name in (("up", "Subir:"), ("down", "Bajar:"), ("remove", "Quitar:")):
        expect(reader.page.locator(f"#ablation-{word}-1")).to_have_accessible_name(re.compile(f"^{name} "))


def test_a_keyboard_answers_a_question(reader):
    reader.page.get_by_role("tab", name=reader.t("quiz.title"), exact=True).focus()
    reader.page.keyboard.press("Enter")
    expect(reader.page.locator("#quiz-options input").first).to_be_visible()

    question = reader.shown("#quiz-question .question").inner_text()

    press_tab_until(reader, "#quiz-options input")  # past two lists, which must not take it for a choice
    reader.page.keyboard.press("Space")
    expect(reader.page.locator("#quiz-options input:checked")).to_have_count(1)
    press_tab_until(reader, "#quiz-answer")
    reader.page.keyboard.press("Enter")

    expect(reader.page.locator("#quiz-verdict")).to_contain_text("Respuesta correcta:")
    expect(reader.shown("#quiz-question .question")).to_have_text(question)


def test_a_word_opens_the_glossary_and_closing_it_leads_back(reader):
    reader.open_tab("quiz")
    reader.page.locator('a[href="#term-benchmark"]').first.focus()

    reader.page.keyboard.press("Enter")
    expect(reader.page.locator("#term-benchmark")).to_be_focused()
    reader.page.locator('dialog a[href="#term-base_model"]').first.focus()
    reader.page.keyboard.press("Enter")
    expect(reader.page.locator("#term-base_model")).to_be_focused()
    reader.page.keyboard.press("Escape")

    expect(reader.page.locator("dialog")).to_be_hidden()
    expect(reader.page.locator('[role=tabpanel] a[href="#term-benchmark"]').first).to_be_focused()


def test_the_theory_opens_and_leads_to_what_shows_it(reader):
    reader.open_tab("quiz")
    reader.page.locator('a[href="#see-quiz-background"]').click()
    note = reader.page.locator("#quiz-background")
    expect(note.get_by_text("Una regla para medir.")).to_be_visible()

    note.get_by_role("link", name=reader.t("contest.title"), exact=True).click()

    expect(reader.page.locator("#contest-run")).to_be_visible()
