"""Two texts word by word: what one has that the other has not, and the token where they part."""

import pytest

from llm_demo.ablation.differences import departure, differences


def told(reference: str, text: str) -> list[tuple[str, str]]:
    return [(piece.text, piece.kind) for piece in differences(reference, text)]


def test_a_word_that_was_changed_is_gone_and_new():
    assert told("Git guarda versiones.", "Git pierde versiones.") == [
        ("Git ", "same"),
        ("guarda", "gone"),
        ("pierde", "new"),
        (" versiones.", "same"),
    ]


def test_words_and_marks_are_compared_whole():
    assert told("ramas", "ramas!") == [("ramas", "same"), ("!", "new")]
    assert told("rama", "ramas") == [("rama", "gone"), ("ramas", "new")]


@pytest.mark.parametrize("text", ["", "a", "  a\n\nb  ", "¿Qué? ¡Sí! 🎉"])
def test_a_text_beside_itself_has_no_differences(text):
    assert told(text, text) == ([(text, "same")] if text else [])


@pytest.mark.parametrize(
    ("reference", "text"), [("a b\nc d", "a x\n\nc"), ("", "a b"), ("a b", ""), ("é é", "e\u0301 é")]
)
def test_the_pieces_put_together_are_the_two_texts(reference, text):
    pieces = differences(reference, text)

    assert "".join(piece.text for piece in pieces if piece.kind != "gone") == text
    assert "".join(piece.text for piece in pieces if piece.kind != "new") == reference


@pytest.mark.parametrize(
    ("reference", "ids", "place"),
    [((1, 2, 3), (1, 9, 3), 1), ((1, 2), (1, 2), None), ((1, 2), (1, 2, 3), 2), ((), (1,), 0), ((1, 2, 3), (1,), 1)],
)
def test_texts_part_at_the_first_token_that_differs(reference, ids, place):
    assert departure(reference, ids) == place
