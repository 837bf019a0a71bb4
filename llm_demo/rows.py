"""Rows: the key-value cache of sequences of different lengths, decoded as one batch.

Each row begins at column 0 of preallocated memory and writes where its own length ends, so appending copies
nothing, a row leaves by being overwritten, and taking back rejected tokens is counting down.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import Cache, PreTrainedModel

from llm_demo.replay import Replay
from llm_demo.slots import SlotLayer, Where, rounded

# On a CPU the sums of attention under a mask come out the same to the last bit for any number of rows, and for any
# width that is a multiple of this: whoever decodes alone gets what a crowd would give.
LANES = 16
FILLING = 0  # a token of every vocabulary, in a place that nobody looks at


@dataclass(frozen=True, slots=True)
class Fed:
    """What a pass gave.

    Attributes:
        logits: shape (rows, wanted, vocab_size), after the last tokens of each row.
        hidden: shape (rows, tokens, hidden_size), of the last layer; None where nobody asked.
    """

    logits: Tensor
    hidden: Tensor | None


class Rows:
    """Sequences that take their next forward pass together."""

    def __init__(self, model: PreTrainedModel, same_alone: bool = True, replay: Replay | None = None) -> None:
        """
        Args:
            model: what reads the rows.
            same_alone: whether a lone row is to get, on a CPU, what it would get in a crowd: the number of its first
                tokens and attention's width are rounded up. Without, a pass over rows of one length needs no mask.
            replay: the model's recorded steps, whose memory the rows then live in as long as they fit.
        """
        self._model = model
        self._same_alone = same_alone
        self._where = Where()
        layers = model.config.get_text_config().num_hidden_layers
        self._replay = replay
        self._layers = [SlotLayer(self._where, *part) for part in (replay.memory if replay else [()] * layers)]
        self._cache = Cache(layers=self._layers)
        self._lengths: list[int] = []

    def __len__(self) -> int:
        return len(self._lengths)

    @property
    def nbytes(self) -> int:
        """Memory of its keys and values, unused columns included; what is reserved for good does not count."""
        return 0 if self._in_reserved_memory else sum(layer.nbytes for layer in self._layers)

    @property
    def lengths(self) -> tuple[int, ...]:
        """Tokens of each row."""
        return tuple(self._lengths)

    def step(self, tokens: Sequence[Sequence[int]], wanted: int = 1, hidden: bool = False) -> Fed:
        """Append tokens to every row, in order; rows are made by the first step of an empty batch.

        Args:
            tokens: for each row, what to append, one at least; where some get fewer than others, what is returned of
                them is at the end.
            wanted: of how many last positions to return the logits.
            hidden: whether to return the last layer's states too.
        """
        if (logits := self._replayed(tokens, hidden)) is not None:
            self._lengths = [length + 1 for length in self._lengths]
            return Fed(logits, None)
        device = self._model.device
        same = self._same_alone and device.type == "cpu"
        counts = [len(new) for new in tokens]
        count = max(counts)
        if not self._lengths:
            self._lengths = [0] * len(tokens)
            count = padded(count) if same else count
        longest = max(self._lengths)
        self._where.start, self._where.width = longest, longest + count
        if same and longest:
            self._where.width = rounded(self._where.width, LANES)
        alike = min(counts) == count and min(self._lengths) == longest
        if alike:
            self._where.place = longest
            positions = torch.arange(longest, longest + count)[None]
        else:
            columns, positions = self._places(counts, count)
            rows = torch.arange(len(tokens))[:, None].expand_as(columns)
            self._where.place = (rows.to(device), columns.to(device))
            tokens = [[FILLING] * (count - len(new)) + list(new) for new in tokens]
        plain = not longest or (count == 1 and not same)  # nobody has to be kept from looking anywhere
        output = self._model(
            input_ids=torch.tensor(tokens, device=device),
            attention_mask=None if alike and plain else self._mask(positions),
            position_ids=positions.to(device),
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=wanted,
            output_hidden_states=hidden,
        )
        self._lengths = [length + given for length, given in zip(self._lengths, counts, strict=True)]
        states = output.hidden_states[-1][:, -max(counts) :] if hidden else None
        return Fed(output.logits, states)

    def join(self, other: "Rows", row: int = 0) -> None:
        """Add a row of another batch at the end."""
        length = other._lengths[row]
        for mine, new in zip(self._layers, other._layers, strict=True):
            mine.put(len(self), new, row, length)
        self._lengths.append(length)

    def arrange(self, parents: Sequence[int]) -> None:
        """Let new row i continue old row `parents[i]`: drop, fork and reorder in one go."""
        moved = [row for row, parent in enumerate(parents) if parent != row]
        if moved:
            width = max(self._lengths[parents[row]] for row in moved)
            source = torch.tensor([parents[row] for row in moved], device=self._model.device)
            target = torch.tensor(moved, device=self._model.device)
            for layer in self._layers:
                layer.make_room(len(parents))
                layer.take(source, target, width)
        self._lengths = [self._lengths[parent] for parent in parents]

    def forget(self, row: int, count: int) -> None:
        """Take the last `count` tokens of a row back."""
        self._lengths[row] -= count

    @property
    def _in_reserved_memory(self) -> bool:
        """Whether the rows have not outgrown the memory that the recorded steps work on."""
        return self._replay is not None and self._layers[0].keys is self._replay.memory[0][0]

    def _replayed(self, tokens: Sequence[Sequence[int]], hidden: bool) -> Tensor | None:
        """Return the logits of a recorded step; None where none suits."""
        if hidden or not self._in_reserved_memory or not self._lengths or any(len(new) != 1 for new in tokens):
            return None
        return self._replay.step([token for (token,) in tokens], self._lengths)

    def _places(self, counts: Sequence[int], count: int) -> tuple[Tensor, Tensor]:
        """Return the columns that `count` tokens of each row go to, and their positions, both of shape (rows, count).

        A row that gets fewer is filled up in front, so that everybody's last token is the last; the filling is kept
        behind the row's end, where nobody looks and the next tokens are written over it.
        """
        lengths, order = torch.tensor(self._lengths)[:, None], torch.arange(count)
        if min(counts) == count:
            columns = lengths + order
            return columns, columns
        missing = torch.tensor([count - given for given in counts])[:, None]
        columns = lengths + (order - missing) % count
        return columns, columns.masked_fill(order < missing, 0)

    def _mask(self, positions: Tensor) -> Tensor:
        """Return what each new token may look at: shape (rows or 1, 1, tokens, width), True where it may."""
        columns = torch.arange(self._where.width)
        return (columns <= positions[:, :, None])[:, None].to(self._model.device)


def padded(count: int) -> int:
    """Return how many tokens a pass takes that reads so many from an empty row together with others."""
    return rounded(count, LANES)
