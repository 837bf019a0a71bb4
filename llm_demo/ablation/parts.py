"""Parts: a prompt as an ordered list of named instructions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import regex
from transformers import PreTrainedTokenizerBase

from llm_demo.config import Config
from llm_demo.errors import InputError

MAX_NAME = 40  # characters
By = Literal["line", "sentence"]
GAPS = {"line": regex.compile(r"\n+"), "sentence": regex.compile(r"(?<=[.!?…:][\"'”’»)]*)\s++(?!\p{Ll})|\n+")}


@dataclass(frozen=True, slots=True)
class Part:
    """One instruction of a prompt, with the name a person gave it; a blank one adds nothing to the prompt."""

    name: str
    text: str


def read_parts(data: object, limit: int) -> list[Part]:
    """Read the JSON form: a list of objects with `name` and `text`. One that is blank and nameless is no part.

    Raises:
        InputError: it is anything else, nothing is written in it, two names are one, or there are too many.
    """
    if not isinstance(data, list) or not all(
        isinstance(part, dict) and set(part) == {"name", "text"} and all(isinstance(v, str) for v in part.values())
        for part in data
    ):
        raise InputError("parts")
    parts = [Part(part["name"].strip(), part["text"]) for part in data]
    return check_parts([part for part in parts if part.name or part.text.strip()], limit)


def check_parts(parts: Sequence[Part], limit: int) -> list[Part]:
    """Return the parts, or raise InputError as `read_parts` does."""
    if not any(part.text.strip() for part in parts):
        raise InputError("empty_parts")
    if len(parts) > limit:
        raise InputError("many_parts", count=len(parts), limit=limit)
    names = [part.name for part in parts]
    if "" in names or len(set(names)) < len(names):
        raise InputError("part_names")
    for name in names:
        if len(name) > MAX_NAME:
            raise InputError("long_name", length=len(name), limit=MAX_NAME)
    return list(parts)


def check_texts(parts: Sequence[Part], tokenizer: PreTrainedTokenizerBase, config: Config) -> None:
    """Refuse a part that is too long, or in which a special token is written: InputError.

    A token such as `<|im_end|>` would end the turn in the middle of the part: what follows would no longer be said
    by the visitor, and the variants would differ in more than their parts.
    """
    for part in parts:
        if len(part.text) > config.max_prompt_chars:
            limit = config.max_prompt_chars
            raise InputError("long_part", name=part.name, length=len(part.text), limit=limit)
        for token in tokenizer.all_special_tokens:
            if token in part.text:
                raise InputError("special_part", name=part.name, token=token)


def join(parts: Sequence[Part]) -> str:
    """Return the text of some parts, a line each."""
    return "\n".join(part.text for part in parts if part.text.strip())


def split(prompt: str, by: By, limit: int) -> list[str]:
    """Split a whole prompt at its line breaks, or after each sentence too; what is beyond `limit` stays together.

    The texts come without the white space around them. InputError where nothing is written, or `by` is neither.
    """
    if by not in GAPS:
        raise InputError("split_by", value=str(by)[:40])
    gaps = [match.span() for match in GAPS[by].finditer(prompt.strip())]
    text, pieces, begin = prompt.strip(), [], 0
    for start, end in gaps:
        if len(pieces) == limit - 1:
            break
        pieces.append(text[begin:start])
        begin = end
    pieces = [piece.strip() for piece in (*pieces, text[begin:]) if piece.strip()]
    if not pieces:
        raise InputError("empty_parts")
    return pieces
