"""DemoError and its few kinds: the only messages of trouble that a visitor ever reads."""

from functools import partial

from llm_demo.i18n import Translate, translator


class DemoError(Exception):
    """Something that a person can be told in one sentence.

    Attributes:
        key: the sentence's key in the locales, without the leading `errors.`.
        values: what the sentence's `{names}` stand for.
    """

    def __init__(self, key: str, /, **values: object) -> None:
        super().__init__(key, values)
        self.key = key
        self.values = values

    def __reduce__(self) -> tuple[object, ...]:
        return partial(type(self), **self.values), (self.key,)  # it may come from another process

    def message(self, t: Translate) -> str:
        """Return the sentence in the language of `t`, its numbers too."""
        return t(f"errors.{self.key}", **{name: _written(value, t) for name, value in self.values.items()})

    def __str__(self) -> str:
        return self.message(translator("en"))


def _written(value: object, t: Translate) -> object:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return t.exact(value) if number else value


class ConfigError(DemoError):
    """An operator's setting cannot be read; the app does not start."""


class SettingsError(DemoError):
    """A knob of `Sampling` is out of range, or no knob at all."""


class InputError(DemoError):
    """A visitor's text, ids or choice cannot be used as they are."""


class ModelError(DemoError):
    """A model is unknown, cannot be fetched or cannot be read."""


class QuizDataError(DemoError):
    """A file of questions cannot be read."""


class DeadlineError(DemoError):
    """A job ran longer than one visitor's job may."""


class RateError(DemoError):
    """A visitor, or all who share an address, ask for more than fits into a minute."""
