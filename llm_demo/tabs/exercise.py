"""Exercise: a tab's lessons in order; each is predicted, then run, then looked at, and ticked in the browser."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from llm_demo.i18n import Translate
from llm_demo.lessons.lesson import Lesson, find
from llm_demo.tabs.site import Site

NONE = ""  # the choice of no lesson
QUICK = {"queue": False, "show_progress": "hidden"}


@dataclass(frozen=True, slots=True)
class Exercise:
    """The panel of a tab's lessons.

    Attributes:
        lessons: to choose from.
        fold: what the list is folded in.
        lesson: which one; its value is an id, or `NONE`.
        question: what to predict.
        answer: one of its choices, by number.
        told: whether the answer was right, and what to press.
        look: what to look for in the result.
        further: button of the lesson that follows.
    """

    lessons: Sequence[Lesson]
    fold: gr.Accordion
    lesson: gr.Radio
    question: gr.HTML
    answer: gr.Radio
    told: gr.HTML
    look: gr.HTML
    further: gr.Button

    @property
    def outputs(self) -> list[gr.components.Component]:
        """The components that `opened` has values for."""
        return [self.fold, self.lesson, self.question, self.answer, self.told, self.look, self.further]

    def opened(self, lesson: Lesson | None, loaded: str, t: Translate) -> list[object]:
        """Show a lesson's question, nothing answered yet: values for `outputs`.

        Args:
            lesson: None for no lesson.
            loaded: the key of the model that it will run on.
            t: the visitor's language.
        """
        if lesson is None:
            return [gr.skip(), NONE, "", gr.update(visible=False, choices=[], value=None), "", "", _button(None, t)]
        other = t("exercise.other_model", wanted=escape(lesson.model), loaded=escape(loaded))
        note = f'<p class="hint">{other}</p>' if lesson.model not in ("", loaded) else ""
        link = f'<a href="?lesson={lesson.id}" target="_blank">{t("exercise.link")}</a>'
        question = (
            f"<h3>{escape(lesson.title(t))}</h3>{link}"
            f"<p><b>{t('exercise.predict')}</b> {escape(lesson.predict(t))}</p>{note}"
        )
        return [
            gr.update(open=False),
            lesson.id,
            question,
            gr.update(visible=True, choices=_choices(lesson, t), value=None),
            _do(lesson, t),
            "",
            _button(self.after(lesson.id), t),
        ]

    def looked(self, lesson_id: str, t: Translate) -> str:
        """Return safe HTML: what to look for now that the lesson ran; empty without one."""
        if lesson_id == NONE:
            return ""
        look = escape(find(lesson_id, self.lessons).look(t))
        return f'<div class="lookout"><b>{t("exercise.look")}</b> {look}</div>'

    def after(self, lesson_id: str) -> Lesson | None:
        """Return the lesson that follows; None after the last one."""
        place = self.lessons.index(find(lesson_id, self.lessons))
        return self.lessons[place + 1] if place + 1 < len(self.lessons) else None

    def wire(
        self,
        site: Site,
        open_lesson: Callable,
        inputs: Sequence[gr.components.Component],
        outputs: Sequence[gr.components.Component],
        running: Sequence[gr.events.Dependency] = (),
        **options: object,
    ) -> None:
        """Let the list and the button of the next one open a lesson.

        Args:
            site: what the tabs share.
            open_lesson: takes the visitor's language, an id or `NONE`, and what `inputs` hold.
            inputs: what else it needs.
            outputs: what it changes, `self.outputs` among them.
            running: what it breaks off.
            options: of the events.
        """

        def open_next(t: Translate, lesson_id: str, *values: object) -> object:
            following = self.after(lesson_id)
            return open_lesson(t, following.id if following else NONE, *values)

        site.stop([self.lesson.input, self.further.click], running)
        site.on([self.lesson.input], open_lesson, [self.lesson, *inputs], outputs, **options)
        site.on([self.further.click], open_next, [self.lesson, *inputs], outputs, **options)


def build(site: Site, tab: str, lessons: Sequence[Lesson], runs_on: Callable[[Lesson], str] | None = None) -> Exercise:
    """Add the panel to the enclosing container; what a lesson fills in is the tab's to wire.

    Args:
        site: what the tabs share.
        tab: how the ids of its elements begin.
        lessons: to choose from.
        runs_on: tells the key of the model that a lesson runs on; the loaded one where None.
    """
    with gr.Column(elem_classes="exercise"):
        with gr.Accordion(_heading(lessons, (), site.t), open=False, elem_id=f"{tab}-lessons") as fold:
            lesson = gr.Radio(
                _titles(lessons, (), site.t),
                value=NONE,
                label=site.t("exercise.lesson"),
                elem_id=f"{tab}-lesson",
                elem_classes="lessons",
            )
        question = gr.HTML(elem_id=f"{tab}-question")
        answer = gr.Radio(
            [], label=site.t("exercise.answer"), visible=False, elem_id=f"{tab}-answer", elem_classes="answers"
        )
        told = gr.HTML(elem_id=f"{tab}-told")
        look = gr.HTML(elem_id=f"{tab}-look")
        further = gr.Button(visible=False, size="sm", elem_id=f"{tab}-further", elem_classes="further")
    done = site.kept(f"{tab}.done")  # the ids of the lessons that were looked at
    exercise = Exercise(lessons, fold, lesson, question, answer, told, look, further)

    def reply(t: Translate, lesson_id: str, answer: int | None) -> str:
        chosen = find(lesson_id, lessons)
        verdict = t("exercise.right" if answer == chosen.right else "exercise.wrong")
        right = escape(chosen.choices(t)[chosen.right])
        return f"<p><b>{verdict}</b> {right}.</p>{_do(chosen, t)}"

    def ticked(t: Translate, done: object) -> list[object]:
        return [gr.update(label=_heading(lessons, done, t)), gr.update(choices=_titles(lessons, done, t))]

    def tick(t: Translate, look: str, lesson_id: str, done: object) -> list[object]:
        """Tick the lesson that was run: now it is told what to look for."""
        if not look or lesson_id == NONE:
            return [gr.skip()] * 3
        now = sorted({*_known(lessons, done), lesson_id})
        return [*ticked(t, now), now]

    def reword(t: Translate, lesson_id: str, answer: int | None, done: object) -> list[object]:
        heading, titles = ticked(t, done)
        titles["label"] = t("exercise.lesson")
        if lesson_id == NONE:
            return [heading, titles, gr.update(label=t("exercise.answer")), *[gr.skip()] * 3]
        chosen = find(lesson_id, lessons)
        model = runs_on(chosen) if runs_on else site.engine.loaded.card.key
        _, _, question, choices, told, _, button = exercise.opened(chosen, model, t)
        if answer is not None:
            told = reply(t, lesson_id, answer)
        return [heading, titles, {**choices, "value": answer, "label": t("exercise.answer")}, question, told, button]

    site.on([answer.input], reply, [lesson, answer], [told], **QUICK)
    site.on([look.change], tick, [look, lesson, done], [fold, lesson, done], trigger_mode="always_last", **QUICK)
    site.on_open(ticked, [done], [fold, lesson])
    site.reword(reword, [lesson, answer, done], [fold, lesson, answer, question, told, further])
    return exercise


def _known(lessons: Sequence[Lesson], done: object) -> set[str]:
    """Return the ids of lessons in what a browser kept, which may be anything."""
    kept = done if isinstance(done, list) else []
    return {lesson.id for lesson in lessons if lesson.id in kept}


def _heading(lessons: Sequence[Lesson], done: object, t: Translate) -> str:
    return t("exercise.heading", done=len(_known(lessons, done)), count=len(lessons))


def _titles(lessons: Sequence[Lesson], done: object, t: Translate) -> list[tuple[str, str]]:
    ticks = dict.fromkeys(_known(lessons, done), "✓ ")
    titles = [(ticks.get(lesson.id, "") + lesson.title(t), lesson.id) for lesson in lessons]
    return [(t("exercise.none"), NONE), *titles]


def _choices(lesson: Lesson, t: Translate) -> list[tuple[str, int]]:
    return [(choice, number) for number, choice in enumerate(lesson.choices(t))]


def _do(lesson: Lesson, t: Translate) -> str:
    return f"<p><b>{t('exercise.do')}</b> {escape(lesson.do(t))}</p>"


def _button(following: Lesson | None, t: Translate) -> dict:
    title = t("exercise.next", title=following.title(t)) if following else ""
    return gr.update(value=title, visible=following is not None)
