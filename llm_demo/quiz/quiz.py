"""Quiz: the questions of every language, and the model's answers to them."""

import time
from collections.abc import Callable, Collection, Iterator
from copy import copy
from dataclasses import dataclass, replace
from functools import partial

from llm_demo.engine import Engine
from llm_demo.errors import InputError
from llm_demo.quiz.answering import answer
from llm_demo.quiz.dataset import LANGUAGES, Question, QuestionBank, load_bank, shown
from llm_demo.quiz.evaluation import Evaluation, Settings
from llm_demo.quiz.kept import Kept
from llm_demo.quiz.prompts import direct_input
from llm_demo.quiz.reply import REASONED, WAYS, Reply, check_way
from llm_demo.quiz.scoring import LetterScores, check_letter, is_correct
from llm_demo.quiz.shots import Shots, load_shots


@dataclass(frozen=True, slots=True)
class Answered:
    """A question that a visitor has answered, and the model too.

    Attributes:
        letter: the visitor's.
        reply: the model's, its letters weighed.
    """

    question: Question
    letter: str
    reply: Reply

    @property
    def scores(self) -> LetterScores:
        """The model's letters."""
        return self.reply.scores

    @property
    def visitor_is_right(self) -> bool:
        """Whether the visitor's letter is the gold one."""
        return is_correct(self.question, self.letter)

    @property
    def model_is_right(self) -> bool:
        """Whether the model's likeliest letter is the gold one."""
        return self.reply.is_right


class Quiz:
    """Draws questions and has models answer them, within the quiz's own bounds."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        config = engine.config
        self._bounds = {
            "max_prompt_chars": config.max_quiz_chars,
            "max_new_tokens": config.max_quiz_tokens,
            "job_seconds": config.quiz_seconds,
        }
        self._banks: Kept[QuestionBank] = Kept(partial(load_bank, config=config))
        self._shots: Kept[Shots] = Kept(partial(load_shots, config=config))
        self._hear: Callable[[int], None] | None = None
        self._running: dict[object, object] = {}  # visitor -> the ticket of their evaluation

    def bank(self, language: str) -> QuestionBank:
        """Return the questions of a language; InputError where it is none of MMLU-ProX's."""
        if language not in LANGUAGES:
            raise InputError("quiz_language", language=shown(language), available=", ".join(LANGUAGES))
        return self._banks.of(language)

    def engine(self, model: str | None = "") -> Engine:
        """Return the engine of a model of the catalogue, within the quiz's bounds; ModelError where it has none."""
        engine = self._engine.of(model)
        bounded = engine.within(replace(engine.config, **self._bounds))
        return bounded.heard_by(self._hear) if self._hear else bounded

    def heard_by(self, hear: Callable[[int], None]) -> "Quiz":
        """Return this quiz, the same for everybody, whose engines tell `hear` as `Engine.heard_by` says."""
        heard = copy(self)
        heard._hear = hear
        return heard

    def draw(self, language: str, category: str | None, seed: int, seen: Collection[int] = ()) -> Question:
        """Return the first question of the seed's order that is not among the ids `seen`, while there is one."""
        return self.bank(language).pick(category or None, seed, seen)

    def answer(self, question: Question, letter: object, model: str | None = "", visitor: str = "") -> Answered:
        """Take a visitor's letter and weigh the model's; InputError where it is none of the question's."""
        letter = check_letter(question, letter)
        *_, reply = self.ask(question, "direct", model, visitor)
        if reply.scores is None:
            raise InputError("quiz_too_long")
        return Answered(question, letter, reply)

    def ask(self, question: Question, way: str, model: str | None = "", visitor: str = "") -> Iterator[Reply]:
        """Yield the model's reply as it grows, in any of the ways; the last one has a `finish`."""
        engine = self.engine(model)
        for _, reply in answer(engine, [question], check_way(way), self.shots(question.language, way), visitor):
            yield reply

    def shots(self, language: str, way: str) -> Shots:
        """Return the worked examples of a language; none for a way that shows none."""
        return self._shots.of(language) if way == "cot_5" else Shots("", ())

    def prompt(self, question: Question, model: str | None = "") -> str:
        """Return what the model reads before a letter is weighed."""
        return direct_input(self.engine(model).tokenizer, question)

    def begin(self, settings: Settings) -> Evaluation:
        """Return an evaluation with its questions and no reply yet.

        Raises:
            InputError: a setting out of its bounds.
        """
        config = self._engine.config
        limit = config.max_quiz_written if check_way(settings.way) in REASONED else config.max_quiz_questions
        n = settings.n
        if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= limit:
            raise InputError("quiz_count", value=shown(n), limit=limit)
        bank = self.bank(settings.language)
        questions = bank.order(settings.categories, settings.seed)[:n]
        loaded = self.engine(settings.model).loaded
        return Evaluation(
            settings=replace(settings, language=bank.language),
            model=loaded.card.key,
            source=(bank.origin, bank.name),
            shots=self.shots(bank.language, settings.way).origin,
            number_format=loaded.number_format,
            questions=tuple(questions),
        )

    def evaluate(self, evaluation: Evaluation, visitor: str = "") -> Iterator[Evaluation]:
        """Go on with an evaluation in small jobs, between which others have their turn; yields it as it grows.

        Closing the iterator stops it; what it gave last can be gone on with, and ends as if it had never stopped.
        A visitor has one evaluation running: a new one ends the one before, which may still be stopping.

        Raises:
            InputError: another evaluation of this visitor's began meanwhile.
        """
        ticket = object()
        self._running[visitor or ticket] = ticket
        try:
            yield evaluation
            while not evaluation.is_whole:
                for evaluation in self._next_job(evaluation, visitor):  # noqa: B020 - it grows
                    if self._running.get(visitor or ticket) is not ticket:
                        raise InputError("quiz_replaced")
                    yield evaluation
        finally:
            if self._running.get(visitor or ticket) is ticket:
                del self._running[visitor or ticket]

    def _next_job(self, evaluation: Evaluation, visitor: str) -> Iterator[Evaluation]:
        settings, begun, done = evaluation.settings, time.monotonic(), len(evaluation.replies)
        asked = evaluation.questions[done : done + WAYS[settings.way]]
        shots = self.shots(settings.language, settings.way)
        finished: dict[int, Reply] = {}
        grown = evaluation
        for place, reply in answer(self.engine(settings.model), asked, settings.way, shots, visitor):
            if reply.finish:
                finished[place] = reply
            in_order = [finished[n] for n in range(len(asked)) if all(before in finished for before in range(n + 1))]
            seconds = evaluation.seconds + time.monotonic() - begun
            grown = replace(evaluation, replies=(*evaluation.replies, *in_order), seconds=seconds)
            yield grown
