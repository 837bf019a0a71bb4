"""Quiz: the banks of questions of every language, and the model's answer to one of them."""

from dataclasses import dataclass
from functools import lru_cache, partial

from llm_demo.chat import Message, has_template, render
from llm_demo.engine import Engine
from llm_demo.errors import InputError
from llm_demo.quiz.dataset import LANGUAGES, Question, QuestionBank, load_bank
from llm_demo.quiz.prompts import direct_message, direct_prompt
from llm_demo.quiz.scoring import LetterScores, check_letter, is_correct, score_letters

REDRAWS = 200  # attempts to find a question that a visitor has not seen


@dataclass(frozen=True, slots=True)
class Answered:
    """A question that a visitor has answered, and the model too.

    Attributes:
        letter: the visitor's.
        scores: the model's.
    """

    question: Question
    letter: str
    scores: LetterScores

    @property
    def visitor_is_right(self) -> bool:
        """Whether the visitor's letter is the gold one."""
        return is_correct(self.question, self.letter)

    @property
    def model_is_right(self) -> bool:
        """Whether the model's likeliest letter is the gold one."""
        return is_correct(self.question, self.scores.best)


class Quiz:
    """Draws questions and has the engine's model answer them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # One bank a language, kept: reading it from the hub takes seconds.
        self._banks = lru_cache(maxsize=None)(partial(load_bank, config=engine.config))

    def bank(self, language: str) -> QuestionBank:
        """Return the questions of a language; InputError where it is none of MMLU-ProX's."""
        if language not in LANGUAGES:
            raise InputError("quiz_language", language=str(language)[:40], available=", ".join(LANGUAGES))
        return self._banks(language)

    def draw(self, language: str, category: str | None, seed: int, seen: frozenset[int] = frozenset()) -> Question:
        """Return the first question from `seed` upwards that is not among the ids `seen`, while there is one."""
        bank = self.bank(language)
        drawn = bank.pick(category or None, seed)
        for further in range(1, REDRAWS):
            if drawn.question_id not in seen:
                break
            drawn = bank.pick(category or None, seed + further)
        return drawn

    def answer(self, question: Question, letter: object) -> Answered:
        """Take a visitor's letter and ask the model; InputError where it is none of the question's."""
        letter = check_letter(question, letter)
        return Answered(question, letter, score_letters(self._engine, self.prompt(question), question.letters))

    def prompt(self, question: Question) -> str:
        """Return what the model reads: through its template, not thinking, or as plain text for a base model."""
        tokenizer = self._engine.tokenizer
        if not has_template(tokenizer):
            return direct_prompt(question)
        return render(tokenizer, [Message("user", direct_message(question))])
