"""Variants: prompts made of some of the parts, as the model reads them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import regex
from transformers import PreTrainedTokenizerBase

from llm_demo.ablation.parts import Part, join
from llm_demo.chat import Message, has_template, render
from llm_demo.errors import InputError

Scheme = Literal["without", "only", "alone", "upto"]
Kind = Literal["full", "without", "only", "alone", "upto", "chosen"]
SCHEMES: tuple[Scheme, ...] = ("without", "only", "alone", "upto")
DEFAULT: tuple[Scheme, ...] = ("without", "only")


@dataclass(frozen=True, slots=True)
class Variant:
    """A prompt made of some of the parts.

    Attributes:
        kind: all parts; all but `part`; `part` and nothing else; `part` with the last one, the topic; from the first
            up to `part`; or chosen by hand.
        part: the name of the part; of those chosen by hand, joined with ` + `; empty for the full prompt.
        prompt: as the model reads it, template included.
        numbers: of its parts among those of the experiment, from 0, in the order in which they stand.
    """

    kind: Kind
    part: str
    prompt: str
    numbers: tuple[int, ...]

    @property
    def name(self) -> str:
        """Return its name in the API, such as `without:tone`."""
        return f"{self.kind}:{self.part}" if self.part else self.kind


def make_variants(
    tokenizer: PreTrainedTokenizerBase,
    parts: Sequence[Part],
    schemes: Sequence[Scheme] = DEFAULT,
    chosen: Sequence[Sequence[int]] = (),
) -> list[Variant]:
    """Return variants, no two of the same parts in the same order; the first is what the others are compared with.

    Args:
        tokenizer: its template, where it has one, makes a user's turn of the parts; a base model reads them as text.
        parts: at least one; the last is the topic.
        schemes: of `SCHEMES`: each part left out; the topic alone; each other part with the topic; the first, the
            first two and so on. The full prompt goes before them.
        chosen: numbers of parts from 0, in the order in which they are to stand. Without schemes, these alone.
    """
    topic, every = len(parts) - 1, range(len(parts))
    kept: dict[tuple[int, ...], tuple[Kind, str]] = {}
    if schemes or not chosen:
        kept[tuple(every)] = ("full", "")
    plans: dict[Scheme, list[tuple[tuple[int, ...], int]]] = {
        "without": [(tuple(other for other in every if other != left), left) for left in every],
        "only": [((topic,), topic)],
        "alone": [((one, topic), one) for one in every if one != topic],
        "upto": [(tuple(range(last + 1)), last) for last in every],
    }
    for scheme in SCHEMES:
        if scheme in schemes:
            for numbers, part in plans[scheme]:
                if numbers:
                    kept.setdefault(numbers, (scheme, parts[part].name))
    for numbers in chosen:
        kept.setdefault(tuple(numbers), ("chosen", " + ".join(parts[number].name for number in numbers)))
    made = []
    for numbers, (kind, name) in kept.items():
        text = join([parts[number] for number in numbers])
        if text:  # a blank part alone is no prompt
            made.append(Variant(kind, name, _prompt(tokenizer, text), numbers))
    return made


def read_chosen(text: str, count: int) -> list[tuple[int, ...]]:
    """Read variants chosen by hand: a line each, the numbers of its parts from 1, such as `1 3`.

    Raises:
        InputError: a line that is anything else, or that names a part twice.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    chosen = []
    for line in lines:
        words = regex.split(r"[\s,;+]+", line)
        numbers = tuple(int(word) - 1 for word in words if regex.fullmatch(r"[0-9]{1,2}", word))
        right = len(numbers) == len(words) == len(set(numbers)) and all(0 <= number < count for number in numbers)
        if not right:
            raise InputError("chosen_line", line=line[:40], last=count)
        chosen.append(numbers)
    return chosen


def _prompt(tokenizer: PreTrainedTokenizerBase, text: str) -> str:
    return render(tokenizer, [Message("user", text)]) if has_template(tokenizer) else text
