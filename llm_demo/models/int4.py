"""A model whose weights are 4-bit by nature, run in those very 4 bits through torch's own CPU kernel.

A Q4_1 weight is `q * scale + minimum`, q of 0 to 15, in groups of 32
(https://github.com/ggml-org/ggml/blob/master/docs/gguf.md); dequantizing loses nothing, so q is had back exactly.
The kernel multiplies in bfloat16; everything between two products stays float32, which keeps probabilities closer
to float32's than running the whole model in bfloat16 does.
"""

from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from llm_demo.models.packed import PackedWeight

GROUP = 32
KERNEL_ROWS = 6  # up to so many the 4-bit kernel is the faster one
CHECKED = 8  # rows of each matrix whose levels are compared with the weights; all would take a second
RESCORED = 512  # likeliest tokens of each row whose logits are computed again in float32


class Int4Linear(nn.Module):
    """`nn.Linear` without bias, float32 in and out."""

    def __init__(self, weight: Tensor) -> None:
        """
        Args:
            weight: shape (out, in), float32, dequantized from Q4_1.

        Raises:
            ValueError: it is not made of 16 levels a group.
        """
        super().__init__()
        groups = weight.unflatten(1, (-1, GROUP))
        minimum, maximum = groups.aminmax(dim=-1)
        scale = (maximum - minimum) / 15
        levels = ((groups - minimum[..., None]) / scale[..., None].clamp_min(1e-12)).round()
        some = slice(0, CHECKED)
        again = levels[some] * scale[some, :, None] + minimum[some, :, None]
        if not torch.allclose(again, groups[some], atol=1e-6):
            raise ValueError("the weights are not Q4_1")
        self._four = _pack(levels.flatten(1), scale, minimum)
        self._many = PackedWeight(weight.bfloat16())

    @property
    def packed_bytes(self) -> int:
        """What it holds beside its parameters, which are none."""
        return sum(part.nbytes for part in self._four) + self._many.nbytes

    def forward(self, states: Tensor) -> Tensor:
        """Return shape (..., out) for shape (..., in)."""
        rows = states.flatten(0, -2).bfloat16()
        if len(rows) <= KERNEL_ROWS:
            out = torch.ops.aten._weight_int4pack_mm_for_cpu(rows, self._four[0], GROUP, self._four[1])
        else:
            out = self._many.product(rows)
        return out.float().unflatten(0, states.shape[:-1])


class Int8Head(nn.Module):
    """The output head, Q8_0 by nature.

    For a few rows it is two 4-bit halves, and the likeliest logits once more in float32; for more, float32 throughout
    takes less time than to pick the likeliest of each.
    """

    def __init__(self, weight: Tensor) -> None:
        """
        Args:
            weight: shape (vocab_size, hidden_size), float32, dequantized from Q8_0; kept, not copied.
        """
        super().__init__()
        groups = weight.unflatten(1, (-1, GROUP))
        scale = groups.abs().amax(-1) / 127
        bytes_ = ((groups / scale[..., None].clamp_min(1e-12)).round() + 128).flatten(1).to(torch.uint8)
        high, low = bytes_ >> 4, bytes_ & 15
        self._halves = (_pack(high, 16 * scale, -128 * scale), _pack(low, scale, torch.zeros_like(scale)))
        self._many = PackedWeight(weight)
        self.weight = weight

    @property
    def packed_bytes(self) -> int:
        """What it holds beside the weight that it shares with the embedding."""
        return sum(part.nbytes for half in self._halves for part in half) + self._many.nbytes

    def forward(self, states: Tensor) -> Tensor:
        """Return logits of shape (..., vocab_size), float32."""
        rows = states.flatten(0, -2)
        logits = self._few(rows) if len(rows) <= KERNEL_ROWS else self._many.product(rows)
        return logits.unflatten(0, states.shape[:-1])

    def _few(self, rows: Tensor) -> Tensor:
        rounded = rows.bfloat16()
        kernel = torch.ops.aten._weight_int4pack_mm_for_cpu
        high, low = (kernel(rounded, packed, GROUP, steps) for packed, steps in self._halves)
        logits = high.float().add_(low)
        likeliest = logits.topk(RESCORED, sorted=False).indices
        exact = torch.bmm(self.weight[likeliest], rows[..., None])[..., 0]
        return logits.scatter_(1, likeliest, exact)


def to_int4(model: PreTrainedModel) -> PreTrainedModel:
    """Put 4-bit products in place of a float32 model's own; ValueError where its weights are not Q4_1."""
    head = model.get_output_embeddings()
    linears = {n: m for n, m in model.named_modules() if isinstance(m, nn.Linear) and m is not head}
    # Each matrix is too small for torch to share out among the cores itself.
    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        made = threads.map(lambda linear: Int4Linear(linear.weight.detach()), linears.values())
        for name, linear in zip(linears, made, strict=True):
            model.set_submodule(name, linear)
    model.set_output_embeddings(Int8Head(head.weight.detach()))
    return model


def pays() -> bool:
    """Tell whether this processor computes in bfloat16, without which the kernel is no gain."""
    features = torch.cpu.get_capabilities()
    return bool(features.get("avx512_bf16") or features.get("amx_bf16"))


def _pack(levels: Tensor, scale: Tensor, minimum: Tensor) -> tuple[Tensor, Tensor]:
    """Return the kernel's own layout: 16 levels, and for each group (step, value of the eighth level)."""
    packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(levels.int().contiguous(), 1)
    steps = torch.stack([scale, minimum + 8 * scale], dim=-1).transpose(0, 1)
    return packed, steps.contiguous().bfloat16()
