"""Exercise: a lesson chosen, its question answered before anything runs, and what to look for afterwards."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from llm_demo.i18n import Translate
from llm_demo.lessons.lesson import Lesson, find
from llm_demo.tabs.site import Site

NONE = ""  # the choice of no lesson


@dataclass(frozen=True, slots=True)
class Exercise:
    """The panel of a tab's lessons.

    Attributes:
        lessons: to choose from.
        lesson: which one; its value is an id, or `NONE`.
        question: what to predict.
        answer: one of its choices, by number.
        told: whether the answer was right, and what to press.
        look: what to look for in the result.
    """

    lessons: Sequence[Lesson]
    lesson: gr.Dropdown
    question: gr.HTML
    answer: gr.Radio
    told: gr.HTML
    look: gr.HTML

    @property
    def outputs(self) -> list[gr.components.Component]:
        """The components that `opened` has values for."""
        return [self.question, self.answer, self.told, self.look]

    def opened(self, lesson: Lesson | None, loaded: str, t: Translate) -> list[object]:
        """Show a lesson's question, nothing answered yet: values for `outputs`.

        Args:
            lesson: None for no lesson.
            loaded: the key of the model that it will run on.
            t: the visitor's language.
        """
        if lesson is None:
            return ["", gr.update(visible=False, choices=[], value=None), "", ""]
        other = t("exercise.other_model", wanted=escape(lesson.model), loaded=escape(loaded))
        note = f'<p class="hint">{other}</p>' if lesson.model not in ("", loaded) else ""
        question = f"<p><b>{t('exercise.predict')}</b> {escape(lesson.predict(t))}</p>{note}"
        return [question, gr.update(visible=True, choices=_choices(lesson, t), value=None), _do(lesson, t), ""]

    def looked(self, lesson_id: str, t: Translate) -> str:
        """Return safe HTML: what to look for now that the lesson ran; empty without one."""
        if lesson_id == NONE:
            return ""
        look = escape(find(lesson_id, self.lessons).look(t))
        return f'<div class="lookout"><b>{t("exercise.look")}</b> {look}</div>'


def build(site: Site, tab: str, lessons: Sequence[Lesson], runs_on: Callable[[Lesson], str] | None = None) -> Exercise:
    """Add the panel to the enclosing container; choosing a lesson is the tab's to wire.

    Args:
        site: what the tabs share.
        tab: how the ids of its elements begin.
        lessons: to choose from.
        runs_on: tells the key of the model that a lesson runs on; the loaded one where None.
    """
    with gr.Column(elem_classes="exercise"):
        lesson = gr.Dropdown(
            _titles(lessons, site.t), value=NONE, label=site.t("exercise.lesson"), elem_id=f"{tab}-lesson"
        )
        question = gr.HTML(elem_id=f"{tab}-question")
        answer = gr.Radio(
            [], label=site.t("exercise.answer"), visible=False, elem_id=f"{tab}-answer", elem_classes="answers"
        )
        told = gr.HTML(elem_id=f"{tab}-told")
    look = gr.HTML(elem_id=f"{tab}-look")
    exercise = Exercise(lessons, lesson, question, answer, told, look)

    def reply(t: Translate, lesson_id: str, answer: int | None) -> str:
        chosen = find(lesson_id, lessons)
        verdict = t("exercise.right" if answer == chosen.right else "exercise.wrong")
        right = escape(chosen.choices(t)[chosen.right])
        return f"<p><b>{verdict}</b> {right}.</p>{_do(chosen, t)}"

    def reword(t: Translate, lesson_id: str, answer: int | None) -> list[object]:
        titles = gr.update(choices=_titles(lessons, t), label=t("exercise.lesson"))
        if lesson_id == NONE:
            return [titles, gr.update(label=t("exercise.answer")), *[gr.skip()] * 2]
        chosen = find(lesson_id, lessons)
        model = runs_on(chosen) if runs_on else site.engine.loaded.card.key
        question, choices, told, _ = exercise.opened(chosen, model, t)
        if answer is not None:
            told = reply(t, lesson_id, answer)
        return [titles, {**choices, "value": answer, "label": t("exercise.answer")}, question, told]

    quick = {"queue": False, "show_progress": "hidden"}
    site.on([answer.input], reply, [lesson, answer], [told], **quick)
    site.on([site.language.change], reword, [lesson, answer], [lesson, answer, question, told], **quick)
    return exercise


def _do(lesson: Lesson, t: Translate) -> str:
    return f"<p>{escape(lesson.do(t))}</p>"


def _titles(lessons: Sequence[Lesson], t: Translate) -> list[tuple[str, str]]:
    return [(t("exercise.none"), NONE), *((lesson.title(t), lesson.id) for lesson in lessons)]


def _choices(lesson: Lesson, t: Translate) -> list[tuple[str, int]]:
    return [(choice, number) for number, choice in enumerate(lesson.choices(t))]
