"""Tokens: ids, vocabulary pieces, bytes, and whitespace that can be seen."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from transformers import PreTrainedTokenizerBase
from transformers.convert_slow_tokenizer import bytes_to_unicode

from llm_demo.errors import InputError

SIGNS = str.maketrans({" ": "·", "\n": "↵", "\t": "⇥", "\r": "␍", "\u00a0": "⍽"})
BYTE_PIECE = re.compile(r"<0x([0-9A-F]{2})>")  # how SentencePiece spells a byte that no piece covers
MAX_IDS = 2_000


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a text.

    Attributes:
        index: its place, from 0.
        id: its number in the vocabulary.
        piece: how the vocabulary spells it.
        text: the token decoded alone; U+FFFD where its bytes are no whole character.
        bytes: its UTF-8 bytes, 0 to 255 each.
        special: whether it is a sign to the model rather than text.
    """

    index: int
    id: int
    piece: str
    text: str
    bytes: tuple[int, ...]
    special: bool


@dataclass(frozen=True, slots=True)
class Tokenization:
    """A text as a model reads it."""

    tokens: tuple[Token, ...]
    n_chars: int
    n_bytes: int


def tokenize(tokenizer: PreTrainedTokenizerBase, text: str) -> Tokenization:
    """Split a text, without adding tokens of the model's own.

    A control token spelled out in the text is read as one, as the model would read it.
    """
    ids = tokenizer(text, add_special_tokens=False).input_ids
    return Tokenization(tuple(describe(tokenizer, ids)), len(text), len(text.encode("utf-8", "replace")))


def describe(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> list[Token]:
    """Return what there is to know about each id, in order."""
    special = set(tokenizer.all_special_ids)
    added = tokenizer.added_tokens_decoder
    pieces = tokenizer.convert_ids_to_tokens(list(ids))
    byte_level = "ByteLevel" in repr(tokenizer.backend_tokenizer.decoder)
    return [
        Token(
            index=index,
            id=token_id,
            piece=piece,
            text=tokenizer.decode([token_id]),
            bytes=tuple(piece.encode() if token_id in added else _bytes(piece, byte_level)),
            special=token_id in special,
        )
        for index, (token_id, piece) in enumerate(zip(ids, pieces, strict=True))
    ]


def parse_ids(text: str, vocab_size: int) -> list[int]:
    """Read ids written with spaces, commas or brackets between them.

    Raises:
        InputError: naming what is no id of the vocabulary.
    """
    words = re.split(r"[\s,;\[\]()]+", text.strip(" \t\r\n,;[]()"))
    if words == [""]:
        raise InputError("empty_ids")
    if len(words) > MAX_IDS:
        raise InputError("many_ids", count=len(words), limit=MAX_IDS)
    for word in words:
        if not (word.isascii() and word.isdigit() and len(word) < 10 and int(word) < vocab_size):
            raise InputError("bad_id", value=word[:40], last=vocab_size - 1)
    return [int(word) for word in words]


def visible(text: str) -> str:
    """Return the text with a sign in place of each space, line break and other control character."""
    shown = text.translate(SIGNS)
    return "".join(c if c.isprintable() else f"⟨{ord(c):X}⟩" for c in shown) or "∅"


def label(token: Token) -> str:
    """Return how a token is shown to a person: its text, or its bytes where it is no whole character."""
    if "\ufffd" in token.text and token.bytes:
        return " ".join(f"{byte:02X}" for byte in token.bytes)
    return visible(token.text)


def _bytes(piece: str, byte_level: bool) -> bytes:
    if byte_level:
        # Byte-level BPE spells each byte as one printable character (Radford et al. 2019, section 2.2).
        return bytes(_unicode_to_bytes()[c] for c in piece)
    if match := BYTE_PIECE.fullmatch(piece):
        return bytes.fromhex(match[1])
    return piece.replace("▁", " ").encode()


@cache
def _unicode_to_bytes() -> dict[str, int]:
    return {char: byte for byte, char in bytes_to_unicode().items()}
