"""DemoError: a key and values that become a sentence in the reader's language."""

import pytest

from llm_demo import errors
from llm_demo.errors import DemoError, InputError, SettingsError
from llm_demo.i18n import translator

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DemoError)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_keeps_its_key_and_values(kind):
    error = kind("some_key", name="x", limit=3)

    assert (error.key, error.values) == ("some_key", {"name": "x", "limit": 3})


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("es", "El ajuste temperature debe ser un número entre 0,001 y 10, y vale 1.234,5."),
        ("en", "The setting temperature must be a number from 0.001 to 10, and it is 1,234.5."),
    ],
)
def test_the_message_is_a_sentence_with_numbers_as_its_language_writes_them(language, sentence):
    error = SettingsError("knob", knob="temperature", low=0.001, high=10.0, value=1234.5)

    assert error.message(translator(language)) == sentence


def test_a_value_may_be_named_key():
    assert SettingsError("unknown_knob", key="x").values == {"key": "x"}


def test_str_is_a_sentence_with_the_values_for_logs_and_the_command_line():
    assert "9,000" in str(InputError("long_prompt", length=9_000, limit=8_000))


def test_one_except_clause_catches_every_kind():
    assert all(issubclass(kind, DemoError) for kind in KINDS)
    assert len(KINDS) > 5
