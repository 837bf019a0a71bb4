"""From a card to a model and tokenizer in memory, on the device and in the number format that suit the machine."""

import json
import logging
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from importlib.resources import files

import psutil
import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from llm_demo.config import ZERO, Config
from llm_demo.errors import ModelError
from llm_demo.hub import answers
from llm_demo.models import int4, packed
from llm_demo.models.catalogue import EMBEDDED, GPU_DEFAULT, ModelCard, catalogue, find
from llm_demo.models.embedded import embedded_folder

log = logging.getLogger(__name__)

STAGES = ("fetch", "check", "convert", "load")
# What transformers and huggingface_hub raise for a missing, damaged or unreachable model. A configuration of the wrong
# shape gets as far as to whatever computes with it first.
UNREADABLE = (OSError, RuntimeError, SafetensorError, StrictDataclassError, ValueError)
UNREADABLE += (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError)

ROOM = 0.7  # of the free memory that weights may take; the rest is for caches and for laying the weights out

Report = Callable[[str], None]  # told each stage of STAGES as it begins


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


def choose_format(card: ModelCard, config: Config, device: str) -> str:
    """Return the operator's number format, or the fastest that the machine computes in and the model bears.

    The embedded model's own 4 bits on a CPU that multiplies in bfloat16; else bfloat16 where it is native; else
    float32.
    """
    lent = config.device == ZERO
    if config.dtype == "int4" and (lent or not (card.is_embedded and device == "cpu")):
        raise ModelError("no_int4", name=card.key)
    if config.dtype != "auto":
        return config.dtype
    if lent:
        return "bfloat16"
    if device == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    if not int4.pays():
        return "float32"
    return "int4" if card.is_embedded else "bfloat16"


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
    tokenizer = _read(AutoTokenizer, source, card)
    number_format = choose_format(card, config, device)
    dtype = torch.float32 if number_format == "int4" else getattr(torch, number_format)
    model = _read_model(source, card, dtype)
    model.to(device).eval()
    if number_format == "int4":
        model = int4.to_int4(model)
    elif _to_pack(config, device):
        model = packed.pack(model)
    draft = _load_draft(config, model, device, report) if config.draft_model else None
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
    number_format = choose_format(card, config, device)
    if number_format == "int4":
        return  # the embedded one, the smallest of all
    shape = _read(AutoConfig, locate(card, config, report), card)
    needed = count_parameters(shape) * getattr(torch, number_format).itemsize
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
    tokenizer = _read(AutoTokenizer, source, card)
    options = {"dtype": torch.float32, "use_safetensors": True, "output_loading_info": True}
    model, info = _read(AutoModelForSequenceClassification, source, card, **options)
    if info["missing_keys"]:  # another kind of model, whose head of classes would be random
        raise ModelError("no_classifier", name=card.key)
    context = min(tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", 10**9))
    return LoadedClassifier(card, model.to(choose_device(config)).eval(), tokenizer, context)


def load_tokenizer(card: ModelCard, config: Config, report: Report) -> PreTrainedTokenizerBase:
    """Bring a model's tokenizer alone into memory; ModelError where it cannot be had."""
    return _read(AutoTokenizer, locate(card, config, report), card)


def load_config(card: ModelCard, config: Config) -> tuple[PreTrainedConfig, GenerationConfig]:
    """Return a model's configuration and its own defaults of generation, its weights left alone.

    Those of our own cards travel with the app, as what is pinned to a commit does not change.

    Raises:
        ModelError: the folder holds no configuration, or the hub is out of reach.
    """
    if (card.revision or card.is_embedded) and (known := _published().get(card.published_as)):
        return AutoConfig.for_model(**known["config"]), GenerationConfig(**known["generation"])
    source = locate(card, config, lambda _stage: None)
    try:
        found = _read(AutoConfig, source, card)
    except ModelError as error:
        if error.key == "hub":
            raise
        raise ModelError("no_config", name=card.key) from error
    try:
        return found, _read(GenerationConfig, source, card)
    except ModelError:  # many models publish none; transformers then takes what it needs from the configuration
        return found, GenerationConfig.from_model_config(found)


def _published() -> dict[str, dict[str, dict[str, object]]]:
    """Return hub id -> `config` and `generation`: what decides a model's shape and its own way of generating."""
    return json.loads((files("llm_demo") / "models" / "published.json").read_text("utf-8"))


def locate(card: ModelCard, config: Config, report: Report) -> str:
    """Return the folder or hub id to read a card from, the embedded model made first where it is that."""
    if card.is_embedded:
        return str(embedded_folder(config.cache, report))
    if card.folder is None and card.source.startswith(("/", ".", "~")):
        log.error("the model %s is to be read from %s, which is no folder", card.key, card.source)
        raise ModelError("folder", name=card.key)
    return str(card.folder or card.source)


def _read(reader: type, source: str, card: ModelCard, **options: object):  # noqa: ANN202 - a model or a tokenizer
    options |= {"revision": card.revision or "main", "trust_remote_code": False}
    from_hub = not (card.folder or card.is_embedded)
    try:
        # A copy on this machine is taken without asking: an app that ran once runs again without a network.
        return reader.from_pretrained(source, local_files_only=True, **options)
    except UNREADABLE as error:
        if not from_hub:
            log.error("the model %s cannot be read from %s: %s", card.key, source, error)
            raise ModelError("folder", name=card.key) from error
    if not answers("model", source, card.revision):
        raise ModelError("hub", name=card.key, source=source)
    try:
        return reader.from_pretrained(source, **options)
    except UNREADABLE as error:
        raise ModelError("hub", name=card.key, source=source) from error


def _read_model(source: str, card: ModelCard, dtype: torch.dtype) -> PreTrainedModel:
    """Read a model that writes; ModelError where weights are missing, which transformers would make up at random."""
    options = {"dtype": dtype, "use_safetensors": True, "output_loading_info": True}
    model, info = _read(AutoModelForCausalLM, source, card, **options)
    if info["missing_keys"]:
        raise ModelError("folder" if card.folder else "hub", name=card.key, source=source)
    return model


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


def _load_draft(config: Config, model: PreTrainedModel, device: str, report: Report) -> PreTrainedModel:
    card = find(config.draft_model, catalogue(config))
    draft = _read_model(locate(card, config, report), card, model.dtype)
    sizes = [m.config.get_text_config().vocab_size for m in (model, draft)]
    if sizes[0] != sizes[1]:
        raise ModelError("draft_vocabulary", name=card.key, mine=sizes[1], other=sizes[0])
    draft.to(device).eval()
    return packed.pack(draft) if _to_pack(config, device) else draft


def _to_pack(config: Config, device: str) -> bool:
    return device == "cpu" and config.device != ZERO and packed.available()


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
