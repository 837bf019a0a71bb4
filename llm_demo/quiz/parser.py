"""Which letter a written answer chooses, in Spanish or English, and the words that say so.

A letter that is guessed at is worse than none: where a text names two, or one that is no option, none is read.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

# Marks that may stand around a letter: brackets, quotes, bold, italics.
_OPEN, _CLOSE = r"[\s*_(\[{\"'«“‘`]*", r"[*_)\]}\"'»”’`]*"
# "la respuesta (correcta) es", "the answer is", "respuesta:", "option", …
_NOUN = r"(?:respuesta|soluci[oó]n|opci[oó]n|alternativa|letra|answer|solution|option|choice|letter)"
_KIND = r"(?:\s+(?:m[aá]s\s+)?(?:correct[ao]?|final|adecuad[ao]|v[aá]lid[ao]|verdader[ao]|right|best|true))*"
_VERB = r"(?:\s*[*_]*\s*(?:[:=]|\b(?:es|ser[ií]a|is|would\s+be|must\s+be|debe\s+ser)\b)[\s:*_]*)"
_ARTICLE = r"(?:\b(?:la|el|the|opci[oó]n|respuesta|letra|alternativa|option|answer|choice|letter)\b[\s*_]+)*"
_LETTER = r"(?P<letter>[A-Za-z])(?![\w'’])"
_STATED = re.compile(rf"\b{_NOUN}{_KIND}{_VERB}{_ARTICLE}{_OPEN}{_LETTER}{_CLOSE}", re.IGNORECASE)
_NAMED = re.compile(
    rf"\b(?:opci[oó]n|alternativa|letra|option|choice|letter){_KIND}\s+{_OPEN}{_LETTER}{_CLOSE}", re.IGNORECASE
)
_CHOSEN = re.compile(
    rf"\b(?:es\s+la|elijo|escojo|i\s+choose|i\s+pick|select)\s+{_ARTICLE}{_OPEN}{_LETTER}{_CLOSE}", re.IGNORECASE
)
# The text is nothing but a letter, or begins with one that is set off from what follows.
_BEGINS = re.compile(rf"^{_OPEN}{_LETTER}(?:{_CLOSE}\s*$|{_CLOSE}[.,:;)\]\n*]|{_CLOSE}\s+[-–—])", re.IGNORECASE)
_BARE = re.compile(r"^\s*(?P<letter>[B-DF-HJ])(?=\s)")  # "C Prácticas…": A, E and I are words as well
_LAST_LINE = re.compile(rf"(?:^|\n){_OPEN}{_LETTER}{_CLOSE}\.?\s*$", re.IGNORECASE)
_MARKED = re.compile(r"(?:\(|\*\*|\[)\s*(?P<letter>[A-Z])\s*(?:\)|\*\*|\])")
# What makes a letter one of two, or a word: "A o B", "A/B", "A veces".
_SECOND = re.compile(
    rf"^{_CLOSE}\s*(?:,|/|&|\b[ouye]\b|\bor\b|\band\b)\s*(?:\b(?:la|the)\b\s*)?{_OPEN}[A-Z](?![\w'’])", re.IGNORECASE
)
_WORDS = re.compile(r"^\s+(?!porque|ya|pues|dado|por|because|since|as|for|due)[a-záéíóúñ]")


class _Found(NamedTuple):
    letter: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was read in an answer.

    Attributes:
        letter: the one that it chooses; None where it chooses none, or more than one.
        start, end: the words that say so, as places in the text; both 0 without a letter.
    """

    letter: str | None = None
    start: int = 0
    end: int = 0


def parse(text: str, letters: Sequence[str]) -> Parsed:
    """Read an answer.

    The first plain statement counts ("la respuesta es (C)", "answer: C"), as in the benchmark; without one a letter
    named or set apart: at the beginning, on the last line alone, or the only one in brackets or in bold.

    Args:
        text: what a model wrote.
        letters: of the question's options, in capitals.
    """
    for pattern in (_STATED, _BEGINS, _NAMED, _CHOSEN, _BARE, _LAST_LINE):
        for match in pattern.finditer(text):
            if _is_a_word(match, text):
                continue
            if any(_SECOND.match(text[end:]) for end in (match.end("letter"), match.end())):
                return Parsed()
            return _checked(_Found(match["letter"].upper(), match.start(), match.end()), letters)
    marked = {match["letter"]: match for match in _MARKED.finditer(text) if match["letter"] in letters}
    if len(marked) == 1:
        (match,) = marked.values()
        return Parsed(match["letter"], match.start(), match.end())
    return Parsed()


def sentence(text: str, parsed: Parsed) -> tuple[int, int]:
    """Return where the sentence that gave the letter begins and ends."""
    before = max(text.rfind(mark, 0, parsed.start) for mark in (". ", "\n", "? ", "! "))
    start = before + 1 if before >= 0 else 0
    start += len(text[start:]) - len(text[start:].lstrip())
    after = [place for mark in (".", "\n") if (place := text.find(mark, parsed.end)) >= 0]
    end = min(after) if after else len(text)
    return start, min(end + text[end : end + 1].count("."), len(text))


def _checked(found: _Found, letters: Sequence[str]) -> Parsed:
    return Parsed(*found) if found.letter in letters else Parsed()


def _is_a_word(match: re.Match[str], text: str) -> bool:
    """Tell "la respuesta es a menudo", "A veces" and "I cannot" from a letter."""
    letter, rest = match["letter"], text[match.end("letter") :]
    if re.match(r"[*_)\]}\"'»”’`.:;]", rest):
        return False
    if not rest.strip():  # the end: an answer of one letter, or a sentence cut off after a preposition
        return letter in "aeioy" and match.start() < match.start("letter")
    if letter.islower():
        return not re.match(r"\s*[,\n]", rest)
    return letter in "AEIOY" and bool(_WORDS.match(rest))
