"""The decoding lessons, each opened from its list and run; what the page then shows is the lesson's point."""

import re

import pytest
from playwright.sync_api import Locator, expect

from llm_demo.lessons.decoding import LESSONS
from llm_demo.lessons.lesson import find

MINUTE = 60_000
DATA = "plot => plot.data.map(bars => ({ y: bars.y, x: bars.x }))"


class Board:
    """The tab of one visitor, a lesson open in it."""

    def __init__(self, visitor) -> None:
        self.visitor = visitor
        self.page = visitor.page

    def open(self, lesson_id: str) -> None:
        """Choose a lesson from the list."""
        self.visitor.choose_lesson("decoding", lesson_id)
        expect(self.page.locator("#decoding-question")).to_contain_text(
            find(lesson_id, LESSONS).predict(self.visitor.t)
        )
        expect(self.page.locator("#decoding-prompt textarea")).to_have_value(find(lesson_id, LESSONS).prompt)
        expect(self.page.locator("#decoding-chosen label")).to_have_count(len(find(lesson_id, LESSONS).samplings))

    def run(self, lesson_id: str) -> None:
        """Choose a lesson and let it run to its end."""
        self.open(lesson_id)
        self.page.locator("#decoding-run").click()
        expect(self.page.locator("#decoding-look")).to_contain_text(
            find(lesson_id, LESSONS).look(self.visitor.t), timeout=MINUTE
        )
        expect(self.visitor.shown("[id^=decoding-slot-]")).to_have_count(len(find(lesson_id, LESSONS).samplings))

    def column(self, number: int) -> Locator:
        return self.page.locator(f"#decoding-slot-{number}")

    def ids(self) -> list[list[int]]:
        """Return the token ids of every column, as their tooltips tell them."""
        columns = self.visitor.shown("[id^=decoding-slot-]").all()
        return [
            [int(re.search(r"id (\d+)", title)[1]) for title in column.locator(".token").evaluate_all(TITLES)]
            for column in columns
        ]

    def fact(self, pattern: str) -> list[float]:
        """Return a number of the facts of every column."""
        texts = self.visitor.shown("[id^=decoding-slot-] .facts").all_inner_texts()
        return [number(re.search(pattern, text)[1]) for text in texts]

    def partings(self) -> list[str]:
        return self.page.locator("#decoding-partings li").all_inner_texts()

    def bars(self, number: int) -> tuple[dict[int, float], dict[int, float]]:
        """Return the chart of a column: row -> probability, the model's own and what the filters left."""
        expect(self.column(number).locator(".js-plotly-plot .ytick").first).to_be_visible()
        bars = self.column(number).locator(".js-plotly-plot").evaluate(DATA)
        rows = [dict(zip(kind["y"], kind["x"], strict=True)) for kind in bars]
        raw, left = {}, {}
        for row in rows[:-2]:
            raw |= row
        for row in rows[-2:]:
            left |= row
        return raw, left


TITLES = "tokens => tokens.map(token => token.title)"
LOG_PROB = r"log-probabilidad (-?[\d.,]+) nats"
REPETITION = r"repetición (<?[\d.,]+) %"
PASSES = r"([\d.]+) pasadas"


def number(text: str) -> float:
    """Read a number as Spanish writes it."""
    return float(text.lstrip("<").replace(".", "").replace(",", "."))


@pytest.fixture(scope="module")
def board(enter):
    """One visitor who works through the lessons, one after another."""
    with enter() as visitor:
        visitor.open_tab("decoding")
        yield Board(visitor)


def test_every_lesson_is_in_the_list(board):
    names = board.visitor.unfold_lessons("decoding").locator("label")

    titles = [lesson.title(board.visitor.t) for lesson in LESSONS]
    expect(names).to_have_text([board.visitor.t("exercise.none"), *titles])


def test_a_prediction_is_judged_and_the_right_one_told(board):
    board.open("D6")
    right = find("D6", LESSONS).choices(board.visitor.t)[find("D6", LESSONS).right]

    board.page.locator("#decoding-answer label").nth(find("D6", LESSONS).right).click()
    expect(board.page.locator("#decoding-told")).to_contain_text(f"Correcto. {right}.")

    board.page.locator("#decoding-answer label").nth(find("D6", LESSONS).right + 1).click()
    expect(board.page.locator("#decoding-told")).to_contain_text(f"No es eso. La respuesta: {right}.")


def test_d1_one_model_three_texts(board):
    board.run("D1")

    assert len({tuple(ids) for ids in board.ids()}) == 3
    assert len(board.partings()) == 3
    assert all("se separan en el paso" in pair for pair in board.partings())
    expect(board.page.locator("#decoding-tree .js-plotly-plot")).to_be_visible()


