"""Adherence: did an answer do what a part of the prompt asked? Checks with definitions that fit in one sentence."""

import json
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal, get_args

import regex
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from llm_demo.errors import InputError

Kind = Literal["bullets", "sentences", "words", "json", "language", "contains", "avoids", "tone", "label", "pattern"]
KINDS: tuple[Kind, ...] = get_args(Kind)
COUNTED = ("bullets", "sentences", "words")
LISTED = ("contains", "avoids", "tone", "label")
LANGUAGES = ("es", "en", "fr", "de", "it", "pt")  # told from one another
MAX_VALUE = 300  # characters
PATTERN_SECONDS = 0.1  # that a pattern may look at one answer

COUNT = regex.compile(r"\s*(\d{1,4})\s*(?:[-–]\s*(\d{1,4})\s*)?")
BULLET = regex.compile(r"^[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t]+(?=\S)", regex.MULTILINE)
SENTENCE_END = regex.compile(r"(?<=[.!?…][\"'”’»)\]*]*)\s++(?!\p{Ll})|\n+")
WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+(?:['’-][\p{L}\p{M}\p{N}]+)*")
FENCE = regex.compile(r"```\w*[ \t]*\n(.*)\n[ \t]*```", regex.DOTALL)
AROUND_LABEL = " \t\r\n.,:;!¡?¿\"'“”‘’«»*_`()[]"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that an answer has to be or to have.

    Attributes:
        part: the name of the part of the prompt that asks for it.
        kind: one of `KINDS`.
        value: `3` or `3-5` for what is counted; words, labels or JSON keys with commas between; a code of
            `LANGUAGES`; a regular expression.

    Raises:
        InputError: the value cannot be read as its kind wants it.
    """

    part: str
    kind: Kind
    value: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError("check_kind", value=str(self.kind)[:40])
        if len(self.value) > MAX_VALUE:
            raise InputError("check_long", length=len(self.value), limit=MAX_VALUE)
        if self.kind in COUNTED:
            _bounds(self.value)
        elif self.kind in (*LISTED, "pattern") and not _items(self.value):
            raise InputError("check_empty")
        elif self.kind == "language" and self.value not in LANGUAGES:
            raise InputError("check_language", value=self.value[:40], known=", ".join(LANGUAGES))
        elif self.kind == "pattern":
            _pattern(self.value)


def passes(check: Check, answer: str) -> bool:
    """Tell whether an answer passes.

    - `bullets`: lines that begin with `-`, `*`, `+`, `•` or a number with `.` or `)`, then a space and something.
    - `sentences`: pieces with a letter in them, parted at line breaks and after `.`, `!`, `?` or `…` before a
      space and no small letter.
    - `words`: runs of letters and digits; an apostrophe or a hyphen inside belongs to its word.
    - `json`: all of it, less a code fence around it, is a JSON object or list; with keys, an object that has them.
    - `language`: more likely than not among `LANGUAGES`, says py3langid (Lui and Baldwin 2012, "langid.py").
    - `contains`, `avoids`, `tone`: all, none, at least one of some words or phrases, whole, in any case.
    - `label`: nothing but one of some labels, in any case, punctuation around it left aside.
    - `pattern`: a regular expression is found somewhere.

    Raises:
        InputError: the pattern took longer than `PATTERN_SECONDS`.
    """
    answer = unicodedata.normalize("NFC", answer).strip()
    if check.kind in COUNTED:
        low, high = _bounds(check.value)
        return low <= count(check.kind, answer) <= high
    if check.kind == "json":
        return _is_json(answer, _items(check.value))
    if check.kind == "language":
        return _share(answer, check.value) > 0.5
    if check.kind == "label":
        return answer.strip(AROUND_LABEL).casefold() in _items(check.value)
    if check.kind == "pattern":
        try:
            return bool(_pattern(check.value).search(answer, timeout=PATTERN_SECONDS, concurrent=True))
        except TimeoutError as error:
            raise InputError("check_slow", value=check.value[:60], seconds=PATTERN_SECONDS) from error
    found = [_has(answer, item) for item in _items(check.value)]
    return {"contains": all, "tone": any, "avoids": lambda them: not any(them)}[check.kind](found)


def count(kind: str, answer: str) -> int:
    """Return how many bullets, sentences or words there are, as `passes` defines them."""
    if kind == "bullets":
        return len(BULLET.findall(answer))
    if kind == "words":
        return len(WORD.findall(answer))
    return sum(bool(regex.search(r"\p{L}", piece)) for piece in SENTENCE_END.split(BULLET.sub("", answer)))


def _bounds(value: str) -> tuple[int, int]:
    found = COUNT.fullmatch(value)
    low, high = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if low > high:
        raise InputError("check_count", value=value[:40])
    return low, high


def _items(value: str) -> list[str]:
    items = (unicodedata.normalize("NFC", item).strip().casefold() for item in value.split(","))
    return [item for item in items if item]


def _has(answer: str, item: str) -> bool:
    words = r"\s+".join(map(regex.escape, item.split()))
    return bool(regex.search(rf"(?<!\w){words}(?!\w)", answer.casefold()))


def _is_json(answer: str, keys: list[str]) -> bool:
    fenced = FENCE.fullmatch(answer)
    try:
        data = json.loads(fenced[1] if fenced else answer, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    if not keys:
        return isinstance(data, dict | list)
    return isinstance(data, dict) and set(keys) <= {key.strip().casefold() for key in data}


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is Python's and not JSON's")


@lru_cache(maxsize=64)
def _pattern(value: str) -> regex.Pattern:
    try:
        return regex.compile(value)
    except (regex.error, RecursionError, OverflowError, ValueError) as error:
        raise InputError("check_pattern", value=value[:60]) from error


@cache
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier


def _share(answer: str, language: str) -> float:
    """Return how likely a language is, all of `LANGUAGES` together being 1."""
    return dict(_identifier().rank(answer)).get(language, 0.0)
