"""The model's card in the Tokenizer tab: its numbers, and two models side by side."""

import re

import pytest
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.slow  # each of its pages takes seconds to open


@pytest.fixture(scope="module")
def card(enter):
    """A page on the card, for tests that choose and look."""
    with enter() as visitor:
        open_card(visitor)
        yield visitor


def open_card(visitor) -> None:
    visitor.open_section("tokenizer-sections", "card.title")
    expect(row(visitor, "parameters").locator("td").first).to_be_visible()


def row(visitor, name: str) -> Locator:
    return visitor.page.locator(f"#card-table #card-{name}")


def value(visitor, name: str, column: int = 0) -> Locator:
    return row(visitor, name).locator("td").nth(column)


def choose(visitor, place: str, key: str) -> None:
    """Choose a model in one of the two lists."""
    visitor.choose(f"card-{place}", key)
    if key != "—":
        column = {"first": 0, "second": 1}[place]
        expect(visitor.page.locator(".model-card thead th").nth(column)).to_have_text(key)


def test_the_card_of_the_loaded_model_is_there_as_the_page_opens(enter):
    with enter() as visitor:
        open_card(visitor)

        expect(visitor.page.locator(".model-card thead th")).to_have_text(["SmolLM2-135M-Instruct"])
        expect(value(visitor, "parameters")).to_contain_text("134,5 M")
        expect(value(visitor, "architecture")).to_have_text("LlamaForCausalLM")
        expect(value(visitor, "layers")).to_have_text("30")
        expect(value(visitor, "heads")).to_have_text("9")
        expect(value(visitor, "kv_heads")).to_have_text("3")
        expect(value(visitor, "hidden_size")).to_have_text("576")
        expect(value(visitor, "context")).to_have_text("8.192 tokens")
        expect(value(visitor, "vocabulary")).to_have_text("49.152 tokens")
        expect(value(visitor, "number_format")).to_have_text("bfloat16")
        expect(value(visitor, "format_here")).to_contain_text("float32")
        expect(value(visitor, "memory")).to_contain_text("538 MB en float32")
        expect(value(visitor, "measured")).to_contain_text(re.compile(r"^\d+ MB$"))
        expect(value(visitor, "licence")).to_have_text("Apache-2.0")
        expect(value(visitor, "published_as").locator("a")).to_have_attribute(
            "href", "https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct"
        )


def test_every_number_comes_with_what_it_means(card):
    rows = card.page.locator(".model-card tbody th")
    explained = card.page.locator(".model-card tbody th .hint")

    expect(explained).to_have_count(rows.count())
    assert all(len(text.strip()) > 20 for text in explained.all_inner_texts())


def test_lesson_t3_small_beside_large(card):
    choose(card, "second", "Qwen2.5-0.5B-Instruct")

    expect(value(card, "parameters", 1)).to_contain_text("494,0 M")
    expect(value(card, "architecture", 1)).to_have_text("Qwen2ForCausalLM")
    expect(value(card, "context", 1)).to_have_text("32.768 tokens")
    expect(value(card, "number_format", 1)).to_have_text("bfloat16")
    expect(value(card, "vocabulary", 1)).to_have_text("151.936 tokens")
    expect(value(card, "memory", 1)).to_contain_text("988 MB en bfloat16")
    expect(value(card, "measured", 1)).to_have_text(card.t("card.not_loaded"))
    lengths = row(card, "parameters").locator(".meter").evaluate_all("all => all.map(one => one.style.cssText)")
    assert [float(re.search(r"--p: ?([\d.]+)", text)[1]) for text in lengths] == [0.2723, 1.0]


def test_base_beside_instruct_differ_in_kind_and_in_their_own_settings(card):
    choose(card, "first", "Qwen2.5-0.5B")
    choose(card, "second", "Qwen2.5-0.5B-Instruct")

    expect(value(card, "kind", 0)).to_contain_text("base")
    expect(value(card, "kind", 1)).to_contain_text("instruct")
    expect(value(card, "parameters", 0)).to_contain_text("494,0 M")
    own = card.page.locator(".model-defaults > div")
    expect(own.nth(0)).to_contain_text("do_sample = False")
    expect(own.nth(1)).to_contain_text("do_sample = True")
    expect(own.nth(1)).to_contain_text("temperature = 0.7")
    expect(own.nth(1)).to_contain_text("eos_token_id = 151645, 151643")
    expect(card.page.locator("#card-table")).to_contain_text("no los aplica por su cuenta")


def test_where_only_the_tokenizer_is_at_hand_the_card_says_so_and_what_it_knows(card, qwen3):
    choose(card, "second", qwen3)

    expect(card.page.locator("#card-table .status")).to_contain_text("Aquí no hay una configuración (config.json)")
    expect(value(card, "vocabulary", 1)).to_have_text("151.669 tokens")
    expect(value(card, "parameters", 1)).to_have_text(card.t("card.unknown"))


def test_one_card_alone_again(card):
    choose(card, "second", "SmolLM2-135M")
    expect(card.page.locator(".model-card thead th")).to_have_count(2)

    choose(card, "second", "—")

    expect(card.page.locator(".model-card thead th")).to_have_count(1)


def test_the_card_follows_the_language(enter):
    with enter("?lang=en", reads="en") as visitor:
        open_card(visitor)

        expect(value(visitor, "parameters")).to_contain_text("134.5 M")
        expect(row(visitor, "heads").locator("th")).to_contain_text("Attention heads")


def test_the_card_needs_no_scrolling_sideways_on_a_telephone(enter):
    with enter(width=390) as visitor:
        open_card(visitor)
        choose(visitor, "second", "Qwen2.5-0.5B-Instruct")

        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390
        card = visitor.page.locator(".model-card")
        assert card.evaluate("element => element.getBoundingClientRect().right") <= 390
