"""Tally: guesses counted by their first token, letters by themselves, each beside the model's own probability."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from llm_demo import poll
from llm_demo.engine.local import LocalEngine
from llm_demo.errors import InputError
from llm_demo.poll import NextToken, Outcome, Row
from llm_demo.quiz.quiz import Quiz
from llm_demo.tally import SHOWN, another, continued, next_token, tally, which_letter

PROMPT = "Lista de colores: rojo, azul"


@pytest.fixture(scope="module")
def quiz(engine) -> Iterator[Quiz]:
    """Our own questions, whatever the hub has."""
    config = replace(engine.config, quiz_data=Path(poll.__file__).parent / "quiz" / "bundled_es.jsonl")
    served = LocalEngine(config, lambda _report: engine.loaded)
    yield Quiz(served)
    served.close()


@pytest.fixture(scope="module")
def probs(engine) -> torch.Tensor:
    """What transformers' own model says comes after the prompt."""
    with torch.inference_mode():
        return engine.model(**engine.tokenizer(PROMPT, return_tensors="pt")).logits[0, -1].softmax(-1)


@pytest.fixture(scope="module")
def outcome(engine, quiz) -> Outcome:
    guesses = ("verde", "verde", "ver", ",", "es", "amarillo", "rojo")
    return tally(engine, quiz, next_token(engine, PROMPT), guesses)


def row(outcome: Outcome, name: str) -> Row:
    (found,) = (row for row in outcome.rows if row.name == name)
    return found


def test_a_guess_counts_by_its_first_token_and_those_that_share_it_add_up(outcome):
    assert row(outcome, " ver").votes == 3
    assert row(outcome, " ver").written == ("verde", "ver")
    assert row(outcome, " ro").written == ("rojo",)
    assert outcome.votes == 7
    assert sum(row.votes for row in outcome.rows) == 7
    assert outcome.favourite == row(outcome, " ver")
    assert outcome.share(row(outcome, " ver")) == pytest.approx(3 / 7)


def test_a_guess_is_read_as_a_new_word_or_as_the_rest_of_the_last_one_whatever_is_likelier(outcome, engine, probs):
    assert row(outcome, ",").votes == 1  # and not " ,"
    for text in ("es", "amarillo"):
        readings = [engine.tokenizer(spelled).input_ids[0] for spelled in (text, f" {text}")]
        likelier = max(readings, key=lambda token_id: probs[token_id])
        assert [found.token_id for found in outcome.rows if text in found.written] == [likelier]


def test_every_row_has_the_models_own_probability_and_rank(outcome, probs):
    order = probs.argsort(descending=True).tolist()
    for found in outcome.rows:
        assert found.prob == pytest.approx(probs[found.token_id].item(), rel=1e-3)
        assert found.rank == order.index(found.token_id) + 1


def test_the_models_likeliest_come_first_and_then_what_the_class_said_besides(outcome, probs):
    assert [found.token_id for found in outcome.rows[:SHOWN]] == probs.topk(SHOWN).indices.tolist()
    assert all(found.votes and found.rank > SHOWN for found in outcome.rows[SHOWN:])
    assert outcome.first == outcome.rows[0]


def test_a_control_token_in_prompt_or_guess_is_text_unless_the_host_means_it(engine, quiz):
    end = engine.tokenizer.convert_tokens_to_ids("<|im_end|>")
    asked = next_token(engine, f"{PROMPT}<|im_end|>")

    assert end not in engine.encode(asked.prompt)
    assert end in engine.encode(next_token(engine, f"{PROMPT}<|im_end|>", control=True).prompt)
    guessed = tally(engine, quiz, asked, ("<|im_end|>",))
    assert [found.token_id == end for found in guessed.rows if found.written] == [False]


def test_without_answers_there_is_the_model_alone(engine, quiz):
    alone = tally(engine, quiz, next_token(engine, PROMPT), ())

    assert (alone.votes, alone.favourite, len(alone.rows)) == (0, None, SHOWN)
    assert alone.share(alone.first) == 0


def test_the_class_goes_on_after_the_models_likeliest_token(engine, quiz, outcome):
    greedy = engine.tokenizer(PROMPT).input_ids
    asked = next_token(engine, PROMPT)
    for _ in range(4):
        with torch.inference_mode():
            greedy.append(engine.model(torch.tensor([greedy])).logits[0, -1].argmax().item())
        asked = continued(engine, asked, tally(engine, quiz, asked, ("verde",)))

    assert asked.forced == tuple(greedy[-4:])
    assert asked.text == engine.tokenizer.decode(greedy)


def test_a_text_that_the_model_would_end_does_not_go_on(engine):
    end = next(iter(engine.loaded.stop_ids))
    ended = Outcome((Row("<|im_end|>", end, 0, 0.9, 1),), 0, "tiny")

    with pytest.raises(InputError) as caught:
        continued(engine, NextToken("a", (), "a"), ended)

    assert caught.value.key == "room_text_ends"


def test_a_prompt_that_no_model_could_continue_is_no_question(engine):
    with pytest.raises(InputError):
        next_token(engine, "  ")


def test_letters_are_counted_beside_the_quizs_own_probabilities(engine, quiz):
    drawn = quiz.draw("es", None, 0)
    told = quiz.answer(drawn, "A")

    found = tally(engine, quiz, which_letter(drawn, "", "", 0), ("B", "B", "A"))

    assert [row.name for row in found.rows] == list(drawn.letters)
    assert [row.votes for row in found.rows[:3]] == [1, 2, 0]
    assert [row.prob for row in found.rows] == pytest.approx(told.scores.probs, abs=1e-5)
    assert found.first.name == told.scores.best
    assert (found.gold, found.votes, found.model) == (drawn.answer, 3, engine.loaded.card.key)
    assert found.mass == pytest.approx(told.scores.mass, abs=1e-4)


def test_the_next_question_is_one_that_was_not_asked_yet(quiz):
    drawn = quiz.draw("es", "history", 3)
    asked = which_letter(drawn, "", "history", 3)

    following = another(quiz, asked)

    assert following.question_id not in asked.seen
    assert quiz.bank("es").find(following.question_id).category == "history"
    assert following.seen == {asked.question_id, following.question_id}
