"""Weighing: the letters' probabilities after a question, which is read once and continued by nothing."""

import math
from collections.abc import Iterator, Sequence

from llm_demo.decoding.feed import Weighed
from llm_demo.engine import Engine
from llm_demo.quiz.prompts import direct_input
from llm_demo.quiz.reply import Reply
from llm_demo.quiz.rows import Question
from llm_demo.quiz.scoring import Ids, LetterScores, averaged, combine, rotated, spelled

LIKELIEST = 13  # ten letters may be among them, and three that are none are worth telling


def weigh(engine: Engine, questions: Sequence[Question], way: str, visitor: str) -> Iterator[tuple[int, Reply]]:
    """Yield (place, reply) of each question, "rotated" after all cyclic orders of its options.

    Args:
        engine: of the model.
        questions: short enough for it.
        way: one of `reply.WEIGHED`.
        visitor: whose questions they are.
    """
    orders = [range(len(question.options) if way == "rotated" else 1) for question in questions]
    variants = [(place, by, rotated(questions[place], by)) for place in range(len(questions)) for by in orders[place]]
    prompts = [direct_input(engine.tokenizer, variant) for *_, variant in variants]
    spellings = [spelled(engine.tokenizer, variant.letters) for *_, variant in variants]
    asked = [(prompt, [ids[0] for ids in _single(letters)]) for prompt, letters in zip(prompts, spellings, strict=True)]
    found: list[dict[int, LetterScores]] = [{} for _ in questions]
    said: dict[int, Weighed] = {}
    for number, weighed in engine.weigh(asked, LIKELIEST, visitor):
        place, by, variant = variants[number]
        nats = _nats(engine, prompts[number], spellings[number], weighed)
        found[place][by] = combine(variant.letters, nats)
        if by == 0:
            said[place] = weighed
        if len(found[place]) == len(orders[place]):
            scores = tuple(found[place][order] for order in orders[place])
            yield place, _reply(engine, questions[place], way, scores, said[place])


def _reply(engine: Engine, question: Question, way: str, orders: tuple[LetterScores, ...], weighed: Weighed) -> Reply:
    scores = averaged(orders) if way == "rotated" else orders[0]
    likeliest = tuple((engine.tokenizer.decode([token]), math.exp(nats)) for token, nats in weighed.likeliest)
    read = len(engine.encode(direct_input(engine.tokenizer, question)))
    kept = orders if way == "rotated" else ()
    return Reply(question, way, scores.best, scores, kept, likeliest, finish="stop", prompt_tokens=read)


def _single(spellings: Sequence[tuple[Ids, ...]]) -> list[Ids]:
    return [ids for letter in spellings for ids in letter if len(ids) == 1]


def _nats(engine: Engine, prompt: str, spellings: Sequence[tuple[Ids, ...]], weighed: Weighed) -> list[list[float]]:
    """Return what each spelling of each letter got; one of several tokens is scored apart."""
    known = dict(zip(_single(spellings), weighed.log_probs, strict=True))
    others = [ids for letter in spellings for ids in letter if len(ids) > 1]
    scored = engine.batch_log_probs([(prompt, ids) for ids in others]) if others else []
    known |= {ids: sum(nats) for ids, nats in zip(others, scored, strict=True)}
    return [[known[ids] for ids in letter] for letter in spellings]
