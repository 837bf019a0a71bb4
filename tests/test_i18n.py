"""Every word in both languages, every key that the code uses there, and the visitor's language found."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_demo import errors, i18n
from llm_demo.i18n import LANGUAGES, keys, preferred, translator

PACKAGE = Path(i18n.__file__).parent
FILES = (PACKAGE.parent / "app.py", *PACKAGE.rglob("*.py"))
TREES = {file.relative_to(PACKAGE.parent).as_posix(): ast.parse(file.read_text("utf-8")) for file in FILES}
KINDS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.DemoError)}


# --- the two locales ---


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def sentence(key: str, language: str = "en") -> str:
    return translator(language)(key)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_keys(language):
    assert keys(language) ^ keys("en") == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_blank(language):
    assert [key for key in keys(language) if not sentence(key, language).strip()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_has_the_same_placeholders_in_every_language(language):
    assert {
        key: (sentence(key, language), sentence(key, "en"))
        for key in keys("en") & keys(language)
        if placeholders(sentence(key, language)) != placeholders(sentence(key, "en"))
    } == {}


# --- what the code asks for ---


def called(name: str) -> Iterator[tuple[str, ast.Call, ast.Module]]:
    """Yield every call of a name, or of an attribute of that name, with its place and its file's tree."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args:
                function = node.func
                if name == (function.id if isinstance(function, ast.Name) else getattr(function, "attr", None)):
                    yield f"{path}:{node.lineno}", node, tree


