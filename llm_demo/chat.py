"""Chat: messages through the model's own template, and thoughts told from the answer."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from jinja2.exceptions import TemplateError
from transformers import PreTrainedTokenizerBase

from llm_demo.engine import Engine
from llm_demo.errors import InputError
from llm_demo.prompt import literal, mark, unmark
from llm_demo.request import check_context

ROLES = ("user", "assistant")
THINK_END = "</think>"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["user", "assistant"]
    content: str


def read_messages(data: object) -> list[Message]:
    """Read the JSON form: a list of objects with `role` and `content`, the last one the user's.

    Raises:
        InputError: it is anything else.
    """
    if not isinstance(data, list) or not data:
        raise InputError("messages")
    messages = []
    for turn in data:
        if not isinstance(turn, dict) or set(turn) != {"role", "content"}:
            raise InputError("messages")
        if turn["role"] not in ROLES or not isinstance(turn["content"], str):
            raise InputError("messages")
        messages.append(Message(turn["role"], turn["content"]))
    if messages[-1].role != "user" or not messages[-1].content.strip():
        raise InputError("empty_message")
    return messages


def has_template(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Tell an instruct model, which knows conversations, from a base model, which only continues text."""
    return bool(tokenizer.chat_template)


def can_think(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Tell whether the template knows a switch for thinking aloud."""
    return "enable_thinking" in str(tokenizer.chat_template or "")


def render(
    tokenizer: PreTrainedTokenizerBase,
    messages: Sequence[Message],
    system: str = "",
    thinking: bool = False,
    plain: bool = False,
) -> str:
    """Return the prompt that the model reads; the control tokens in it are the template's alone.

    A base model gets the texts themselves, one a line; with `plain`, so does one that has a template. An empty
    `system` leaves the template its own.

    Raises:
        InputError: the template refuses the conversation.
    """
    if plain or not has_template(tokenizer):
        return literal(tokenizer, "\n".join(filter(None, [system, *(message.content for message in messages)])))
    turns = [{"role": message.role, "content": mark(tokenizer, message.content)} for message in messages]
    if system.strip():
        turns.insert(0, {"role": "system", "content": mark(tokenizer, system)})
    try:
        written = tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=True, enable_thinking=thinking
        )
        return unmark(tokenizer, written)
    except TemplateError as error:
        raise InputError("template", reason=str(error)[:200]) from error


@dataclass(frozen=True, slots=True)
class Fitted:
    """A conversation as the model reads it.

    Attributes:
        prompt: plain text.
        left_out: how many of its oldest messages had no room.
    """

    prompt: str
    left_out: int


def fit(
    engine: Engine,
    messages: Sequence[Message],
    new_tokens: int,
    system: str = "",
    thinking: bool = False,
    plain: bool = False,
) -> Fitted:
    """Render what there is room for: the oldest messages leave first, an answer together with its question.

    The system message stays. There is room for `max_prompt_chars` characters, and for the model's context less
    `new_tokens`.

    Raises:
        InputError: the last message alone does not fit, or the template refuses the conversation.
    """
    starts = [0, *(place for place, message in enumerate(messages) if place and message.role == "user")]

    def prompt(start: int) -> str:
        return render(engine.tokenizer, messages[start:], system, thinking, plain)

    def check(text: str) -> None:
        check_context(len(engine.encode(text)) + new_tokens, engine.loaded)

    def fits(start: int) -> bool:
        text = prompt(start)
        try:
            check(text)
        except InputError:
            return False
        return True

    start = starts[bisect_left(starts[:-1], True, key=fits)]
    text = prompt(start)
    check(text)
    return Fitted(text, start)


def split_thinking(text: str, prompt: str = "") -> tuple[str, str]:
    """Return (reasoning, answer).

    Args:
        text: what the model wrote; thoughts cut off by the length limit have no end and no answer.
        prompt: what it read, which may already have opened the thoughts.
    """
    if not _opens(text, prompt):
        return "", text
    thoughts, _, answer = text.partition(THINK_END)
    return thoughts.replace("<think>", "", 1).strip(), answer.strip()


def is_cut(text: str, prompt: str = "") -> bool:
    """Tell whether a text ended amid its thoughts, before any answer; arguments are those of `split_thinking`."""
    return _opens(text, prompt) and THINK_END not in text


def count_thinking(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int], prompt: str = "") -> int:
    """Return how many of the generated tokens are thoughts, the signs that open and close them included."""
    if not _opens(tokenizer.decode(ids, skip_special_tokens=True), prompt):
        return 0
    return bisect_left(range(len(ids)), True, key=lambda count: THINK_END in tokenizer.decode(ids[:count]))


def _opens(text: str, prompt: str) -> bool:
    return text.lstrip().startswith("<think>") or prompt.rstrip().endswith("<think>")
