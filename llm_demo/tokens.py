"""Tokens: ids, vocabulary pieces, bytes, and whitespace that can be seen."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise

from transformers import PreTrainedTokenizerBase
from transformers.convert_slow_tokenizer import bytes_to_unicode

from llm_demo.errors import InputError
from llm_demo.prompt import Read, Span, read

SIGNS = str.maketrans({" ": "·", "\n": "↵", "\t": "⇥", "\r": "␍", "\u00a0": "⍽"})
BYTE_PIECE = re.compile(r"<0x([0-9A-F]{2})>")  # how SentencePiece spells a byte that no piece covers
MAX_IDS = 2_000
MAX_MATCHES = 100  # of a search in the vocabulary
MAX_QUERY = 100  # characters of what is searched


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
    """A text as a model reads it.

    Attributes:
        tokens: all of them, in order.
        spans: where each stands in the text, [start, end) in characters. Tokens that share a character have it in
            common; one that the model adds of its own stands nowhere and is empty.
        n_chars: characters of the text.
        n_bytes: its UTF-8 bytes.
    """

    tokens: tuple[Token, ...]
    spans: tuple[Span, ...]
    n_chars: int
    n_bytes: int

    @property
    def n_added(self) -> int:
        """How many tokens stand nowhere in the text: the model's own, such as one that begins every text."""
        return sum(start == end for start, end in self.spans)

    @property
    def n_unread(self) -> int:
        """How many characters stand in no token: the vocabulary lacks their bytes, and the model never sees them."""
        return self.n_chars - len({place for start, end in self.spans for place in range(start, end)})


@dataclass(frozen=True, slots=True)
class Matches:
    """What a search in the vocabulary found: how many tokens in all, and the first `MAX_MATCHES` of them."""

    total: int
    tokens: tuple[Token, ...]


def tokenize(tokenizer: PreTrainedTokenizerBase, text: str, special: bool = False) -> Tokenization:
    """Split a text; with `special`, with the tokens that the tokenizer adds to it of its own.

    A control token spelled out in the text is read as one, as the model would read it; in a `Prompt`, unless it is
    literal there.
    """
    found = read(tokenizer, text, special)
    tokens = tuple(describe(tokenizer, found.ids))
    spans = _spans(tokenizer, text, tokens, found)
    return Tokenization(tokens, spans, len(text), len(text.encode("utf-8", "replace")))


def describe(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> list[Token]:
    """Return what there is to know about each id, in order.

    A model's output layer may be wider than its vocabulary; an id past that has no piece, and is nothing as text.
    """
    special = set(tokenizer.all_special_ids)
    added = tokenizer.added_tokens_decoder
    different = list(dict.fromkeys(ids))
    byte_level = _is_byte_level(tokenizer)
    pieces = [piece or "" for piece in tokenizer.convert_ids_to_tokens(different)]
    known = {
        token_id: (
            piece,
            tokenizer.decode([token_id]),
            tuple(piece.encode() if token_id in added else _bytes(piece, byte_level)),
            token_id in special,
        )
        for token_id, piece in zip(different, pieces, strict=True)
    }
    return [Token(index, token_id, *known[token_id]) for index, token_id in enumerate(ids)]


def apart(mine: Tokenization, theirs: Tokenization) -> frozenset[int]:
    """Return the places of `mine` whose token `theirs` does not have: other cuts, at the same words of one text."""
    known = {(span, token.bytes) for span, token in zip(theirs.spans, theirs.tokens, strict=True)}
    pairs = zip(mine.spans, mine.tokens, strict=True)
    return frozenset(token.index for span, token in pairs if (span, token.bytes) not in known)


def search(tokenizer: PreTrainedTokenizerBase, query: str) -> Matches:
    """Find the tokens whose readable text, or whose piece as the vocabulary spells it, contains a string.

    Capitals and accents count: `Azul` and `azul` are tokens of their own. The shortest pieces come first.

    Raises:
        InputError: there is nothing to search for, or more than `MAX_QUERY` characters.
    """
    if not query:
        raise InputError("empty_query")
    if len(query) > MAX_QUERY:
        raise InputError("long_query", length=len(query), limit=MAX_QUERY)
    spelled = _spell(query, _is_byte_level(tokenizer))
    found = [(len(piece), id_) for piece, id_ in tokenizer.get_vocab().items() if query in piece or spelled in piece]
    return Matches(len(found), tuple(describe(tokenizer, [id_ for _, id_ in sorted(found)[:MAX_MATCHES]])))


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
            raise InputError("bad_id", value=word[:40], last=str(vocab_size - 1))
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


def _spans(tokenizer: PreTrainedTokenizerBase, text: str, tokens: Sequence[Token], found: Read) -> tuple[Span, ...]:
    """Return where the tokens stand: counted by their bytes, or as the tokenizer says where it changed the text."""
    bytes_of = [b"" if mine else bytes(token.bytes) for token, mine in zip(tokens, found.own, strict=True)]
    joined = b"".join(bytes_of)
    written = text.encode("utf-8", "replace")
    lost = frozenset() if joined == written else _lost_bytes(tokenizer)
    if joined == bytes(byte for byte in written if byte not in lost):
        chars = enumerate(char.encode("utf-8", "replace") for char in text)
        char_of = [place for place, char in chars for byte in char if byte not in lost]
        ends = accumulate(map(len, bytes_of), initial=0)
        return tuple(
            (char_of[first], char_of[last - 1] + 1) if last > first else (0, 0) for first, last in pairwise(ends)
        )
    spans = [(0, 0) if mine else span for span, mine in zip(found.offsets, found.own, strict=True)]
    normalizer = tokenizer.backend_tokenizer.normalizer
    if normalizer and joined == normalizer.normalize_str(text).encode("utf-8", "replace"):
        # All was read: an accent that was joined to its letter belongs to the letter's token.
        follow = [start for start, _ in spans[1:]] + [len(text)]
        spans = [(start, max(end, after)) for (start, end), after in zip(spans, follow, strict=True)]
    return tuple(spans)


def _lost_bytes(tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Return the bytes that a vocabulary has no piece for, and a text loses; SmolLM2's lacks 21 of the 256."""
    if not _is_byte_level(tokenizer):
        return frozenset()
    id_of = tokenizer.backend_tokenizer.token_to_id
    return frozenset(byte for byte, piece in bytes_to_unicode().items() if id_of(piece) is None)


def _is_byte_level(tokenizer: PreTrainedTokenizerBase) -> bool:
    return "ByteLevel" in repr(tokenizer.backend_tokenizer.decoder)


def _spell(text: str, byte_level: bool) -> str:
    """Return a text as a vocabulary writes it in its pieces; the inverse of `_bytes`."""
    if byte_level:
        return "".join(bytes_to_unicode()[byte] for byte in text.encode("utf-8", "replace"))
    return text.replace(" ", "▁")


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
