"""Quiz tab: a question, the visitor's answer, then the right letter and the model's."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

TELLING = {"answer", "gold", "answer_index", "correct"}  # fields that would give the answer away
# Keeps what each response of the app has brought so far: a stream of events may never end.
OVERHEAR = """
window.heard = [];
const plainly = window.fetch;
window.fetch = async (...request) => {
  const response = await plainly(...request);
  if (!response.url.includes('/gradio_api/') || response.url.includes('/heartbeat/')) return response;
  const place = window.heard.push('') - 1;
  const reader = response.clone().body.pipeThrough(new TextDecoderStream()).getReader();
  const listen = async () => {
    for (let part = await reader.read(); !part.done; part = await reader.read()) window.heard[place] += part.value;
  };
  listen().catch(() => {});
  return response;
};
"""


@pytest.fixture(scope="module")
def first(client) -> dict:
    """The question that the page opens with: the seed is 0."""
    return client.predict("es", None, 0, api_name="/quiz_question")


@pytest.fixture(scope="module")
def told(client, first) -> dict:
    """What a program that answers it with a B is told."""
    return client.predict(first["question_id"], "es", "B", api_name="/quiz_answer")


@pytest.fixture
def quiz(visitor):
    """The tab with its first question, not answered yet."""
    visitor.open_tab("quiz")
    expect(visitor.shown("#quiz-options input").first).to_be_visible()
    return visitor


@pytest.fixture(scope="module")
def answered(enter):
    """The tab after the first question was answered with a B, for the tests that only look at it."""
    with enter() as visitor:
        visitor.open_tab("quiz")
        answer(visitor, "B")
        expect(visitor.page.locator("#quiz-chart .xtick text").first).to_be_visible()
        yield visitor


def answer(visitor, letter: str) -> None:
    visitor.page.locator(f"#quiz-options input[value='{letter}']").check()
    visitor.page.locator("#quiz-answer").click()


def question(visitor):
    return visitor.page.locator("#quiz-question .question")


def walk(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    """Yield (name of the nearest field, value) of all that a JSON value holds."""
    yield key, value
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from walk(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner, key)


def received(body: str) -> Iterator[tuple[str, object]]:
    """Yield what a response of the app holds, be it one JSON value or a stream of events."""
    for line in body.splitlines():
        data = line.removeprefix("data:").strip()
        if data.startswith(("{", "[")):
            yield from walk(json.loads(data))


def test_the_question_and_its_options_are_shown(quiz, first):
    expect(question(quiz)).to_have_text(first["question"])
    expect(quiz.shown("#quiz-options label")).to_have_text(
        [f"{letter}. {text}" for letter, text in first["options"].items()]
    )


@pytest.mark.slow
def test_our_own_questions_are_labelled_as_not_mmlu_prox(quiz):
    expect(quiz.page.locator("#quiz-question")).to_contain_text("preguntas propias de esta demo: no son de MMLU-ProX")


def test_an_answer_is_judged_and_the_models_letter_shown(answered, first, told):
    verdict = answered.page.locator("#quiz-verdict")
    own = "quiz.right" if told["correct"] else "quiz.wrong"
    models = "quiz.model_right" if told["model_letter"] == told["gold"] else "quiz.model_wrong"

    expect(verdict).to_contain_text(answered.t(own, letter="B"))
    expect(verdict).to_contain_text(f"Respuesta correcta: {told['gold']}. {first['options'][told['gold']]}")
    expect(verdict).to_contain_text(answered.t(models, letter=told["model_letter"]))


def test_the_chart_shows_the_probability_of_each_letter_and_who_chose_it(answered, first, told):
    marks = dict.fromkeys(first["options"], "")
    marks[told["gold"]] += " ✓"
    marks[told["model_letter"]] += " ▶"
    marks["B"] += " ●"
    chart = answered.page.locator("#quiz-chart")

    expect(chart.locator(".xtick text")).to_have_text([letter + mark for letter, mark in marks.items()])
    expect(chart.locator(".gtitle")).to_contain_text("✓ correcta · ▶ modelo · ● tú")
    heights = chart.locator(".js-plotly-plot").evaluate("plot => [...plot.data[0].y]")
    assert heights == pytest.approx(list(told["letter_probs"].values()), abs=1e-4)


def test_both_scores_count_the_first_answer(answered, told):
    visitor, model = int(told["correct"]), int(told["model_letter"] == told["gold"])
    score = answered.page.locator("#quiz-score")

    expect(score).to_contain_text(f"Tú {visitor} de 1 (")
    expect(score).to_contain_text(f"El modelo {model} de 1 (")
    expect(score).to_contain_text("intervalo del 95 %: de " + ("21 a 100 %" if visitor else "0 a 79 %"))


def test_a_question_is_answered_once(answered):
    expect(answered.page.locator("#quiz-answer")).to_be_disabled()


@pytest.mark.slow
def test_another_question_is_another_and_the_score_stays(quiz, first):
    answer(quiz, "B")
    expect(quiz.page.locator("#quiz-score")).to_contain_text("de 1")

    quiz.page.locator("#quiz-next").click()

    expect(question(quiz)).not_to_have_text(first["question"])
    expect(quiz.page.locator("#quiz-verdict")).to_have_text("")
    expect(quiz.page.locator("#quiz-chart .js-plotly-plot")).to_have_count(0)
    expect(quiz.page.locator("#quiz-options input:checked")).to_have_count(0)
    expect(quiz.page.locator("#quiz-answer")).to_be_enabled()
    expect(quiz.page.locator("#quiz-further")).to_be_hidden()
    expect(quiz.page.locator("#quiz-score")).to_contain_text("de 1")


def test_no_letter_is_told_in_a_sentence(quiz, first):
    quiz.page.locator("#quiz-answer").click()

    quiz.expect_toast(f"Elige primero una opción: una letra de la A a la {list(first['options'])[-1]}.")


@pytest.mark.slow
def test_a_chosen_category_gives_its_own_questions(quiz):
    quiz.page.locator("#quiz-category input").click()
    quiz.page.get_by_role("option", name="historia", exact=True).click()

    expect(quiz.page.locator("#quiz-question .badge").first).to_have_text("historia")


@pytest.mark.slow
def test_another_language_asks_the_same_question(quiz, client, first):
    quiz.page.locator("#quiz-language input").click()
    quiz.page.get_by_role("option", name="English", exact=True).click()

    english = client.predict("en", None, 0, api_name="/quiz_question")
    assert english["question_id"] == first["question_id"]
    expect(question(quiz)).to_have_text(english["question"])
    expect(quiz.page.locator("#quiz-answer")).to_be_enabled()


@pytest.mark.slow
def test_a_question_that_is_skipped_is_not_counted(quiz, first):
    quiz.page.locator("#quiz-next").click()

    expect(question(quiz)).not_to_have_text(first["question"])
    expect(quiz.page.locator("#quiz-score")).to_have_text(quiz.t("quiz.no_score"))


def test_nothing_that_reaches_the_browser_before_the_guess_tells_the_answer(quiz, first):
    quiz.page.add_init_script(OVERHEAR)
    quiz.reload()
    quiz.open_tab("quiz")
    quiz.page.locator("#quiz-options input[value='B']").check()
    expect(question(quiz)).to_have_text(first["question"])

    heard = [item for body in quiz.page.evaluate("window.heard") for item in received(body)]
    assert any(first["question"] in value for _, value in heard if isinstance(value, str))
    assert not {key for key, _ in heard} & TELLING
    lone_letters = [key for key, value in heard if isinstance(value, str) and value in first["options"]]
    assert set(lone_letters) == {"choices"}  # where all of them stand
    assert "gold" not in quiz.page.content()
