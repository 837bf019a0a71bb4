"""The ablation lessons, each opened from its list and run; what the page then shows is the lesson's point."""

import re

import pytest
from playwright.sync_api import expect

from llm_demo.lessons.ablation import LESSONS
from llm_demo.lessons.lesson import find
from llm_demo.tabs.exercise import NONE

pytestmark = pytest.mark.slow  # each of its pages takes seconds to open

MINUTES = 120_000


class Board:
    """The tab of one visitor, a lesson open in it."""

    def __init__(self, visitor) -> None:
        self.visitor = visitor
        self.page = visitor.page

    def open(self, lesson_id: str, case: int = 0) -> None:
        """Choose a lesson from the list, and one of its cases."""
        lesson = find(lesson_id, LESSONS)
        self.visitor.choose_lesson("ablation", NONE)  # what the last one left goes
        expect(self.page.locator("#ablation-question")).to_be_empty()
        self.visitor.choose_lesson("ablation", lesson_id)
        expect(self.page.locator("#ablation-question")).to_contain_text(lesson.predict(self.visitor.t))
        if case:
            title = self.visitor.t(f"ablation_case.{lesson.cases[case].name}")
            self.page.locator("#ablation-case").get_by_label(title, exact=True).check()
        parts = lesson.cases[case].parts
        expect(self.visitor.shown("[id^=ablation-part-]")).to_have_count(len(parts))
        for number, part in enumerate(parts):
            expect(self.field(f"ablation-name-{number}")).to_have_value(part.name)
            expect(self.field(f"ablation-text-{number}")).to_have_value(part.text)

    def run(self, lesson_id: str, case: int = 0, tokens: int = 16) -> None:
        """Choose a lesson and let its greedy answers, of so many tokens, run to their end."""
        self.open(lesson_id, case)
        self.visitor.set_knob("ablation.samples", 0)
        self.visitor.set_knob("knob.max_new_tokens", tokens)
        self.page.locator("#ablation-run").click()
        look = find(lesson_id, LESSONS).look(self.visitor.t)
        expect(self.page.locator("#ablation-look")).to_contain_text(look, timeout=MINUTES)

    def field(self, name: str):
        return self.page.locator(f"#{name}").locator("input, textarea")

    def table(self) -> dict[str, list[str]]:
        """Return the cells of each variant's row."""
        rows = self.page.locator("#ablation-rates tbody tr").all()
        return {row.locator("th").inner_text(): row.locator("td").all_inner_texts() for row in rows}

    def passed(self, column: int = 0) -> list[bool]:
        """Return for each variant whether its one answer passed a check."""
        return [cells[column].startswith("1 de 1") for cells in self.table().values()]

    def cost(self) -> dict[str, float]:
        """Return what each variant but the first takes from the reference's answer, in nats."""
        last = {name: cells[-2] for name, cells in list(self.table().items())[1:]}
        return {name: -float(cell.replace("−", "-").replace(",", ".")) for name, cell in last.items()}


@pytest.fixture(scope="module")
def board(enter):
    """One visitor who works through the lessons, one after another."""
    with enter() as visitor:
        visitor.open_tab("ablation")
        visitor.page.get_by_text(visitor.t("ablation.settings"), exact=True).click()
        yield Board(visitor)


def test_every_lesson_is_in_the_list(board):
    names = board.visitor.unfold_lessons("ablation").locator("label")

    titles = [lesson.title(board.visitor.t) for lesson in LESSONS]
    expect(names).to_have_text([board.visitor.t("exercise.none"), *titles])


def test_a_prediction_is_judged(board):
    board.open("A1")
    lesson = find("A1", LESSONS)

    board.page.locator("#ablation-answer label").nth(lesson.right).click()

    right = lesson.choices(board.visitor.t)[lesson.right]
    expect(board.page.locator("#ablation-told")).to_contain_text(f"Correcto. {right}.")


def test_a_lesson_brings_its_checks_and_its_settings(board):
    board.open("A6")
    board.page.get_by_text(board.visitor.t("ablation.checks"), exact=True).click()

    check = find("A6", LESSONS).cases[0].checks[0]
    expect(board.page.locator("#ablation-check-0 input")).to_have_value(board.visitor.t(f"check_kind.{check.kind}"))
    expect(board.field("ablation-value-0")).to_have_value(check.value)
    expect(board.field("ablation-chosen")).to_have_value("1 3\n2 3")
    expect(board.page.locator("#ablation-schemes input:checked")).to_have_count(0)


def test_a1_the_topic_is_worth_most(board):
    board.run("A1")

    cost = board.cost()
    assert cost["Sin «topic»"] > max(cost["Sin «tone»"], cost["Sin «format»"])
    expect(board.page.locator("#ablation-verdict")).to_contain_text("La parte que más pesó fue topic")
    assert re.search(r"Sin format, \d de 1 respuestas", board.page.locator("#ablation-verdict").inner_text())


def test_a2_avoiding_words_is_easily_met_and_json_is_not(board):
    board.run("A2", tokens=24)

    table = board.table()
    assert table["Sin «JSON»"][0].startswith("0 de 1")
    assert table["Sin «no jargon»"][1].startswith("1 de 1")
    expect(board.page.locator("#ablation-question")).to_contain_text("se ve es con Qwen3-0.6B")


def test_a3_the_example_sets_the_form_of_the_date(board):
    board.run("A3", tokens=32)

    assert board.passed() == [True, False]


def test_a4_without_task_and_examples_the_answer_is_least_likely(board):
    board.run("A4", tokens=8)

    cost = board.cost()
    assert len(cost) == 5
    assert max(cost, key=cost.get) == "«topic»"
    assert cost["«task + topic»"] > cost["«task + example 1 + topic»"]


def test_a5_a_worked_answer_is_imitated(board):
    board.run("A5", case=1, tokens=36)

    assert board.passed() == [True, False]
    assert board.cost()["«topic»"] > 10


@pytest.mark.parametrize(
    ("case", "tokens"),
    [(0, 40), (3, 10), (4, 16), (6, 10)],
)
def test_a6_the_precise_rule_passes_where_the_vague_one_does_not(board, case, tokens):
    board.run("A6", case, tokens)

    assert board.passed() == [True, False]
