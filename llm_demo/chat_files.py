"""Chat files: a conversation as a document to keep, for programs (JSON) or for people (Markdown)."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields

from llm_demo.chat import Message
from llm_demo.i18n import Translate
from llm_demo.sampling import Sampling

DRAWN = ("temperature", "top_k", "top_p", "seed")
NEUTRAL = Sampling()
# What begins and ends a block of code: https://spec.commonmark.org/0.31.2/#fenced-code-blocks
FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})(.*)$")


@dataclass(frozen=True, slots=True)
class Turn:
    """One message, and what is known of how it was written.

    Attributes:
        reasoning: what the model thought before it; empty where it did not.
        log_prob: of all tokens under the raw distributions, in nats; None where it is not known.
        token_ids: as generated, thoughts and end-of-text token included; empty where they are not known.
    """

    message: Message
    reasoning: str = ""
    log_prob: float | None = None
    token_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ChatRecord:
    """A conversation with the settings of its last answer.

    Attributes:
        model: the key of the model that answered.
        system: message; empty where the template's own was read.
        thinking: whether a template that knows the switch had it on.
        turns: the oldest first.
    """

    model: str
    system: str
    sampling: Sampling
    thinking: bool
    turns: tuple[Turn, ...]


def to_json(record: ChatRecord) -> str:
    """Write a JSON object with `model`, `system`, `thinking`, `settings` (the fields of `Sampling`) and `turns`.

    A turn has `role` and `content`, which is what a chat template takes, and of `reasoning`, `log_prob` and
    `token_ids` whatever is known.

    Raises:
        ValueError: an infinite log-probability, which JSON cannot hold.
    """
    document = {
        "model": record.model,
        "system": record.system,
        "thinking": record.thinking,
        "settings": asdict(record.sampling),
        "turns": [_turn(turn) for turn in record.turns],
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2)


def _turn(turn: Turn) -> dict[str, object]:
    known: dict[str, object] = {"role": turn.message.role, "content": turn.message.content}
    if turn.reasoning:
        known["reasoning"] = turn.reasoning
    if turn.log_prob is not None:
        known["log_prob"] = turn.log_prob
    if turn.token_ids:
        known["token_ids"] = list(turn.token_ids)
    return known


def to_markdown(record: ChatRecord, t: Translate) -> str:
    """Write a heading for each turn, the thoughts as quotations, and the settings as a list.

    Messages stand as they were written, but for a block of code that was cut off: it is ended, or it would swallow
    what follows.
    """
    settings = [f"- {name}: `{value}`" for name, value in _settings(record.sampling)]
    blocks = [
        f"# {t('chat_save.heading')}",
        f"## {t('settings')}",
        "\n".join([f"- {t('chat_save.model')}: `{record.model}`", *settings, f"- thinking: `{record.thinking}`"]),
    ]
    if record.system:
        blocks += [f"## {t('chat.system')}", _ended(record.system)]
    for turn in record.turns:
        blocks += _blocks(turn, t)
    return "\n\n".join(blocks) + "\n"


def _settings(sampling: Sampling) -> Iterator[tuple[str, object]]:
    """Yield the knobs that act: those that are not neutral, and the usual ones where something is drawn."""
    always = ("strategy", "max_new_tokens", *(DRAWN if sampling.draws else ()))
    for knob in fields(sampling):
        value = getattr(sampling, knob.name)
        if knob.name in always or (knob.name not in DRAWN and value != getattr(NEUTRAL, knob.name)):
            yield knob.name, value


def _blocks(turn: Turn, t: Translate) -> Iterator[str]:
    yield f"## {t('chat.user' if turn.message.role == 'user' else 'chat.bot')}"
    if turn.reasoning:
        yield _quoted(f"**{t('chat.thoughts')}**\n\n{_ended(turn.reasoning)}")
    if turn.message.content:
        yield _ended(turn.message.content)
    if turn.log_prob is not None:
        count, nats = t.number(len(turn.token_ids)), t.number(turn.log_prob, 2)
        yield f"*{t('chat_save.score', count=count, nats=nats)}*"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def _ended(text: str) -> str:
    """Return a text whose last block of code has an end."""
    fence = ""
    for line in text.splitlines():
        found = FENCE.match(line)
        if not found:
            continue
        signs, rest = found.groups()
        if not fence:
            fence = signs
        elif signs.startswith(fence) and not rest.strip():
            fence = ""
    return f"{text}\n{fence}" if fence else text
