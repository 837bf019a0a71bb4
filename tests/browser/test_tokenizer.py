"""Tokenizer tab: a text in tokens, a token under the lens, ids back to text."""

import pytest
from playwright.sync_api import Locator, expect

TEXT = "Lista de colores: rojo, azul"
PIECES = ["List", "a", "·de", "·col", "ores", ":", "·ro", "jo", ",", "·az", "ul"]  # of the embedded model
QWEN3_IDS = "43617 409 1375 4589 25 926 7305 11 12376 360"


@pytest.fixture
def opened(enter):
    """A page of its own for each test, so that nothing decoded before is on it."""
    with enter() as visitor:
        expect(visitor.shown(".token").first).to_be_visible()
        yield visitor


@pytest.fixture
def example(opened):
    """That page with the text that it opened with."""
    split(opened, TEXT)
    expect(opened.shown(".token")).to_have_text(PIECES)
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

    expect(visitor.shown(".token")).to_have_text(PIECES)
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


def test_another_models_tokenizer_splits_the_same_text_its_own_way(visitor, qwen3):
    visitor.page.locator("#tokenizer-model input").click()
    visitor.page.get_by_role("option", name=qwen3, exact=True).click()

    expect(visitor.shown(".token")).to_have_count(10)
    expect(visitor.shown(".token").nth(8)).to_have_text("·az")
    expect(visitor.shown(".token").nth(9)).to_have_text("ul")
    expect(column(visitor, 2)).to_have_text(QWEN3_IDS.split())


def test_a_click_marks_the_token_and_its_row(example):
    example.shown(".token").nth(3).click()

    expect(example.shown(".token[aria-pressed=true]")).to_have_text(["·col"])
    expect(example.page.locator("#tokenizer-table tr[aria-selected] td:nth-child(4)")).to_have_text(["·col"])


def test_the_arrow_keys_move_from_token_to_token(example):
    example.shown(".token").nth(3).click()
    expect(example.shown(".token[aria-pressed=true]")).to_have_text(["·col"])

    example.page.keyboard.press("ArrowRight")
    expect(example.shown(".token[aria-pressed=true]")).to_have_text(["ores"])

    example.page.keyboard.press("ArrowLeft")
    expect(example.shown(".token[aria-pressed=true]")).to_have_text(["·col"])


def test_an_emoji_shows_its_bytes(opened):
    split(opened, "😀")

    expect(opened.shown(".token.bytes").first).to_be_visible()
    assert " ".join(opened.shown(".token").all_inner_texts()) == "F0 9F 98 80"
    assert " ".join(column(opened, 5).all_inner_texts()) == "F0 9F 98 80"


def test_the_ids_of_a_text_give_the_text_back(example):
    decode(example, " ".join(column(example, 2).all_inner_texts()))

    expect(example.page.locator("#tokenizer-decoded .read")).to_have_text(TEXT)


def test_the_ids_below_the_table_are_those_of_the_text(example):
    expect(ids_box(example)).to_have_value(" ".join(column(example, 2).all_inner_texts()))


def test_an_id_beyond_the_vocabulary_is_told_in_a_sentence(visitor):
    decode(visitor, "5 49152")

    visitor.expect_toast("«49152» no es un id de este vocabulario: deben ser números enteros entre 0 y 49151.")


def test_an_empty_text_is_told_in_a_sentence_and_the_last_one_stays(visitor):
    split(visitor, "")

    visitor.expect_toast("No hay ningún texto que partir: escribe algo.")
    expect(visitor.shown(".token")).to_have_text(PIECES)


def test_a_text_past_the_bound_is_told_in_a_sentence(visitor):
    split(visitor, "a" * 100_001)

    visitor.expect_toast("El texto tiene 100001 caracteres y aquí caben 100000: acórtalo.")
