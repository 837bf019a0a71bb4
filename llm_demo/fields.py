"""Fields: how one value of a link is written as text, and read again from what a stranger may have written."""

import re
from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Protocol

from llm_demo.errors import SettingsError
from llm_demo.sampling import RANGES, Sampling

# Short names of Sampling's fields.
KNOBS = {
    "n": "max_new_tokens",
    "t": "temperature",
    "k": "top_k",
    "p": "top_p",
    "m": "min_p",
    "y": "typical_p",
    "r": "repetition_penalty",
    "g": "no_repeat_ngram_size",
    "b": "num_beams",
    "l": "length_penalty",
    "a": "penalty_alpha",
    "d": "num_draft_tokens",
    "s": "seed",
    "o": "do_sample",
    "e": "early_stopping",
}
HALF = re.compile("[\ud800-\udfff]")
DECIMAL = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,10})?")

Value = str | int | float | bool | tuple[str, ...] | Sampling


class Kind(Protocol):
    """How one value is written, and read again."""

    def write(self, value: object) -> str | None:
        """Return a value as text; None where it is none of this kind."""

    def read(self, text: str) -> Value | None:
        """Return the value of a text; None where it has none."""


@dataclass(frozen=True, slots=True)
class Text:
    """Any text of at most `most` characters that UTF-8 can hold: JSON can carry half a character."""

    most: int

    def write(self, value: object) -> str | None:
        return value if isinstance(value, str) else None

    def read(self, text: str) -> str | None:
        return text if len(text) <= self.most and not HALF.search(text) else None


@dataclass(frozen=True, slots=True)
class Number:
    """A decimal between two bounds, both included; a whole one where the bounds are whole."""

    low: float
    high: float

    def write(self, value: object) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            return None
        return _decimal(value)

    def read(self, text: str) -> float | int | None:
        if not DECIMAL.fullmatch(text) or not self.low <= float(text) <= self.high:
            return None
        if isinstance(self.low, int):
            return int(text) if "." not in text else None
        return float(text)


@dataclass(frozen=True, slots=True)
class Switch:
    """On or off: 1 or 0."""

    def write(self, value: object) -> str | None:
        return str(int(value)) if isinstance(value, bool) else None

    def read(self, text: str) -> bool | None:
        return {"1": True, "0": False}.get(text)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some names."""

    names: Collection[str]

    def write(self, value: object) -> str | None:
        return value if isinstance(value, str) else None

    def read(self, text: str) -> str | None:
        return text if text in self.names else None


@dataclass(frozen=True, slots=True)
class Several:
    """None, one or more of some names, with commas between; any names without a comma where `names` is empty."""

    names: Collection[str] = ()

    def write(self, value: object) -> str | None:
        several = isinstance(value, list | tuple) and all(isinstance(name, str) for name in value)
        return ",".join(value) if several else None

    def read(self, text: str) -> tuple[str, ...] | None:
        found = tuple(name for name in text.split(",") if name)
        return found if not self.names or all(name in self.names for name in found) else None


@dataclass(frozen=True, slots=True)
class Strategy:
    """A Sampling: its strategy, and each knob that is not neutral as its letter in `KNOBS` and its value."""

    def write(self, value: object) -> str | None:
        if not isinstance(value, Sampling):
            return None
        neutral = Sampling()
        names = {name: code for code, name in KNOBS.items()}
        knobs = [
            names[knob.name] + _decimal(mine)
            for knob in fields(Sampling)
            if knob.name in names and (mine := getattr(value, knob.name)) != getattr(neutral, knob.name)
        ]
        return ",".join([value.strategy, *knobs])

    def read(self, text: str) -> Sampling | None:
        strategy, *knobs = text.split(",")
        settings: dict[str, object] = {}
        whole = {knob.name for knob in fields(Sampling) if knob.type is int}
        for knob in knobs:
            name, number = KNOBS.get(knob[:1]), knob[1:]
            if name is None or name in settings or not DECIMAL.fullmatch(number):
                return None
            if name in RANGES:
                settings[name] = int(number) if name in whole and "." not in number else float(number)
            elif number in ("0", "1"):
                settings[name] = number == "1"
            else:
                return None
        try:
            return Sampling(strategy, **settings)
        except SettingsError:
            return None


def _decimal(value: float) -> str:
    """Write a number, or a switch as 1 or 0, without an exponent."""
    return f"{float(value):.10f}".rstrip("0").rstrip(".")
