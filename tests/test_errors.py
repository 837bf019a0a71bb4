"""DemoError: a key and values that become a sentence in the reader's language."""

import pytest

from llm_demo import errors
from llm_demo.errors import DemoError, InputError, SettingsError

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DemoError)]


def said(key: str, **values: object) -> str:
    """Stand in for a `Translate`: say what was asked for."""
    return f"{key} {values}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_keeps_its_key_and_values(kind):
    error = kind("some_key", name="x", limit=3)

    assert (error.key, error.values) == ("some_key", {"name": "x", "limit": 3})


def test_the_message_is_looked_up_under_errors_with_the_values():
    assert InputError("long_prompt", limit=3).message(said) == "errors.long_prompt {'limit': 3}"


def test_a_value_may_be_named_key():
    assert SettingsError("unknown_knob", key="x").values == {"key": "x"}


def test_str_is_a_sentence_with_the_values_for_logs_and_the_command_line():
    assert "9000" in str(InputError("long_prompt", length=9_000, limit=8_000))


def test_one_except_clause_catches_every_kind():
    assert all(issubclass(kind, DemoError) for kind in KINDS)
    assert len(KINDS) > 5
