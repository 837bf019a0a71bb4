"""Serving: which models a server offers, and what is known of each without its weights."""

from collections.abc import Mapping
from pathlib import Path

from openai.types import Model

from llm_demo.config import Config
from llm_demo.errors import ModelError
from llm_demo.models.catalogue import ModelCard
from llm_demo.models.files import load_config, load_tokenizer
from llm_demo.models.loader import Loaded, outline, stop_ids_of


def cards_of(models: list[Model], cards: Mapping[str, ModelCard]) -> dict[str, tuple[ModelCard, Model]]:
    """Return key -> card and the server's own entry of each model that it serves.

    A name that is no key, hub id or folder of the catalogue gets a card of its own, whose tokenizer comes from where
    the server has the model from, or from the hub under that name.

    Raises:
        ModelError: it serves none.
    """
    if not models:
        raise ModelError("engine_no_models")
    found: dict[str, tuple[ModelCard, Model]] = {}
    for model in models:
        root = getattr(model, "root", None) or model.id
        known = (card for card in cards.values() if {model.id, root} & {card.key, card.source, card.published_as})
        card = next(known, ModelCard(Path(model.id).name, root))
        found[card.key] = (card, model)
    return found


def describe_model(card: ModelCard, served: Model, config: Config) -> Loaded:
    """Return a model without its weights, and its tokenizer.

    Raises:
        ModelError: its tokenizer or its configuration cannot be had here.
    """

    def silent(_stage: str) -> None:
        pass

    tokenizer = load_tokenizer(card, config, silent)
    shape, generation = load_config(card, config)
    model = outline(shape)
    model.generation_config = generation
    own = getattr(shape.get_text_config(), "max_position_embeddings", None) or tokenizer.model_max_length
    context = getattr(served, "max_model_len", None) or own
    return Loaded(card, model, tokenizer, stop_ids_of(model, tokenizer), context, capacity=0, number_format="")
