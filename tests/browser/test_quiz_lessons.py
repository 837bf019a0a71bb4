"""The quiz's lessons, each opened from its list; what the page then shows is the lesson's point.

On the real question of MMLU-ProX where a copy of it is at hand, and on our own where there is none.
"""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from llm_demo.lessons.lesson import find
from llm_demo.lessons.quiz import LESSONS

pytestmark = pytest.mark.slow  # each of its pages takes seconds to open

SHARED = Path(__file__).parents[3] / "shared" / "data"
MINUTES = 180_000


class Table:
    """The tab of one visitor."""

    def __init__(self, visitor) -> None:
        self.visitor = visitor
        self.page = visitor.page

    def open(self, lesson_id: str) -> None:
        """Choose a lesson and answer its question with a B."""
        self.visitor.choose_lesson("quiz-exercise", lesson_id)
        lesson = find(lesson_id, LESSONS)
        expect(self.page.locator("#quiz-exercise-question")).to_contain_text(lesson.predict(self.visitor.t))
        expect(self.page.locator("#quiz-answer")).to_be_enabled()
        expect(self.page.locator("#quiz-options input:checked")).to_have_count(0)
        self.page.locator("#quiz-options input[value='B']").check()
        self.page.locator("#quiz-answer").click()
        expect(self.page.locator("#quiz-chart .xtick text").first).to_be_visible(timeout=MINUTES)
        expect(self.page.locator("#quiz-exercise-look")).to_contain_text(lesson.look(self.visitor.t))

    def cells(self, table: str) -> list[list[str]]:
        rows = self.page.locator(f"{table} tr").all()[1:]
        return [row.locator("td").all_inner_texts() for row in rows]


@pytest.fixture(scope="module")
def table(enter, start_app):
    """A visitor with the real question 70."""
    if not SHARED.is_dir():
        pytest.skip("no copy of MMLU-ProX's questions on this machine")
    with enter(url=start_app(LLM_DEMO_QUIZ_DATA=str(SHARED))) as visitor:
        visitor.open_tab("quiz")
        expect(visitor.shown("#quiz-options input").first).to_be_visible(timeout=MINUTES)
        yield Table(visitor)


@pytest.fixture(scope="module")
def own(enter):
    """A visitor with the questions that travel with the app."""
    with enter() as visitor:
        visitor.open_tab("quiz")
        expect(visitor.shown("#quiz-options input").first).to_be_visible(timeout=MINUTES)
        yield Table(visitor)


def test_every_lesson_is_in_the_list(own):
    names = own.visitor.unfold_lessons("quiz-exercise").locator("label")

    titles = [lesson.title(own.visitor.t) for lesson in LESSONS]
    expect(names).to_have_text([own.visitor.t("exercise.none"), *titles])


def test_a_lesson_runs_on_our_own_question_where_mmlu_prox_is_out_of_reach(own):
    own.open("Q1")

    expect(own.page.locator("#quiz-question")).to_contain_text("no son de MMLU-ProX")
    own.page.locator("#quiz-exercise-answer label").nth(find("Q1", LESSONS).right).click()
    expect(own.page.locator("#quiz-exercise-told")).to_contain_text("Correcto.")


def test_q1_every_letter_has_a_probability(table):
    table.open("Q1")

    expect(table.page.locator("#quiz-question")).to_contain_text("organismos reguladores de publicidad")
    heights = table.page.locator("#quiz-chart .js-plotly-plot").evaluate("plot => [...plot.data[0].y]")
    assert len(heights) == 9
    assert sum(heights) == pytest.approx(1, abs=1e-3)
    assert min(heights) > 0
    expect(table.page.locator("#quiz-verdict")).to_contain_text(re.compile(r"les da \d+,\d %"))


def test_q2_the_same_question_in_english_reads_other_tokens(table):
    table.open("Q2")
    table.page.locator("#quiz-translate").click()
    expect(table.page.locator("#quiz-translated table")).to_be_visible(timeout=MINUTES)

    spanish, english = table.cells("#quiz-translated")

    assert (spanish[0], english[0]) == ("Español", "English")
    assert spanish[2] != english[2]
    assert int(english[4]) < int(spanish[4])
    flips = "La respuesta cambia" if spanish[1][0] != english[1][0] else "La misma letra"
    expect(table.page.locator("#quiz-translated .verdict")).to_contain_text(flips)


def test_q3_a_chain_of_thought_is_written_and_read(table):
    table.open("Q3")
    table.page.locator("#quiz-write").click()
    written = table.page.locator("#quiz-written .read")

    expect(table.page.locator("#quiz-written")).to_contain_text(
        re.compile(r"Escribiendo… \d\d+ tokens"), timeout=MINUTES
    )
    assert len(written.inner_text()) > 10

    table.page.locator("#quiz-stop").click()


def test_q4_the_letter_stays_and_the_option_changes(table):
    table.open("Q4")
    table.page.locator("#quiz-turn").click()
    expect(table.page.locator("#quiz-turned table")).to_be_visible(timeout=MINUTES)

    rows = table.cells("#quiz-turned")

    assert len(rows) == 9
    letters, options = {row[1] for row in rows}, {row[2][0] for row in rows}
    assert len(letters) < len(options)  # the embedded model loves letters, not answers
    averaged = table.page.locator("#quiz-turned-chart .js-plotly-plot").evaluate("plot => [...plot.data[0].y]")
    assert max(averaged) - min(averaged) < 0.1  # hardly anything is left
