"""Template: the prompt that a chat template makes, taken apart into who speaks, with the tokens of each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Literal

from transformers import PreTrainedTokenizerBase

from llm_demo.chat import Message, render
from llm_demo.prompt import Span, is_begun
from llm_demo.tokens import Token, tokenize

# `own` is what the template says of itself before the first message: a system message that nobody wrote.
# `next` is what it writes last, for the model to go on from; `whole` a prompt that cannot be taken apart.
Role = Literal["own", "system", "user", "assistant", "next", "whole"]


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch of the prompt; all of them together are the prompt, and so are their tokens.

    Attributes:
        role: whose it is, the template's signs around a message included.
        text: as the model reads it.
        tokens: those that begin in it, their places counted in the whole prompt.
    """

    role: Role
    text: str
    tokens: tuple[Token, ...]


def turns_of(
    tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], system: str = "", thinking: bool = False
) -> tuple[Turn, ...]:
    """Render a conversation with the model's template and tell its turns apart.

    A turn ends with the first special token after its message, or where the next message begins if there is none.

    Raises:
        InputError: the template refuses the conversation.
    """
    prompt = render(tokenizer, messages, system, thinking)
    places = _places(tokenizer, prompt, messages, system, thinking)
    if places is None:
        return (Turn("whole", prompt, _tokens(tokenizer, prompt, [0])[0]),)
    roles: list[Role] = [*(["system"] if system.strip() else []), *(message.role for message in messages)]
    marks = [added.content for added in tokenizer.added_tokens_decoder.values()]
    begins = [0]
    for (_, end), (start, _) in pairwise([*places, (len(prompt), len(prompt))]):
        begins.append(end + _closing(prompt[end:start], marks))
    own = _own(prompt, roles, begins, places)
    if own:
        roles, begins = ["own", *roles], [0, own, *begins[1:]]
    if begins[-1] < len(prompt):
        roles = [*roles, "next"]
    texts = [prompt[start:end] for start, end in pairwise([*begins[: len(roles)], len(prompt)])]
    tokens = _tokens(tokenizer, prompt, begins[: len(roles)])
    return tuple(map(Turn, roles, texts, tokens))


def n_tokens(turns: Sequence[Turn]) -> int:
    """Return how many tokens the whole prompt has."""
    return sum(len(turn.tokens) for turn in turns)


def _places(
    tokenizer: PreTrainedTokenizerBase, prompt: str, messages: Sequence[Message], system: str, thinking: bool
) -> list[Span] | None:
    """Return where each message stands, in their order; None where the template rewrites what was said.

    A message may be a word that the template writes too, such as `user`. So the same conversation is rendered with
    marks for messages, and what stands between the marks is put together again with the messages.
    """
    contents = [*([system] if system.strip() else []), *(message.content for message in messages)]
    marks = [f"⟦{number}⟧" for number in range(len(contents))]
    marked = [replace(turn, content=mark) for turn, mark in zip(messages, marks[-len(messages) :], strict=True)]
    between = re.split("|".join(marks), render(tokenizer, marked, marks[0] if system.strip() else "", thinking))
    for said in (contents, [content.strip() for content in contents]):  # many templates trim
        lengths = [len(part) for pair in zip(between, said, strict=False) for part in pair]
        if prompt == "".join(part for pair in zip(between, [*said, ""], strict=False) for part in pair):
            ends = list(accumulate(lengths))
            return list(zip(ends[::2], ends[1::2], strict=True))
    return None


def _closing(between: str, marks: Sequence[str]) -> int:
    """Return how many characters after a message still belong to it: its closing sign and the space after that."""
    if not marks:
        return 0
    found = re.search("|".join(map(re.escape, marks)), between)
    return len(between) - len(between[found.end() :].lstrip()) if found else 0


def _own(prompt: str, roles: Sequence[Role], begins: Sequence[int], places: Sequence[Span]) -> int:
    """Return where the template's own words before the first message end; 0 where it has none.

    They are what stands before the first user's turn beyond the signs that open every later one.
    """
    later = [number for number, role in enumerate(roles) if role == "user" and number > 0]
    if roles[0] != "user" or not later:
        return 0
    opening = prompt[begins[later[0]] : places[later[0]][0]]
    head = prompt[: places[0][0]]
    return len(head) - len(opening) if opening and head.endswith(opening) else 0


def _tokens(tokenizer: PreTrainedTokenizerBase, prompt: str, begins: Sequence[int]) -> list[tuple[Token, ...]]:
    """Return the tokens of the stretches that begin at given characters."""
    found = tokenize(tokenizer, prompt, special=not is_begun(tokenizer, prompt))
    pairs = list(zip(found.tokens, found.spans, strict=True))
    ends = [*begins[1:], len(prompt)]
    return [
        tuple(token for token, (start, _) in pairs if begin <= start < end)
        for begin, end in zip(begins, ends, strict=True)
    ]
