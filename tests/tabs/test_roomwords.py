"""What is read in a room: words that fit what happened, and nothing that a student or a page could slip in."""

import re

import pytest

from llm_demo.i18n import translator
from llm_demo.poll import NextToken, Outcome, Row, WhichLetter
from llm_demo.tabs import roomwords

ES, EN = translator("es"), translator("en")
HOSTILE = "<script>alert(1)</script>"


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def tokens(*rows: Row) -> Outcome:
    return Outcome(rows, sum(row.votes for row in rows), "tiny")


FIRST = Row(",", 28, 0, 0.75, 1)


def test_what_most_of_the_class_said_is_told_beside_the_models_first():
    said = text(roomwords.told(tokens(FIRST, Row(" ro", 7, 3, 0.02, 70, ("rojo", "ro"))), EN))

    assert "The likeliest for the model (tiny) is , , with 75.0 %. In the class 0 of 3 said it." in said
    assert "What most of the class said is ·ro (100.0 %). The model gives it 2.0 %: it is its number 70." in said
    assert "«rojo», «ro» ·ro 3 2.0 % 70" in said


def test_agreement_and_silence_have_sentences_of_their_own():
    agreed = tokens(Row(",", 28, 2, 0.75, 1, (",",)))

    assert EN("room.agreed") in roomwords.told(agreed, EN)
    assert EN("room.nobody") in roomwords.told(tokens(FIRST), EN)
    assert "<table" not in roomwords.told(tokens(FIRST), EN)


def test_of_a_letter_it_is_told_who_was_right():
    outcome = Outcome((Row("A", None, 1, 0.4, 2), Row("B", None, 3, 0.6, 1)), 4, "tiny", gold="A", mass=0.5)

    said = text(roomwords.told(outcome, ES))

    assert said.startswith("✓ La respuesta correcta es la A : la eligieron 1 de 4.")
    assert "da más probabilidad a la B : 60,0 % entre las letras. En la clase la eligieron 3 de 4." in said
    assert "puso un 50,0 % en las letras" in said


@pytest.mark.parametrize(
    "html",
    [
        roomwords.sent(HOSTILE, ES),
        roomwords.question(NextToken(HOSTILE, (), HOSTILE), 1, ES),
        roomwords.question(WhichLetter(HOSTILE, (HOSTILE,) * 3, 1, "es", "", "", 0, frozenset()), 1, ES, options=True),
        roomwords.told(tokens(Row(HOSTILE, 3, 1, 0.5, 1, (HOSTILE,))), ES),
        roomwords.told(tokens(FIRST, Row(HOSTILE, 3, 1, 0.5, 2, (HOSTILE,))), ES),
        roomwords.picture(f"https://here/{HOSTILE}", True, ES),
    ],
)
def test_nothing_written_becomes_html(html):
    assert "<script" not in html


def test_of_a_long_text_the_end_is_shown():
    asked = NextToken("a", (), "principio " * 100 + "final")

    shown = text(roomwords.question(asked, 2, ES))

    assert shown.startswith("Pregunta 2")
    assert shown.endswith("principio final ?")
    assert len(shown) < roomwords.TEXT_SHOWN + 60


@pytest.mark.parametrize(
    ("base", "warned"),
    [
        ("http://127.0.0.1:7860/", True),
        ("http://localhost:7860/", True),
        ("http://[::1]:7860/", True),
        ("http://192.168.1.20:7860/", False),
        ("https://somebody-demo.hf.space/", False),
    ],
)
def test_an_address_that_no_other_machine_can_open_is_told(base, warned):
    assert (ES("room.local") in roomwords.invitation(base, "ABCD", 120, ES)) is warned


def test_a_qr_code_is_black_on_white_in_both_themes_and_says_what_it_holds():
    html = roomwords.picture("https://here/?room=ABCD", True, ES)

    assert "<svg" in html
    assert 'fill="#fff"' in html
    assert "https://here/?room=ABCD" in html
    assert "<details" in html
