"""Prompt: a text for a model in which what a visitor typed stays text, even where it spells a control token.

A tokenizer reads `<|im_end|>` as the sign that ends a turn, wherever it stands. In what a chat template wrote that is
meant; in what a visitor wrote it would let them write other people's turns. So the stretches that are to be read as
text go along with it; of a text without any, the ids are exactly the tokenizer's.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerBase

Span = tuple[int, int]

MARK = "\ufdd0"  # a code that Unicode keeps for use inside a program
TAG = re.compile(r"<[^<>\s]+>|\[[^\[\]\s]+\]")  # how control tokens are spelled that no tokenizer calls special


class Prompt(str):
    """A text with its `literal` stretches, [start, end) in characters, in order: text that spells control tokens."""

    literal: tuple[Span, ...]

    def __new__(cls, text: str, literal: Sequence[Span] = ()) -> "Prompt":
        """
        Args:
            text: as anybody may read it.
            literal: what is to be read as text although it spells control tokens.
        """
        prompt = super().__new__(cls, text)
        prompt.literal = tuple(literal)
        return prompt


@dataclass(frozen=True, slots=True)
class Read:
    """A text as a tokenizer reads it: each token's id, where it stands, and whether it was added to the text."""

    ids: tuple[int, ...]
    offsets: tuple[Span, ...]
    own: tuple[bool, ...]


def literal(tokenizer: PreTrainedTokenizerBase, text: str) -> str:
    """Return a visitor's text, to be read as text from end to end."""
    pattern = _pattern(tokenizer)
    spans = [found.span() for found in pattern.finditer(text)] if pattern else []
    return Prompt(text, spans) if spans else text


def mark(tokenizer: PreTrainedTokenizerBase, text: str) -> str:
    """Return a visitor's text with a sign before each control token that it spells; `unmark` takes it away again."""
    pattern = _pattern(tokenizer)
    if not pattern or not (MARK in text or pattern.search(text)):
        return text
    return pattern.sub(lambda found: MARK + found[0], text.replace(MARK, MARK * 2))


def unmark(tokenizer: PreTrainedTokenizerBase, text: str) -> str:
    """Return a text in which some of the stretches went through `mark`, and are literal now."""
    if MARK not in text:
        return text
    pattern = _pattern(tokenizer)
    pieces, spans, length, end = [], [], 0, 0
    for found in re.finditer(f"{MARK}({MARK}|{pattern.pattern}|)" if pattern else f"{MARK}({MARK}|)", text):
        pieces += [text[end : found.start()], found[1]]
        length += len(pieces[-2])
        if found[1] not in ("", MARK):
            spans.append((length, length + len(found[1])))
        length += len(found[1])
        end = found.end()
    return Prompt("".join([*pieces, text[end:]]), spans)


def controls(tokenizer: PreTrainedTokenizerBase, prompt: str) -> Iterator[Span]:
    """Yield where the control tokens of a prompt stand, less those that are literal."""
    pattern, spans = _pattern(tokenizer), frozenset(getattr(prompt, "literal", ()))
    for found in pattern.finditer(prompt) if pattern else ():
        if found.span() not in spans:
            yield found.span()


def is_begun(tokenizer: PreTrainedTokenizerBase, prompt: str) -> bool:
    """Tell whether a chat template has already written the token that begins every text."""
    begins = tokenizer.bos_token
    return bool(begins) and prompt.startswith(begins) and next(controls(tokenizer, prompt), None) == (0, len(begins))


def encode(tokenizer: PreTrainedTokenizerBase, prompt: str, special: bool = True) -> tuple[int, ...]:
    """Return a prompt's ids; with `special`, with those that the tokenizer adds to a text of its own."""
    if getattr(prompt, "literal", ()):
        return read(tokenizer, prompt, special).ids
    return tuple(tokenizer(prompt, add_special_tokens=special, verbose=False).input_ids)


def read(tokenizer: PreTrainedTokenizerBase, prompt: str, special: bool = True) -> Read:
    """Return a prompt's tokens with their places; arguments are those of `encode`."""
    if not getattr(prompt, "literal", ()):
        options = {"return_offsets_mapping": True, "return_special_tokens_mask": True, "verbose": False}
        found = tokenizer(prompt, add_special_tokens=special, **options)
        offsets = tuple((start, end) for start, end in found.offset_mapping)
        return Read(tuple(found.input_ids), offsets, tuple(map(bool, found.special_tokens_mask)))
    plain, renumbered = _without_controls(tokenizer)
    ids: list[int] = []
    offsets: list[Span] = []
    end = 0
    for start, after in [*controls(tokenizer, prompt), (len(prompt), len(prompt))]:
        between = plain.encode(prompt[end:start], add_special_tokens=False)
        ids += [renumbered.get(id_, id_) for id_ in between.ids]
        offsets += [(end + first, end + last) for first, last in between.offsets]
        if after > start:
            ids.append(tokenizer.convert_tokens_to_ids(prompt[start:after]))
            offsets.append((start, after))
        end = after
    before, behind = _added(tokenizer) if special else ((), ())
    nowhere = ((0, 0),)
    return Read(
        (*before, *ids, *behind),
        (*nowhere * len(before), *offsets, *nowhere * len(behind)),
        (*(True,) * len(before), *(False,) * len(ids), *(True,) * len(behind)),
    )


def _control_tokens(tokenizer: PreTrainedTokenizerBase) -> list[str]:
    added = tokenizer.added_tokens_decoder.values()
    return [token.content for token in added if token.special or TAG.fullmatch(token.content)]


def _pattern(tokenizer: PreTrainedTokenizerBase) -> re.Pattern[str] | None:
    """Return what finds control tokens, the longest first; None where there are none."""
    spelled = sorted(filter(None, _control_tokens(tokenizer)), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, spelled))) if spelled else None


@lru_cache(maxsize=4)  # making one takes a second, for a large vocabulary
def _without_controls(tokenizer: PreTrainedTokenizerBase) -> tuple[Tokenizer, dict[int, int]]:
    """Return the same tokenizer, to which control tokens are text like any other, and ids that changed by that."""
    written = json.loads(tokenizer.backend_tokenizer.to_str())
    control = set(_control_tokens(tokenizer))
    written["added_tokens"] = [token for token in written["added_tokens"] if token["content"] not in control]
    written["post_processor"] = None  # it may name one of them
    plain = Tokenizer.from_str(json.dumps(written))
    return plain, {plain.token_to_id(token["content"]): token["id"] for token in written["added_tokens"]}


def _added(tokenizer: PreTrainedTokenizerBase) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return what the tokenizer writes before a text and after it."""
    bare = tokenizer("a", add_special_tokens=False).input_ids
    full = tokenizer("a").input_ids
    start = next(place for place in range(len(full)) if full[place : place + len(bare)] == bare)
    return tuple(full[:start]), tuple(full[start + len(bare) :])
