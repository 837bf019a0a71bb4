"""Checks of an answer, on texts written by hand that pass and that nearly pass, in both languages."""

import time

import pytest

from llm_demo.adherence import KINDS, MAX_VALUE, Check, count, passes
from llm_demo.errors import InputError

GIT_ES = (
    "Git guarda las versiones de tu proyecto.\n\n- Recuerda cada cambio.\n- Permite volver atrás.\n- Une el trabajo."
)
GIT_EN = "Git keeps the versions of your project:\n1. It remembers changes.\n2) It goes back.\n  * It joins work."


def passed(kind: str, value: str, answer: str) -> bool:
    return passes(Check("formato", kind, value), answer)


def refusal(kind: str, value: str) -> str:
    with pytest.raises(InputError) as caught:
        Check("formato", kind, value)
    return caught.value.key


# Bullets


@pytest.mark.parametrize("answer", [GIT_ES, GIT_EN, "• uno\n• dos\n• tres", "+ a\n+ b\n+ c"])
def test_three_bullets_of_any_mark_pass(answer):
    assert passed("bullets", "3", answer)


@pytest.mark.parametrize(
    "answer",
    [
        "- uno\n- dos",
        "- uno\n- dos\n- tres\n- cuatro",
        "-uno\n-dos\n-tres",  # no space: no list
        "- uno\n- dos\n-",  # the third says nothing
        "**Uno**\n**Dos**\n**Tres**",
        "1.5 metros\n2.5 metros\n3.5 metros",
        "uno, dos - y tres",
        "",
    ],
)
def test_what_is_nearly_three_bullets_fails(answer):
    assert not passed("bullets", "3", answer)


# Sentences and words


@pytest.mark.parametrize(
    ("answer", "sentences"),
    [
        ("Git guarda versiones. ¿Para qué? ¡Para volver!", 3),
        ("Git keeps versions... It is 3.5 times as good! “Really?” Yes", 4),
        ("Uno\nDos", 2),
        ("- Uno.\n- Dos.", 2),
        ("1. Uno\n2. Dos", 2),  # a list's numbers are no sentences
        ("Fin.)  Otra…", 2),
        ("Usa ramas, etc.  y vuelve (¡siempre!) atrás.", 1),  # no sentence begins with a small letter
        ("!!! ... 42.", 0),
        ("", 0),
    ],
)
def test_sentences_are_counted_as_the_screen_says(answer, sentences):
    assert count("sentences", answer) == sentences
    assert passed("sentences", str(sentences), answer)
    assert not passed("sentences", str(sentences + 1), answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [("¿Qué es Git?", 3), ("It's a well-known tool", 4), ("3 de 5, año 2024", 5), ("- —", 0), ("coração niño", 2)],
)
def test_words_are_counted_as_the_screen_says(answer, words):
    assert count("words", answer) == words


@pytest.mark.parametrize(("words", "right"), [(2, False), (3, True), (4, True), (5, True), (6, False)])
def test_a_range_holds_both_its_ends(words, right):
    assert passed("words", " 3 - 5 ", "a " * words) is right


@pytest.mark.parametrize("value", ["", "three", "-3", "5-3", "3-", "1.5", "99999", "3 5"])
def test_an_amount_that_is_none_is_refused(value):
    assert refusal("words", value) == "check_count"


# JSON


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("", '{"a": 1}'),
        ("", " [1, 2]\n"),
        ("", '```json\n{"a": 1}\n```'),
        ("nombre, año", '{"Nombre": "Git", "año": 2005, "más": null}'),
        ("name", '```\n{"name": {"b": []}}\n```'),
    ],
)
def test_json_passes(value, answer):
    assert passed("json", value, answer)


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("", 'Here it is: {"a": 1}'),
        ("", '{"a": 1}\nEspero que ayude.'),
        ("", "{'a': 1}"),
        ("", '{"a": 1,}'),
        ("", '{"a": NaN}'),
        ("", "42"),  # JSON, and nobody's answer in JSON
        ("", '"texto"'),
        ("", '```json\n{"a": 1}'),
        ("", ""),
        ("", "[" * 100_000),
        ("a, b", '{"a": 1}'),
        ("a", '[{"a": 1}]'),
    ],
)
def test_what_is_nearly_json_fails(value, answer):
    assert not passed("json", value, answer)


