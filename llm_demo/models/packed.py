"""`nn.Linear` with its weights laid out once as oneDNN multiplies them, for CPUs.

torch multiplies plain weights by other routines, which take two to four times as long for the few rows of decoding.
Source: the memory formats that primitives choose, https://uxlfoundation.github.io/oneDNN/dev_guide_matmul.html.
"""

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

TYPICAL_ROWS = 16  # what the layout is chosen for


class PackedWeight:
    """A matrix to multiply rows by, in float32 or bfloat16."""

    def __init__(self, weight: Tensor) -> None:
        """
        Args:
            weight: shape (out, in).
        """
        self._packed = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), TYPICAL_ROWS)

    @property
    def nbytes(self) -> int:
        """Its size in memory, the layout's padding left out."""
        return self._packed.nbytes

    def product(self, rows: Tensor, bias: Tensor | None = None) -> Tensor:
        """Return shape (rows, out) for shape (rows, in).

        A row's result does not depend on how many others there are: one alone goes in twice, as oneDNN has a sum
        of another order for it.
        """
        if len(rows) == 1:
            return self.product(rows.expand(2, -1), bias)[:1]
        return torch.ops.mkldnn._linear_pointwise(rows, self._packed, bias, "none", [], "")


class PackedLinear(nn.Module):
    """Takes the place of an `nn.Linear`."""

    def __init__(self, linear: nn.Linear, keep: bool = False) -> None:
        """
        Args:
            linear: what to take the place of.
            keep: whether its weight is wanted as it is too, as an output head's is that it shares with the embedding.
        """
        super().__init__()
        self._matrix = PackedWeight(linear.weight.detach())
        self.bias = linear.bias
        if keep:
            self.weight = linear.weight

    @property
    def packed_bytes(self) -> int:
        """What it holds beside its parameters."""
        return self._matrix.nbytes

    def forward(self, states: Tensor) -> Tensor:
        """Return shape (..., out) for shape (..., in)."""
        return self._matrix.product(states.flatten(0, -2), self.bias).unflatten(0, states.shape[:-1])


def pack(model: PreTrainedModel) -> PreTrainedModel:
    """Put packed products in place of a model's own; it is on the CPU, in float32 or bfloat16."""
    head = model.get_output_embeddings()
    for name in [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]:
        linear = model.get_submodule(name)
        model.set_submodule(name, PackedLinear(linear, keep=linear is head))
    return model


def available() -> bool:
    """Tell whether this build of torch has oneDNN."""
    return torch.backends.mkldnn.is_available()
