"""Slots: the memory of one layer's keys and values, of many sequences side by side."""

from dataclasses import dataclass

from torch import Tensor
from transformers.cache_utils import CacheLayerMixin

COLUMNS = 256  # tokens of memory that a batch begins with, and grows by


@dataclass(slots=True)
class Where:
    """Where the pass under way writes.

    Attributes:
        start: tokens of the longest row so far.
        width: columns up to the end of the longest row.
        place: the first column, where all rows are equally long; else each token's own row and column.
    """

    start: int = 0
    width: int = 0
    place: int | tuple[Tensor, Tensor] = 0


class SlotLayer(CacheLayerMixin):
    """One layer's keys and values; `Where` says where the next ones go."""

    is_sliding = False

    def __init__(self, where: Where, keys: Tensor | None = None, values: Tensor | None = None) -> None:
        """
        Args:
            where: of the pass under way, shared by all layers.
            keys, values: memory to begin with, shape (rows, heads, columns, head_dim); none where left out.
        """
        super().__init__()
        self._where = where
        if keys is not None:
            self.keys, self.values, self.is_initialized = keys, values, True

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
        rows, width = key_states.shape[0], self._where.width
        self._make_room(rows, width)
        place = self._where.place
        keys, values = self.keys, self.values
        if rows < len(keys):  # a slice of all of them costs time too, in each layer
            keys, values = keys[:rows], values[:rows]
        if isinstance(place, int):
            keys.narrow(2, place, key_states.shape[2]).copy_(key_states)
            values.narrow(2, place, key_states.shape[2]).copy_(value_states)
        else:
            keys.transpose(1, 2)[place] = key_states.transpose(1, 2)
            values.transpose(1, 2)[place] = value_states.transpose(1, 2)
        return keys.narrow(2, 0, width), values.narrow(2, 0, width)

    @property
    def nbytes(self) -> int:
        return self.keys.nbytes + self.values.nbytes if self.is_initialized else 0

    def take(self, source: Tensor, target: Tensor, width: int) -> None:
        """Copy rows over one another, `source` onto `target`."""
        self.keys[target, :, :width] = self.keys[source, :, :width]
        self.values[target, :, :width] = self.values[source, :, :width]

    def put(self, row: int, other: "SlotLayer", source: int, length: int) -> None:
        """Copy row `source` of another layer here."""
        if not self.is_initialized:
            self.lazy_initialization(other.keys, other.values)
        self._make_room(row + 1, length)
        self.keys[row, :, :length] = other.keys[source, :, :length]
        self.values[row, :, :length] = other.values[source, :, :length]

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
            max(rounded(width, COLUMNS), have_width),
            size,
        )
        for name in ("keys", "values"):
            old = getattr(self, name)
            new = old.new_zeros(shape)
            new[:have_rows, :, :have_width] = old
            setattr(self, name, new)


def rounded(width: int, to: int) -> int:
    """Return the next multiple of `to`."""
    return -(-width // to) * to
