"""From a card to a model and tokenizer in memory, on the device and in the number format that suit the machine."""

from copy import deepcopy
from dataclasses import dataclass

import psutil
import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from llm_demo.config import ZERO, Config
from llm_demo.errors import ModelError
from llm_demo.models import packed
from llm_demo.models.catalogue import EMBEDDED, GPU_DEFAULT, ModelCard, catalogue, find
from llm_demo.models.files import Report, locate, read, read_model

ROOM = 0.7  # of the free memory that weights may take; the rest is for caches and for laying the weights out


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model ready to run.

    Attributes:
        stop_ids: every id that ends a text, from the generation config, the config and the tokenizer.
        context: tokens that prompt and continuation may have together.
        capacity: tokens that the caches of all visitors may hold together.
        number_format: one of `config.DTYPES` but `auto`.
        draft: a smaller model of the same vocabulary, where the operator named one.
    """

    card: ModelCard
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    stop_ids: frozenset[int]
    context: int
    capacity: int
    number_format: str
    draft: PreTrainedModel | None = None


@dataclass(frozen=True, slots=True)
class LoadedClassifier:
    """A model that gives each class of a text a probability, and writes nothing.

    Attributes:
        model: its logits have shape (texts, classes).
        context: tokens that a text may have, the special ones included.
    """

    card: ModelCard
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    context: int


def default_card(config: Config) -> ModelCard:
    """Return the card of the operator's choice, or of what the machine can carry."""
    cards = catalogue(config)
    if config.model:
        return find(config.model, cards)
    return cards[GPU_DEFAULT if config.device == ZERO or choose_device(config) == "cuda" else EMBEDDED]


def choose_device(config: Config) -> str:
    """Return where weights are put, `cpu` or `cuda`; ModelError where the operator wants a GPU that is not there."""
    if config.device == ZERO:
        return "cpu"
    if config.device == "cuda" and not torch.cuda.is_available():
        raise ModelError("no_gpu")
    if config.device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return config.device


def choose_format(config: Config, device: str) -> str:
    """Return the operator's number format, or the fastest that the machine computes in and probabilities bear.

    bfloat16 on a GPU that computes in it; float16 weights on a CPU that multiplies float32 by them; else float32.
    """
    if config.dtype != "auto":
        return config.dtype
    if config.device == ZERO:
        return "bfloat16"
    if device == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    return "float16" if packed.can_halve() else "float32"


def load_default(config: Config, report: Report) -> Loaded:
    """Bring the default model into memory: the embedded one where the GPU's default needs a hub out of reach."""
    card = default_card(config)
    try:
        return load(card, config, report)
    except ModelError as error:
        if config.model or error.key != "hub":
            raise
    return load(catalogue(config)[EMBEDDED], config, report)


def load(card: ModelCard, config: Config, report: Report) -> Loaded:
    """Bring a model into memory.

    Raises:
        ModelError: in one sentence, what is missing and what to do.
    """
    device = choose_device(config)
    source = locate(card, config, report)
    report("load")
    tokenizer = read(AutoTokenizer, source, card)
    number_format = choose_format(config, device)
    model = _prepare(source, card, config, number_format)
    draft = _load_draft(config, model, number_format, report) if config.draft_model else None
    context = getattr(model.config.get_text_config(), "max_position_embeddings", None) or tokenizer.model_max_length
    return Loaded(
        card,
        model,
        tokenizer,
        stop_ids_of(model, tokenizer),
        context,
        cache_capacity(model, config),
        number_format,
        draft,
    )


def check_room(card: ModelCard, config: Config, report: Report) -> None:
    """Refuse a model whose weights would not fit into the memory that is free: ModelError."""
    device = choose_device(config)
    shape = read(AutoConfig, locate(card, config, report), card)
    needed = count_parameters(shape) * getattr(torch, choose_format(config, device)).itemsize
    free = torch.cuda.mem_get_info()[0] if device == "cuda" else psutil.virtual_memory().available
    if needed > ROOM * free:
        raise ModelError("no_room", name=card.key, needed=round(needed / 1e9, 1), free=round(free / 1e9, 1))


def count_parameters(config: PreTrainedConfig) -> int:
    """Return how many numbers a causal model of this configuration learns, tied ones once; needs no weights."""
    return outline(config).num_parameters()


def outline(config: PreTrainedConfig) -> PreTrainedModel:
    """Return a causal model of this configuration without any numbers in it, which takes no memory."""
    with torch.device("meta"):
        # Another format would be the whole process's default for a moment, and is written into what was given.
        return AutoModelForCausalLM.from_config(deepcopy(config), dtype=torch.float32, trust_remote_code=False)


def load_classifier(card: ModelCard, config: Config, report: Report) -> LoadedClassifier:
    """Bring a classifier into memory, in float32; ModelError where it cannot be had or is none."""
    source = locate(card, config, report)
    report("load")
    tokenizer = read(AutoTokenizer, source, card)
    options = {"dtype": torch.float32, "use_safetensors": True, "output_loading_info": True}
    model, info = read(AutoModelForSequenceClassification, source, card, **options)
    if info["missing_keys"]:  # another kind of model, whose head of classes would be random
        raise ModelError("no_classifier", name=card.key)
    context = min(tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", 10**9))
    return LoadedClassifier(card, model.to(choose_device(config)).eval(), tokenizer, context)


def cache_capacity(model: PreTrainedModel, config: Config) -> int:
    """Return how many tokens of keys and values fit into the memory set aside for them.

    That is the operator's `max_cache_mb`, or half of what is free now on the model's device.
    """
    shape = model.config.get_text_config()
    head_dim = getattr(shape, "head_dim", None) or shape.hidden_size // shape.num_attention_heads
    heads = getattr(shape, "num_key_value_heads", None) or shape.num_attention_heads
    token_bytes = 2 * shape.num_hidden_layers * heads * head_dim * model.dtype.itemsize
    on_gpu = model.device.type == "cuda"
    free = torch.cuda.mem_get_info(model.device)[0] if on_gpu else psutil.virtual_memory().available
    return (config.max_cache_mb * 2**20 or free // 2) // token_bytes


def _load_draft(config: Config, model: PreTrainedModel, number_format: str, report: Report) -> PreTrainedModel:
    card = find(config.draft_model, catalogue(config))
    draft = _prepare(locate(card, config, report), card, config, number_format)
    sizes = [m.config.get_text_config().vocab_size for m in (model, draft)]
    if sizes[0] != sizes[1]:
        raise ModelError("draft_vocabulary", name=card.key, mine=sizes[1], other=sizes[0])
    return draft


def _prepare(source: str, card: ModelCard, config: Config, number_format: str) -> PreTrainedModel:
    """Read a model, put it on its device and lay its weights out as the device multiplies them."""
    device = choose_device(config)
    on_cpu = device == "cpu" and config.device != ZERO  # where a GPU is lent, the weights only wait on the CPU
    if on_cpu and number_format == "float16" and packed.can_halve():
        return packed.halve(read_model(source, card, "auto").eval())
    model = read_model(source, card, getattr(torch, number_format)).to(device).eval()
    return packed.pack(model) if on_cpu and number_format != "float16" and packed.available() else model


def stop_ids_of(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Return every id that ends a text, from the generation config, the config and the tokenizer."""
    ids: set[int] = set()
    for found in (
        model.generation_config.eos_token_id,
        model.config.get_text_config().eos_token_id,
        tokenizer.eos_token_id,
    ):
        ids.update(found if isinstance(found, list) else [] if found is None else [found])
    return frozenset(ids)
