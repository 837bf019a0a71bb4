"""What is told of a token: its bytes, its text where it can be seen, and ids read back."""

from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, normalizers
from tokenizers.models import BPE
from tokenizers.processors import TemplateProcessing
from transformers import AutoTokenizer, PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import bytes_to_unicode

from llm_demo.errors import InputError
from llm_demo.tokens import (
    MAX_IDS,
    MAX_MATCHES,
    MAX_QUERY,
    Token,
    apart,
    describe,
    label,
    parse_ids,
    search,
    tokenize,
    visible,
)

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


@pytest.fixture(scope="module")
def with_beginning(sentence_piece) -> PreTrainedTokenizerFast:
    """That tokenizer, with a token of its own before every text."""
    own = Tokenizer.from_str(sentence_piece.backend_tokenizer.to_str())
    own.add_special_tokens(["<s>"])
    begin = own.token_to_id("<s>")
    own.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", begin)])
    return PreTrainedTokenizerFast(tokenizer_object=own, unk_token="<unk>", bos_token="<s>")


# Letters of any script, emoji, white space and control characters; no half of a pair, which no text holds.
ANYTHING = st.text(
    st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("😀👩‍🚀🇪🇸ñ́ \n\t\x00\u202e\ufeff<|>"))
)
THOUSAND = settings(
    max_examples=1_000,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@cache
def vocabulary(tokenizer: PreTrainedTokenizerFast) -> dict[str, int]:
    return tokenizer.get_vocab()


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


@THOUSAND
@given(text=ANYTHING)
def test_the_ids_of_any_text_are_those_of_the_library_below(byte_level, text):
    ids = [token.id for token in tokenize(byte_level, text).tokens]

    assert ids == byte_level.backend_tokenizer.encode(text, add_special_tokens=False).ids


@settings(THOUSAND, max_examples=200)
@given(text=ANYTHING)
def test_ids_lead_to_a_text_and_back_wherever_the_tokenizer_does(byte_level, text):
    ids = byte_level(text, add_special_tokens=False).input_ids
    read = byte_level.decode(parse_ids(" ".join(map(str, ids)), len(byte_level))) if ids else ""

    if byte_level(read, add_special_tokens=False).input_ids == ids:
        assert [token.id for token in tokenize(byte_level, read).tokens] == ids


@settings(THOUSAND, max_examples=200)
@given(text=ANYTHING)
def test_in_any_text_the_spans_follow_each_other_and_leave_out_only_what_is_not_read(byte_level, text):
    known = {byte for byte, piece in bytes_to_unicode().items() if piece in vocabulary(byte_level)}

    found = tokenize(byte_level, text)

    held = {place for start, end in found.spans for place in range(start, end)}
    assert held == {place for place, char in enumerate(text) if known & set(char.encode())}
    assert found.n_unread == len(text) - len(held)
    assert list(found.spans) == sorted(found.spans)


def test_what_the_vocabulary_has_no_byte_for_is_lost(engine):
    found = tokenize(engine.tokenizer, "a\x16b")

    assert [token.text for token in found.tokens] == ["a", "b"]
    assert found.spans == ((0, 1), (2, 3))
    assert (found.n_chars, found.n_unread) == (3, 1)


def test_tokens_of_one_character_share_its_place(tiny_tokenizer):
    assert tokenize(tiny_tokenizer, "a😀b").spans == ((0, 1), (1, 2), (1, 2), (1, 2), (1, 2), (2, 3))


def test_a_space_belongs_to_the_token_that_holds_it(engine):
    found = tokenize(engine.tokenizer, "rojo, azul")

    assert ["rojo, azul"[start:end] for start, end in found.spans] == [token.text for token in found.tokens]


def test_a_text_that_the_tokenizer_changes_keeps_its_own_places(sentence_piece):
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(sentence_piece.backend_tokenizer.to_str()), unk_token="<unk>"
    )
    tokenizer.backend_tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace("A", "a"), normalizers.Replace(" ", "▁")]
    )

    assert tokenize(tokenizer, "A a").spans == ((0, 1), (1, 3))


def test_a_token_that_the_model_adds_is_there_when_asked_for_and_stands_nowhere(with_beginning):
    bare, whole = (tokenize(with_beginning, "a a", special) for special in (False, True))

    assert [token.piece for token in bare.tokens] == ["a", "▁a"]
    assert [token.piece for token in whole.tokens] == ["<s>", "a", "▁a"]
    assert whole.tokens[0].special
    assert whole.spans == ((0, 0), (0, 1), (1, 3))
    assert (bare.n_added, whole.n_added) == (0, 1)


def test_two_tokenizers_part_where_one_has_tokens_that_the_other_has_not(tiny_tokenizer, sentence_piece):
    bytes_alone, pieces = (tokenize(tokenizer, "a a") for tokenizer in (tiny_tokenizer, sentence_piece))

    assert apart(bytes_alone, pieces) == {1, 2}  # the space and the letter, which are one piece over there
    assert apart(pieces, bytes_alone) == {1}
    assert apart(pieces, pieces) == frozenset()


def test_a_character_in_one_piece_is_not_the_same_as_its_bytes(engine, tiny_tokenizer):
    whole, parts = (tokenize(tokenizer, "ñ") for tokenizer in (engine.tokenizer, tiny_tokenizer))

    assert whole.spans[0] == parts.spans[0]
    assert apart(whole, parts) == {0}
    assert apart(parts, whole) == {0, 1}


def test_a_search_finds_pieces_by_what_they_say_the_shortest_first(sentence_piece):
    assert [token.piece for token in search(sentence_piece, "a").tokens] == ["a", "▁a"]
    assert [token.piece for token in search(sentence_piece, " a").tokens] == ["▁a"]
    assert [token.piece for token in search(sentence_piece, "▁").tokens] == ["▁", "▁a"]
    assert [token.piece for token in search(sentence_piece, "<0xF0").tokens] == ["<0xF0>"]
    assert search(sentence_piece, "b").total == 0


@pytest.mark.parametrize("query", ["azul", " esp", "ño", "Ġazul"])
def test_a_search_finds_every_token_that_reads_so_or_is_spelled_so(engine, query):
    tokenizer = engine.tokenizer
    read = {place for place in range(len(tokenizer)) if query in tokenizer.decode([place])}
    spelled = {place for piece, place in tokenizer.get_vocab().items() if query in piece}

    found = search(tokenizer, query)

    assert found.total == len(read | spelled)
    assert {token.id for token in found.tokens} == read | spelled


def test_of_many_matches_the_first_are_shown_and_all_are_counted(engine):
    found = search(engine.tokenizer, "e")

    assert len(found.tokens) == MAX_MATCHES < found.total
    assert found.tokens[0].piece == "e"


@pytest.mark.parametrize(("query", "key"), [("", "empty_query"), ("x" * (MAX_QUERY + 1), "long_query")])
def test_a_search_for_nothing_or_for_too_much_is_refused(engine, query, key):
    with pytest.raises(InputError) as caught:
        search(engine.tokenizer, query)

    assert caught.value.key == key


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


def test_an_id_past_the_vocabulary_is_nothing(tiny_tokenizer):
    known, padding = describe(tiny_tokenizer, [65, 300])

    assert known.piece
    assert (padding.id, padding.piece, padding.text, padding.bytes) == (300, "", "", ())


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
    assert caught.value.values == {"value": named, "last": "99"}


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
