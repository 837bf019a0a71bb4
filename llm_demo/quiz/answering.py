"""Answering: some questions put to a model together, in any of the ways."""

from collections.abc import Iterator, Sequence

from llm_demo.engine import Engine
from llm_demo.errors import InputError
from llm_demo.quiz.prompts import direct_input
from llm_demo.quiz.reply import REASONED, WEIGHED, Reply
from llm_demo.quiz.rows import Question
from llm_demo.quiz.shots import Shots
from llm_demo.quiz.weighing import weigh
from llm_demo.quiz.writing import TWO, write, written_input

LEAST_WRITTEN = 64  # tokens that a chain of thought needs room for


def answer(
    engine: Engine, questions: Sequence[Question], way: str, shots: Shots, visitor: str = ""
) -> Iterator[tuple[int, Reply]]:
    """Yield (place among the questions, reply) as the replies come and grow; the last of each has a `finish`.

    A question too long for the model has it at once: "long".

    Args:
        engine: of the model, within the quiz's bounds.
        questions: few: see `reply.WAYS`.
        way: a key of `reply.WAYS`.
        shots: worked examples for "cot_5".
        visitor: whose questions they are; one visitor's are answered one after another.
    """
    places = []
    for place, question in enumerate(questions):
        if _fits(engine, question, way, shots):
            places.append(place)
        else:
            yield place, Reply(question, way, finish="long")
    fitting = [questions[place] for place in places]
    if not fitting:
        return
    replies = weigh(engine, fitting, way, visitor) if way in WEIGHED else write(engine, fitting, way, shots, visitor)
    for number, reply in replies:
        yield places[number], reply


def _fits(engine: Engine, question: Question, way: str, shots: Shots) -> bool:
    room = LEAST_WRITTEN if way in REASONED else TWO
    try:
        prompt = (
            direct_input(engine.tokenizer, question) if way in WEIGHED else written_input(engine, question, way, shots)
        )
        return len(engine.encode(prompt)) + room <= engine.loaded.context
    except InputError:
        return False
