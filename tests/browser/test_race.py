"""Decoding Strategies tab: the plan of strategies, what is told of all of them together, and files."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.slow  # each of its pages takes seconds to open

TOKENS = 6


@pytest.fixture
def tab(visitor):
    """The tab before anything was generated, texts short."""
    visitor.open_tab("decoding")
    visitor.set_knob("knob.max_new_tokens", TOKENS)
    return visitor


@pytest.fixture(scope="module")
def done(enter):
    """The tab after one press of Generate, for tests that only look."""
    with enter() as visitor:
        visitor.open_tab("decoding")
        visitor.set_knob("knob.max_new_tokens", TOKENS)
        generate(visitor)
        yield visitor


def generate(visitor) -> None:
    visitor.page.locator("#decoding-run").click()
    expect(visitor.page.locator("#decoding-axis .js-plotly-plot")).to_be_visible()


def names(visitor) -> list[str]:
    return [name.strip() for name in visitor.page.locator("#decoding-chosen label").all_inner_texts()]


def expect_names(visitor, *wanted: str) -> None:
    expect(visitor.page.locator("#decoding-chosen label")).to_have_text(list(wanted))


GREEDY, FOCUSED, FREE = (
    "1 · Voraz (greedy)",
    "2 · Muestreo (sampling) · T 0,7 · top-k 5 · top-p 0,9",
    "3 · Muestreo (sampling) · T 1,3",
)


def test_a_strategy_is_added_copied_and_removed(tab):
    expect_names(tab, GREEDY, FOCUSED, FREE)

    tab.page.locator("#decoding-add").click()
    expect_names(tab, GREEDY, FOCUSED, FREE, "4 · Muestreo (sampling) · T 0,7")

    tab.page.locator("#decoding-chosen label").nth(1).click()
    expect(tab.shown("#decoding-knobs input[type=number]").nth(1)).to_have_value("0.7")
    tab.page.locator("#decoding-remove").click()
    expect_names(tab, GREEDY, "2 · Muestreo (sampling) · T 1,3", "3 · Muestreo (sampling) · T 0,7")

    tab.page.locator("#decoding-copy").click()
    expect(tab.page.locator("#decoding-chosen label")).to_have_count(4)
    generate(tab)
    expect(tab.shown("[id^=decoding-slot-] .token[data-i='5']")).to_have_count(4)
    expect(tab.page.locator("#decoding-slot-3 h3")).to_have_text("4 · Muestreo (sampling) · T 1,3")


def test_no_more_than_eight_and_no_fewer_than_one(tab):
    for count in range(4, 9):
        tab.page.locator("#decoding-add").click()
        expect(tab.page.locator("#decoding-chosen label")).to_have_count(count)
    expect(tab.page.locator("#decoding-add")).to_be_disabled()
    expect(tab.page.locator("#decoding-copy")).to_be_disabled()

    for count in range(7, 0, -1):
        tab.page.locator("#decoding-remove").click()
        expect(tab.page.locator("#decoding-chosen label")).to_have_count(count)
    expect(tab.page.locator("#decoding-remove")).to_be_disabled()


def test_another_strategy_has_other_knobs(tab):
    expect(tab.page.get_by_label(tab.t("knob.num_beams")).first).to_be_hidden()

    strategy = tab.page.get_by_label(tab.t("plan.strategy"), exact=True)
    strategy.fill("haces")
    strategy.press("Enter")

    expect_names(tab, "1 · Búsqueda por haces (beam search) · 4 haces", FOCUSED, FREE)
    tab.set_knob("knob.num_beams", 2)
    expect_names(tab, "1 · Búsqueda por haces (beam search) · 2 haces", FOCUSED, FREE)
    generate(tab)
    expect(tab.page.locator("#decoding-tree .js-plotly-plot")).to_be_visible()


def test_the_models_own_defaults_are_one_click_away(tab):
    tab.page.locator("#decoding-own").click()

    expect_names(tab, GREEDY, FOCUSED, FREE, "4 · Voraz (greedy)")  # the embedded model publishes none that draw
    generate(tab)
    expect(tab.page.locator("#decoding-partings")).to_contain_text(f"1 y 4: el mismo texto, {TOKENS} tokens.")


def test_a_value_out_of_range_is_told_and_nothing_is_lost(tab):
    tab.page.locator("#decoding-chosen label").nth(1).click()
    expect(tab.shown("#decoding-knobs input[type=number]").nth(1)).to_have_value("0.7")
    tab.set_knob("knob.temperature", 0)

    tab.page.locator("#decoding-run").click()

    tab.expect_toast("El ajuste temperature debe ser un número entre 0,001 y 10, y vale 0.")
    expect_names(tab, GREEDY, FOCUSED, FREE)


def test_tokens_where_texts_part_are_marked_and_both_distributions_shown(done):
    marked = done.page.locator("#decoding-slot-0 .token.noted").first
    assert "aquí deja de coincidir con" in marked.get_attribute("title")
    place = int(marked.get_attribute("data-i")) + 1
    expect(done.page.locator("#decoding-partings")).to_contain_text(f"se separan en el paso {place}:")

    done.page.locator("#decoding-pair input").fill("2 y 3")
    done.page.locator("#decoding-pair input").press("Enter")

    expect(done.page.locator("#decoding-bars")).to_contain_text("A: 2 · Muestreo")


def test_the_code_of_a_column_runs_and_prints_its_text(done, tmp_path):
    done.page.locator("#decoding-code-box > button").click()
    code = done.page.locator("#decoding-code .cm-content")
    expect(code).to_contain_text("from_pretrained")
    expect(code).to_contain_text("HuggingFaceTB/SmolLM2-135M-Instruct")

    done.page.locator("#decoding-code-of label").nth(1).click()

    expect(code).to_contain_text("do_sample=True")
    source = tmp_path / "code.py"
    source.write_text(code.inner_text(), "utf-8")
    assert subprocess.run([sys.executable, "-m", "py_compile", source], check=False).returncode == 0


def test_what_was_generated_is_saved_and_opened_again(done, enter):
    done.page.locator("#decoding-save > button").click()
    with done.page.expect_download() as json_file:
        done.page.locator("#decoding-save-json").click()
    with done.page.expect_download() as csv_file:
        done.page.locator("#decoding-save-csv").click()

    saved = json.loads(Path(json_file.value.path()).read_text("utf-8"))
    rows = list(csv.DictReader(Path(csv_file.value.path()).read_text("utf-8-sig").splitlines()))
    titles = [token.get_attribute("title") for token in done.page.locator("#decoding-slot-1 .token").all()]
    chosen = [row for row in rows if row["strategy"] == FOCUSED and row["chosen"] == "1"]
    assert [f"id {row['token_id']} " in title for row, title in zip(chosen, titles, strict=True)] == [True] * TOKENS

    with enter() as other:
        other.open_tab("decoding")
        other.page.locator("#decoding-prompt textarea").fill("otra cosa")
        other.page.locator("#decoding-save > button").click()
        other.page.locator("#decoding-save input[type=file]").set_input_files(
            {"name": "saved.json", "mimeType": "application/json", "buffer": json.dumps(saved).encode()}
        )
        expect(other.page.locator("#decoding-prompt textarea")).to_have_value("Lista de colores: rojo, azul")
        expect(other.page.locator("#decoding-slot-1 .token")).to_have_count(TOKENS)
        assert [token.get_attribute("title") for token in other.page.locator("#decoding-slot-1 .token").all()] == titles


def test_a_file_that_is_none_is_told_in_a_sentence(tab):
    tab.page.locator("#decoding-save > button").click()

    tab.page.locator("#decoding-save input[type=file]").set_input_files(
        {"name": "bad.json", "mimeType": "application/json", "buffer": b'{"version": 1, "traces": 3}'}
    )

    expect(tab.page.get_by_test_id("toast-text").last).to_be_visible()
    expect_names(tab, GREEDY, FOCUSED, FREE)


def test_nothing_to_save_is_told_in_a_sentence(tab):
    tab.page.locator("#decoding-save > button").click()

    tab.page.locator("#decoding-save-json").click()

    tab.expect_toast("Todavía no hay nada que guardar: genera primero.")
