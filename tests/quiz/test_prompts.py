"""The exact text that a model reads."""

from llm_demo.quiz.prompts import direct_message, direct_prompt, question_text
from llm_demo.quiz.rows import Question


def ask(language: str) -> Question:
    return Question(1, language, "math", "¿1 + 1?", ("uno", "dos", "tres"), "B", "by-hand")


def test_the_question_is_followed_by_its_lettered_options():
    assert question_text(ask("es")) == "¿1 + 1?\nA. uno\nB. dos\nC. tres"


def test_the_spanish_prompt_ends_in_the_cue_without_a_space():
    assert direct_prompt(ask("es")) == "Pregunta: ¿1 + 1?\nA. uno\nB. dos\nC. tres\nRespuesta:"


def test_the_english_prompt_has_english_words():
    assert direct_prompt(ask("en")) == "Question: ¿1 + 1?\nA. uno\nB. dos\nC. tres\nAnswer:"


def test_another_language_gets_english_words_around_its_question():
    assert direct_prompt(ask("fr")) == direct_prompt(ask("en"))


def test_the_message_asks_for_one_letter_of_the_range():
    assert "solo con la letra de la opción correcta (A-C)" in direct_message(ask("es"))
    assert "letter of the correct option only (A-C)" in direct_message(ask("en"))


def test_the_message_ends_without_a_cue_for_the_template_opens_the_answer():
    assert not direct_message(ask("es")).endswith("Respuesta:")


def test_no_prompt_tells_the_gold_letter():
    other = Question(1, "es", "math", "¿1 + 1?", ("uno", "dos", "tres"), "C", "by-hand")

    assert direct_prompt(other) == direct_prompt(ask("es"))
    assert direct_message(other) == direct_message(ask("es"))
