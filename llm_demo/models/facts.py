"""Facts: what a model's configuration tells of it, its weights left alone."""

from dataclasses import dataclass

from transformers import GenerationConfig, PreTrainedConfig, PreTrainedModel

from llm_demo.errors import ModelError
from llm_demo.models.catalogue import ModelCard
from llm_demo.models.loader import outline

# What of a generation_config changes the text that `generate` writes; the ids end or begin it.
# Source: https://huggingface.co/docs/transformers/main_classes/text_generation#transformers.GenerationConfig
DECODING = (
    *("do_sample", "temperature", "top_k", "top_p", "min_p", "typical_p", "repetition_penalty"),
    *("no_repeat_ngram_size", "num_beams", "length_penalty", "max_length", "max_new_tokens"),
    *("bos_token_id", "eos_token_id", "pad_token_id"),
)
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True, slots=True)
class Facts:
    """A model in numbers.

    Attributes:
        architecture: the class of transformers that runs it.
        parameters: all of its numbers, a matrix that serves twice counted once.
        embedding: those of them in the embedding of its vocabulary.
        tied: whether the embedding serves as the output head too.
        layers: how many.
        heads: of attention, in each layer.
        kv_heads: keys and values that these heads share.
        hidden_size: numbers that stand for a token between two layers.
        context: tokens that it can read; None where it does not tell.
        vocabulary: rows of its embedding; the tokenizer may use fewer.
        number_format: of its published weights; empty where it does not tell.
        defaults: (name, value) of what its generation_config sets, in the order of `DECODING`.
    """

    architecture: str
    parameters: int
    embedding: int
    tied: bool
    layers: int
    heads: int
    kv_heads: int
    hidden_size: int
    context: int | None
    vocabulary: int
    number_format: str
    defaults: tuple[tuple[str, str], ...]


def facts(card: ModelCard, config: PreTrainedConfig, generation: GenerationConfig) -> Facts:
    """Return what a configuration tells; its parameters are counted on a model without memory.

    Raises:
        ModelError: the configuration is none of a model that writes texts.
    """
    try:
        model = outline(config)
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise ModelError("no_config", name=card.key) from error
    text = config.get_text_config()
    embedding = model.get_input_embeddings().weight
    head = model.get_output_embeddings()
    return Facts(
        architecture=type(model).__name__,
        parameters=model.num_parameters(),
        embedding=embedding.numel(),
        tied=head is not None and head.weight is embedding,
        layers=text.num_hidden_layers,
        heads=text.num_attention_heads,
        kv_heads=getattr(text, "num_key_value_heads", None) or text.num_attention_heads,
        hidden_size=text.hidden_size,
        context=getattr(text, "max_position_embeddings", None),
        vocabulary=text.vocab_size,
        number_format=str(config.dtype or "").removeprefix("torch."),
        defaults=tuple(
            (name, _shown(value)) for name in DECODING if (value := getattr(generation, name, None)) is not None
        ),
    )


def weigh(model: PreTrainedModel) -> int:
    """Return the bytes that a loaded model's weights take in memory, those laid out for the processor included."""
    tensors = (*model.parameters(), *model.buffers())
    packed = (getattr(module, "packed_bytes", 0) for module in model.modules())
    return sum(tensor.nbytes for tensor in tensors) + sum(packed)


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
