"""The Tokenizer lessons, each opened from its list and run; what the page then shows is the lesson's point.

T3 and T6 are shown by sections of their own, and tested with those.
"""

import pytest
from playwright.sync_api import Locator, expect

from llm_demo.lessons.lesson import find
from llm_demo.lessons.tokenizer import LESSONS


class Desk:
    """The tab of one visitor, a lesson open in it."""

    def __init__(self, visitor) -> None:
        self.visitor = visitor
        self.page = visitor.page

    def open(self, lesson_id: str) -> None:
        """Choose a lesson from the list."""
        self.visitor.choose_lesson("tokenizer", lesson_id)
        expect(self.page.locator("#tokenizer-question")).to_contain_text(
            find(lesson_id, LESSONS).predict(self.visitor.t)
        )

    def choose(self, name: str, box: str = "tokenizer-model") -> None:
        self.visitor.choose(box, name)

    def run(self, lesson_id: str, button: str = "tokenizer-run") -> None:
        self.page.locator(f"#{button}").click()
        expect(self.page.locator("#tokenizer-look")).to_contain_text(find(lesson_id, LESSONS).look(self.visitor.t))

    def column(self, number: int) -> Locator:
        return self.page.locator(f"#tokenizer-table td:nth-child({number})")


@pytest.fixture(scope="module")
def desk(enter):
    """One visitor who works through the lessons, one after another."""
    with enter() as visitor:
        expect(visitor.shown(".token").first).to_be_visible()
        yield Desk(visitor)


def test_a_lesson_asks_first_and_shows_nothing_yet(desk):
    desk.open("T1")

    expect(desk.page.locator("#tokenizer-view")).to_have_text(desk.visitor.t("tokenizer.waiting"))
    expect(desk.page.locator("#tokenizer-look")).to_be_hidden()
    expect(desk.page.locator("#tokenizer-question")).to_contain_text("Donde mejor se ve es con Qwen3-0.6B")

    desk.page.locator("#tokenizer-answer label").nth(find("T1", LESSONS).right).click()
    expect(desk.page.locator("#tokenizer-told")).to_contain_text("Correcto.")


def test_t1_a_comma_is_one_token_and_azul_is_two(desk, qwen3):
    desk.open("T1")
    desk.choose(qwen3)
    desk.run("T1")

    expect(desk.column(4)).to_have_text(["Lista", "·de", "·col", "ores", ":", "·ro", "jo", ",", "·az", "ul"])
    expect(desk.column(2).nth(7)).to_have_text("11")
    expect(desk.column(2).nth(8)).to_have_text("12376")
    expect(desk.column(2).nth(9)).to_have_text("360")


def test_t2_pieces_beside_what_they_read_like(desk, qwen3):
    desk.open("T2")
    desk.choose(qwen3)
    desk.run("T2")

    expect(desk.column(3).nth(6)).to_have_text("ĠespaÃ±ol")
    expect(desk.column(4).nth(6)).to_have_text("·español")
    expect(desk.column(5).nth(6)).to_contain_text("C3 B1")


def test_t4_the_same_meaning_costs_more_in_some_languages(desk, qwen3):
    desk.open("T4")
    expect(desk.page.locator("#tokenizer-other input")).to_have_value(qwen3)  # the one that is on this machine
    expect(desk.page.locator("#tokenizer-languages-cards")).to_have_text("")
    desk.run("T4", "tokenizer-languages-run")

    expect(desk.page.locator("#tokenizer-languages-told .verdict")).to_have_count(2)
    for verdict in desk.page.locator("#tokenizer-languages-told .verdict").all_inner_texts():
        assert "en hindi" in verdict


def test_t5_one_character_lights_up_all_its_tokens(desk, qwen3):
    desk.open("T5")
    desk.choose(qwen3)
    desk.run("T5")

    expect(desk.visitor.shown(".token")).to_have_text(["😀", "20 C3", "B1", "·", "F0 93 82", "80"])
    for place, tokens in ((2, ["20 C3", "B1"]), (4, ["F0 93 82", "80"])):  # the letter, and the hieroglyph
        desk.page.locator(".passage span").nth(place).hover()
        expect(desk.visitor.shown(".token.lit")).to_have_text(tokens)


def test_t3_the_card_is_opened(desk):
    desk.open("T3")

    expect(desk.page.locator("#card-parameters td").first).to_contain_text("134,5 M")
    desk.page.locator("#tokenizer-answer label").nth(find("T3", LESSONS).right).click()
    expect(desk.page.locator("#tokenizer-look")).to_contain_text("494,0 millones")


def test_t6_no_token_looks_ahead(desk):
    desk.open("T6")
    expect(desk.page.locator("#inside-text").locator("input, textarea")).to_have_value("El perro que vi ayer ladra")
    desk.page.locator("#inside-run").click()

    plot = desk.page.locator("#inside-map .js-plotly-plot")
    expect(plot.locator(".ytick text").first).to_be_visible()
    rows = plot.evaluate("plot => plot.data[0].z")
    assert all(not value for place, row in enumerate(rows) for value in row[place + 1 :])
    expect(desk.page.locator("#inside-table tbody tr")).to_have_count(10)