# Language


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("es", "Git es un sistema de control de versiones."),
        ("en", "Git is a version control system."),
        ("es", GIT_ES),
        ("en", GIT_EN),
        ("fr", "Git est un logiciel de gestion de versions."),
        ("pt", "O Git é um sistema de controle de versão."),
    ],
)
def test_a_sentence_is_of_its_own_language_alone(code, answer):
    assert [other for other in ("es", "en", "fr", "de", "it", "pt") if passed("language", other, answer)] == [code]


@pytest.mark.parametrize("answer", ["", "12-04-1961", "Git", "Ok"])
def test_what_is_too_short_to_tell_is_of_no_language(answer):
    assert not any(passed("language", code, answer) for code in ("es", "en"))


def test_a_language_that_nobody_can_tell_is_refused():
    assert refusal("language", "klingon") == "check_language"
    assert refusal("language", "") == "check_language"


# Words that are there, or not


@pytest.mark.parametrize(
    ("kind", "value", "answer", "right"),
    [
        ("contains", "Git, versión", "GIT guarda cada Versión.", True),
        ("contains", "git, versión", "Git guarda cada version.", False),  # an accent is a letter of its own
        ("contains", "branch", "Git has branches.", False),
        ("contains", "version control", "Version\ncontrol is its job.", True),
        ("contains", "c++", "It is written in C++.", True),
        ("contains", "año", "An\u0303o nuevo: an\u0303o de nieves", True),  # the same letter in two code points
        ("avoids", "commit, branch", "Git has branches.", True),
        ("avoids", "commit, branch", "A commit is a picture.", False),
        ("avoids", "rama", "Usa ramales.", True),
        ("tone", "amigo, genial", "¡Qué genial!", True),
        ("tone", "friend, great", "A great tool", True),
        ("tone", "friend, great", "A greater friendship", False),
    ],
)
def test_words_are_looked_for_whole_and_in_any_case(kind, value, answer, right):
    assert passed(kind, value, answer) is right


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("Positiva", True),
        ("**positiva.**", True),
        (" «Negativa» ", True),
        ("Positive", False),
        ("Positiva, sin duda", False),
        ("La reseña es positiva", False),
        ("", False),
    ],
)
def test_a_label_is_the_whole_answer(answer, right):
    assert passed("label", "positiva, negativa", answer) is right


@pytest.mark.parametrize("kind", ["contains", "avoids", "tone", "label", "pattern"])
@pytest.mark.parametrize("value", ["", " , ,", "  "])
def test_nothing_to_look_for_is_refused(kind, value):
    assert refusal(kind, value) == "check_empty"


# Patterns


def test_a_pattern_is_found_anywhere():
    assert passed("pattern", r"\b\d{2}-\d{2}-\d{4}\b", "Fue el 12-04-1961.")
    assert not passed("pattern", r"\b\d{2}-\d{2}-\d{4}\b", "It was on April 12, 1961; not 1-4-1961.")
    assert passed("pattern", r"\p{Lu}\p{Ll}+", "el Ártico")


@pytest.mark.parametrize("value", ["[", "(a", "*", r"\p{nothing}", "a{99999999999999}", r"\N{foo}", "(?<=", "(?1)"])
def test_a_broken_pattern_is_refused(value):
    assert refusal("pattern", value) == "check_pattern"


@pytest.mark.parametrize("value", ["(a+)+$", "(?R)", "(a|aa)+$"])
def test_a_slow_pattern_is_given_up(value):
    begun = time.perf_counter()

    with pytest.raises(InputError) as caught:
        passed("pattern", value, "a" * 5_000 + "!")

    assert caught.value.key == "check_slow"
    assert time.perf_counter() - begun < 2


# All


def test_a_value_longer_than_a_line_is_refused():
    assert refusal("contains", "a" * (MAX_VALUE + 1)) == "check_long"


def test_a_check_that_is_none_is_refused():
    assert refusal("smell", "roses") == "check_kind"


@pytest.mark.parametrize("kind", KINDS)
def test_no_answer_is_too_strange_to_be_judged(kind):
    value = {"bullets": "1", "sentences": "1", "words": "1", "json": "", "language": "es"}.get(kind, "a")

    for answer in ("", "\0", "\ufffd" * 50, "🎉" * 50, "\n" * 500, "a" * 3_000, "- " * 500, '{"a":' * 500):
        assert passed(kind, value, answer) in (True, False)
