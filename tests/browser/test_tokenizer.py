"""Tokenizer tab: a text in tokens, one or two tokenizers, a token under the lens, ids back to text, the vocabulary."""

import time

import pytest
from playwright.sync_api import Locator, expect

TEXT = "Lista de colores: rojo, azul"
PIECES = ["List", "a", "·de", "·col", "ores", ":", "·ro", "jo", ",", "·az", "ul"]  # of the embedded model
IDS = "6106 81 367 664 2479 42 651 12780 28 21293 336"
QWEN3_IDS = "43617 409 1375 4589 25 926 7305 11 12376 360"


@pytest.fixture(scope="module")
def window(enter):
    """One page for all tests here."""
    with enter() as visitor:
        expect(visitor.shown("#tokenizer-view .token").first).to_be_visible()
        yield visitor


@pytest.fixture
def opened(window):
    """That page with the loaded model's tokenizer alone, whatever the test before has chosen."""
    for box, name in (
        ("tokenizer-model", "SmolLM2-135M-Instruct"),
        ("tokenizer-other", window.t("tokenizer.no_other")),
    ):
        if window.page.locator(f"#{box} input").input_value() != name:
            window.choose(box, name)
            expect(window.page.locator(f"#{box} input")).to_have_value(name)
    window.page.locator("#tokenizer-special input").uncheck()
    return window


@pytest.fixture
def example(opened):
    """That page with the text that it opened with, all that belongs to it shown."""
    ids_box(opened).fill("")  # the ids come with the rest; typed without the button, so they come once
    opened.page.locator("#tokenizer-text textarea").fill(TEXT)
    expect(ids_box(opened)).to_have_value(IDS)
    expect(opened.shown("#tokenizer-view .token")).to_have_text(PIECES)
    expect(column(opened, 4)).to_have_text(PIECES)
    return opened


def split(visitor, text: str) -> None:
    visitor.page.locator("#tokenizer-text textarea").fill(text)
    visitor.page.locator("#tokenizer-run").click()


def column(visitor, number: int) -> Locator:
    """Return the cells of a column of the table, from 1."""
    return visitor.page.locator(f"#tokenizer-table td:nth-child({number})")


def ids_box(visitor) -> Locator:
    """Return the field of the ids, unfolded."""
    box = visitor.page.locator("#tokenizer-ids").locator("input, textarea")
    if not box.is_visible():
        visitor.page.get_by_text(visitor.t("tokenizer.back")).click()
    return box


def decode(visitor, ids: str) -> None:
    ids_box(visitor).fill(ids)
    visitor.page.locator("#tokenizer-back").click()


def test_the_example_is_split_as_the_page_opens(visitor, client):
    tokens = client.predict(TEXT, api_name="/tokenize")["tokens"]

    expect(visitor.shown("#tokenizer-view .token")).to_have_text(PIECES)
    expect(column(visitor, 1)).to_have_text([str(place) for place in range(11)])
    expect(column(visitor, 2)).to_have_text([str(token["id"]) for token in tokens])
    expect(column(visitor, 3)).to_have_text([token["piece"] for token in tokens])
    expect(column(visitor, 4)).to_have_text(PIECES)
    expect(column(visitor, 5).nth(9)).to_have_text("20 61 7A")


def test_the_counts_are_those_of_the_text(opened, client):
    text = "año: 1 ñu"
    count = len(client.predict(text, api_name="/tokenize")["tokens"])

    split(opened, text)

    per_token = f"{9 / count:.2f}".replace(".", ",")
    expect(opened.page.locator("#tokenizer-counts .facts span")).to_have_text(
        [f"{count} tokens", "9 caracteres", "11 bytes", f"{per_token} caracteres por token"]
    )


def test_another_models_tokenizer_splits_the_same_text_its_own_way(example, qwen3):
    example.choose("tokenizer-model", qwen3)

    expect(example.shown("#tokenizer-view .token")).to_have_count(10)
    expect(example.shown("#tokenizer-view .token").nth(8)).to_have_text("·az")
    expect(example.shown("#tokenizer-view .token").nth(9)).to_have_text("ul")
    expect(column(example, 2)).to_have_text(QWEN3_IDS.split())


