"""Replay: decode steps recorded once, and run again without Python between their kernels.

A step is recorded for each number of rows and each width of attention that visitors may need, over memory that never
moves; what changes from step to step, tokens and positions, is written where the recording reads it.
Source: CUDA graphs, https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs.
"""

import logging
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from transformers import Cache, PreTrainedModel

from llm_demo.slots import COLUMNS, SlotLayer, Where

ROWS = 32  # recorded at most; more are decoded without a recording
SHARE = 4  # of the memory for keys and values, at most one part in so many stays reserved
WARM_UPS = 3  # before a recording, so that libraries have chosen their kernels and taken their memory
AGREE = 0.02  # of the largest logit: how far a recording may be from the model, in a number format of 16 bits

Step = Callable[[], Tensor]

log = logging.getLogger(__name__)


class Replay:
    """Recorded decode steps of one model, with the keys and values that they work on.

    Attributes:
        memory: for each layer its keys and values, each of shape (rows, heads, width, head_dim).
    """

    def __init__(self, model: PreTrainedModel, rows: int, width: int, record: Callable[[Step], Step]) -> None:
        """
        Args:
            model: in inference mode from here on.
            rows: sequences decoded together at most, a power of two.
            width: tokens of each at most, a power of two times `COLUMNS`.
            record: takes a step, and returns what takes it again over the same memory, the logits included.
        """
        self._model = model
        self.rows, self.width = rows, width
        self.memory = _reserve(model, rows, width)
        self._columns = torch.arange(width, device=model.device)
        # For each number of rows, where tokens and positions are read from: shape (2, rows, 1).
        self._given = {n: torch.zeros((2, n, 1), dtype=torch.long, device=model.device) for n in _doubling(1, rows)}
        # The largest first: what the others need in between fits into the same memory.
        shapes = [(n, w) for n in reversed(self._given) for w in reversed(_doubling(COLUMNS, width))]
        # Kept as well, as a recording does not keep alive what it reads.
        self._steps = {shape: self._step(*shape) for shape in shapes}
        self._recorded = {shape: record(step) for shape, step in self._steps.items()}

    def step(self, tokens: Sequence[int], lengths: Sequence[int]) -> Tensor | None:
        """Append one token to each of the first rows of the memory.

        Args:
            tokens: one a row.
            lengths: of the rows so far.

        Returns:
            Logits of shape (rows, 1, vocab_size); None where so many rows, or such long ones, were not recorded.
        """
        shape = _at_least(1, len(tokens)), _at_least(COLUMNS, max(lengths) + 1)
        if shape not in self._recorded:
            return None
        self._give(shape[0], tokens, lengths)
        # A copy, as the next step writes over it.
        return self._recorded[shape]()[: len(tokens)].clone()

    def agrees(self) -> bool:
        """Tell whether every recording gives what the model gives for tokens, positions and memory of its own."""
        random = torch.Generator().manual_seed(0)
        fair = True
        for (n, w), recorded in self._recorded.items():
            tokens = torch.randint(0, self._model.config.get_text_config().vocab_size, (n,), generator=random).tolist()
            lengths = torch.randint(0, w, (n,), generator=random).tolist()
            self._give(n, tokens, lengths)
            found = []
            for step in (self._steps[n, w], recorded):
                self._fill()
                found.append(step().float().clone())
            plain, again = found
            fair = fair and bool((plain - again).abs().max() <= AGREE * plain.abs().max())
        for part in self._parts():
            part.zero_()
        return fair

    def _step(self, rows: int, width: int) -> Step:
        """Return a step that reads its tokens and positions from `_given`, and decides nothing by what it reads."""
        tokens, positions = self._given[rows]
        every = torch.arange(rows, device=self._model.device)[:, None]
        where = Where(start=width - 1, width=width, place=(every, positions))
        cache = Cache(layers=[SlotLayer(where, *part) for part in self.memory])

        def step() -> Tensor:
            return self._model(
                input_ids=tokens,
                attention_mask=(self._columns[:width] <= positions[:, :, None])[:, None],
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            ).logits

        return step

    def _give(self, rows: int, tokens: Sequence[int], lengths: Sequence[int]) -> None:
        """Write tokens and positions where the step for so many rows reads them; rows left over write in theirs."""
        spare = [0] * (rows - len(tokens))
        self._given[rows].copy_(torch.tensor([[*tokens, *spare], [*lengths, *spare]])[..., None])

    def _parts(self) -> list[Tensor]:
        return [part for layer in self.memory for part in layer]

    def _fill(self) -> None:
        """Fill the memory with the same arbitrary numbers each time, as a step that wrote nothing must be seen."""
        random = torch.Generator(self._model.device).manual_seed(1)
        for part in self._parts():
            part.normal_(generator=random)


class CudaGraphs:
    """Records steps as CUDA graphs, which share their memory for what lies between input and output."""

    def __init__(self) -> None:
        self._pool = torch.cuda.graph_pool_handle()
        self._stream = torch.cuda.Stream()

    def __call__(self, step: Step) -> Step:
        """Record a step; RuntimeError where it cannot be, as it waits for a number of the GPU's."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):  # libraries keep their handles by stream
            for _ in range(WARM_UPS):
                step()
        torch.cuda.current_stream().wait_stream(self._stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"):
            logits = step()

        def again() -> Tensor:
            graph.replay()
            return logits

        return again


@torch.inference_mode()
def prepare(model: PreTrainedModel, capacity: int, make_record: Callable[[], Callable[[Step], Step]]) -> Replay | None:
    """Record a model's decode steps, and compare each with the model before anybody relies on it.

    Args:
        capacity: tokens of keys and values that there is memory for.
        make_record: makes what records, such as `CudaGraphs`.

    Returns:
        None, with the reason in the log, where there is too little memory, a step cannot be recorded or one gives
        other logits: the model then runs as it is.
    """
    shape = room(capacity)
    if not shape:
        return None
    try:
        replay = Replay(model, *shape, make_record())
        if replay.agrees():
            return replay
        log.error("Recorded steps give other logits than the model: they are not used")
    except RuntimeError as error:  # torch's own are all of this kind, running out of memory included
        log.warning("The steps of this model cannot be recorded: %s", error)
    return None


def room(capacity: int) -> tuple[int, int] | None:
    """Return the rows and the width to reserve of memory for `capacity` tokens; None where it is too little."""
    width = capacity // SHARE // ROWS // COLUMNS
    return (ROWS, COLUMNS << width.bit_length() - 1) if width else None


def _reserve(model: PreTrainedModel, rows: int, width: int) -> list[tuple[Tensor, Tensor]]:
    """Return memory for the keys and values of every layer, of the shape and kind that the model itself makes."""
    layers = [SlotLayer(Where(width=1)) for _ in range(model.config.get_text_config().num_hidden_layers)]
    model(input_ids=torch.zeros((1, 1), dtype=torch.long, device=model.device), past_key_values=Cache(layers=layers))
    shapes = [(rows, layer.keys.shape[1], width, layer.keys.shape[3]) for layer in layers]
    return [
        (layer.keys.new_zeros(shape), layer.values.new_zeros((*shape[:3], layer.values.shape[3])))
        for layer, shape in zip(layers, shapes, strict=True)
    ]


def _doubling(first: int, last: int) -> list[int]:
    return [first << times for times in range((last // first).bit_length())]


def _at_least(first: int, number: int) -> int:
    """Return the smallest of `first`, twice that, and so on, that is not below a number."""
    return first << (-(-number // first) - 1).bit_length()
