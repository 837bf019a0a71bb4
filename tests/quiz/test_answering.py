"""Answers of real models: the letters' probabilities beside transformers' own, and what is written."""

import math
from types import SimpleNamespace

import pytest
import torch

from llm_demo.quiz.answering import answer
from llm_demo.quiz.cot import cot_prompt
from llm_demo.quiz.prompts import direct_input
from llm_demo.quiz.rows import Question
from llm_demo.quiz.shots import Shots
from llm_demo.trace import Candidate, Step

NO_SHOTS = Shots("", ())
QUESTION = Question(1, "en", "math", "How much is 2 + 2?", ("3", "4", "5"), "B", "by-hand")
OTHER = Question(2, "es", "history", "¿Qué fue antes?", ("Roma", "París", "Ur", "Oslo"), "C", "by-hand")


def ask(engine, questions, way):
    """Return the last reply to each question."""
    return dict(answer(engine, questions, way, NO_SHOTS))


def reference(engine, question) -> dict[str, float]:
    """Return the probability of each letter by transformers alone, over the whole vocabulary."""
    ids = engine.tokenizer(direct_input(engine.tokenizer, question), return_tensors="pt").input_ids
    probs = engine.call(lambda: engine.model(ids).logits[0, -1].softmax(-1))
    spellings = [[engine.tokenizer.convert_tokens_to_ids(text) for text in (letter, f"Ġ{letter}")] for letter in "ABCD"]
    return {letter: float(probs[torch.tensor(ids)].sum()) for letter, ids in zip("ABCD", spellings, strict=True)}


@pytest.mark.parametrize("question", [QUESTION, OTHER])
def test_letters_weigh_what_transformers_gives_them(engine, question):
    (reply,) = ask(engine, [question], "direct").values()
    expected = reference(engine, question)
    mass = sum(expected[letter] for letter in question.letters)

    assert reply.scores.mass == pytest.approx(mass, rel=1e-3)
    assert reply.scores.probs == pytest.approx([expected[letter] / mass for letter in question.letters], abs=1e-4)
    assert reply.letter == max(question.letters, key=expected.get)
    assert reply.finish == "stop"
    assert len(reply.likeliest) == 13
    assert reply.prompt_tokens == len(engine.encode(direct_input(engine.tokenizer, question)))


def test_questions_asked_together_get_what_each_gets_alone(engine):
    together = ask(engine, [QUESTION, OTHER], "direct")

    assert together == {0: ask(engine, [QUESTION], "direct")[0], 1: ask(engine, [OTHER], "direct")[0]}


def test_letters_of_several_tokens_are_scored_as_a_whole(make_engine):
    engine = make_engine()  # a token a byte: " A" is two
    (reply,) = ask(engine, [QUESTION], "direct").values()
    prompt = direct_input(engine.tokenizer, QUESTION)

    mass = sum(math.exp(sum(engine.log_probs(prompt, text))) for text in ("A", " A", "B", " B", "C", " C"))

    assert reply.scores.mass == pytest.approx(mass, rel=1e-4)


def test_two_tokens_are_the_first_two_of_greedy_decoding(engine):
    (reply,) = ask(engine, [QUESTION], "two_tokens").values()
    ids = engine.tokenizer(direct_input(engine.tokenizer, QUESTION), return_tensors="pt").input_ids
    written = engine.call(lambda: engine.model.generate(ids, do_sample=False, max_new_tokens=2))

    assert reply.text == engine.tokenizer.decode(written[0, ids.shape[1] :], skip_special_tokens=True)
    assert (reply.new_tokens, reply.finish, reply.scores) == (2, "length", None)


def test_a_chain_of_thought_grows_and_is_cut_at_its_length(make_engine):
    engine = make_engine(max_new_tokens=40)

    replies = [reply for _, reply in answer(engine, [QUESTION], "cot_0", NO_SHOTS)]

    assert [reply.finish for reply in replies[:-1]] == [""] * (len(replies) - 1)
    assert len(replies) > 3
    assert (replies[-1].finish, replies[-1].new_tokens) == ("length", 40)
    assert replies[-1].prompt_tokens == len(engine.encode(cot_prompt(engine.tokenizer, QUESTION)))


class Parrot:
    """An engine that writes what it is told to, a token a letter, and ends with the token 0 where that is in it."""

    loaded = SimpleNamespace(stop_ids=frozenset({0}), context=10_000)
    config = SimpleNamespace(max_new_tokens=100)

    class tokenizer:  # noqa: N801 - it stands for an object
        chat_template = None

        @staticmethod
        def decode(ids, skip_special_tokens=True):
            return "".join(chr(id_) for id_ in ids if id_)

    def __init__(self, text: str) -> None:
        self.text = text

    def encode(self, prompt):
        return tuple(range(len(prompt)))

    def stream_many(self, requests, top_k, visitor):
        for letter in self.text:
            yield SimpleNamespace(row=0, event=step(ord(letter)))


def step(token_id: int) -> Step:
    candidate = Candidate(token_id, chr(token_id), 1.0, 1.0)
    return Step(candidate, (candidate,), None, 0.0, 0.0)


@pytest.mark.parametrize(
    ("text", "letter", "finish", "shown"),
    [
        ("Es Ur. La respuesta es (C).", "C", "answered", "Es Ur. La respuesta es (C)."),
        ("Es Ur. La respuesta es (C).\0", "C", "stop", "Es Ur. La respuesta es (C)."),
        ("Pregunta:", None, "cut", ""),
        ("Es Ur.\nPregunta:", None, "cut", "Es Ur.\n"),
        ("No lo sé.\0", None, "stop", "No lo sé."),
        ("x" * 100, None, "length", "x" * 100),
    ],
)
def test_how_a_chain_of_thought_ended_is_told(text, letter, finish, shown):
    reply = ask(Parrot(text), [OTHER], "cot_0")[0]

    assert (reply.letter, reply.finish, reply.text) == (letter, finish, shown)
    assert reply.strict == letter


def test_a_chain_of_thought_past_its_seconds_keeps_what_was_written(make_engine, watch):
    watched = watch(held=True)
    engine = make_engine(watched.model, job_seconds=0.5)
    watched.allow(12)

    *_, (_, reply) = answer(engine, [QUESTION], "cot_0", NO_SHOTS)

    assert reply.finish == "time"
    assert reply.new_tokens < 40


def test_a_question_too_long_for_the_model_is_told_at_once_and_the_others_answered(make_engine):
    engine = make_engine()
    long = Question(3, "en", "math", "x" * 2_000, ("3", "4", "5"), "B", "by-hand")

    replies = ask(engine, [long, QUESTION], "direct")

    assert (replies[0].finish, replies[0].letter) == ("long", None)
    assert replies[1].scores is not None