LIT = """light => [...document.querySelectorAll('.' + light)].map(part =>
  part.tagName + ' ' + (part.dataset.s ?? part.dataset.i))"""


def lit(visitor, light: str = "held") -> list[str]:
    """Return what is lit: `BUTTON 3` for a chip, `TR 3` for a row, `SPAN 8` for a place by its first character."""
    return visitor.page.evaluate(LIT, light)


def test_a_click_marks_the_token_its_row_and_its_place(example):
    example.shown("#tokenizer-view .token").nth(3).click()

    expect(example.shown("#tokenizer-view .token[aria-pressed=true]")).to_have_text(["·col"])
    expect(example.page.locator("#tokenizer-table tr[aria-selected] td:nth-child(4)")).to_have_text(["·col"])
    assert lit(example) == ["SPAN 8", "BUTTON 3", "TR 3"]


def test_a_row_or_a_place_marks_the_others_too(example):
    example.page.locator("#tokenizer-table tbody tr").nth(4).click()
    assert lit(example) == ["SPAN 12", "BUTTON 4", "TR 4"]

    example.page.locator(".passage span").nth(9).click()
    assert lit(example) == ["SPAN 23", "BUTTON 9", "TR 9"]


def test_pointing_at_one_lights_up_the_others_until_the_hand_goes(example):
    example.shown("#tokenizer-view .token").nth(1).hover()
    assert lit(example, "lit") == ["SPAN 4", "BUTTON 1", "TR 1"]

    example.page.locator("h1").hover()
    assert lit(example, "lit") == []


def test_the_arrow_keys_move_from_token_to_token(example):
    example.shown("#tokenizer-view .token").nth(3).click()

    example.page.keyboard.press("ArrowRight")
    expect(example.shown("#tokenizer-view .token[aria-pressed=true]")).to_have_text(["ores"])
    assert lit(example) == ["SPAN 12", "BUTTON 4", "TR 4"]

    example.page.keyboard.press("ArrowLeft")
    expect(example.shown("#tokenizer-view .token[aria-pressed=true]")).to_have_text(["·col"])

    example.page.locator("#tokenizer-table").focus()
    example.page.keyboard.press("ArrowDown")
    assert lit(example) == ["SPAN 12", "BUTTON 4", "TR 4"]


def test_the_tokens_follow_the_hand_that_types(opened):
    opened.page.locator("#tokenizer-text textarea").fill("rojo")

    expect(column(opened, 4)).to_have_text(["ro", "jo"])

    opened.page.locator("#tokenizer-text textarea").fill("")
    expect(opened.page.locator("#tokenizer-view")).to_have_text("No hay ningún texto que partir: escribe algo.")


def test_a_text_typed_while_another_section_is_open_is_not_lost(opened):
    opened.page.get_by_role("tab", name=opened.t("turns.title"), exact=True).click()
    expect(opened.page.locator("#tokenizer-turns-read .role-user").first).to_be_visible()
    opened.page.locator("#tokenizer-text textarea").fill("rojo")

    opened.page.get_by_role("tab", name=opened.t("tokenizer.tokens"), exact=True).click()
    expect(column(opened, 4)).to_have_text(["ro", "jo"])


def test_two_tokenizers_stand_side_by_side_with_what_differs_marked(example, qwen3):
    example.choose("tokenizer-other", qwen3)

    views = example.page.locator("#tokenizer-view .view")
    expect(views).to_have_count(2)
    expect(views.nth(0).locator(".noted")).to_have_text(["List", "a"])
    expect(views.nth(1).locator(".noted")).to_have_text(["Lista"])
    expect(views.nth(1).locator("td:nth-child(2)")).to_have_text(QWEN3_IDS.split())
    expect(example.page.locator("#tokenizer-compared")).to_contain_text(
        "9 de los 11 tokens de SmolLM2-135M-Instruct existen igual"
    )

    views.nth(1).locator(".token").first.click()
    assert lit(example) == ["SPAN 0", "SPAN 4", "BUTTON 0", "BUTTON 1", "TR 0", "TR 1", "SPAN 0", "BUTTON 0", "TR 0"]


