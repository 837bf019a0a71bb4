"""Files: what is read of a model, from a folder, from this machine's copy or from the hub."""

import json
import logging
from collections.abc import Callable
from importlib.resources import files
from typing import Literal

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from llm_demo.config import Config
from llm_demo.errors import ModelError
from llm_demo.hub import answers
from llm_demo.models.catalogue import ModelCard
from llm_demo.models.embedded import embedded_folder

log = logging.getLogger(__name__)

# What transformers and huggingface_hub raise for a missing, damaged or unreachable model. A configuration of the wrong
# shape gets as far as to whatever computes with it first.
UNREADABLE = (OSError, RuntimeError, SafetensorError, StrictDataclassError, ValueError)
UNREADABLE += (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError)

STAGES = ("fetch", "check", "convert", "load")  # of a model on its way into memory
Report = Callable[[str], None]  # told each stage as it begins


def locate(card: ModelCard, config: Config, report: Report) -> str:
    """Return the folder or hub id to read a card from, the embedded model made first where it is that."""
    if card.is_embedded:
        return str(embedded_folder(config.cache, report))
    if card.folder is None and card.source.startswith(("/", ".", "~")):
        log.error("the model %s is to be read from %s, which is no folder", card.key, card.source)
        raise ModelError("folder", name=card.key)
    return str(card.folder or card.source)


def read(reader: type, source: str, card: ModelCard, **options: object):  # noqa: ANN201 - a model or a tokenizer
    """Read with one of transformers' classes, at the card's revision; ModelError where that cannot be done.

    Args:
        reader: the class.
        source: folder or hub id, as `locate` gives it.
        card: whose model.
        options: of its `from_pretrained`.
    """
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


def read_model(source: str, card: ModelCard, dtype: torch.dtype | Literal["auto"]) -> PreTrainedModel:
    """Read a model that writes.

    Args:
        source: folder or hub id.
        card: its own.
        dtype: what its weights are to be in; `auto` leaves them as they are.

    Raises:
        ModelError: weights are missing, which transformers would make up at random.
    """
    options = {"dtype": dtype, "use_safetensors": True, "output_loading_info": True}
    model, info = read(AutoModelForCausalLM, source, card, **options)
    if info["missing_keys"]:
        raise ModelError("folder" if card.folder else "hub", name=card.key, source=source)
    return model


def load_tokenizer(card: ModelCard, config: Config, report: Report) -> PreTrainedTokenizerBase:
    """Bring a model's tokenizer alone into memory; ModelError where it cannot be had."""
    return read(AutoTokenizer, locate(card, config, report), card)


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
        found = read(AutoConfig, source, card)
    except ModelError as error:
        if error.key == "hub":
            raise
        raise ModelError("no_config", name=card.key) from error
    try:
        return found, read(GenerationConfig, source, card)
    except ModelError:  # many models publish none; transformers then takes what it needs from the configuration
        return found, GenerationConfig.from_model_config(found)


def _published() -> dict[str, dict[str, dict[str, object]]]:
    """Return hub id -> `config` and `generation`: what decides a model's shape and its own way of generating."""
    return json.loads((files("llm_demo") / "models" / "published.json").read_text("utf-8"))
