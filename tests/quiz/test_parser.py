"""The letter that a written answer chooses, on answers as models write them."""

import pytest

from llm_demo.quiz.parser import parse, sentence

LETTERS = tuple("ABCDEFGHIJ")

READ = [
    # A letter and nothing else, or set apart at the beginning.
    ("C", "C"),
    (" C", "C"),
    ("c", "C"),
    ("C.", "C"),
    ("(C)", "C"),
    ("(c)", "C"),
    ("[C]", "C"),
    ("C)", "C"),
    ("c)", "C"),
    ("**C**", "C"),
    ("**c**", "C"),
    ("*C*", "C"),
    ("«C»", "C"),
    ("“C”", "C"),
    ('"C"', "C"),
    ("`C`", "C"),
    ("C\n", "C"),
    ("C\nPorque", "C"),
    ("C: Prácticas", "C"),
    ("C. Prácticas inseguras", "C"),
    ("C - Prácticas inseguras", "C"),
    ("(C) Unsafe practices", "C"),
    ("**C. Prácticas inseguras**", "C"),
    ("C Prácticas", "C"),
    ("A", "A"),
    ("A.", "A"),
    ("I", "I"),
    ("E)", "E"),
    # Stated in Spanish.
    ("La respuesta es (C).", "C"),
    ("La respuesta es C", "C"),
    ("la respuesta es c.", "C"),
    ("La respuesta es **C**", "C"),
    ("La respuesta es la C.", "C"),
    ("La respuesta es la opción C.", "C"),
    ("La respuesta correcta es la C", "C"),
    ("respuesta correcta: la C", "C"),
    ("Respuesta: C", "C"),
    ("**Respuesta:** C", "C"),
    ("Respuesta final: (C)", "C"),
    ("La opción correcta es la (C), porque", "C"),
    ("La alternativa correcta es: C", "C"),
    ("La letra correcta es «C».", "C"),
    ("La respuesta sería la letra C", "C"),
    ("La respuesta es A porque el resto es falso", "A"),
    ("Pensemos paso a paso. 2 + 2 = 4. La respuesta es (B). Pregunta", "B"),
    ("Así que elijo la opción D.", "D"),
    ("Opción C", "C"),
    ("opción C: Prácticas", "C"),
    # Stated in English.
    ("The answer is (C).", "C"),
    ("The answer is C", "C"),
    ("the answer is c.", "C"),
    ("The answer is: C", "C"),
    ("The correct answer is **C**.", "C"),
    ("The correct option is (C)", "C"),
    ("Answer: C", "C"),
    ("**Answer: C**", "C"),
    ("The best answer would be C.", "C"),
    ("I choose option C.", "C"),
    ("Option C", "C"),
    ("The answer is A because the others are false", "A"),
    ("The answer is (A). No, wait, the answer is (B).", "A"),  # the first counts, as in the benchmark
    # Set apart at the end, or the only one in brackets.
    ("Las otras son falsas.\nC", "C"),
    ("So it has to be\n\n**C**", "C"),
    ("Por lo tanto, se trata de (C)", "C"),
    # Two letters.
    ("A o B", None),
    ("A or B", None),
    ("A/B", None),
    ("A, B", None),
    ("La respuesta es A o B", None),
    ("La respuesta es la (A) y la (B)", None),
    ("The answer is (A) or (B).", None),
    ("The answer is both A and B", None),
    ("Puede ser (A), pero también (D)", None),
    # None.
    ("", None),
    ("   ", None),
    ("No lo sé", None),
    ("Cuatro", None),
    ("Prácticas inseguras", None),
    ("42", None),
    ("La respuesta es 42", None),
    ("La respuesta es K", None),
    # Letters inside words, and words of one letter.
    ("Claro", None),
    ("Because", None),
    ("Distress", None),
    ("La respuesta es Cuatro", None),
    ("The answer is Distress", None),
    ("La respuesta es a menudo difícil", None),
    ("A veces", None),
    ("A man", None),
    ("I think", None),
    ("The answer is a matter of taste", None),
    ("La respuesta es a", None),
    # Refusals.
    ("Lo siento, no puedo responder a esta pregunta.", None),
    ("I cannot answer this question.", None),
    ("I'm sorry, but I can't help", None),
    ("Como modelo de lenguaje, no tengo opiniones", None),
    # Cut off by the length limit.
    ("La", None),
    ("La respuesta", None),
    ("La respuesta es", None),
    ("La respuesta es (", None),
    ("The answer", None),
    ("The correct answer is **", None),
    ("La respuesta es C", "C"),
    ("The answer is (C", "C"),
]


def test_there_are_enough_answers():
    assert len(dict(READ)) >= 60


@pytest.mark.parametrize(("text", "letter"), READ)
def test_an_answer_is_read(text, letter):
    assert parse(text, LETTERS).letter == letter


@pytest.mark.parametrize("text", ["E", "La respuesta es (E)", "The answer is J."])
def test_a_letter_that_is_no_option_is_none(text):
    assert parse(text, LETTERS[:4]).letter is None


def test_the_words_that_gave_the_letter_are_told():
    text = "Veamos. La respuesta es (C). Fin"

    found = parse(text, LETTERS)

    assert text[found.start : found.end] == "respuesta es (C)"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Veamos. La respuesta es (C). Fin", "La respuesta es (C)."),
        ("Son 4.\nThe answer is (C)", "The answer is (C)"),
        ("Respuesta: C\nPorque sí.", "Respuesta: C"),
        ("C", "C"),
    ],
)
def test_the_whole_sentence_is_marked(text, words):
    start, end = sentence(text, parse(text, LETTERS))

    assert text[start:end] == words
