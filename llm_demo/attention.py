"""Attention: how much each token of a text looks at each token before it, in one head or in the mean of several.

Source: scaled dot-product attention, Vaswani et al. 2017, section 3.2, https://arxiv.org/abs/1706.03762.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from llm_demo.engine import Engine
from llm_demo.errors import InputError, ModelError
from llm_demo.prompt import literal
from llm_demo.tokens import Token, describe

FAR = 2  # tokens back at least, for a look to be a far one


@dataclass(frozen=True, slots=True)
class Lens:
    """Which heads are looked through.

    Attributes:
        layer: from 0; None for the mean over all layers and heads.
        head: from 0; None for the mean over the heads of the layer.
    """

    layer: int | None = None
    head: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Attention:
    """Who looks at whom.

    Attributes:
        text: what was read.
        tokens: as the model read it; the first ones where it was too long.
        dropped: how many were left out at the end.
        lens: which heads.
        layers: how many there are.
        heads: of each of them.
        weights: shape (n, n), float32, on the CPU: how much token i looks at token j. A row sums to 1; a token that
            comes later gets 0.
    """

    text: str
    tokens: tuple[Token, ...]
    dropped: int
    lens: Lens
    layers: int
    heads: int
    weights: Tensor


def attend(engine: Engine, text: str, lens: Lens | None = None, row: int = -1) -> Attention:
    """Read a text, its first `max_attention_tokens` tokens at most, and return who looks at whom.

    Args:
        engine: of the model that reads.
        text: plain; what spells control tokens in it is text too.
        lens: which heads; None for the one that `farthest` finds.
        row: the token, from 0 or from the end, whose far look is searched for where there is no lens.

    Raises:
        InputError: the text is blank or too long, or the model has no such head.
        ModelError: the model works without attention.
    """
    ids = engine.encode(literal(engine.tokenizer, text))
    kept = ids[: engine.config.max_attention_tokens]
    if not engine.offers.inside:
        raise ModelError("engine_inside", name=engine.loaded.card.key)
    model = engine.model
    shape = model.config.get_text_config()
    layers, heads = shape.num_hidden_layers, shape.num_attention_heads
    if lens:
        _check(lens, layers, heads)

    def work() -> tuple[Lens, Tensor]:
        weights = read(model, kept)
        found = lens or farthest(weights, row)
        return found, through(weights, found).cpu()

    found, weights = engine.call(work)
    tokens = tuple(describe(engine.tokenizer, kept))
    return Attention(text, tokens, len(ids) - len(kept), found, layers, heads, weights)


def read(model: PreTrainedModel, ids: Sequence[int]) -> Tensor:
    """Return the attention of every head, shape (layers, heads, n, n), float32; it belongs into `Engine.call`.

    The usual kernels never write these weights down, so for this one pass the model computes them step by step.
    """
    usual = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        found = model(
            input_ids=torch.tensor([ids], device=model.device),
            output_attentions=True,
            use_cache=False,
            logits_to_keep=1,
        ).attentions
    finally:
        model.set_attn_implementation(usual)
    if not found or any(layer is None for layer in found):
        raise ModelError("no_attention")
    weights = torch.cat([layer.float() for layer in found])
    return weights / weights.sum(
        -1, keepdim=True
    )  # a number of 16 bits is rounded: its rows miss 1 by some thousandths


def through(weights: Tensor, lens: Lens) -> Tensor:
    """Return what a lens shows of the attention of every head, shape (n, n)."""
    if lens.layer is None:
        return weights.mean((0, 1))
    layer = weights[lens.layer]
    return layer.mean(0) if lens.head is None else layer[lens.head]


def farthest(weights: Tensor, row: int) -> Lens:
    """Return the head in which a token looks most at one single token far before it.

    The first token does not count, which most heads look at where they have nothing to find; nor does the neighbour.
    A token that has no other before it is shown in the mean of all heads.
    """
    place = range(weights.shape[-1])[row]
    looks = weights[:, :, place, 1 : max(place - FAR + 1, 1)]
    if not looks.numel():
        return Lens()
    layer, head = divmod(int(looks.amax(-1).argmax()), weights.shape[1])
    return Lens(layer, head)


def _check(lens: Lens, layers: int, heads: int) -> None:
    for value, count in ((lens.layer, layers), (lens.head, heads)):
        whole = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not (whole and 0 <= value < count):
            raise InputError("no_head", layers=layers, heads=heads)
