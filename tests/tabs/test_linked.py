"""The text, chips and rows of a tokenization: bounded, safe, and tied together by their places."""

import re
from html import unescape

import pytest

from llm_demo.i18n import translator
from llm_demo.tabs.linked import SHOWN, View, compare, render
from llm_demo.tokens import tokenize

EN = translator("en")


def places(html: str) -> list[tuple[int, int]]:
    return [(int(start), int(end)) for start, end in re.findall(r'data-s="(\d+)" data-e="(\d+)"', html)]


@pytest.fixture
def draw(tiny_tokenizer):
    def drawn(text: str, rows: bool = True) -> str:
        return render(text, [View("tiny", tokenize(tiny_tokenizer, text))], EN, rows)

    return drawn


def test_every_token_has_a_chip_a_row_and_a_place(draw):
    html = draw("abc")

    assert len(re.findall("<button", html)) == len(re.findall("<tr data-i", html)) == 3
    assert places(html) == [(0, 1), (1, 2), (2, 3)]
    assert 'data-spans="[[0, 1], [1, 2], [2, 3]]"' in html


def test_tokens_of_one_character_share_one_place(draw):
    assert places(draw("a😀")) == [(0, 1), (1, 2)]


def test_a_long_text_is_drawn_in_part_and_counted_whole(draw):
    html = draw("a" * (SHOWN + 1))

    assert len(re.findall("<button", html)) == len(places(html)) == SHOWN
    assert f"The first {SHOWN} tokens are shown; the totals count all {SHOWN + 1}." in html


def test_rows_may_be_left_out(draw):
    assert "<table" not in draw("abc", rows=False)


def test_markup_is_text_wherever_it_comes(draw, tiny_tokenizer):
    html = render('<b>"', [View("<i>", tokenize(tiny_tokenizer, '<b>"'))], EN)

    assert "<b>&quot;" not in html
    assert "<i>" not in html.replace('<i class="ws">', "")
    assert "&lt;" in html


def test_line_breaks_and_control_characters_can_be_seen_in_the_text(draw):
    passage = re.search(r'class="passage".*?</div>', draw("a\n\x00"), re.DOTALL)[0]

    assert '<i class="ws">↵</i>\n' in passage
    assert "⟨0⟩" in passage


def test_what_only_one_of_two_has_is_marked_in_both(engine, tiny_tokenizer):
    founds = [tokenize(tokenizer, "ñ") for tokenizer in (engine.tokenizer, tiny_tokenizer)]

    html = render("ñ", compare(["one", "other"], founds), EN)

    assert html.count("noted") == 3
    assert unescape(html).count("the other tokenizer cuts differently here") == 3


def test_one_tokenizer_alone_has_nothing_marked(draw):
    assert "noted" not in draw("ñ")
