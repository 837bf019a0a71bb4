"""What the sections of the quiz say alike: safe HTML, right-to-left texts, answers without a letter, and the score."""

import pytest

from llm_demo.i18n import translator
from llm_demo.quiz.dataset import LANGUAGES, QuestionBank
from llm_demo.quiz.reply import WAYS, Reply
from llm_demo.quiz.rows import Question, Skipped
from llm_demo.quiz.scoring import LetterScores
from llm_demo.tabs import quizwords, score
from llm_demo.tabs.score import Played

T = translator("es")
SIGN = Question(1, "ar", "<i>x</i>", "ما <b>هذا</b>؟", ("<script>", "ب", "ج"), "A", "by-hand")


def test_a_question_is_text_and_laid_out_as_its_language_is():
    bank = QuestionBank("file", "mine", "ar", (SIGN,), (Skipped(3, "few_options"),))
    html = quizwords.question_html(bank, SIGN, T)

    assert '<p class="question" dir="rtl">ما &lt;b&gt;هذا&lt;/b&gt;؟</p>' in html
    assert "&lt;i&gt;x&lt;/i&gt;" in html
    assert "3: tiene menos de 3 opciones" in html
    assert quizwords.choice(SIGN, "B") == "B. \u200fب"
    assert quizwords.option(SIGN, "A") == '<bdi dir="rtl">&lt;script&gt;</bdi>'


def test_every_language_calls_itself_something_and_two_run_from_the_right():
    assert set(quizwords.AUTONYMS) == set(LANGUAGES)
    assert {code for code in LANGUAGES if quizwords.direction(code) == "rtl"} == {"ar", "ur"}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_has_a_name(way):
    assert quizwords.way(way, T)


def test_the_sentence_that_gave_the_letter_is_marked_and_the_rest_is_text():
    text = "2 < 3. La respuesta es (A). Fin"
    reply = Reply(SIGN, "cot_0", "A", text=text, marked=(7, 27), strict="A", finish="stop", new_tokens=12)

    html = quizwords.written(reply, T)

    assert "2 &lt; 3. <mark>La respuesta es (A).</mark> Fin" in html
    assert "✓ Elige la A" in html
    assert "patrón exacto del benchmark, la letra leída es: <b>A</b>" in html


@pytest.mark.parametrize(("finish", "words"), [("length", "límite de longitud"), ("time", "límite de tiempo")])
def test_an_answer_that_was_cut_off_says_so_and_is_told_apart_from_a_wrong_one(finish, words):
    html = quizwords.written(Reply(SIGN, "cot_0", text="Veamos", finish=finish, new_tokens=3), T)

    assert words in html
    assert "no se lee ninguna letra" in html


def test_little_mass_on_letters_is_flagged_with_what_was_likelier():
    scores = LetterScores(("A", "B", "C"), (0.5, 0.3, 0.2), 0.1)
    low = Reply(SIGN, "direct", "A", scores, likeliest=((" A", 0.1), ("<La", 0.6)), finish="stop")

    html = quizwords.mass(low, T)

    assert "⚠" in html
    assert "10,0 %" in html
    assert "(<code>&lt;La</code> 60,0 %)" in html


def played(count: int, sureness: float | None) -> list[Played]:
    return [Played("es", "law", place % 2 == 0, place % 4 == 0, sureness, 0.4) for place in range(count)]


def test_calibration_waits_for_ten_answers():
    assert score.chart(played(9, 0.6), T) is None
    assert len(score.chart(played(10, None), T).data) == 2  # the diagonal and the model
    assert len(score.chart(played(10, 0.6), T).data) == 3

    mine = score.chart(played(10, 0.6), T).data[1]
    assert (list(mine.x), list(mine.y)) == ([pytest.approx(0.6)], [0.5])


def test_the_score_has_intervals_and_is_told_by_category_and_language():
    html = score.facts(played(4, None), T)

    assert "Tú <b>2 de 4</b> (50,0 %; intervalo del 95 %: de 15 a 85 %)" in html
    assert "El modelo <b>1 de 4</b>" in html
    assert "<td>derecho</td><td>4</td><td>2</td><td>1</td>" in html
    assert "<td>Español</td><td>4</td>" in html
