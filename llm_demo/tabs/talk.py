"""Talk: a conversation as bubbles. What a visitor or a model wrote is text, never a picture, a link or a page."""

from collections.abc import Sequence
from html import escape

from llm_demo.chat import Message
from llm_demo.i18n import Translate

WHO = {"user": "user", "assistant": "bot"}


def render(turns: Sequence[Message], thoughts: str, t: Translate) -> str:
    """Return safe HTML.

    Args:
        turns: what was said, the oldest first; an empty answer is one that has not begun.
        thoughts: what the model thought before its last answer; empty where it did not.
        t: the visitor's language.
    """
    if not turns:
        return f'<p class="hint">{escape(t("chat.empty"))}</p>'
    bubbles = [_bubble(turn, t) for turn in turns]
    if thoughts:
        summary = f"<summary>{escape(t('chat.thoughts'))}</summary>"
        bubbles.insert(len(turns) - 1, f'<details class="bubble bot" open>{summary}{escape(thoughts)}</details>')
    return f'<div class="talk" role="log">{"".join(bubbles)}</div>'


def _bubble(turn: Message, t: Translate) -> str:
    who = WHO[turn.role]
    text = escape(turn.content) or '<span class="waiting"></span>'
    return f'<div class="bubble {who}" data-testid="{who}" aria-label="{escape(t(f"chat.{who}"))}">{text}</div>'
