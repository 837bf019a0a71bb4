"""Sentiment: words scored as a plain forward pass would, classes as transformers' own pipeline gives them."""

import math
import shutil
import threading
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    DistilBertConfig,
    DistilBertForSequenceClassification,
    PreTrainedTokenizerFast,
    pipeline,
)

from llm_demo.config import Config
from llm_demo.errors import InputError, ModelError
from llm_demo.models.catalogue import CLASSIFIER, classifier_card
from llm_demo.sentiment import LABELS, Classifier, check_sentence, question, score_words

SENTENCES = ["la sopa estaba fria", "¡Qué bien!", "x"]
CONTEXT = 24


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A random classifier of three classes, its letters for tokens, as an operator would keep one."""
    folder = tmp_path_factory.mktemp("classifier") / "tiny-classifier"
    letters = "abcdefghijklmnopqrstuvwxyz!¡éó"
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{letter}" for letter in letters)]
    ids = {piece: place for place, piece in enumerate(vocabulary)}
    wordpiece = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    wordpiece.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=False)
    wordpiece.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    wordpiece.post_processor = processors.BertProcessing(("[SEP]", ids["[SEP]"]), ("[CLS]", ids["[CLS]"]))
    PreTrainedTokenizerFast(
        tokenizer_object=wordpiece,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=CONTEXT,
    ).save_pretrained(folder)
    torch.manual_seed(0)
    shape = DistilBertConfig(
        vocab_size=len(vocabulary),
        dim=16,
        hidden_dim=32,
        n_layers=2,
        n_heads=2,
        max_position_embeddings=CONTEXT,
        initializer_range=0.5,
        id2label={0: "neutral", 1: "Positive", 2: "negative"},
    )
    DistilBertForSequenceClassification(shape).save_pretrained(folder)
    return folder


@pytest.fixture
def classifier(make_engine, folder) -> Classifier:
    return Classifier(make_engine(classifier=str(folder), device="cpu"))


def nats(engine, prompt: str, word: str) -> float:
    """Score a word by one plain forward pass over prompt and word."""
    before, after = (engine.tokenizer(text, add_special_tokens=False).input_ids for text in (prompt, word))
    with torch.inference_mode():
        table = engine.model(torch.tensor([before + after])).logits[0].float().log_softmax(-1)
    return sum(table[len(before) + place - 1, token].item() for place, token in enumerate(after))


# --- the model that writes ---


def test_the_probability_of_a_word_is_that_of_a_plain_forward_pass(make_engine):
    engine = make_engine()

    scores = score_words(engine, "Sentimiento:", ["UVA", "MAR"])

    for word, spellings, prob in zip(("UVA", "MAR"), scores.spellings, scores.probs, strict=True):
        expected = {text: nats(engine, "Sentimiento:", text) for text in both_spaces(word)}
        assert {one.text: one.log_prob for one in spellings} == pytest.approx(expected, abs=1e-3)
        assert prob == pytest.approx(sum(map(math.exp, expected.values())), rel=1e-3)


def both_spaces(word: str) -> list[str]:
    return [space + form for space in ("", " ") for form in (word, word.capitalize(), word.lower())]


def test_the_embedded_models_words_are_those_of_a_plain_forward_pass(engine):
    prompt = question(engine, "POSITIVE or NEGATIVE? I love it.", "")

    scores = score_words(engine, prompt, ["POSITIVE", "NEGATIVE"])

    expected = [sum(math.exp(nats(engine, prompt, text)) for text in both_spaces(word)) for word in scores.words]
    assert scores.probs == pytest.approx(expected, rel=1e-2)
    assert prompt.endswith("<|im_start|>assistant\n")


def test_shares_are_the_probabilities_divided_by_their_mass(make_engine):
    scores = score_words(make_engine(), "Sentimiento:", ["A", "B", "C"])

    assert scores.mass == pytest.approx(sum(scores.probs))
    assert scores.shares == pytest.approx([prob / scores.mass for prob in scores.probs])
    assert sum(scores.shares) == pytest.approx(1)


def test_two_spellings_of_the_same_tokens_count_once(make_engine):
    (spellings,) = score_words(make_engine(), "¿2 + 2?", ["42"]).spellings  # digits have no capitals

    assert [one.text for one in spellings] == ["42", " 42"]


def test_a_base_model_is_given_a_cue_to_continue(make_engine):
    assert question(make_engine(), "Frase: x", "Sentimiento:") == "Frase: x\nSentimiento:"


# --- the model that sorts ---


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_classes_are_those_of_transformers_pipeline(classifier, folder, sentence):
    reference = pipeline("text-classification", model=str(folder), top_k=None, device="cpu")

    scores = classifier.classes(sentence)

    (found,) = reference(sentence)
    expected = {one["label"]: one["score"] for one in found}
    assert dict(zip(scores.names, scores.probs, strict=True)) == pytest.approx(expected, abs=1e-6)


def test_the_usual_classes_stand_in_the_order_of_the_words(classifier):
    assert [name.lower() for name in classifier.classes("hola").names] == list(LABELS)


def test_it_is_read_once_for_everybody(make_engine, folder, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(folder, moved)
    classifier = Classifier(make_engine(classifier=str(moved), device="cpu"))
    first = classifier.classes("hola")
    shutil.rmtree(moved)

    found = []
    askers = [threading.Thread(target=lambda: found.append(classifier.classes("hola"))) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()

    assert found == [first] * 4


def test_a_classifier_out_of_reach_is_told_and_asked_again_the_next_time(make_engine, folder, tmp_path):
    late = tmp_path / "late"
    classifier = Classifier(make_engine(classifier=str(late), device="cpu"))

    with pytest.raises(ModelError) as caught:
        classifier.classes("hola")
    shutil.copytree(folder, late)

    assert caught.value.key == "folder"
    assert classifier.classes("hola").names


def test_without_the_hub_ours_is_missing(make_engine, monkeypatch):
    monkeypatch.setattr("llm_demo.models.files.answers", lambda *_: False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    classifier = Classifier(make_engine(device="cpu"))

    with pytest.raises(ModelError) as caught:
        classifier.classes("hola")

    assert caught.value.key == "hub"
    assert classifier.name == "lxyuan/distilbert-base-multilingual-cased-sentiments-student"


def test_a_model_that_writes_is_no_classifier(make_engine, tiny_folder):
    with pytest.raises(ModelError) as caught:
        Classifier(make_engine(classifier=str(tiny_folder), device="cpu")).classes("hola")

    assert caught.value.key == "no_classifier"


def test_a_classifier_that_takes_too_long_is_told(make_engine, monkeypatch, folder):
    gate = threading.Event()
    monkeypatch.setattr("llm_demo.sentiment.load_classifier", lambda *_: gate.wait(60))
    try:
        with pytest.raises(ModelError) as caught:
            Classifier(make_engine(classifier=str(folder), job_seconds=1)).classes("hola")
    finally:
        gate.set()

    assert caught.value.key == "classifier_loading"


def test_a_sentence_of_more_tokens_than_it_reads_is_told(classifier):
    with pytest.raises(InputError) as caught:
        classifier.classes("a " * CONTEXT)

    assert caught.value.key == "long_sentence"
    assert caught.value.values == {"tokens": CONTEXT + 2, "limit": CONTEXT}


# --- what it is asked, and what is asked of it ---


@pytest.mark.parametrize(
    ("sentence", "key"),
    [
        ("", "empty_sentence"),
        (" \n", "empty_sentence"),
        (None, "empty_sentence"),
        (["a"], "empty_sentence"),
        ("a" * 11, "long_prompt"),
        ("a\ud800", "half_character"),
    ],
)
def test_what_is_no_sentence_is_refused(sentence, key):
    with pytest.raises(InputError) as caught:
        check_sentence(sentence, Config(max_sentence_chars=10))

    assert caught.value.key == key


def test_a_sentence_at_the_bound_is_taken_without_the_space_around_it():
    assert check_sentence(" hola mar\n", Config(max_sentence_chars=10)) == "hola mar"


def test_an_operators_classifier_takes_the_place_of_ours():
    assert classifier_card(Config()) is CLASSIFIER
    assert len(CLASSIFIER.revision) == 40
    assert classifier_card(Config(classifier="/a/mine")).key == "mine"
    assert classifier_card(Config(classifier="some/model")).published_as == "some/model"