def literals(node: ast.expr, tree: ast.Module) -> set[str]:
    """Return the strings that an expression may be: a literal, a choice of two, or a name that holds such."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.IfExp):
        return literals(node.body, tree) | literals(node.orelse, tree)
    if isinstance(node, ast.Name):
        assigned = [
            found.value
            for found in ast.walk(tree)
            if isinstance(found, ast.Assign)
            and any(isinstance(target, ast.Name) and target.id == node.id for target in found.targets)
        ]
        return set().union(*(literals(value, tree) for value in assigned))
    return set()


def uses() -> Iterator[tuple[str, str, set[str] | None]]:
    """Yield where a key is used, the key, and the names of the values given; None where they cannot be read."""
    for kind in ("t", *sorted(KINDS)):
        for place, call, tree in called(kind):
            given = {keyword.arg for keyword in call.keywords}
            for key in literals(call.args[0], tree):
                yield place, key if kind == "t" else f"errors.{key}", None if None in given else given


USES = list(uses())


def test_every_key_that_the_code_uses_exists():
    assert [f"{place}: {key}" for place, key, _ in USES if key not in keys("en")] == []


def test_every_placeholder_of_a_sentence_is_given_where_it_is_used():
    assert [
        f"{place}: {key} lacks {sorted(lacking)}"
        for place, key, given in USES
        if key in keys("en") and given is not None and (lacking := placeholders(sentence(key)) - given)
    ] == []


def test_every_error_is_raised_with_a_key_that_can_be_read_here():
    unreadable = [place for kind in KINDS for place, call, tree in called(kind) if not literals(call.args[0], tree)]

    assert unreadable == []


GROUPS = {key.split(".")[0] for key in keys("en") if "." in key}
ENDINGS = (".js", ".css", ".json", ".jsonl", ".gguf", ".py")


def looks_like_a_key(text: str) -> bool:
    group, dot, rest = text.partition(".")
    return bool(dot) and group in GROUPS and rest.replace(".", "_").isidentifier() and not text.endswith(ENDINGS)


def strings() -> Iterator[tuple[str, str]]:
    """Yield every literal string of the code; of one put together at run time, its beginning and a star."""
    for path, tree in TREES.items():
        pieces = {id(piece) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for piece in node.values}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                yield f"{path}:{node.lineno}", f"{node.values[0].value}*"
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in pieces:
                yield f"{path}:{node.lineno}", node.value


def test_every_string_that_looks_like_a_key_is_one():
    assert [f"{at}: {text}" for at, text in strings() if looks_like_a_key(text) and text not in keys("en")] == []


def beginnings() -> set[str]:
    """Return how keys begin that are put together at run time: `page.stage_` of f"page.stage_{stage}"."""
    starts = {text[:-1] for _, text in strings() if text.endswith("*")}
    return {start for start in starts if start.split(".")[0] in GROUPS and "." in start}


def test_every_key_put_together_at_run_time_begins_like_one():
    assert [start for start in beginnings() if not any(key.startswith(start) for key in keys("en"))] == []


def test_no_sentence_is_left_over():
    used = {text for _, text in strings()} | {key for _, key, _ in USES}
    starts = tuple(beginnings() - {"errors."})  # those are in USES, one by one

    assert [key for key in keys("en") if key not in used and not key.startswith(starts)] == []


def test_the_reader_of_the_code_finds_keys_at_all():
    assert "errors.deadline" in {key for _, key, _ in USES}
    assert "page.stage_" in beginnings()
    assert literals(ast.parse("'a' if x else 'b'").body[0].value, ast.Module([], [])) == {"a", "b"}


# --- the lookup ---


def test_a_key_without_a_sentence_is_an_error_and_not_shown_to_anybody():
    with pytest.raises(KeyError):
        translator("es")("no.such.key")


@pytest.fixture
def one_sentence(monkeypatch) -> None:
    monkeypatch.setattr(i18n, "_table", {"en": {"greeting": "Hello {name}!"}, "es": {"greeting": "¡Hola, {name}!"}}.get)


@pytest.mark.parametrize(("language", "said"), [("es", "¡Hola, Ana!"), ("en", "Hello Ana!"), ("la", "¡Hola, Ana!")])
def test_values_are_filled_in_and_an_unknown_language_is_spanish(one_sentence, language, said):
    assert translator(language)("greeting", name="Ana") == said


def test_braces_in_a_value_stay_as_the_visitor_wrote_them(one_sentence):
    assert translator("en")("greeting", name="{name.__class__}") == "Hello {name.__class__}!"


@pytest.mark.parametrize(
    ("language", "value", "digits", "text"),
    [
        ("es", 1234.5, 1, "1.234,5"),
        ("en", 1234.5, 1, "1,234.5"),
        ("es", 8000, 0, "8.000"),
        ("en", 0.125, 3, "0.125"),
        ("es", -0.5, 2, "-0,50"),
    ],
)
def test_numbers_are_written_as_the_language_does(language, value, digits, text):
    assert translator(language).number(value, digits) == text


@pytest.mark.parametrize(
    ("language", "value", "text"),
    [("es", 2048, "2.048"), ("en", 2048, "2,048"), ("es", 0.25, "0,25"), ("es", 10.0, "10"), ("en", -10.0, "-10")],
)
def test_an_exact_number_has_all_its_digits_and_no_more(language, value, text):
    assert translator(language).exact(value) == text


# --- the visitor's language ---


@pytest.mark.parametrize(
    ("query", "header", "expected"),
    [
        ("en", "es", "en"),  # the address comes first
        ("es", "en", "es"),
        ("la", "en", "en"),
        ("", "en", "en"),
        (None, "en-US,en;q=0.9,es;q=0.8", "en"),
        (None, "es-419,es;q=0.9,en;q=0.8", "es"),
        (None, "en;q=0.3, es;q=0.7", "es"),
        (None, "la-VA,la;q=0.9,en;q=0.5", "en"),
        (None, "EN", "en"),
        (None, "en;q=0,es;q=0.1", "es"),  # q=0 means: not this one
        (None, "en;q=0", "es"),
        (None, "eo,la", "es"),
        (None, "*", "es"),
        (None, "en;q=nonsense", "es"),
        (None, ";;;,,q=1", "es"),
        (None, "", "es"),
        (None, None, "es"),
    ],
)
def test_the_language_is_the_addresses_then_the_browsers_then_the_operators(query, header, expected):
    assert preferred(query, header, default="es") == expected


def test_the_operators_language_is_the_last_resort():
    assert preferred(None, "la", default="en") == "en"


def test_a_header_without_end_is_read_to_a_bound():
    assert preferred(None, "la," * 100_000 + "en", default="es") == "es"
