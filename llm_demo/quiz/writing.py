"""Writing: a model writes its answer, and the letter is read in what it wrote."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from llm_demo.decoding.feed import Ended
from llm_demo.engine import Engine
from llm_demo.errors import DeadlineError
from llm_demo.quiz.cot import cot_prompt, cut, strict_letter, until
from llm_demo.quiz.parser import parse, sentence
from llm_demo.quiz.prompts import direct_input
from llm_demo.quiz.reply import REASONED, Reply
from llm_demo.quiz.rows import Question
from llm_demo.quiz.shots import Shots
from llm_demo.request import Request
from llm_demo.sampling import Sampling
from llm_demo.trace import Step

TWO = 2  # tokens, as in the course
UPDATE_EVERY = 8  # tokens of each answer between two pictures of it


@dataclass(slots=True)
class _Answer:
    """One answer being written."""

    question: Question
    prompt_tokens: int
    most: int
    ids: list[int] = field(default_factory=list)
    ended: bool = False  # without a token that says so


def write(
    engine: Engine, questions: Sequence[Question], way: str, shots: Shots, visitor: str
) -> Iterator[tuple[int, Reply]]:
    """Yield (place, reply) of each question as its answer grows, greedily decoded; the last ones have a `finish`.

    Args:
        engine: of the model.
        questions: short enough for it.
        way: one of `reply.WAYS` that writes.
        shots: worked examples for "cot_5".
        visitor: whose questions they are.
    """
    prompts = [written_input(engine, question, way, shots) for question in questions]
    answers = []
    for question, prompt in zip(questions, prompts, strict=True):
        read = len(engine.encode(prompt))
        most = min(engine.config.max_new_tokens, engine.loaded.context - read) if way in REASONED else TWO
        answers.append(_Answer(question, read, most))
    requests = [
        Request(
            prompt,
            Sampling("greedy", max_new_tokens=answer.most),
            until=until(answer.question.language) if way in REASONED else "",
        )
        for prompt, answer in zip(prompts, answers, strict=True)
    ]
    cut_by = ""
    try:
        for decision in engine.stream_many(requests, 1, visitor):
            answer = answers[decision.row]
            answer.ended |= isinstance(decision.event, Ended)
            if isinstance(decision.event, Step):
                answer.ids.append(decision.event.chosen.token_id)
                if len(answer.ids) % UPDATE_EVERY == 1:
                    yield decision.row, _reply(engine, answer, way, "")
    except DeadlineError:
        cut_by = "time"
    for place, answer in enumerate(answers):
        yield place, _reply(engine, answer, way, cut_by or _finish(engine, answer))


def written_input(engine: Engine, question: Question, way: str, shots: Shots) -> str:
    """Return what the model reads before it writes."""
    if way not in REASONED:
        return direct_input(engine.tokenizer, question)
    return cot_prompt(engine.tokenizer, question, shots.of(question.category) if way == "cot_5" else ())


def _finish(engine: Engine, answer: _Answer) -> str:
    """Return why an answer ended: by the model itself, by its length, or where `until` found its end."""
    if answer.ended or (answer.ids and answer.ids[-1] in engine.loaded.stop_ids):
        return "stop"
    if len(answer.ids) == answer.most:
        return "length"
    text, language = engine.tokenizer.decode(answer.ids, skip_special_tokens=True), answer.question.language
    return "answered" if cut(text, language) == text else "cut"


def _reply(engine: Engine, answer: _Answer, way: str, finish: str) -> Reply:
    question = answer.question
    text = engine.tokenizer.decode(answer.ids, skip_special_tokens=True)
    strict = None
    if way in REASONED:
        text = cut(text, question.language)
        strict = strict_letter(text, question.language)
    parsed = parse(text, question.letters)
    return Reply(
        question,
        way,
        parsed.letter,
        text=text,
        marked=sentence(text, parsed) if parsed.letter else (0, 0),
        strict=strict if strict in question.letters else None,
        finish=finish,
        prompt_tokens=answer.prompt_tokens,
        new_tokens=len(answer.ids),
    )
