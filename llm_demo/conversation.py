"""Conversation: what was said, several answers to the last message, and the one that the conversation goes on with."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from llm_demo.chat import Fitted, Message, fit, is_cut, read_messages, split_thinking
from llm_demo.engine import Engine
from llm_demo.errors import InputError
from llm_demo.jobs import Decision
from llm_demo.request import Request
from llm_demo.sampling import Sampling
from llm_demo.trace import Trace
from llm_demo.traces import Traces

SHOWN = 10  # candidates recorded of each token
EVERY = 4  # tokens of each answer between two pictures


@dataclass(frozen=True, slots=True)
class Voice:
    """Who answers, and how.

    Attributes:
        model: a key of the catalogue; empty for the loaded one.
        sampling: greedy or sampling.
        system: empty for the template's own.
        thinking: for templates that know the switch.
        plain: without the template, as a base model reads.
    """

    model: str
    sampling: Sampling
    system: str = ""
    thinking: bool = False
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What one voice said, whole or so far.

    Attributes:
        prompt: what the model read.
        left_out: the oldest messages that had no room in it.
        forced: how many of its first tokens were given to it.
    """

    voice: Voice
    prompt: str
    left_out: int
    trace: Trace
    forced: int = 0

    @property
    def text(self) -> str:
        """The text; a last character that is not whole yet is left out."""
        text = self.trace.text
        return text.rstrip("\ufffd") if self.trace.finish_reason == "cancelled" else text

    @property
    def thoughts(self) -> str:
        """What it thought before it answered; empty where it did not."""
        return split_thinking(self.text, self.prompt)[0]

    @property
    def said(self) -> str:
        """The answer without the thoughts."""
        return split_thinking(self.text, self.prompt)[1]

    @property
    def is_cut(self) -> bool:
        """Whether it ended amid its thoughts."""
        return is_cut(self.text, self.prompt)


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a visitor and the model said.

    Attributes:
        turns: up to the last message of the visitor's, or to its answer where it was taken up from elsewhere; empty
            before the first.
        answers: to that message.
        kept: which of them the conversation goes on with.
    """

    turns: tuple[Message, ...] = ()
    answers: tuple[Answer, ...] = ()
    kept: int = 0

    @classmethod
    def taken_up(cls, turns: Sequence[Message]) -> "Conversation":
        """Return a conversation that was had elsewhere, to be gone on with; its last message is an answer.

        Raises:
            InputError: it cannot be such a one.
        """
        if not turns or turns[-1].role != "assistant":
            raise InputError("messages")
        return cls((*_checked(turns[:-1]), turns[-1]))

    @property
    def history(self) -> tuple[Message, ...]:
        """Everything said, with the answer that was kept; an empty one where none has begun."""
        if not self.turns or self.turns[-1].role == "assistant":
            return self.turns
        return (*self.turns, Message("assistant", self.answers[self.kept].said if self.answers else ""))

    @property
    def own(self) -> list[int]:
        """Where in `turns` the visitor's messages stand."""
        return [place for place, turn in enumerate(self.turns) if turn.role == "user"]

    def ask(self, text: str) -> "Conversation":
        """Go on with another message; InputError where it is blank."""
        return Conversation(_checked((*self.history, Message("user", text))))

    def edit(self, number: int, text: str) -> "Conversation":
        """Say something else in the visitor's message `number`, from 0; what followed it is dropped.

        Raises:
            InputError: there is no such message, or the text is blank.
        """
        if not 0 <= number < len(self.own):
            raise InputError("no_own_message", value=number)
        return Conversation(_checked((*self.turns[: self.own[number]], Message("user", text))))

    def again(self) -> "Conversation":
        """Go back to the last message of the visitor's, as yet unanswered; InputError where there is none."""
        if not self.own:
            raise InputError("nothing_asked")
        return Conversation(self.turns[: self.own[-1] + 1])

    def keep(self, number: int) -> "Conversation":
        """Go on with answer `number`; InputError where there is none."""
        self.answer(number)
        return replace(self, kept=number)

    def drop(self, number: int) -> "Conversation":
        """Leave answer `number` out, unless it is the only one; InputError where there is none."""
        self.answer(number)
        if len(self.answers) == 1:
            return self
        answers = (*self.answers[:number], *self.answers[number + 1 :])
        kept = 0 if self.kept == number else self.kept - (self.kept > number)
        return replace(self, answers=answers, kept=kept)

    def answer(self, number: int) -> Answer:
        """Return answer `number`; InputError where there is none."""
        if not 0 <= number < len(self.answers):
            raise InputError("no_answer", value=number)
        return self.answers[number]

    def put(self, number: int, answer: Answer) -> "Conversation":
        """Replace answer `number`."""
        return replace(self, answers=(*self.answers[:number], answer, *self.answers[number + 1 :]))


