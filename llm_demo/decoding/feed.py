"""What a strategy and whoever runs it say to each other."""

from collections.abc import Generator
from dataclasses import dataclass

from torch import Tensor

from llm_demo.trace import Step


@dataclass(frozen=True, slots=True)
class Feed:
    """Tokens that a strategy wants appended to its row.

    It receives the logits after the last of them: shape (vocab_size,), as the model gave them.
    """

    token_ids: tuple[int, ...]


# Yields what it wants fed, and each decision as it falls; is sent logits after a Feed, None after a Step.
Strategy = Generator[Feed | Step, Tensor | None, None]
