"""Chain of thought in the benchmark's own wording.

The words, the order of their parts, the ends and the patterns are those of EleutherAI's lm-evaluation-harness 0.4,
tasks `mmlu_prox_lite_es` and `mmlu_prox_lite_en` (lm_eval/tasks/mmlu_prox, MIT licence): greedy, up to 2,048 new
tokens. A question in another language is put in the English words.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from llm_demo.chat import Message, has_template, render
from llm_demo.quiz.rows import Example, Question


@dataclass(frozen=True, slots=True)
class Wording:
    """The benchmark's words in one language.

    Attributes:
        task: what is asked for, `{subject}` being the category.
        question, options, answer: before each of them.
        example: how the answer of a worked example begins in the data; replaced by `answer`.
        pattern: a regular expression; its first match in an answer is the letter.
        subjects: names of categories; one that is not there is called as in the data.
    """

    task: str
    question: str
    options: str
    answer: str
    example: str
    pattern: str
    subjects: dict[str, str]

    @property
    def ends(self) -> tuple[str, ...]:
        """Where an answer is cut off: the model has begun another question."""
        return ("</s>", "Q:", self.question, "<|im_end|>")


WORDINGS = {
    "es": Wording(
        "Las siguientes son preguntas de opción múltiple (con respuestas) sobre {subject}. Piense paso a paso y luego "
        'termine su respuesta con "La respuesta es (X)" donde X es la letra de la opción correcta.\n',
        "Pregunta:",
        "Opciones:",
        "Respuesta: Pensemos paso a paso.",
        "A: Pensemos paso a paso.",
        r"La respuesta es \(?([ABCDEFGHIJ])\)?",
        {
            "biology": "biología",
            "business": "negocios",
            "chemistry": "química",
            "computer science": "informática",
            "economics": "economía",
            "engineering": "ingeniería",
            "health": "salud",
            "history": "historia",
            "law": "derecho",
            "math": "matemáticas",
            "other": "otro",
            "philosophy": "filosofía",
            "physics": "física",
            "psychology": "psicología",
        },
    ),
    "en": Wording(
        "The following are multiple choice questions (with answers) about {subject}. Think step by step and then "
        'finish your answer with "the answer is (X)" where X is the correct letter choice.\n',
        "Question:",
        "Options:",
        "Answer: Let's think step by step.",
        "A: Let's think step by step.",
        r"answer is \(?([ABCDEFGHIJ])\)?",
        {"computer science": "computer_science"},
    ),
}


def wording(language: str) -> Wording:
    """Return the words of a language, or the English ones."""
    return WORDINGS.get(language, WORDINGS["en"])


def cot_prompt(tokenizer: PreTrainedTokenizerBase, question: Question, shots: Sequence[Example] = ()) -> str:
    """Return what the model reads.

    An instruct model gets the task as its system message and the rest as the user's, as the harness does with
    `--apply_chat_template`; a base model one plain text.

    Args:
        tokenizer: of the model.
        question: the one to answer.
        shots: worked examples before it.
    """
    words = wording(question.language)
    task = words.task.format(subject=words.subjects.get(question.category, question.category))
    worked = "".join(f"{_asked(shot.question, words)}{_reasoning(shot, words)}\n\n" for shot in shots)
    body = f"{worked}{_asked(question, words)}{words.answer}"
    if not has_template(tokenizer):
        return task + body
    return render(tokenizer, [Message("user", body)], system=task)


def until(language: str) -> str:
    """Return the regular expression after whose match nothing can change the benchmark's reading of an answer."""
    words = wording(language)
    ends = "|".join(map(re.escape, words.ends))
    return rf"{ends}|{words.pattern}[^)\w]"


def cut(text: str, language: str) -> str:
    """Return an answer up to where the benchmark cuts it off."""
    places = [place for end in wording(language).ends if (place := text.find(end)) >= 0]
    return text[: min(places)] if places else text


def strict_letter(text: str, language: str) -> str | None:
    """Return the letter that the benchmark's own pattern finds; None where it finds none."""
    match = re.search(wording(language).pattern, text)
    return match[1] if match else None


def _asked(question: Question, words: Wording) -> str:
    lettered = zip(question.letters, question.options, strict=True)
    options = "".join(f"{letter}. {option}\n" for letter, option in lettered)
    return f"{words.question}\n{question.question}\n{words.options}\n{options}"


def _reasoning(shot: Example, words: Wording) -> str:
    return shot.reasoning.replace(words.example, words.answer)
