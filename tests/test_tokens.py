"""What is told of a token: its bytes, its text where it can be seen, and ids read back."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, normalizers
from tokenizers.models import BPE
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from llm_demo.errors import InputError
from llm_demo.tokens import MAX_IDS, Token, describe, label, parse_ids, tokenize, visible

QWEN3 = Path(__file__).parents[2] / "shared" / "tokenizers" / "qwen3"
TEXTS = [
    "Lista de colores: rojo, azul",
    "¡Año nuevo! ñandú, pingüino",
    "😀 👩‍👩‍👧 🇪🇸 é e\u0301",
    "日本語 العربية हिन्दी",
    " \n\t\r\n  two  spaces\u00a0and no-break ",
    "<b>bold</b> &amp; \"quotes\" 'too'",
    "\x00\x07\u200b\u202e\ufeff",
    "naïve — “quotes” … €",
]


@pytest.fixture(scope="module", params=["embedded", "one token a byte", "qwen3"])
def byte_level(request) -> PreTrainedTokenizerFast:
    if request.param == "one token a byte":
        return request.getfixturevalue("tiny_tokenizer")
    if request.param == "embedded":
        return request.getfixturevalue("engine").tokenizer
    if not QWEN3.is_dir():
        pytest.skip("Qwen3's tokenizer is not on this machine")
    return AutoTokenizer.from_pretrained(QWEN3)


@pytest.fixture(scope="module")
def sentence_piece() -> PreTrainedTokenizerFast:
    """A tokenizer in the manner of SentencePiece: "▁" for a space, "<0xF0>" for a byte that no piece covers."""
    pieces = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "a", "▁a"]
    model = BPE(
        vocab={piece: place for place, piece in enumerate(pieces)},
        merges=[("▁", "a")],
        unk_token="<unk>",
        byte_fallback=True,
    )
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>")


def token(text: str, data: bytes = b"", special: bool = False) -> Token:
    return Token(index=0, id=1, piece=text, text=text, bytes=tuple(data or text.encode()), special=special)


def joined(tokens) -> bytes:
    return bytes(byte for one in tokens for byte in one.bytes)


@pytest.mark.parametrize("text", TEXTS)
def test_the_bytes_of_all_tokens_are_those_of_the_text(byte_level, text):
    normalizer = byte_level.backend_tokenizer.normalizer  # Qwen3's makes a letter and its accent one character
    read = normalizer.normalize_str(text) if normalizer else text

    assert joined(tokenize(byte_level, text).tokens) == read.encode()


@pytest.mark.parametrize("text", TEXTS)
def test_the_ids_are_the_tokenizers_own(byte_level, text):
    tokens = tokenize(byte_level, text).tokens

    assert [token.id for token in tokens] == byte_level(text, add_special_tokens=False).input_ids
    assert [token.index for token in tokens] == list(range(len(tokens)))


def test_characters_and_bytes_are_counted_apart(byte_level):
    found = tokenize(byte_level, "año 😀")

    assert (found.n_chars, found.n_bytes) == (5, 9)


def test_half_an_emoji_is_no_character_and_its_bytes_are_known(tiny_tokenizer):
    tokens = tokenize(tiny_tokenizer, "😀").tokens

    assert [token.text for token in tokens] == ["\ufffd"] * 4
    assert [token.bytes for token in tokens] == [(0xF0,), (0x9F,), (0x98,), (0x80,)]


def test_pieces_with_their_own_sign_for_a_space_have_the_bytes_of_a_space(sentence_piece):
    tokens = tokenize(sentence_piece, "a a😀").tokens

    assert [token.piece for token in tokens] == ["a", "▁a", "<0xF0>", "<0x9F>", "<0x98>", "<0x80>"]
    assert joined(tokens) == "a a😀".encode()


def test_a_control_token_spelled_out_is_read_as_one(engine):
    tokens = tokenize(engine.tokenizer, "<|im_start|>user").tokens

    assert [(token.piece, token.special) for token in tokens] == [("<|im_start|>", True), ("user", False)]
    assert joined(tokens) == b"<|im_start|>user"


def test_ids_alone_are_described_like_those_of_a_text(engine):
    tokens = tokenize(engine.tokenizer, "rojo, azul").tokens

    assert tuple(describe(engine.tokenizer, [token.id for token in tokens])) == tokens


def test_no_ids_are_no_tokens(engine):
    assert describe(engine.tokenizer, []) == []


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("5", [5]),
        ("5 6", [5, 6]),
        ("5,6", [5, 6]),
        ("[5, 6]", [5, 6]),
        (" (5;6)\n7\t", [5, 6, 7]),
        ("0 99", [0, 99]),
        ("007", [7]),
        (",,5,,6,,", [5, 6]),
    ],
)
def test_ids_are_read_however_they_are_separated(text, ids):
    assert parse_ids(text, vocab_size=100) == ids


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("100", "100"),
        ("5 100", "100"),
        ("-1", "-1"),
        ("+1", "+1"),
        ("1.5", "1.5"),
        ("1e1", "1e1"),
        ("0x10", "0x10"),
        ("five", "five"),
        ("٣", "٣"),
        ("²", "²"),
        ("9" * 5000, "9" * 40),
        ("<b>bold</b>", "<b>bold</b>"),
    ],
)
def test_what_is_no_id_of_the_vocabulary_is_named(text, named):
    with pytest.raises(InputError) as caught:
        parse_ids(text, vocab_size=100)

    assert caught.value.key == "bad_id"
    assert caught.value.values == {"value": named, "last": 99}


@pytest.mark.parametrize("text", ["", "   ", ", ,", "[]", "\n"])
def test_no_ids_at_all_are_told_apart(text):
    with pytest.raises(InputError) as caught:
        parse_ids(text, vocab_size=100)

    assert caught.value.key == "empty_ids"


def test_more_ids_than_fit_are_refused():
    assert len(parse_ids("1 " * MAX_IDS, vocab_size=100)) == MAX_IDS

    with pytest.raises(InputError) as caught:
        parse_ids("1 " * (MAX_IDS + 1), vocab_size=100)

    assert caught.value.key == "many_ids"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a b", "a·b"),
        ("a\nb\r\n", "a↵b␍↵"),
        ("\t", "⇥"),
        ("\u00a0", "⍽"),
        ("", "∅"),
        ("\x00", "⟨0⟩"),
        ("\u200b", "⟨200B⟩"),
        ("\u202e", "⟨202E⟩"),
        ("ñ😀日", "ñ😀日"),
        ("<b>", "<b>"),
    ],
)
def test_signs_stand_for_what_cannot_be_seen(text, shown):
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (token(" azul"), "·azul"),
        (token("\ufffd", b"\xf0\x9f"), "F0 9F"),
        (token("<|im_end|>", special=True), "<|im_end|>"),
    ],
)
def test_a_token_is_labelled_with_its_text_or_else_its_bytes(shown, expected):
    assert label(shown) == expected