def replies(
    engine: Engine,
    turns: Sequence[Message],
    voices: Sequence[Voice],
    visitor: str = "",
    forced: Sequence[int] = (),
    hear: Callable[[int], None] = lambda _place: None,
) -> Iterator[tuple[Answer, ...]]:
    """Let every voice answer, those of one model together; yield the answers as they grow, the last time whole.

    Voices of different models speak one after another: one visitor has one job at a time.

    Args:
        engine: of the loaded model; the others are opened through it.
        turns: the conversation, its last message the visitor's.
        voices: at least one.
        visitor: whose they are.
        forced: token ids that each answer has to begin with.
        hear: is told the place in the line, as `Engine.heard_by` says.

    Raises:
        InputError, SettingsError, ModelError: before anything runs.
        DeadlineError: a job took longer than `job_seconds`.
    """
    answers: dict[int, Answer] = {}
    jobs: list[tuple[list[int], Iterator[Decision], Traces]] = []
    for model in dict.fromkeys(voice.model for voice in voices):
        runner = engine.of(model).heard_by(hear)
        numbers = [number for number, voice in enumerate(voices) if voice.model == model]
        if len(numbers) > engine.config.max_answers + 1:
            raise InputError("many_answers", value=len(numbers), limit=engine.config.max_answers)
        fitted = [_fit(runner, turns, voices[number]) for number in numbers]
        requests = [
            Request(read.prompt, voices[number].sampling, tuple(forced))
            for number, read in zip(numbers, fitted, strict=True)
        ]
        decisions = runner.stream_many(requests, SHOWN, visitor)
        collected = runner.collect(requests)
        jobs.append((numbers, decisions, collected))
        for number, read, trace in zip(numbers, fitted, collected.finished(), strict=True):
            answers[number] = Answer(voices[number], read.prompt, read.left_out, trace, len(forced))
    yield _in_order(answers)
    for numbers, decisions, collected in jobs:
        for count, decision in enumerate(decisions):
            collected.add(decision)
            if count % (EVERY * len(numbers)) == 0:
                yield _in_order(_grown(answers, numbers, collected))
        answers = _grown(answers, numbers, collected)
    yield _in_order(answers)


def _fit(engine: Engine, turns: Sequence[Message], voice: Voice) -> Fitted:
    return fit(engine, turns, voice.sampling.max_new_tokens, voice.system, voice.thinking, voice.plain)


def _grown(answers: Mapping[int, Answer], numbers: Sequence[int], collected: Traces) -> dict[int, Answer]:
    traces = zip(numbers, collected.finished(), strict=True)
    return {**answers, **{number: replace(answers[number], trace=trace) for number, trace in traces}}


def _in_order(answers: Mapping[int, Answer]) -> tuple[Answer, ...]:
    return tuple(answers[number] for number in sorted(answers))


def _checked(turns: tuple[Message, ...]) -> tuple[Message, ...]:
    return tuple(read_messages([{"role": turn.role, "content": turn.content} for turn in turns]))
