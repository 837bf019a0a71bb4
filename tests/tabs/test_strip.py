"""The strip of tokens: safe HTML, and an index from a browser that nobody trusts."""

import math
from html.parser import HTMLParser

import gradio as gr
import pytest

from llm_demo.i18n import translator
from llm_demo.tabs.strip import Chip, chips, place_of, render
from llm_demo.tokens import Token
from llm_demo.trace import Candidate, Step

ES = translator("es")
HOSTILE = '"><img src=x onerror="window.hacked=1"><b>bold</b>'


class Elements(HTMLParser):
    """What a browser would make of a piece of HTML: its elements, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.made: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.made.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def buttons(self) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.made if tag == "button"]


def token(text: str, index: int = 0, special: bool = False) -> Token:
    return Token(index=index, id=index + 100, piece=text, text=text, bytes=tuple(text.encode()), special=special)


def step(text: str, raw_prob: float) -> Step:
    chosen = Candidate(100, text, raw_prob, 1.0)
    return Step(chosen=chosen, top=(chosen,), draw=None, entropy=0.0, log_prob=math.log(raw_prob))


def draw(*texts: str, selected: int | None = None) -> Elements:
    shown = [Chip(token(text, index)) for index, text in enumerate(texts)]
    return Elements(render(shown, ES, selected))


@pytest.mark.parametrize("special", [False, True])
def test_html_in_a_token_is_text(special):
    made = Elements(render([Chip(token(HOSTILE, special=special), 0.5)], ES))

    assert {tag for tag, _ in made.made} <= {"div", "button", "i"}
    assert made.text.replace("·", " ") == HOSTILE


def test_html_in_the_sentence_for_no_tokens_is_text():
    made = Elements(render([], ES, empty=HOSTILE))

    assert [tag for tag, _ in made.made] == ["p"]
    assert made.text == HOSTILE


def test_every_token_is_a_button_with_its_place_and_id():
    buttons = draw("a", "b").buttons()

    assert [button["data-i"] for button in buttons] == ["0", "1"]
    assert [button["title"] for button in buttons] == ["Token 1 · id 100", "Token 2 · id 101"]


def test_only_the_selected_token_is_pressed_and_reached_by_the_tab_key():
    buttons = draw("a", "b", "c", selected=1).buttons()

    assert [button["aria-pressed"] for button in buttons] == ["false", "true", "false"]
    assert buttons[1]["tabindex"] == "0"
    assert buttons[2]["tabindex"] == "-1"


def test_a_strip_without_a_selection_is_entered_at_its_first_token():
    assert [button["tabindex"] for button in draw("a", "b").buttons()] == ["0", "-1"]


def test_whitespace_can_be_seen():
    assert draw(" a", "\n", "\tb").text == "·a↵⇥b"


def test_a_line_break_breaks_the_line_and_many_break_two():
    assert [tag for tag, _ in draw("a\n").made].count("br") == 1
    assert [tag for tag, _ in draw("\n\n\n\n").made].count("br") == 2


def test_a_token_that_is_no_whole_character_shows_its_bytes_and_says_so():
    half = Token(index=0, id=1, piece="Ã", text="\ufffd", bytes=(0xC3,), special=False)

    made = Elements(render([Chip(half)], ES))

    assert made.text == "C3"
    assert made.buttons()[0]["title"].endswith("bytes: no es un carácter completo")


def test_a_scored_token_tells_the_probability_that_the_model_gave_it():
    shown = chips([token("a")], [step("a", 0.25)])

    button = Elements(render(shown, ES)).buttons()[0]

    assert button["title"] == "Token 1 · id 100 · 25,0 %"
    assert button["style"] == "--p:0.2500"


def test_tokens_without_steps_have_no_probability():
    assert chips([token("a"), token("b")]) == [Chip(token("a")), Chip(token("b"))]


def test_tokens_and_steps_of_different_number_are_a_mistake():
    with pytest.raises(ValueError, match="zip"):
        chips([token("a"), token("b")], [step("a", 0.5)])


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"index": 0}, 0),
        ({"index": 2}, 2),
        ({"index": 3}, 2),
        ({"index": 10**400}, 2),
        ({"index": -1}, 0),
        ({"index": "1"}, 0),
        ({"index": 1.5}, 0),
        ({"index": math.nan}, 0),
        ({"index": None}, 0),
        ({"index": [1]}, 0),
        ({}, 0),
        (None, 0),
        ([1], 0),
        ("1", 0),
    ],
)
def test_a_click_is_brought_into_the_strip(data, place):
    assert place_of(gr.EventData(None, data), 3) == place


def test_a_click_on_an_empty_strip_is_its_beginning():
    assert place_of(gr.EventData(None, {"index": 5}), 0) == 0
