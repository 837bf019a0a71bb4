"""Every word a visitor reads, looked up by key in `locales/`.

A leaf: imports nothing of the project, so that errors can be worded in any language.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LANGUAGES = {"es": "Español", "en": "English"}


@cache
def _table(language: str) -> dict[str, str]:
    nested = json.loads((files("llm_demo") / "locales" / f"{language}.json").read_text("utf-8"))
    flat: dict[str, str] = {}

    def walk(prefix: str, node: dict[str, object]) -> None:
        for name, value in node.items():
            if isinstance(value, dict):
                walk(f"{prefix}{name}.", value)
            else:
                flat[prefix + name] = str(value)

    walk("", nested)
    return flat


@dataclass(frozen=True, slots=True)
class Translate:
    """Turns keys into sentences of one language.

    Attributes:
        language: a key of `LANGUAGES`.
    """

    language: str

    def __call__(self, key: str, **values: object) -> str:
        """Return the sentence of `key`, its `{names}` filled in; KeyError where there is none."""
        sentence = _table(self.language)[key]
        return sentence.format(**values) if values else sentence

    def number(self, value: float, digits: int = 0) -> str:
        """Write a number as the language does: 1.234,5 in Spanish, 1,234.5 in English."""
        return self._punctuated(f"{value:,.{digits}f}")

    def exact(self, value: float) -> str:
        """Write a number with all its digits, and no more: 0,25 and 2.048 in Spanish."""
        return self._punctuated(f"{value:,}" if isinstance(value, int) else f"{value:,.15g}")

    def _punctuated(self, text: str) -> str:
        return text.translate(str.maketrans(",.", ".,")) if self.language == "es" else text


def translator(language: str) -> Translate:
    """Return the `Translate` of a language code; Spanish for any that has no locale."""
    return Translate(language if language in LANGUAGES else "es")


def preferred(query: str | None, accept_language: str | None, default: str) -> str:
    """Choose the language of a visitor who arrives.

    Args:
        query: the value of `?lang=` in the address.
        accept_language: the browser's header (RFC 9110, section 12.5.4), such as `es-ES,en;q=0.5`.
        default: the operator's.
    """
    if query in LANGUAGES:
        return query
    weighted = []
    for position, entry in enumerate((accept_language or "").split(",")[:20]):
        tag, _, weight = entry.strip().partition(";q=")
        try:
            quality = float(weight or 1)
        except ValueError:
            continue
        weighted.append((-quality, position, tag.split("-")[0].lower()))
    return next((tag for quality, _, tag in sorted(weighted) if quality < 0 and tag in LANGUAGES), default)


def keys(language: str) -> frozenset[str]:
    """Return every key of a language's locale."""
    return frozenset(_table(language))