def test_a_tokenizer_that_cannot_be_had_is_told_and_nothing_is_lost(example):
    example.choose("tokenizer-other", "Qwen3-4B")

    expect(example.page.locator("#tokenizer-trouble [role=alert]")).to_contain_text("No se puede obtener «Qwen3-4B»")
    expect(example.page.locator("#tokenizer-other input")).to_have_value(example.t("tokenizer.no_other"))
    expect(example.shown("#tokenizer-view .token")).to_have_text(PIECES)

    example.choose("tokenizer-model", "distilgpt2")
    expect(example.page.locator("#tokenizer-trouble [role=alert]")).to_contain_text("No se puede obtener «distilgpt2»")
    expect(example.page.locator("#tokenizer-model input")).to_have_value("SmolLM2-135M-Instruct")
    expect(example.page.locator("#tokenizer-text textarea")).to_have_value(TEXT)


def test_special_tokens_of_its_own_are_told_to_be_none(example):
    example.page.locator("#tokenizer-special input").check()

    expect(example.page.locator("#tokenizer-compared")).to_contain_text("no añade ningún token especial")
    expect(example.shown("#tokenizer-view .token")).to_have_text(PIECES)


def test_special_tokens_in_the_text_and_lost_characters_are_shown_for_what_they_are(opened):
    split(opened, "a\x16<|im_end|>\n")

    expect(opened.shown("#tokenizer-view .token")).to_have_text(["a", "<|im_end|>", "↵"])
    expect(opened.shown("#tokenizer-view .token.special")).to_have_text(["<|im_end|>"])
    expect(opened.page.locator("#tokenizer-compared")).to_contain_text("se pierden")


def test_a_text_of_a_hundred_thousand_characters_is_counted_whole_and_shown_in_part(opened):
    opened.page.locator("#tokenizer-text textarea").fill("rojo " * 20_000)
    began = time.monotonic()

    expect(opened.page.locator("#tokenizer-counts .facts span").nth(1)).to_have_text("100.000 caracteres")

    assert time.monotonic() - began < 20
    expect(opened.shown("#tokenizer-view .token")).to_have_count(500)
    expect(opened.page.locator(".view .hint")).to_contain_text("Se ven los primeros 500 tokens")


def test_the_vocabulary_is_searched_by_what_a_token_says(opened):
    opened.page.get_by_text(opened.t("tokenizer.search"), exact=True).click()
    opened.page.locator("#tokenizer-query").locator("input, textarea").fill("ñ")
    opened.page.locator("#tokenizer-find").click()

    rows = opened.page.locator("#tokenizer-matches-0 tbody tr")
    expect(rows.first.locator("td")).to_have_text(["10214", "Ã±", "ñ", "C3 B1"])
    expect(opened.page.locator("#tokenizer-found .hint")).to_contain_text("de las 49.152 entradas")


def test_an_emoji_shows_its_bytes(opened):
    split(opened, "😀")

    expect(opened.shown("#tokenizer-view .token.bytes").first).to_be_visible()
    assert " ".join(opened.shown("#tokenizer-view .token").all_inner_texts()) == "F0 9F 98 80"
    assert " ".join(column(opened, 5).all_inner_texts()) == "F0 9F 98 80"


def test_the_ids_of_a_text_give_the_text_back(example):
    decode(example, " ".join(column(example, 2).all_inner_texts()))

    expect(example.page.locator("#tokenizer-decoded .read")).to_have_text(TEXT)


def test_the_ids_below_the_table_are_those_of_the_text(example):
    expect(ids_box(example)).to_have_value(" ".join(column(example, 2).all_inner_texts()))


def test_an_id_beyond_the_vocabulary_is_told_in_a_sentence(example):
    decode(example, "5 49152")

    example.expect_toast("«49152» no es un id de este vocabulario: deben ser números enteros entre 0 y 49151.")


def test_an_empty_text_is_told_in_a_sentence(example):
    split(example, "")

    example.expect_toast("No hay ningún texto que partir: escribe algo.")
    expect(example.page.locator("#tokenizer-view .hint")).to_have_text("No hay ningún texto que partir: escribe algo.")


def test_a_text_past_the_bound_is_told_in_a_sentence(example):
    split(example, "a" * 100_001)

    example.expect_toast("El texto tiene 100.001 caracteres y aquí caben 100.000: acórtalo.")