@pytest.mark.slow
def test_d2_defaults_that_sample_are_another_text(board):
    board.run("D2")

    greedy, drawn = board.ids()
    assert greedy != drawn
    expect(board.page.locator("#decoding-origin")).to_contain_text("Sus valores por defecto")
    expect(board.page.locator("#decoding-question")).to_contain_text("se ve es con Qwen3-0.6B")


@pytest.mark.slow
def test_d3_coherent_against_creative(board):
    board.run("D3")

    greedy, hot, cool = board.fact(LOG_PROB)
    assert hot < greedy
    assert hot < cool


@pytest.mark.slow
def test_d4_temperature_sharpens_and_flattens(board):
    board.run("D4")

    cold, mild, hot = (max(board.bars(column)[1].values()) for column in range(3))
    own = max(board.bars(0)[0].values())
    assert cold > mild > own > hot


def test_d5_top_k_keeps_as_many_everywhere_and_top_p_does_not(board):
    board.run("D5")
    kept = []
    for step in (1, 5, 9, 13):
        board.visitor.shown("#decoding-step input[type=number]").fill(str(step))
        expect(board.column(1).locator(".token[aria-pressed=true]")).to_have_attribute("data-i", str(step - 1))
        kept.append([sum(prob > 0 for prob in board.bars(column)[1].values()) for column in range(2)])

    assert {top_k for top_k, _ in kept} == {2}
    assert len({top_p for _, top_p in kept}) > 1


@pytest.mark.slow
def test_d6_three_names_for_one_text(board):
    board.run("D6")

    greedy, top_1, frozen = board.ids()
    assert greedy == top_1 == frozen
    assert all("el mismo texto" in pair for pair in board.partings())


@pytest.mark.slow
def test_d7_top_p_counts_on_what_top_k_left(board):
    board.run("D7")
    raw, left = board.bars(0)
    five = sorted(raw.values(), reverse=True)[:5]
    reached, expected = 0.0, 0
    for prob in five:  # the token that crosses 0.9 of the five's own sum is kept
        if reached >= 0.9:
            break
        reached += prob / sum(five)
        expected += 1

    kept = [sum(prob > 0 for prob in board.bars(column)[1].values()) for column in range(3)]

    assert sum(five) < 0.9
    assert kept[0] == expected < 5
    assert kept[1] == 5
    assert kept[2] >= 10
    assert sum(left.values()) == pytest.approx(1, abs=1e-4)


@pytest.mark.slow
def test_d8_more_penalty_less_probable(board):
    board.run("D8")

    assert board.fact(LOG_PROB) == sorted(board.fact(LOG_PROB), reverse=True)
    none, *_, most = board.fact(REPETITION)
    assert none > 10 > most


@pytest.mark.slow
def test_d9_beams_find_the_likelier_text(board):
    board.run("D9")

    greedy, beams = board.fact(LOG_PROB)
    assert beams > greedy
    expect(board.page.locator("#decoding-tree .js-plotly-plot")).to_be_visible()
    expect(board.page.locator("#decoding-axis .js-plotly-plot")).to_contain_text("Más probable no es mejor")


@pytest.mark.slow
def test_d10_contrastive_search_does_not_repeat_itself(board):
    board.run("D10")

    greedy, contrastive = board.fact(REPETITION)
    assert greedy > contrastive
    expect(board.column(1).locator(".gtitle")).to_have_text("Confianza frente a parecido con lo anterior")


@pytest.mark.slow
def test_d11_lookup_is_the_same_text_in_fewer_passes(board):
    board.run("D11")

    greedy, copied = board.ids()
    assert greedy == copied
    passes = board.fact(PASSES)
    assert passes[1] < passes[0] / 2
    accepted = board.column(1).locator(".guess.yes").count()
    assert re.search(rf"Aceptados \(✓\): {accepted}\.", board.column(1).inner_text())
    expect(board.column(1)).to_contain_text("Comprobado: el mismo texto que la columna voraz.")
    expect(board.column(1).locator(".guess.no").first).to_be_visible()


@pytest.mark.slow
def test_d12_a_drafter_saves_passes_and_changes_nothing(board):
    board.run("D12")

    greedy, drafted = board.ids()
    assert greedy == drafted
    passes = board.fact(PASSES)
    assert passes[1] < passes[0] / 2
    expect(board.column(1)).to_contain_text("Comprobado: el mismo texto que la columna voraz.")


@pytest.mark.slow
def test_d13_the_maximum_is_a_bound_and_not_a_length(board):
    board.run("D13")

    ten, thirty, hundred = board.ids()
    assert (len(ten), len(thirty)) == (10, 30)
    assert thirty[:10] == ten
    assert hundred[:30] == thirty
    assert 30 < len(hundred) < 100
    expect(board.column(2).locator(".facts")).to_contain_text("terminó el propio modelo")


def test_a_new_lesson_takes_the_old_ones_advice_away(board):
    board.run("D13")

    board.open("D1")

    expect(board.page.locator("#decoding-look")).to_be_empty()
