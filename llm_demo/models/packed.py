"""`nn.Linear` with its weights laid out once as a CPU multiplies them: by oneDNN, or halved in size, by FBGEMM.

torch multiplies plain weights by other routines, which take two to four times as long for the few rows of decoding.
Sources: the memory formats that oneDNN's primitives choose,
https://uxlfoundation.github.io/oneDNN/dev_guide_matmul.html; FBGEMM's products of float32 by float16, which round the
weights alone, Khudia et al. 2021, https://arxiv.org/abs/2101.05615.
"""

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

TYPICAL_ROWS = 16  # what the layout is chosen for


class PackedLinear(nn.Module):
    """Takes the place of an `nn.Linear`, in float32 or bfloat16.

    A row's result does not depend on how many others there are.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None, keep: bool = False) -> None:
        """
        Args:
            weight: shape (out, in).
            bias: shape (out,).
            keep: whether the weight is wanted as it is too, as an output head's is that it shares with the embedding.
        """
        super().__init__()
        self._packed = torch.ops.mkldnn._reorder_linear_weight(weight.detach().contiguous(), TYPICAL_ROWS)
        self.packed_bytes = self._packed.nbytes  # beside its parameters, the layout's padding left out
        self.bias = bias
        if keep:
            self.weight = weight

    def forward(self, states: Tensor) -> Tensor:
        """Return shape (..., out) for shape (..., in)."""
        rows = states.flatten(0, -2)
        # One alone goes in twice, as oneDNN has a sum of another order for it.
        out = self._product(rows.expand(2, -1))[:1] if len(rows) == 1 else self._product(rows)
        return out.unflatten(0, states.shape[:-1])

    def _product(self, rows: Tensor) -> Tensor:
        return torch.ops.mkldnn._linear_pointwise(rows, self._packed, self.bias, "none", [], "")


class HalfLinear(nn.Module):
    """Takes the place of an `nn.Linear`: weights in float16, what goes in and comes out in float32.

    A row's result does not depend on how many others there are.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None, keep: bool = False) -> None:
        """
        Args:
            weight: shape (out, in), in any format; what is past float16's range, 65,504, is cut off there.
            bias: shape (out,).
            keep: as for `PackedLinear`.
        """
        super().__init__()
        offset = None if bias is None else bias.detach().float()
        self._packed = torch.ops.quantized.linear_prepack_fp16(weight.detach().float(), offset)
        self.packed_bytes = torch.float16.itemsize * weight.numel() + (0 if offset is None else offset.nbytes)
        if keep:
            self.weight = weight

    def forward(self, states: Tensor) -> Tensor:
        """Return shape (..., out) for shape (..., in)."""
        return torch.ops.quantized.linear_dynamic_fp16(states, self._packed)


def pack(model: PreTrainedModel) -> PreTrainedModel:
    """Put packed products in place of a model's own; it is on the CPU, in float32 or bfloat16."""
    return _put(PackedLinear, model)


def halve(model: PreTrainedModel) -> PreTrainedModel:
    """Put products by float16 weights in place of a model's own; it is on the CPU, and else in float32 afterwards."""
    return _put(HalfLinear, model).float()


def available() -> bool:
    """Tell whether this build of torch has oneDNN."""
    return torch.backends.mkldnn.is_available()


def can_halve() -> bool:
    """Tell whether this build of torch has FBGEMM, and the processor what it needs (AVX2)."""
    return "fbgemm" in torch.backends.quantized.supported_engines


def _put(kind: type[PackedLinear] | type[HalfLinear], model: PreTrainedModel) -> PreTrainedModel:
    head = model.get_output_embeddings()
    for name in [name for name, module in model.named_modules() if isinstance(module, nn.Linear | Conv1D)]:
        linear = model.get_submodule(name)
        weight = linear.weight.T if isinstance(linear, Conv1D) else linear.weight  # GPT-2's lie the other way round
        model.set_submodule(name, kind(weight, linear.bias, keep=linear is head))
    return model
