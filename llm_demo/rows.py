"""Rows: the key-value cache of sequences of different lengths, decoded as one batch.

Shorter rows are padded on the left and the padding is masked, so a row's numbers do not depend on its
neighbours beyond the order in which a processor sums them.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel


class Rows:
    """Sequences that take their next forward pass together.

    Every row has the same width in the cache; `_lengths` says how much of it is not padding.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        self._model = model
        self._cache: DynamicCache | None = None
        self._lengths: list[int] = []

    def __len__(self) -> int:
        return len(self._lengths)

    def join(self, cache: DynamicCache, copies: int) -> None:
        """Add `copies` rows that continue the one sequence held in `cache`."""
        length = cache.get_seq_length()
        cache.batch_repeat_interleave(copies)
        if self._cache is None:
            self._cache = cache
        else:
            width = max(self._width, length)
            for mine, new in zip(self._cache.layers, cache.layers, strict=True):
                mine.keys = torch.cat([_widen(mine.keys, width), _widen(new.keys, width)])
                mine.values = torch.cat([_widen(mine.values, width), _widen(new.values, width)])
        self._lengths += [length] * copies

    def step(self, token_ids: Sequence[int]) -> Tensor:
        """Append one token to every row, in order; return the logits after it, shape (rows, vocab_size)."""
        device = self._model.device
        lengths = torch.tensor(self._lengths, device=device)[:, None]
        width = self._width + 1
        padding = width - 1 - lengths
        # No mask where nothing is padded: attention then takes its fastest path.
        mask = (torch.arange(width, device=device) >= padding).long() if padding.any() else None
        output = self._model(
            input_ids=torch.tensor(token_ids, device=device)[:, None],
            attention_mask=mask,
            position_ids=lengths,
            past_key_values=self._cache,
            use_cache=True,
        )
        self._lengths = [length + 1 for length in self._lengths]
        return output.logits[:, -1]

    def keep(self, indices: Sequence[int]) -> None:
        """Drop all rows but these, and the padding that only the dropped ones needed."""
        if len(indices) == len(self):
            return
        self._lengths = [self._lengths[i] for i in indices]
        if not indices:
            self._cache = None
            return
        self._cache.batch_select_indices(torch.tensor(indices, device=self._model.device))
        surplus = self._width - max(self._lengths)
        if surplus:
            for layer in self._cache.layers:
                layer.keys = layer.keys[:, :, surplus:].contiguous()
                layer.values = layer.values[:, :, surplus:].contiguous()

    @property
    def _width(self) -> int:
        return self._cache.get_seq_length()


def _widen(states: Tensor, width: int) -> Tensor:
    """Pad shape (rows, heads, length, head_dim) on the left of `length`, up to `width`."""
    return torch.nn.functional.pad(states, (0, 0, width - states.shape[2], 0))
