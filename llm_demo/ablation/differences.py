"""Differences: what one text has that another has not, word by word."""

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

import regex

WORDS = regex.compile(r"\s+|[\p{L}\p{M}\p{N}]+|.")


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words.

    Attributes:
        kind: in both texts, only in the one looked at, or only in the other.
    """

    text: str
    kind: Literal["same", "new", "gone"]


def differences(reference: str, text: str) -> list[Piece]:
    """Return a text piece by piece, what it lacks of the reference among it.

    Words, punctuation marks and white space are compared whole, by the longest runs in common (Ratcliff and
    Obershelp 1988, as `difflib` has it).
    """
    before, after = WORDS.findall(reference), WORDS.findall(text)
    found = []
    for kind, i, j, k, end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(Piece("".join(after[k:end]), "same"))
            continue
        if i < j:
            found.append(Piece("".join(before[i:j]), "gone"))
        if k < end:
            found.append(Piece("".join(after[k:end]), "new"))
    return found


def departure(reference: tuple[int, ...], token_ids: tuple[int, ...]) -> int | None:
    """Return the place of the first token that differs, which may be where one text ends; None where all are equal."""
    if reference == token_ids:
        return None
    pairs = enumerate(zip(reference, token_ids, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(reference), len(token_ids)))
