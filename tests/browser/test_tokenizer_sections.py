"""Tokenizer tab: what each language costs, and what a chat template makes of messages."""

import pytest
from playwright.sync_api import expect

from llm_demo.languages import SENTENCES
from llm_demo.tokens import tokenize

COUNTS = "plot => plot.data.map(bars => bars.x)"


@pytest.fixture(scope="module")
def guest(enter):
    """One visitor who goes from section to section."""
    with enter() as visitor:
        expect(visitor.shown(".token").first).to_be_visible()
        yield visitor


def section(visitor, key: str) -> None:
    visitor.page.get_by_role("tab", name=visitor.t(key), exact=True).click()


def test_languages_have_their_bars_and_their_tokens(guest, engine):
    section(guest, "costs.title")
    guest.page.locator("#tokenizer-languages-run").click()
    chart = guest.page.locator("#tokenizer-languages-chart .js-plotly-plot")
    expect(chart.locator(".ytick")).to_have_count(len(SENTENCES))

    counts = sorted(len(tokenize(engine.tokenizer, sentence.text).tokens) for sentence in SENTENCES)
    assert chart.evaluate(COUNTS) == [counts]
    expect(guest.page.locator("#tokenizer-languages-told")).to_contain_text(f"{counts[0]} tokens en inglés")
    cards = guest.page.locator(".cost")
    expect(cards.first.locator(".token")).to_have_count(counts[0])
    expect(cards.last.locator("> h3")).to_have_text("hindi · हिन्दी")
    expect(cards.locator("[lang=ar] >> nth=-1")).to_have_css("direction", "rtl")


def test_a_second_tokenizer_has_bars_beside_them(guest, qwen3):
    section(guest, "costs.title")
    guest.page.locator("#tokenizer-languages-run").click()
    guest.choose("tokenizer-other", qwen3)

    chart = guest.page.locator("#tokenizer-languages-chart .js-plotly-plot")
    expect(chart.locator(".legendtext")).to_have_text(["SmolLM2-135M-Instruct", qwen3])
    expect(guest.page.locator("#tokenizer-languages-told .verdict")).to_have_count(2)
    guest.choose("tokenizer-other", guest.t("tokenizer.no_other"))


def test_a_conversation_is_one_text_with_a_colour_for_each_speaker(guest, engine):
    section(guest, "turns.title")
    read = guest.page.locator("#tokenizer-turns-read")

    expect(read.locator("h4")).to_contain_text(["system", "user", "assistant", "user", "assistant"])
    expect(read.locator(".piece.special").first).to_contain_text("<|im_start|>")
    ids = [int(one) for one in read.locator(".piece small").all_inner_texts()]
    told = guest.page.locator("#tokenizer-turns-told")
    expect(told).to_contain_text(f"lee {len(ids)} tokens en total")
    assert engine.tokenizer.decode(ids).startswith("<|im_start|>system\nResponde con una sola frase.<|im_end|>\n")


def test_without_a_system_message_the_template_puts_its_own(guest):
    section(guest, "turns.title")
    guest.page.locator("#tokenizer-turns-system textarea").fill("")

    first = guest.page.locator("#tokenizer-turns-read .turn-box").first
    expect(first).to_contain_text("lo pone la plantilla")
    expect(guest.page.locator("#tokenizer-turns-told code")).to_contain_text("You are a helpful AI assistant")
    guest.page.locator("#tokenizer-turns-system textarea").fill(guest.t("turns.system_example"))
    expect(first).to_contain_text("tu mensaje de sistema")


def test_html_in_a_message_is_text(guest):
    section(guest, "turns.title")
    guest.page.locator("#tokenizer-turns-first textarea").fill('<img src=x onerror="window.hacked=1">')

    expect(guest.page.locator("#tokenizer-turns-read .role-user").first).to_contain_text("window")
    assert guest.page.evaluate("window.hacked") is None
    guest.page.locator("#tokenizer-turns-first textarea").fill(guest.t("turns.first_example"))


def test_thinking_and_not_thinking_stand_side_by_side(guest, qwen3):
    section(guest, "turns.title")
    expect(guest.page.locator("#tokenizer-turns-thinking")).to_have_count(0)
    guest.choose("tokenizer-model", qwen3)

    ends = guest.page.locator(".switched .turn-box")
    expect(ends).to_have_count(2)
    expect(ends.nth(0)).not_to_contain_text("think")
    expect(ends.nth(1).locator(".piece").nth(3)).to_contain_text("<think>")
    expect(guest.page.locator("#tokenizer-turns-thinking")).to_be_visible()
