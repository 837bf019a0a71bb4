"""Embedding: the tokens nearest to one, over the whole vocabulary."""

import pytest
import torch

from llm_demo import embedding
from llm_demo.embedding import cosines, nearest
from llm_demo.errors import InputError


def by_hand(matrix, row):
    """The cosine of the angle between two vectors, one pair at a time."""
    one = matrix[row].double()
    return [float(one @ other / (one.norm() * other.norm())) for other in matrix.double()]


def test_likeness_is_the_cosine_of_the_angle():
    matrix = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0], [-1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])

    assert cosines(matrix, 0).tolist() == pytest.approx([1, 1, 0, -1, 0.5**0.5, 0])


def test_a_matrix_read_in_pieces_is_read_whole(monkeypatch):
    matrix = torch.randn(50, 8, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(embedding, "ROWS", 7)

    assert cosines(matrix, 20).tolist() == pytest.approx(by_hand(matrix, 20), abs=1e-6)


def test_the_nearest_come_first_and_the_token_itself_does_not(make_engine):
    engine = make_engine()
    matrix = engine.model.get_input_embeddings().weight.detach()
    likeness = by_hand(matrix[: len(engine.tokenizer)], 65)
    order = sorted((i for i in range(len(likeness)) if i != 65), key=lambda i: -likeness[i])

    found = nearest(engine, 65, 10)

    assert [one.token.id for one in found] == order[:10]
    assert [one.similarity for one in found] == pytest.approx([likeness[i] for i in order[:10]], abs=1e-6)
    assert [one.token.index for one in found] == list(range(10))


def test_rows_beyond_the_vocabulary_are_no_tokens(make_engine, make_tiny_model):
    model = make_tiny_model()
    with torch.no_grad():
        model.get_input_embeddings().weight[258] = model.get_input_embeddings().weight[65]  # the tokenizer has 257

    assert 258 not in [one.token.id for one in nearest(make_engine(model), 65, 20)]


def test_no_more_are_asked_for_than_there_are(make_engine):
    assert len(nearest(make_engine(), 65, 1_000)) == 256


@pytest.mark.parametrize("token_id", [-1, 257])
def test_a_token_that_is_none_is_refused(make_engine, token_id):
    with pytest.raises(InputError) as caught:
        nearest(make_engine(), token_id, 10)

    assert caught.value.key == "bad_id"


def test_the_embedded_model_keeps_the_spellings_of_a_word_together(engine):
    (que,) = engine.tokenizer(" que", add_special_tokens=False).input_ids

    texts = [one.token.text for one in nearest(engine, que, 10)]

    assert texts[0] == " Que"
    assert {"Que", "que"} <= set(texts)
