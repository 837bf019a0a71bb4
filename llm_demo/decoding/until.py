"""Until: a strategy that ends where its text says so, before the model ends it."""

import re
from collections.abc import Callable, Sequence

from llm_demo.decoding.feed import Event, Feed, Strategy
from llm_demo.rows import Fed
from llm_demo.trace import Step

WINDOW = 48  # last tokens in which the end is looked for: to read all of a long text at each token would add up


def until(strategy: Strategy, pattern: str, decode: Callable[[Sequence[int]], str]) -> Strategy:
    """Run a strategy that decides token by token, until the end of its text holds what a pattern describes.

    Args:
        strategy: not started.
        pattern: a regular expression; it is searched in the last `WINDOW` tokens after each decision.
        decode: token ids to text.
    """
    ids: list[int] = []
    search = re.compile(pattern).search
    answer: Fed | None = None
    while True:
        try:
            said: Feed | Event = strategy.send(answer)
        except StopIteration:
            return
        answer = yield said
        if isinstance(said, Step):
            ids.append(said.chosen.token_id)
            if search(decode(ids[-WINDOW:])):
                return
