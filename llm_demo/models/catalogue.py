"""ModelCard and the catalogue: the only models a visitor can name."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from llm_demo.config import Config
from llm_demo.errors import ModelError

EMBEDDED = "SmolLM2-135M-Instruct"
GPU_DEFAULT = "Qwen3-0.6B"
KINDS = ("base", "instruct", "thinking")  # continues texts; follows requests; does so and thinks first where asked to
LANGUAGES = ("english", "over_29", "119")
APACHE = "Apache-2.0"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model that the app can offer.

    Attributes:
        key: its name on the screen and in the API.
        source: a hub id, or a folder; empty for the embedded one.
        revision: a commit of the hub repository; None for a folder, and for a hub id that an operator added.
        kind: one of `KINDS`; empty where we do not know.
        languages: one of `LANGUAGES`, as its authors say; empty where we do not know.
        licence: its SPDX name (https://spdx.org/licenses/); empty where we do not know.
    """

    key: str
    source: str = ""
    revision: str | None = None
    kind: str = ""
    languages: str = ""
    licence: str = ""

    @property
    def is_embedded(self) -> bool:
        """Whether its weights come without the hub."""
        return not self.source

    @property
    def folder(self) -> Path | None:
        """Its folder on this machine; None where it comes from elsewhere."""
        path = Path(self.source).expanduser()
        return path if self.source and path.is_dir() else None

    @property
    def published_as(self) -> str:
        """What a notebook elsewhere would load: its hub id; the key alone of a folder, whose place is nobody's."""
        if self.is_embedded:
            return "HuggingFaceTB/SmolLM2-135M-Instruct"
        return self.key if self.folder else self.source


# What no configuration holds is told by the README of each at its revision.
CARDS = (
    ModelCard(EMBEDDED, "", None, "instruct", "english", APACHE),
    ModelCard(GPU_DEFAULT, "Qwen/Qwen3-0.6B", "c1899de289a04d12100db370d81485cdf75e47ca", "thinking", "119", APACHE),
    ModelCard("Qwen3-4B", "Qwen/Qwen3-4B", "1cfa9a7208912126459214e8b04321603b3df60c", "thinking", "119", APACHE),
    ModelCard(
        "Qwen2.5-0.5B", "Qwen/Qwen2.5-0.5B", "060db6499f32faf8b98477b0a26969ef7d8b9987", "base", "over_29", APACHE
    ),
    ModelCard(
        "Qwen2.5-0.5B-Instruct",
        "Qwen/Qwen2.5-0.5B-Instruct",
        "7ae557604adf67be50417f59c2c2f167def9a775",
        "instruct",
        "over_29",
        APACHE,
    ),
    ModelCard(
        "distilgpt2", "distilbert/distilgpt2", "2290a62682d06624634c1f46a6ad5be0f47f38aa", "base", "english", APACHE
    ),
    ModelCard(
        "SmolLM2-135M",
        "HuggingFaceTB/SmolLM2-135M",
        "93efa2f097d58c2a74874c7e644dbc9b0cee75a2",
        "base",
        "english",
        APACHE,
    ),
    ModelCard(
        "SmolLM2-360M-Instruct",
        "HuggingFaceTB/SmolLM2-360M-Instruct",
        "a10cc1512eabd3dde888204e902eca88bddb4951",
        "instruct",
        "english",
        APACHE,
    ),
)

# It writes nothing, so no visitor chooses it: three classes of a sentence, for the Chat tab. Apache-2.0.
CLASSIFIER = ModelCard(
    "distilbert-multilingual-sentiments",
    "lxyuan/distilbert-base-multilingual-cased-sentiments-student",
    "cf991100d706c13c0a080c097134c05b7f436c45",
)


def classifier_card(config: Config) -> ModelCard:
    """Return the card of the operator's classifier, or ours."""
    source = config.classifier
    return ModelCard(Path(source).name or source, source) if source else CLASSIFIER


def catalogue(config: Config) -> Mapping[str, ModelCard]:
    """Return key -> card: ours, then the operator's, and the operator's own default where it is neither."""
    cards = {card.key: card for card in CARDS}
    cards |= {key: ModelCard(key, source) for key, source in config.extra_models.items()}
    if config.model and config.model not in {name for card in cards.values() for name in (card.key, card.source)}:
        key = Path(config.model).name or config.model
        cards[key] = ModelCard(key, config.model)
    return cards


def find(name: str, cards: Mapping[str, ModelCard]) -> ModelCard:
    """Return the card of a key, hub id or folder.

    Raises:
        ModelError: there is none.
    """
    for card in cards.values():
        if name in (card.key, card.source):
            return card
    shown = str(name) if len(str(name)) <= 60 else str(name)[:59] + "…"
    raise ModelError("unknown_model", name=shown, known=", ".join(cards))
