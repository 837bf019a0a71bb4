"""The sentence in several languages: each once, in its own letters."""

import unicodedata

import pytest

from llm_demo.languages import SENTENCES

SCRIPTS = {"zh": "CJK", "ar": "ARABIC", "hi": "DEVANAGARI"}


def test_every_language_comes_once():
    assert {"es", "en", "eu", "ca", "zh", "ar", "hi"} <= {sentence.code for sentence in SENTENCES}
    assert len({sentence.code for sentence in SENTENCES}) == len({sentence.text for sentence in SENTENCES})
    assert len({sentence.name for sentence in SENTENCES}) == len(SENTENCES)


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence.code)
def test_name_and_sentence_are_written_in_the_letters_of_the_language(sentence):
    letters = {unicodedata.name(c).split()[0] for c in sentence.name + sentence.text if c.isalpha()}

    assert letters == {SCRIPTS.get(sentence.code, "LATIN")}


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence.code)
def test_a_sentence_is_one_sentence_in_one_spelling(sentence):
    assert sentence.text == unicodedata.normalize("NFC", sentence.text).strip()
    assert sentence.text.endswith((".", "。", "।"))
