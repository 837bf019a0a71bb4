"""What the model reads when it is asked for a letter.

Prompts, not interface: a change of wording changes the scores, so they stay out of the locales.
"""

from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from llm_demo.chat import Message, has_template, render
from llm_demo.quiz.rows import Question


@dataclass(frozen=True, slots=True)
class Wording:
    """The words around a question.

    Attributes:
        question: before it.
        answer: the cue that a letter continues. No space after it: a letter's token brings its own.
        instruction: of a chat message; `{first}` and `{last}` are letters.
    """

    question: str
    answer: str
    instruction: str


WORDINGS = {
    "es": Wording(
        "Pregunta:",
        "Respuesta:",
        "Responde solo con la letra de la opción correcta ({first}-{last}), sin ninguna explicación.",
    ),
    "en": Wording(
        "Question:",
        "Answer:",
        "Answer with the letter of the correct option only ({first}-{last}), without any explanation.",
    ),
}


def wording(language: str) -> Wording:
    """Return the words of a language; English ones where it has none of its own."""
    return WORDINGS.get(language, WORDINGS["en"])


def question_text(question: Question) -> str:
    """Return the question and, a line each, its options: "A. …"."""
    lettered = zip(question.letters, question.options, strict=True)
    return "\n".join([question.question, *(f"{letter}. {option}" for letter, option in lettered)])


def direct_prompt(question: Question) -> str:
    """Return the zero-shot prompt of a base model, to be continued with a letter."""
    words = wording(question.language)
    return f"{words.question} {question_text(question)}\n{words.answer}"


def direct_message(question: Question) -> str:
    """Return the user's message that asks a chat model for one letter; its template goes around it."""
    words = wording(question.language)
    instruction = words.instruction.format(first=question.letters[0], last=question.letters[-1])
    return f"{words.question} {question_text(question)}\n\n{instruction}"


def direct_input(tokenizer: PreTrainedTokenizerBase, question: Question) -> str:
    """Return what the model reads: through its template, not thinking, or as plain text for a base model."""
    if not has_template(tokenizer):
        return direct_prompt(question)
    return render(tokenizer, [Message("user", direct_message(question))])
