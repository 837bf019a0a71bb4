"""The chat's lessons, each opened from its list and sent; what the page then shows is the lesson's point."""

import re

import pytest
from playwright.sync_api import expect

from llm_demo.lessons.chat import LESSONS
from llm_demo.lessons.lesson import find

pytestmark = pytest.mark.slow  # each of its pages takes seconds to open

MINUTE = 60_000


class Board:
    """The tab of one visitor, a lesson run in it."""

    def __init__(self, visitor) -> None:
        self.visitor = visitor
        self.page = visitor.page

    def open(self, lesson_id: str) -> None:
        """Choose a lesson from the list."""
        lesson, t = find(lesson_id, LESSONS), self.visitor.t
        self.visitor.choose_lesson("chat", lesson_id)
        expect(self.page.locator("#chat-question")).to_contain_text(lesson.predict(t))
        expect(self.page.locator("#chat-message textarea")).to_have_value(lesson.message(t))
        expect(self.page.locator("#chat-talk")).to_contain_text("Todavía no hay mensajes")

    def run(self, lesson_id: str) -> None:
        """Choose a lesson and let it run to its end."""
        self.open(lesson_id)
        self.page.locator("#chat-send").click()
        look = find(lesson_id, LESSONS).look(self.visitor.t)
        expect(self.page.locator("#chat-look")).to_contain_text(look, timeout=MINUTE)

    def tokens(self, slot: int = 0) -> list[str]:
        return self.page.locator(f"#chat-slot-{slot} .strip .token").all_inner_texts()

    def slot(self, number: int):
        return self.page.locator(f"#chat-slot-{number}")

    def expect_first_token(self) -> None:
        """Expect that the first token is selected and its candidates are shown."""
        expect(self.slot(0).locator(".token[aria-pressed=true]")).to_have_attribute("data-i", "0")
        expect(self.page.locator("#chat-why")).to_contain_text("Paso 1:")
        expect(self.page.locator("#chat-chart .ytick text")).to_have_count(10)


@pytest.fixture(scope="module")
def board(enter):
    """One visitor who works through the lessons, one after another."""
    with enter() as visitor:
        visitor.open_tab("chat")
        yield Board(visitor)


def test_c1_the_template_is_there_to_be_read(board):
    board.run("C1")

    prompt = board.page.locator("#chat-read .read")
    expect(prompt).to_be_visible()  # the lesson opened the fold
    expect(prompt).to_contain_text("You are a helpful AI assistant named SmolLM")
    expect(prompt.locator("mark")).to_have_text(["<|im_start|>", "<|im_end|>"] * 2 + ["<|im_start|>"])


def test_c2_the_template_answers_and_the_text_alone_goes_on_for_ever(board):
    board.run("C2")

    expect(board.slot(0).locator(".facts")).to_contain_text("terminó el propio modelo")
    expect(board.slot(1).locator(".facts")).to_contain_text("cortado por el máximo de tokens")
    loop = board.tokens(1)[-12:]
    assert len(set(loop)) <= 4


def test_c3_half_a_sentence_is_completed_without_the_template_alone(board):
    board.run("C3")

    assert board.tokens(1)[0] == "·la"
    assert board.tokens(0)[0][0].isupper()


@pytest.mark.parametrize("lesson_id", ["C4", "C6"])
def test_c4_and_c6_the_first_tokens_rivals_are_shown_at_once(board, lesson_id):
    board.run(lesson_id)

    board.expect_first_token()
    expect(board.page.locator("#chat-question")).to_contain_text("Qwen2.5-0.5B-Instruct")
    expect(board.page.locator("#chat-others [data-id]")).to_have_count(9)


def test_c5_the_system_message_moves_the_probabilities(board):
    board.run("C5")

    shares = []
    for slot in range(4):
        board.slot(slot).locator(".token").first.click()
        expect(board.slot(slot).locator(".token[aria-pressed=true]")).to_have_attribute("data-i", "0")
        shares.append(re.search(r"· ([\d,]+) %", board.slot(slot).locator(".token").first.get_attribute("title"))[1])
    assert len(set(shares)) == 4
    expect(board.visitor.shown("#chat-answers h3").nth(2)).to_have_text(board.visitor.t("chat.preset_banana"))


def test_c7_seeds_repeat_and_vary(board):
    board.run("C7")
    first = [board.tokens(slot) for slot in range(3)]
    assert len(set(map(tuple, first))) == 3

    board.page.locator("#chat-retry").click()
    expect(board.page.locator("#chat-look")).to_be_empty()
    expect(board.page.locator("#chat-look")).not_to_be_empty(timeout=MINUTE)

    assert [board.tokens(slot) for slot in range(3)] == first


def test_c8_a_template_without_the_switch_says_so_and_writes_the_same_twice(board):
    board.run("C8")

    assert board.tokens(0) == board.tokens(1) != []
    expect(board.slot(1)).to_contain_text("no tiene interruptor para pensar")
    expect(board.page.locator("#chat-question")).to_contain_text("Qwen3-0.6B")
