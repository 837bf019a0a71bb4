"""Chat: messages through the model's own template, and thoughts told from the answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from jinja2.exceptions import TemplateError
from transformers import PreTrainedTokenizerBase

from llm_demo.errors import InputError

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
    tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], system: str = "", thinking: bool = False
) -> str:
    """Return the prompt that the model reads.

    A base model gets the texts themselves, one a line. An empty `system` leaves the template its own.

    Raises:
        InputError: the template refuses the conversation.
    """
    if not has_template(tokenizer):
        return "\n".join(filter(None, [system, *(message.content for message in messages)]))
    turns = [{"role": message.role, "content": message.content} for message in messages]
    if system.strip():
        turns.insert(0, {"role": "system", "content": system})
    try:
        return tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=True, enable_thinking=thinking
        )
    except TemplateError as error:
        raise InputError("template", reason=str(error)[:200]) from error


def split_thinking(text: str, prompt: str = "") -> tuple[str, str]:
    """Return (reasoning, answer).

    Args:
        text: what the model wrote; thoughts cut off by the length limit have no end and no answer.
        prompt: what it read, which may already have opened the thoughts.
    """
    opened = text.lstrip().startswith("<think>") or prompt.rstrip().endswith("<think>")
    if not opened:
        return "", text
    thoughts, _, answer = text.partition(THINK_END)
    return thoughts.replace("<think>", "", 1).strip(), answer.strip()
