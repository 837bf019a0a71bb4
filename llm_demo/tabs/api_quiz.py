"""The named endpoints of the quiz, as `api.py` has those of the other tabs."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict

import gradio as gr

from llm_demo.quiz.evaluation import Settings, summarize
from llm_demo.quiz.quiz import Quiz
from llm_demo.tabs.door import visitor_of

# Words trouble in the language that a client accepts.
Told = Callable[[gr.Request | None], AbstractContextManager[None]]


def quiz_endpoints(quiz: Quiz, told: Told) -> dict[str, Callable]:
    """Return every endpoint of the quiz by its name.

    Args:
        quiz: what they ask.
        told: surrounds each call.
    """

    def quiz_question(
        language: str = "es", category: str | None = None, seed: int = 0, request: gr.Request | None = None
    ) -> dict:
        """Draw a question; the answer is not in it.

        Args:
            language: a code like es or en.
            category: of MMLU-ProX; any where it is left out.
            seed: of the draw.
        """
        with told(request):
            question = quiz.draw(language, category, seed)
            return {
                "question_id": question.question_id,
                "language": question.language,
                "category": question.category,
                "question": question.question,
                "options": dict(zip(question.letters, question.options, strict=True)),
                "source": question.source,
            }

    def quiz_answer(
        question_id: int, language: str, letter: str, model: str | None = None, request: gr.Request | None = None
    ) -> dict:
        """Answer a question and see what the model answers.

        Args:
            question_id: as quiz_question gave it.
            language: a code like es or en.
            letter: your answer.
            model: a key of the catalogue; the loaded model where it is left out.
        """
        with told(request):
            done = quiz.answer(quiz.bank(language).find(question_id), letter, model, visitor_of(request))
            return {
                "gold": done.question.answer,
                "correct": done.visitor_is_right,
                "model_letter": done.scores.best,
                "letter_probs": dict(zip(done.scores.letters, done.scores.probs, strict=True)),
                "letter_mass": done.scores.mass,
            }

    def quiz_evaluate(
        language: str = "es",
        category: str | None = None,
        n: int = 20,
        seed: int = 0,
        mode: str = "direct",
        model: str | None = None,
        request: gr.Request | None = None,
    ) -> dict:
        """Put a model to several questions; returns its accuracy with an interval.

        Args:
            language: a code like es or en.
            category: of MMLU-ProX; all where it is left out.
            n: how many questions.
            seed: of the draw.
            mode: direct, rotated, two_tokens, cot_0 or cot_5.
            model: a key of the catalogue; the loaded model where it is left out.
        """
        with told(request):
            categories = () if category in (None, "") else (category,)
            begun = quiz.begin(Settings(language, categories, n, seed, mode, model or ""))
            *_, done = quiz.evaluate(begun, visitor_of(request))
            summary = summarize(done)
            return {
                "n": summary.accuracy.count,
                "accuracy": summary.accuracy.value,
                "interval": list(summary.accuracy.interval),
                "chance": summary.chance,
                "by_category": {name: asdict(share) for name, share in summary.by_category},
                "letters": summary.letters,
                "unparsed": summary.unparsed,
            }

    return {"quiz_question": quiz_question, "quiz_answer": quiz_answer, "quiz_evaluate": quiz_evaluate}
