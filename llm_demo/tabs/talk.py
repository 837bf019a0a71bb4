"""Talk: a conversation as bubbles. A visitor's words stay as typed; a model's are Markdown, safe and without links."""

from collections.abc import Sequence
from html import escape

from llm_demo.chat import Message
from llm_demo.i18n import Translate
from llm_demo.tabs.markdown import to_html

WHO = {"user": "user", "assistant": "bot"}


def render(turns: Sequence[Message], thoughts: str, t: Translate) -> str:
    """Return safe HTML, which makes a browser fetch nothing, whatever was said.

    Args:
        turns: what was said, the oldest first; an empty answer is one that has not begun.
        thoughts: what the model thought before its last answer; empty where it did not.
        t: the visitor's language.
    """
    if not turns:
        return f'<p class="hint">{escape(t("chat.empty"))}</p>'
    bubbles = [_bubble(turn, t) for turn in turns]
    if thoughts:
        bubbles.insert(len(turns) - 1, _thoughts(thoughts, turns[-1].content == "", t))
    return f'<div class="talk">{"".join(bubbles)}</div>'


def _bubble(turn: Message, t: Translate) -> str:
    who = WHO[turn.role]
    words = escape(turn.content) if turn.role == "user" else to_html(turn.content)
    style = f"bubble {who}" if turn.role == "user" else f"bubble {who} markdown"
    text = words if turn.content.strip() else '<span class="waiting"></span>'
    return f'<div class="{style}" data-testid="{who}" aria-label="{escape(t(f"chat.{who}"))}">{text}</div>'


def _thoughts(thoughts: str, going_on: bool, t: Translate) -> str:
    """Return them folded, and open as long as there is nothing else to read."""
    state = " open" if going_on else ""
    summary = f"<summary>{escape(t('chat.thoughts'))}</summary>"
    return f'<details class="bubble bot"{state}>{summary}<div class="markdown">{to_html(thoughts)}</div></details>'
