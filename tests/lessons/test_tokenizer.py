"""The points of the Tokenizer lessons, on the embedded model's tokenizer and on Qwen3's."""

from pathlib import Path

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from llm_demo.i18n import translator
from llm_demo.languages import SENTENCES
from llm_demo.lessons.lesson import find
from llm_demo.lessons.tokenizer import LESSONS
from llm_demo.models.catalogue import CARDS
from llm_demo.tokens import Token, tokenize

QWEN3 = Path(__file__).parents[3] / "shared" / "tokenizers" / "qwen3"
EN = translator("en")


@pytest.fixture(scope="module", params=["embedded", "qwen3"])
def tokenizer(request) -> PreTrainedTokenizerBase:
    if request.param == "embedded":
        return request.getfixturevalue("engine").tokenizer
    if not QWEN3.is_dir():
        pytest.skip("Qwen3's tokenizer is not on this machine")
    return AutoTokenizer.from_pretrained(QWEN3)


def tokens_of(lesson_id: str, tokenizer: PreTrainedTokenizerBase) -> tuple[Token, ...]:
    return tokenize(tokenizer, find(lesson_id, LESSONS).text).tokens


def right(lesson_id: str) -> str:
    lesson = find(lesson_id, LESSONS)
    return lesson.choices(EN)[lesson.right]


def test_the_lessons_are_those_of_the_course():
    assert [lesson.id for lesson in LESSONS] == ["T1", "T2", "T3", "T4", "T5", "T6"]
    known = {card.key for card in CARDS} | {""}
    assert {key for lesson in LESSONS for key in (lesson.model, lesson.other)} <= known


def test_t1_a_comma_is_one_token_and_azul_is_two(tokenizer):
    assert [token.text for token in tokens_of("T1", tokenizer)][-3:] == [",", " az", "ul"]
    assert right("T1") == "No: it is split in two"


def test_t1_has_the_numbers_that_it_tells():
    if not QWEN3.is_dir():
        pytest.skip("Qwen3's tokenizer is not on this machine")

    assert [token.id for token in tokens_of("T1", AutoTokenizer.from_pretrained(QWEN3))][-3:] == [11, 12376, 360]
    assert "11" in find("T1", LESSONS).look(EN)
    assert "12376 and 360" in find("T1", LESSONS).look(EN)


def test_t2_the_letter_is_spelled_with_two_signs_and_a_space_with_one(tokenizer):
    pieces = " ".join(token.piece for token in tokens_of("T2", tokenizer))

    assert "Ã±" in pieces
    assert "Ġ" in pieces
    assert "ñ".encode() == bytes.fromhex("C3 B1")
    assert right("T2").startswith("The two bytes of “ñ”")


def test_t4_hindi_costs_the_most(tokenizer):
    costs = {sentence.code: len(tokenize(tokenizer, sentence.text).tokens) for sentence in SENTENCES}

    assert max(costs, key=costs.get) == "hi"
    assert len(SENTENCES) == 8  # as the question says
    assert right("T4") == "Hindi"


def test_t5_a_letter_after_a_space_and_a_rare_sign_are_several_tokens_that_are_no_characters(tokenizer):
    text = find("T5", LESSONS).text
    found = tokenize(tokenizer, text)
    holding = {
        char: [token for token, (start, end) in zip(found.tokens, found.spans, strict=True) if start <= place < end]
        for place, char in enumerate(text)
    }

    assert [bytes(token.bytes) for token in holding["ñ"]] == [b" \xc3", b"\xb1"]
    assert len(holding["𓂀"]) > 1
    assert all("\ufffd" in token.text for token in holding["𓂀"][-2:])
    assert right("T5").startswith("Yes")
