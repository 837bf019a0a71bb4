"""Evaluate: a model put to many questions, with progress, stopped and gone on with, and each question to be opened."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import gradio as gr

from llm_demo.errors import InputError
from llm_demo.i18n import Translate
from llm_demo.quiz.evaluation import Evaluation, Settings
from llm_demo.quiz.export import to_csv, to_json
from llm_demo.quiz.quiz import Quiz
from llm_demo.tabs import elsewhere, quizwords, report, strip
from llm_demo.tabs.save import DOWNLOAD, SPREADSHEET
from llm_demo.tabs.site import Site

KEPT = 6  # runs of one visitor that can be compared
UPDATE_SECONDS = 0.5  # between two pictures


@dataclass(frozen=True, slots=True)
class Runs:
    """The section, as others need it.

    Attributes:
        kept: state, the visitor's finished runs.
        settings: by their names in a link.
        running: events that a link breaks off.
    """

    kept: gr.State
    settings: dict[str, gr.components.Component]
    running: list[gr.events.Dependency]


def build(site: Site, quiz: Quiz) -> Runs:
    """Add the section to the enclosing container."""
    engine = site.engine
    limits = engine.config.max_quiz_questions, engine.config.max_quiz_written
    site.add(gr.Markdown, {"value": "evaluate.intro"})
    with gr.Row():
        language = site.add(
            gr.Dropdown,
            {"label": "quiz.language"},
            choices=[(name, code) for code, name in quizwords.AUTONYMS.items()],
            value=engine.config.language,
            min_width=150,
            elem_id="evaluate-language",
        )
        way = site.add(
            gr.Dropdown,
            {"label": "evaluate.way"},
            choices=quizwords.ways(site.t),
            value="direct",
            min_width=220,
            elem_id="evaluate-way",
        )
        count = site.add(
            gr.Number, {"label": "evaluate.count"}, value=20, precision=0, min_width=120, elem_id="evaluate-count"
        )
    with site.add(gr.Accordion, {"label": "settings"}, open=False), gr.Row():
        categories = site.add(
            gr.Dropdown,
            {"label": "evaluate.categories", "info": "evaluate.categories_info"},
            choices=[],
            value=[],
            multiselect=True,
            min_width=220,
            elem_id="evaluate-categories",
        )
        model = site.add(
            gr.Dropdown,
            {"label": "quiz.model"},
            choices=quizwords.models(engine.cards, site.t),
            value="",
            min_width=200,
            elem_id="evaluate-model",
        )
        seed = site.add(
            gr.Number, {"label": "evaluate.seed"}, value=0, precision=0, min_width=120, elem_id="evaluate-seed"
        )
    bound = gr.HTML(elem_id="evaluate-bound")
    with gr.Row():
        run = site.add(gr.Button, {"value": "evaluate.run"}, variant="primary", elem_id="evaluate-run")
        stop = site.add(gr.Button, {"value": "stop"}, elem_id="evaluate-stop")
        resume = site.add(gr.Button, {"value": "evaluate.resume"}, visible=False, elem_id="evaluate-resume")
    progress = gr.HTML(elem_id="evaluate-progress")
    facts = gr.HTML(elem_id="evaluate-facts")
    with gr.Row(elem_classes="slots"):
        charts = [
            gr.Plot(show_label=False, visible=False, elem_id=f"evaluate-{name}", elem_classes="level")
            for name in ("shares", "letters", "fits")
        ]
    with gr.Column(visible=False) as details:
        only = site.add(
            gr.Radio, {"label": "evaluate.only"}, choices=report.filters(site.t), value="all", elem_id="evaluate-only"
        )
        table = gr.HTML(js_on_load=strip.SCRIPT, elem_id="evaluate-table")
        opened = gr.HTML(elem_id="evaluate-opened")
        with gr.Row():
            json = site.add(gr.Button, {"value": "evaluate.json"}, size="sm", elem_id="evaluate-json")
            csv = site.add(gr.Button, {"value": "evaluate.csv"}, size="sm", elem_id="evaluate-csv")
    # Outside the column: shown with it, they would be seen.
    texts = [gr.Textbox(visible="hidden", elem_id=f"evaluate-{kind}-text") for kind in ("json", "csv")]
    current, kept = gr.State(None), gr.State(())

    def start(
        t: Translate,
        language: str,
        way: str,
        count: float | None,
        categories: list[str],
        model: str,
        seed: float | None,
        runs: tuple,
        request: gr.Request,
    ) -> Iterator[dict]:
        settings = Settings(language, tuple(categories or ()), _whole(count), _whole(seed), way, model)
        yield from carry_on(t, quiz.begin(settings), runs, request)

    def go_on(t: Translate, evaluation: Evaluation | None, runs: tuple, request: gr.Request) -> Iterator[dict]:
        if evaluation is not None:
            yield from carry_on(t, evaluation, runs, request)

    def carry_on(t: Translate, evaluation: Evaluation, runs: tuple, request: gr.Request) -> Iterator[dict]:
        yield {**_emptied(), progress: report.progress(evaluation, t), resume: gr.update(visible=False)}
        told, answered = time.monotonic(), len(evaluation.replies)
        for state in quiz.heard_by(elsewhere.hearing(t)).evaluate(evaluation, request.session_hash):
            evaluation = state
            due = time.monotonic() - told > UPDATE_SECONDS
            # Kept with every reply, so that stopping loses none; drawn now and then.
            if len(state.replies) > answered or due:
                told, answered = time.monotonic(), len(state.replies)
                yield {current: state, progress: report.progress(state, t), resume: gr.update(visible=True)}
        yield {
            **shown(evaluation, "all", t),
            only: "all",
            kept: (*runs, evaluation)[-KEPT:],
            resume: gr.update(visible=False),
        }

    def _emptied() -> dict:
        hidden = gr.update(visible=False)
        return {**dict.fromkeys(charts, hidden), details: hidden, facts: "", opened: ""}

    def shown(evaluation: Evaluation, filtered: str, t: Translate) -> dict:
        """Return everything that is to be seen of a run."""
        pictures = report.charts(evaluation, t)
        return {
            current: evaluation,
            progress: report.progress(evaluation, t),
            facts: report.facts(evaluation, t),
            **{
                chart: gr.update(value=picture, visible=picture is not None)
                for chart, picture in zip(charts, pictures, strict=True)
            },
            details: gr.update(visible=True),
            table: report.table(evaluation, filtered, t),
            opened: "",
        }

    def halt(t: Translate, evaluation: Evaluation | None) -> dict:
        """Show what a stopped run got to."""
        if evaluation is None or not evaluation.replies:
            return {progress: ""}
        stopped = f'<p class="hint">{t("evaluate.stopped")}</p>' if not evaluation.is_whole else ""
        result = shown(evaluation, "all", t)
        return {**result, progress: result[progress] + stopped, only: "all"}

    def choose(t: Translate, evaluation: Evaluation | None, filtered: str) -> list[str]:
        return ["", ""] if evaluation is None else [report.table(evaluation, filtered, t), ""]

    def look(t: Translate, evaluation: Evaluation | None, filtered: str, event: gr.EventData) -> str:
        if evaluation is None:
            return ""
        rows = report.filtered(evaluation, filtered)
        return report.opened(rows[strip.place_of(event, len(rows))], t) if rows else ""

    def reword(t: Translate, evaluation: Evaluation | None, filtered: str, language: str) -> dict:
        named = {
            **_named(language, t),
            way: gr.update(choices=quizwords.ways(t)),
            model: gr.update(choices=quizwords.models(engine.cards, t)),
            only: gr.update(choices=report.filters(t)),
        }
        done = evaluation is not None and evaluation.replies
        return {**named, **(shown(evaluation, filtered, t) if done else {})}

    def _named(language: str, t: Translate) -> dict:
        limit = t("evaluate.bound", limit=t.number(limits[0]), written=t.number(limits[1]))
        return {
            categories: gr.update(choices=quizwords.categories(quiz.bank(language), t)),
            bound: f'<p class="hint">{limit}</p>',
        }

    def begin(t: Translate) -> dict:
        update = gr.update(choices=quizwords.offered(quiz, t.language), value=t.language)
        return {language: update, **_named(t.language, t)}

    def other_language(t: Translate, language: str) -> dict:
        return _named(language, t)

    results = [current, progress, facts, *charts, details, table, opened, only, resume]
    begun = site.on(
        [run.click],
        start,
        [language, way, count, categories, model, seed, kept],
        [*results, kept],
        show_progress="hidden",
        preprocess=False,
    )
    resumed = site.on([resume.click], go_on, [current, kept], [*results, kept], show_progress="hidden")
    site.stop([stop.click], [begun, resumed])
    site.on([stop.click], halt, [current], results, show_progress="hidden")
    quick = {"queue": False, "show_progress": "hidden"}
    site.on([only.input], choose, [current, only], [table, opened], **quick)
    site.on([table.click], look, [current, only], [opened], trigger_mode="multiple", **quick)
    site.on([language.input], other_language, [language], [categories, bound], show_progress="hidden")
    site.on_open(begin, [], [language, categories, bound])
    elsewhere.list_models(site, model, quizwords.models)
    site.reword(reword, [current, only, language], [*results, categories, bound, way, model])
    for button, write, carrier, kind, name in (
        (json, to_json, texts[0], "application/json", "evaluation.json"),
        (csv, lambda run: SPREADSHEET + to_csv(run), texts[1], "text/csv", "evaluation.csv"),
    ):
        written = site.on([button.click], _writer(write), [current], [carrier], show_progress="hidden")
        written.success(None, carrier, None, js=DOWNLOAD % (kind, name), api_visibility="private")
    settings = {"in": language, "way": way, "count": count, "categories": categories, "seed": seed, "model": model}
    return Runs(kept, settings, [begun, resumed])


def _whole(value: float | None) -> object:
    """Return a number box's whole number as one; anything else as it is, for the backend to refuse."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _writer(write: Callable[[Evaluation], str]) -> Callable:
    def written(t: Translate, evaluation: Evaluation | None) -> str:  # noqa: ARG001 - every event is told
        if evaluation is None:
            raise InputError("quiz_nothing_yet")
        return write(evaluation)

    return written
