"""Sentiment: a sentence sorted by a language model, through the words it might say, and by a model made to sort."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch

from llm_demo.chat import Message, has_template, render
from llm_demo.config import Config
from llm_demo.engine import Engine
from llm_demo.errors import InputError, ModelError
from llm_demo.models.catalogue import classifier_card
from llm_demo.models.loader import LoadedClassifier, load_classifier
from llm_demo.prompt import literal
from llm_demo.request import check_text
from llm_demo.shelf import Shelf
from llm_demo.startup import Startup

LABELS = ("positive", "negative", "neutral")
CASES: tuple[Callable[[str], str], ...] = (str.upper, str.capitalize, str.lower)


@dataclass(frozen=True, slots=True)
class Spelling:
    """One way to write a word.

    Attributes:
        text: with its leading space, if any.
        token_ids: what it is made of.
        log_prob: natural logarithm of the probability that the model goes on with exactly these tokens, which is
            the sum of theirs.
    """

    text: str
    token_ids: tuple[int, ...]
    log_prob: float


@dataclass(frozen=True, slots=True)
class WordScores:
    """What a language model gives some words as its answer.

    Attributes:
        words: as they were asked for.
        spellings: of each word; no token sequence twice.
        probs: of each word, the sum over its spellings: no two of them can both begin the answer.
    """

    words: tuple[str, ...]
    spellings: tuple[tuple[Spelling, ...], ...]
    probs: tuple[float, ...]

    @property
    def mass(self) -> float:
        """What all the words have together, in [0, 1]; where it is low, the model would say something else."""
        return min(1.0, sum(self.probs))  # rounding may pass 1

    @property
    def shares(self) -> tuple[float, ...]:
        """Of each word among the words alone: they sum to 1. Equal ones where the mass is 0."""
        total = sum(self.probs)
        return tuple(prob / total if total else 1 / len(self.probs) for prob in self.probs)


@dataclass(frozen=True, slots=True)
class ClassScores:
    """What a classifier says of a sentence.

    Attributes:
        names: of its classes, as the model has them; those of `LABELS` in their order.
        probs: of each, the softmax of its logits: they sum to 1.
    """

    names: tuple[str, ...]
    probs: tuple[float, ...]


def check_sentence(sentence: object, config: Config) -> str:
    """Return a sentence without the space around it; InputError where it is blank, or too long to be one."""
    if not isinstance(sentence, str) or not sentence.strip():
        raise InputError("empty_sentence")
    if len(sentence) > config.max_sentence_chars:
        raise InputError("long_prompt", length=len(sentence), limit=config.max_sentence_chars)
    check_text(sentence, config)
    return sentence.strip()


def question(engine: Engine, request: str, cue: str) -> str:
    """Return the prompt after which the model is about to say one of the words.

    Args:
        engine: whose template it goes through, not thinking.
        request: the sentence, and what is wanted.
        cue: what a base model, which answers nobody, is given to continue.
    """
    if has_template(engine.tokenizer):
        return render(engine.tokenizer, [Message("user", request)])
    return literal(engine.tokenizer, f"{request}\n{cue}")


def score_words(engine: Engine, prompt: str, words: Sequence[str]) -> WordScores:
    """Return the exact probability of each word, in capitals, with one or with none, after a space or not.

    Each spelling is tokenized alone; other ways to cut the same letters into tokens are not counted.
    """
    written = [_spellings(engine, word) for word in words]
    scored = iter(engine.batch_log_probs([(prompt, ids) for of_word in written for ids in of_word]))
    spellings = tuple(
        tuple(Spelling(text, ids, sum(next(scored))) for ids, text in of_word.items()) for of_word in written
    )
    probs = tuple(sum(math.exp(one.log_prob) for one in of_word) for of_word in spellings)
    return WordScores(tuple(words), spellings, probs)


def _spellings(engine: Engine, word: str) -> dict[tuple[int, ...], str]:
    """Return token ids -> the text that they spell; of texts that a tokenizer makes the same ids of, the first."""
    texts = [space + case(word) for space in ("", " ") for case in CASES]
    spelled: dict[tuple[int, ...], str] = {}
    for text, ids in zip(texts, engine.tokenizer(texts, add_special_tokens=False).input_ids, strict=True):
        spelled.setdefault(tuple(ids), text)
    return spelled


class Classifier:
    """A model made to sort: read when it is first asked, once for everybody."""

    def __init__(self, engine: Engine) -> None:
        """
        Args:
            engine: whose operator named the model, and in whose thread it computes.
        """
        self._engine = engine
        self._card = classifier_card(engine.config)
        self._shelf: Shelf[Startup[LoadedClassifier]] = Shelf(1)

    @property
    def name(self) -> str:
        """What it is published as."""
        return self._card.published_as

    def classes(self, sentence: str) -> ClassScores:
        """Return the probability of each class.

        Raises:
            ModelError: it cannot be had, or is still on its way after `job_seconds`.
            InputError: a sentence past a bound, or of more tokens than it reads.
        """
        sentence = check_sentence(sentence, self._engine.config)
        loaded = self._loaded()
        encoded = loaded.tokenizer(sentence, return_tensors="pt", split_special_tokens=True)
        count = encoded.input_ids.shape[1]
        if count > loaded.context:
            raise InputError("long_sentence", tokens=count, limit=loaded.context)
        probs = self._engine.call(partial(_classify, loaded, encoded))
        found = [(str(loaded.model.config.id2label[place]), prob) for place, prob in enumerate(probs)]
        found.sort(key=lambda one: LABELS.index(one[0].lower()) if one[0].lower() in LABELS else len(LABELS))
        return ClassScores(tuple(name for name, _ in found), tuple(prob for _, prob in found))

    def _loaded(self) -> LoadedClassifier:
        config = self._engine.config
        start = self._shelf.get("", lambda: Startup(lambda report: load_classifier(self._card, config, report)))
        try:
            return start.result(config.job_seconds)
        except TimeoutError as error:
            raise ModelError("classifier_loading", name=self.name) from error
        except ModelError:
            self._shelf.drop("", start)  # next time the hub may answer
            raise


def _classify(loaded: LoadedClassifier, encoded: dict[str, torch.Tensor]) -> list[float]:
    with torch.inference_mode():
        logits = loaded.model(**{name: ids.to(loaded.model.device) for name, ids in encoded.items()}).logits[0]
    return logits.float().softmax(-1).tolist()
