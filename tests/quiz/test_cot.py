"""The benchmark's prompts, word for word; written out by hand after lm-evaluation-harness's tasks."""

import re
from typing import ClassVar

import pytest

from llm_demo.config import Config
from llm_demo.quiz.cot import cot_prompt, cut, strict_letter, until
from llm_demo.quiz.rows import Example, Question
from llm_demo.quiz.shots import Shots, load_shots

QUESTION = Question(1, "es", "business", "¿1 + 1?", ("uno", "dos", "tres"), "B", "by-hand")
SHOT = Example(
    Question(2, "es", "business", "¿2 + 2?", ("cuatro", "cinco", "seis"), "A", "by-hand"),
    "A: Pensemos paso a paso. Dos y dos son cuatro. La respuesta es (A).",
)
TASK = (
    "Las siguientes son preguntas de opción múltiple (con respuestas) sobre negocios. Piense paso a paso y luego "
    'termine su respuesta con "La respuesta es (X)" donde X es la letra de la opción correcta.\n'
)
ASKED = "Pregunta:\n¿1 + 1?\nOpciones:\nA. uno\nB. dos\nC. tres\nRespuesta: Pensemos paso a paso."


class BaseTokenizer:
    """Knows no conversations."""

    chat_template = None


class ChatTokenizer:
    """Knows conversations."""

    chat_template = "of its own"
    added_tokens_decoder: ClassVar[dict] = {}  # no control tokens

    def apply_chat_template(self, turns, **_):
        return "".join(f"[{turn['role']}]{turn['content']}" for turn in turns)


def test_a_base_model_reads_the_task_and_the_question():
    assert cot_prompt(BaseTokenizer(), QUESTION) == TASK + ASKED


def test_worked_examples_come_before_the_question():
    worked = (
        "Pregunta:\n¿2 + 2?\nOpciones:\nA. cuatro\nB. cinco\nC. seis\n"
        "Respuesta: Pensemos paso a paso. Dos y dos son cuatro. La respuesta es (A).\n\n"
    )

    assert cot_prompt(BaseTokenizer(), QUESTION, [SHOT]) == TASK + worked + ASKED


def test_an_instruct_model_gets_the_task_as_its_system_message():
    assert cot_prompt(ChatTokenizer(), QUESTION) == f"[system]{TASK}[user]{ASKED}"


def test_english_has_words_of_its_own_and_serves_the_other_languages():
    english = cot_prompt(BaseTokenizer(), Question(1, "en", "computer science", "?", ("a", "b", "c"), "A", ""))
    german = cot_prompt(BaseTokenizer(), Question(1, "de", "computer science", "?", ("a", "b", "c"), "A", ""))

    assert english == german
    assert "about computer_science. Think step by step" in english
    assert english.endswith("Options:\nA. a\nB. b\nC. c\nAnswer: Let's think step by step.")


@pytest.mark.parametrize(
    ("language", "text", "letter"),
    [
        ("es", "Son dos. La respuesta es (B).", "B"),
        ("es", "La respuesta es B", "B"),
        ("es", "La respuesta es (A). La respuesta es (B).", "A"),
        ("es", "la respuesta es (B)", None),
        ("es", "La respuesta es **B**", None),
        ("en", "So the answer is (J).", "J"),
        ("en", "The correct answer is C", "C"),
        ("en", "Answer: C", None),
    ],
)
def test_the_benchmarks_pattern_is_strict(language, text, letter):
    assert strict_letter(text, language) == letter


def test_an_answer_is_cut_off_where_another_question_begins():
    assert cut("Son dos.\nPregunta:\n¿3 + 3? Q: ", "es") == "Son dos.\n"
    assert cut("Son dos.", "es") == "Son dos."


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("La respuesta es (B).", True),
        ("La respuesta es (B)", False),  # the bracket may still be missing
        ("La respuesta es (B", False),
        ("Son dos. Pregunta:", True),
        ("Son dos.", False),
    ],
)
def test_writing_ends_where_nothing_can_change_the_letter(text, ends):
    assert bool(re.search(until("es"), text)) is ends


# --- worked examples ---


def row(number: int, category: str, **more: object) -> dict[str, object]:
    options = {"option_0": "uno", "option_1": "dos", "option_2": "tres"}
    written = {"question_id": number, "category": category, "question": "¿?", "answer": "A"}
    return {**written, **options, "src": "test", "cot_content": f"A: {number}.", **more}


def test_the_first_five_of_the_category_are_shown():
    asked = []

    def fetch(language: str, quiz_set: str, split: str):
        asked.append((language, quiz_set, split))
        return [row(number, "law" if number % 2 else "math") for number in range(20)]

    shots = load_shots("es", Config(), fetch)

    assert asked == [("es", "lite", "validation")]
    assert shots.origin == "hub"
    assert [example.question.question_id for example in shots.of("law")] == [1, 3, 5, 7, 9]
    assert [example.reasoning for example in shots.of("math")][:2] == ["A: 0.", "A: 2."]


def test_rows_without_reasoning_are_left_out():
    shots = load_shots(
        "es", Config(), lambda *_: [row(n, "law", cot_content="" if n < 3 else "A: x") for n in range(9)]
    )

    assert [example.question.question_id for example in shots.of("law")] == [3, 4, 5, 6, 7]


def test_a_folder_may_bring_its_own(tmp_path):
    import json

    (tmp_path / "es.jsonl").write_text(json.dumps(row(1, "law")), "utf-8")
    validation = tmp_path / "validation_es.jsonl"
    validation.write_text("\n".join(json.dumps(row(number, "law")) for number in range(5)), "utf-8")

    assert load_shots("es", Config(quiz_data=tmp_path)).origin == "file"

    validation.unlink()
    assert load_shots("es", Config(quiz_data=tmp_path)).origin == "bundled"


@pytest.mark.parametrize("language", ["es", "en", "de"])
def test_our_own_five_stand_in_and_end_with_the_benchmarks_words(language, tmp_path):
    shots = load_shots(language, Config(quiz_data=tmp_path))

    assert isinstance(shots, Shots)
    assert shots.origin == "bundled"
    assert len(shots.of("anything")) == 5
    for example in shots.examples:
        spoken = example.question.language
        assert strict_letter(example.reasoning.replace("The answer", "the answer"), spoken) == example.question.answer
