"""A sentence classified beside the chat, and the conversation kept as a file, on the embedded model without a hub."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.slow  # each of its pages takes seconds to open


@pytest.fixture(scope="module")
def section(enter):
    """The section on a page of its own, its example classified."""
    with enter() as visitor:
        visitor.open_tab("chat")
        visitor.page.get_by_text(visitor.t("classify.title"), exact=True).click()
        visitor.page.locator("#classify-run").click()
        expect(visitor.page.locator("#classify-classes-told .lookout")).to_be_visible()
        yield visitor


def test_the_three_words_are_bars(section):
    chart = section.page.locator("#classify-words")

    expect(section.tick_labels(chart)).to_have_count(3)
    labels = section.tick_labels(chart).all_text_contents()
    assert [label.removeprefix("▶ ") for label in labels] == ["POSITIVO", "NEGATIVO", "NEUTRAL"]
    assert sum(label.startswith("▶") for label in labels) == 1
    expect(chart.locator(".trace.bars")).to_have_count(2)  # as the model gives them, and shared out
    expect(chart.locator(".trace.bars").first.locator(".point")).to_have_count(3)


def test_the_missing_classifier_is_told(section):
    name = "lxyuan/distilbert-base-multilingual-cased-sentiments-student"

    expect(section.page.locator("#classify-classes-told")).to_contain_text(f"Falta el clasificador: «{name}»")
    expect(section.page.locator("#classify-classes")).to_be_hidden()


def test_the_words_probabilities_sum_to_the_mass_that_is_told(section):
    section.page.get_by_text(section.t("classify.spellings"), exact=True).click()
    rows = section.page.locator("#classify-words-told tbody tr")

    expect(rows.first).to_be_visible()
    assert 15 <= rows.count() <= 18
    expect(section.page.locator("#classify-words-told")).to_contain_text("Entre las tres palabras suman el")


def test_the_prompt_that_was_read_is_shown(section):
    section.page.locator("#classify-words-told").get_by_text(section.t("chat.read"), exact=True).click()

    read = section.page.locator("#classify-words-told .read")
    expect(read).to_contain_text("Frase: La comida estaba fría y tardaron una hora en servirla.<|im_end|>")


def test_a_blank_sentence_is_told(section):
    section.page.locator("#classify-sentence textarea").fill("  ")

    section.page.locator("#classify-run").click()

    section.expect_toast("La frase está vacía: escribe una.")


def test_the_section_follows_the_language(section):
    section.page.get_by_label("English", exact=True).check()

    expect(section.page.locator("#classify-words .gtitle")).to_have_text("Probability of each word")
    expect(section.page.locator("#classify-classes-told")).to_contain_text("The classifier is missing")
    expect(section.page.locator("#classify-words .ytick text").first).to_contain_text("POSITIVO")  # as it was asked


# --- the conversation as a file ---


@pytest.fixture(scope="module")
def talked(enter):
    with enter(query="?lang=en", reads="en") as visitor:
        visitor.open_tab("chat")
        expect(visitor.page.locator("#chat-message textarea")).to_have_value(visitor.t("chat.example"))
        visitor.page.get_by_text(visitor.t("settings"), exact=True).click()
        visitor.set_knob("knob.max_new_tokens", 4)
        visitor.page.locator("#chat-message textarea").fill("What is 1 < 2?")
        visitor.page.locator("#chat-send").click()
        expect(visitor.page.locator("#chat-why .hint")).to_be_visible()
        yield visitor


def downloaded(visitor, button: str) -> tuple[str, str]:
    with visitor.page.expect_download() as download:
        visitor.page.locator(button).click()
    return download.value.suggested_filename, Path(download.value.path()).read_text("utf-8")


def test_a_conversation_is_downloaded_as_json(talked):
    name, text = downloaded(talked, "#chat-save-json")

    saved = json.loads(text)
    assert name == "conversation.json"
    assert saved["model"] == "SmolLM2-135M-Instruct"
    assert saved["settings"]["max_new_tokens"] == len(saved["turns"][1]["token_ids"]) == 4
    assert [turn["role"] for turn in saved["turns"]] == ["user", "assistant"]
    assert saved["turns"][0]["content"] == "What is 1 < 2?"
    assert saved["turns"][1]["log_prob"] < 0


def test_a_conversation_is_downloaded_as_markdown(talked):
    name, text = downloaded(talked, "#chat-save-markdown")

    assert name == "conversation.md"
    assert "## You\n\nWhat is 1 < 2?\n\n## The model\n\n" in text
    assert "- temperature: `0.7`" in text


def test_there_is_nothing_to_save_before_the_first_message(enter):
    with enter() as visitor:
        visitor.open_tab("chat")

        visitor.page.locator("#chat-save-json").click()

        visitor.expect_toast(visitor.t("errors.nothing_to_save"))
