"""Rows: the key-value cache of sequences of different lengths, decoded as one batch.

Each row begins at column 0 of preallocated memory and writes where its own length ends, so appending copies
nothing, a row leaves by being overwritten, and taking back rejected tokens is counting down.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from transformers import Cache, PreTrainedModel
from transformers.cache_utils import CacheLayerMixin

COLUMNS = 256  # tokens of memory that a batch begins with, and grows by
# On a CPU the sums of attention come out the same to the last bit for any number of rows but one, and for any width
# that is a multiple of this: whoever decodes alone gets what a crowd would give.
LANES = 16


class _SlotLayer(CacheLayerMixin):
    """One layer's keys and values; `columns` says where the next ones go."""

    is_sliding = False

    def __init__(self, where: "_Where") -> None:
        super().__init__()
        self._where = where

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        self.keys = key_states.new_zeros((0, key_states.shape[1], 0, key_states.shape[3]))
        self.values = value_states.new_zeros((0, value_states.shape[1], 0, value_states.shape[3]))
        self.is_initialized = True

    def update(
        self, key_states: Tensor, value_states: Tensor, *_args: object, **_more: object
    ) -> tuple[Tensor, Tensor]:
        """Write shape (rows, heads, tokens, head_dim) at each row's own columns; return all up to the longest."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        if self._where.doubled:
            key_states, value_states = key_states[:1], value_states[:1]
        rows, width = key_states.shape[0], self._where.width
        self._make_room(rows, width)
        place = self._where.place
        if isinstance(place, slice):  # all rows are equally long
            self.keys[:rows, :, place] = key_states
            self.values[:rows, :, place] = value_states
        else:
            self.keys[:rows].transpose(1, 2)[place] = key_states.transpose(1, 2)
            self.values[:rows].transpose(1, 2)[place] = value_states.transpose(1, 2)
        shown = self.keys[:rows, :, :width], self.values[:rows, :, :width]
        return tuple(part.expand(2, -1, -1, -1) for part in shown) if self._where.doubled else shown

    @property
    def nbytes(self) -> int:
        return self.keys.nbytes + self.values.nbytes if self.is_initialized else 0

    def take(self, source: Tensor, target: Tensor, width: int) -> None:
        """Copy rows over one another, `source` onto `target`."""
        self.keys[target, :, :width] = self.keys[source, :, :width]
        self.values[target, :, :width] = self.values[source, :, :width]

    def put(self, row: int, other: "_SlotLayer", length: int) -> None:
        """Copy the first row of another layer here."""
        if not self.is_initialized:
            self.lazy_initialization(other.keys, other.values)
        self._make_room(row + 1, length)
        self.keys[row, :, :length] = other.keys[0, :, :length]
        self.values[row, :, :length] = other.values[0, :, :length]

    def make_room(self, rows: int) -> None:
        """Have memory for so many rows."""
        self._make_room(rows, 0)

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:  # noqa: ARG002 - transformers names it
        return self._where.width, 0

    def get_seq_length(self) -> int:
        return self._where.start

    def get_max_length(self) -> int:
        return -1

    def _make_room(self, rows: int, width: int) -> None:
        have_rows, heads, have_width, size = self.keys.shape
        if rows <= have_rows and width <= have_width:
            return
        # Rows double, so that a crowd coming in one by one is not copied at every arrival.
        shape = (
            have_rows if rows <= have_rows else 1 << (rows - 1).bit_length(),
            heads,
            max(_rounded(width, COLUMNS), have_width),
            size,
        )
        for name in ("keys", "values"):
            old = getattr(self, name)
            new = old.new_zeros(shape)
            new[:have_rows, :, :have_width] = old
            setattr(self, name, new)


@dataclass(slots=True)
class _Where:
    """Where the pass under way writes: from `start` of the longest row up to `width`, and the index of its own.

    A pass is `doubled` where its only row goes through the model twice.
    """

    start: int = 0
    width: int = 0
    doubled: bool = False
    place: slice | tuple[Tensor, Tensor] = field(default_factory=lambda: slice(0))


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

    def __init__(self, model: PreTrainedModel, same_alone: bool = True) -> None:
        """
        Args:
            model: what reads the rows.
            same_alone: whether a lone row is to get, on a CPU, what it would get in a crowd: it goes through twice, and
                attention's width is rounded. Without, a pass over rows of one length needs no mask.
        """
        self._model = model
        self._same_alone = same_alone
        self._where = _Where()
        layers = model.config.get_text_config().num_hidden_layers
        self._layers = [_SlotLayer(self._where) for _ in range(layers)]
        self._cache = Cache(layers=self._layers)
        self._lengths: list[int] = []

    def __len__(self) -> int:
        return len(self._lengths)

    @property
    def nbytes(self) -> int:
        """Memory of its keys and values, unused columns included."""
        return sum(layer.nbytes for layer in self._layers)

    @property
    def lengths(self) -> tuple[int, ...]:
        """Tokens of each row."""
        return tuple(self._lengths)

    def step(self, tokens: Sequence[Sequence[int]], wanted: int = 1, hidden: bool = False) -> Fed:
        """Append equally many tokens to every row, in order; rows are made by the first step of an empty batch.

        Args:
            tokens: for each row, what to append.
            wanted: of how many last positions to return the logits.
            hidden: whether to return the last layer's states too.
        """
        if not self._lengths:
            self._lengths = [0] * len(tokens)
        device, count = self._model.device, len(tokens[0])
        positions = torch.tensor(self._lengths)[:, None] + torch.arange(count)
        shortest, longest = min(self._lengths), max(self._lengths)
        level, same = shortest == longest, self._same_alone and device.type == "cpu"
        self._where.start, self._where.width = longest, longest + count
        if level:
            self._where.place = slice(longest, longest + count)
        else:
            rows = torch.arange(len(tokens))[:, None].expand_as(positions)
            self._where.place = (rows.to(device), positions.to(device))
        if same and longest:
            self._where.width = _rounded(self._where.width, LANES)
        self._where.doubled = same and longest > 0 and len(tokens) == count == 1
        if self._where.doubled:
            tokens, positions = [*tokens, *tokens], positions.expand(2, -1)
        plain = not longest or (count == 1 and not same)  # nobody has to be kept from looking anywhere
        output = self._model(
            input_ids=torch.tensor(tokens, device=device),
            attention_mask=None if level and plain else self._mask(positions),
            position_ids=positions.to(device),
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=wanted,
            output_hidden_states=hidden,
        )
        self._lengths = [length + count for length in self._lengths]
        rows = slice(len(self._lengths))
        return Fed(output.logits[rows, -wanted:], output.hidden_states[-1][rows] if hidden else None)

    def join(self, other: "Rows") -> None:
        """Add the one row of another batch at the end."""
        (length,) = other._lengths
        for mine, new in zip(self._layers, other._layers, strict=True):
            mine.put(len(self), new, length)
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

    def _mask(self, positions: Tensor) -> Tensor:
        """Return what each new token may look at: shape (rows, 1, tokens, width), True where it may."""
        columns = torch.arange(self._where.width)
        return (columns <= positions[:, :, None])[:, None].to(self._model.device)


def _rounded(width: int, to: int) -> int:
    return -(-width // to) * to
