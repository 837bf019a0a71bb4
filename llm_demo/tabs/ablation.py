"""Prompt Ablation tab: a prompt in parts, what happens without each, and what each was worth."""

import gradio as gr

from llm_demo.i18n import Translate
from llm_demo.lessons.ablation import LESSONS, Case
from llm_demo.lessons.lesson import find
from llm_demo.tabs import ablation_link, background, exercise, link, parts, trial, ways
from llm_demo.tabs.link import Sharing
from llm_demo.tabs.parts import Line
from llm_demo.tabs.site import Site


def build(site: Site) -> Sharing:
    """Add the tab to the enclosing `gr.Tabs`; returns how links fill it."""
    with site.add(gr.Tab, {"label": "ablation.title"}, id="ablation") as tab:
        site.add(gr.Markdown, {"value": "ablation.intro"}, elem_classes="intro")
        lesson = exercise.build(site, "ablation", LESSONS)
        case = gr.Radio([], label=site.t("ablation.case"), visible=False, elem_id="ablation-case", elem_classes="plan")
        editor = parts.build(site)
        settings = ways.build(site)
        running = trial.build(site, editor, settings, lesson)
        background.build(site, "ablation")

    filled = [*editor.outputs, *settings.parts]

    def fill(one: Case, t: Translate) -> dict:
        checks = {check.part: check for check in one.checks}
        lines = [
            Line(part.name, part.text, True, *((check.kind, check.value) if (check := checks.get(part.name)) else ()))
            for part in one.parts
        ]
        shown = [*editor.shown(lines, t), *settings.shown(one.schemes, one.chosen, one.samplings)]
        return dict(zip(filled, shown, strict=True))

    def open_lesson(t: Translate, lesson_id: str, number: int = 0) -> dict:
        chosen = find(lesson_id, LESSONS) if lesson_id else None
        panel = lesson.opened(chosen, site.engine.loaded.card.key, t)
        opened = dict(zip(lesson.outputs, panel, strict=True))
        if chosen is None:
            return {**opened, case: gr.update(visible=False)}
        choices = _cases(chosen.cases, t)
        number = min(number, len(choices) - 1)
        shown = gr.update(choices=choices, value=number, visible=len(choices) > 1, label=t("ablation.case"))
        return {**opened, case: shown, **fill(chosen.cases[number], t)}

    def open_case(t: Translate, lesson_id: str, number: int | None) -> dict:
        cases = find(lesson_id, LESSONS).cases
        return fill(cases[min(number or 0, len(cases) - 1)], t)

    def reword(t: Translate, lesson_id: str) -> dict:
        choices = _cases(find(lesson_id, LESSONS).cases, t) if lesson_id else []
        return gr.update(choices=choices, label=t("ablation.case"))

    quick = {"queue": False, "show_progress": "hidden"}
    lesson.wire(site, open_lesson, [], [*lesson.outputs, case, *filled], **quick)
    site.on([case.input], open_case, [lesson.lesson, case], filled, **quick)
    site.reword(reword, [lesson.lesson], [case])
    with tab:
        return link.build(site, ablation_link.form(site, editor, settings, lesson, case, open_lesson, running))


def _cases(cases: tuple[Case, ...], t: Translate) -> list[tuple[str, int]]:
    return [(t(f"ablation_case.{one.name}"), number) for number, one in enumerate(cases)]
