"""Trial: the run of an experiment, and all that is seen of it."""

from collections.abc import Iterator

import gradio as gr

from llm_demo.ablation.experiment import Experiment, Result, plan
from llm_demo.ablation.grid import grid
from llm_demo.ablation.run import Progress, run, run_again
from llm_demo.ablation.variants import SCHEMES, read_chosen
from llm_demo.errors import DeadlineError, InputError
from llm_demo.i18n import Translate
from llm_demo.sampling import Sampling
from llm_demo.tabs import elsewhere, findings, keep, strip
from llm_demo.tabs.exercise import Exercise
from llm_demo.tabs.parts import Line, Parts
from llm_demo.tabs.site import Site
from llm_demo.tabs.ways import Ways, schemes_of

QUICK = {"queue": False, "show_progress": "hidden", "trigger_mode": "always_last"}


def build(site: Site, parts: Parts, settings: Ways, lesson: Exercise) -> list[gr.events.Dependency]:
    """Add the section to the enclosing container; returns the events that generate, for others to cancel."""
    engine = site.engine
    with gr.Row():
        start = site.add(gr.Button, {"value": "ablation.run"}, variant="primary", scale=3, elem_id="ablation-run")
        stop = site.add(gr.Button, {"value": "stop"}, scale=1, elem_id="ablation-stop")
    going = gr.HTML(elem_id="ablation-going")
    verdict = gr.HTML(elem_id="ablation-verdict")
    worth = gr.Plot(show_label=False, visible=False, elem_id="ablation-worth")
    worth_means = site.add(
        gr.HTML, {"value": "ablation.worth_means"}, visible=False, elem_id="ablation-worth-means", elem_classes="hint"
    )
    rates = gr.HTML(elem_id="ablation-rates")
    which = gr.Radio([], label=site.t("ablation.which"), visible=False, elem_id="ablation-which")
    texts = strip.make()
    texts.elem_id = "ablation-cards"
    with site.add(gr.Accordion, {"label": "ablation.by_token"}, open=False) as by_token:
        site.add(gr.Markdown, {"value": "ablation.by_token_intro"})
        heat = gr.Plot(show_label=False, elem_id="ablation-heat")
    with site.add(gr.Accordion, {"label": "ablation.first_token"}, open=False) as by_first:
        site.add(gr.Markdown, {"value": "ablation.first_intro"})
        other = gr.Dropdown([], label=site.t("ablation.beside"), elem_id="ablation-beside")
        first = gr.Plot(show_label=False, elem_id="ablation-first")
    found = gr.State(None)
    keeping = keep.build(site)

    def experiment(t: Translate, request: gr.Request, lesson_id: str, *values: object) -> Iterator[dict]:
        chosen_settings, written = values[: len(settings.parts)], values[len(settings.parts) :]
        given, checks = parts.read(t, *written)
        schemes, lines, samples, greedy, temperature, top_p, length, seed = chosen_settings
        sampling = Sampling(max_new_tokens=length, temperature=temperature, top_p=top_p, seed=seed)
        planned = plan(
            engine,
            given,
            checks,
            sampling,
            samples,
            bool(greedy),
            [scheme for scheme in SCHEMES if isinstance(schemes, list) and scheme in schemes],
            read_chosen(lines if isinstance(lines, str) else "", len(given)),
        )
        last = Result(planned, ((),) * len(planned.variants))
        yield {**emptied(t), lesson.look: "", which: _which(planned, 0, t)}
        try:
            for picture in run(engine.heard_by(elsewhere.hearing(t)), planned, request.session_hash):
                last = picture.result
                yield drawn(picture, 0, t)
        except DeadlineError:  # what is done stays, with all that can be told of it
            yield {going: "", **whole(last, 0, t)}
            raise
        yield {lesson.look: lesson.looked(lesson_id, t)}

    def again(
        t: Translate, request: gr.Request, result: Result | None, number: int | None, event: gr.EventData
    ) -> Iterator[dict]:
        if result is None:
            raise InputError("no_such_answer")
        place = strip.place_of(event, len(result.answers))
        heard = engine.heard_by(elsewhere.hearing(t))
        for picture in run_again(heard, result, place, number or 0, request.session_hash):
            yield drawn(picture, number or 0, t)

    def emptied(t: Translate) -> dict:
        hidden = gr.update(visible=False)
        taken = dict.fromkeys((worth, worth_means), hidden)
        return {
            verdict: "",
            rates: "",
            texts: "",
            found: None,
            going: f'<p class="hint">{t("ablation.begins")}</p>',
        } | taken

    def drawn(picture: Progress, number: int, t: Translate) -> dict:
        """Return a picture of a run: its texts at every step, the rest when it is known."""
        shown = {going: findings.going(picture, t), found: picture.result}
        if picture.stage == "answers":
            return {**shown, texts: findings.texts(picture.result, (), number, t)}
        if picture.stage in ("first", "noise") and picture.done:
            return shown
        return {**shown, **whole(picture.result, number, t)}

    def whole(result: Result, number: int, t: Translate) -> dict:
        """Return everything that is to be seen of a result."""
        columns = grid(result)
        chart, map_ = findings.worth_chart(result, t), findings.heat_chart(result, t)
        names = [findings.name_of(variant, t) for variant in result.experiment.variants]
        choices = [(name, place) for place, name in enumerate(names)][1 : len(result.first)]
        return {
            verdict: findings.verdict(result, columns, t),
            worth: gr.update(value=chart, visible=chart is not None),
            worth_means: gr.update(visible=chart is not None),
            rates: findings.rates(result, columns, t),
            texts: findings.texts(result, columns, number, t),
            heat: map_,
            other: gr.update(choices=choices, value=1 if choices else None, label=t("ablation.beside")),
            first: findings.first_chart(result, 1, t),
            which: _which(result.experiment, number, t),
        }

    def settle(t: Translate, result: Result | None, number: int | None) -> dict:
        """Show all that can be told of what was stopped."""
        return {going: "", **(whole(result, number or 0, t) if result else {})}

    def look(t: Translate, result: Result | None, number: int | None) -> object:
        return findings.texts(result, grid(result), number or 0, t) if result else ""

    def by_token_opened(t: Translate, result: Result | None) -> object:
        return findings.heat_chart(result, t) if result else None

    def beside(t: Translate, result: Result | None, place: int | None) -> object:
        return findings.first_chart(result, place or 0, t) if result else None

    def reword(t: Translate, result: Result | None, number: int | None, lesson_id: str) -> dict:
        schemes = gr.update(choices=schemes_of(t), label=t("ablation.schemes"))
        if result is None:
            return {settings.schemes: schemes}
        looked = {} if not any(result.answers) else {lesson.look: lesson.looked(lesson_id, t)}
        return {settings.schemes: schemes, going: "", **whole(result, number or 0, t), **looked}

    def take(t: Translate, result: Result) -> dict:
        """Show what a file held, and put its parts and settings where they can be run again."""
        experiment = result.experiment
        checks = {check.part: check for check in experiment.checks}
        lines = [
            Line(part.name, part.text, True, *((check.kind, check.value) if (check := checks.get(part.name)) else ()))
            for part in experiment.parts
        ]
        kinds = {variant.kind for variant in experiment.variants}
        chosen = tuple(variant.numbers for variant in experiment.variants if variant.kind == "chosen")
        schemes = tuple(scheme for scheme in SCHEMES if scheme in kinds)
        return {
            found: result,
            going: "",
            **whole(result, 0, t),
            **dict(zip(parts.outputs, parts.shown(lines, t), strict=True)),
            **dict(zip(settings.parts, settings.shown(schemes, chosen, experiment.samplings), strict=True)),
        }

    pictures = [verdict, worth, worth_means, rates, texts, heat, other, first, which]
    outputs = [going, *pictures, found, lesson.look]
    running = site.on(
        [start.click],
        experiment,
        [lesson.lesson, *settings.parts, *parts.inputs],
        outputs,
        show_progress_on=[going],
        preprocess=False,  # the backend's bounds are told in one's own language
    )
    rewriting = site.on([texts.click], again, [found, which], outputs, show_progress="hidden")
    site.stop([stop.click], [running, rewriting])
    site.on([stop.click], settle, [found, which], [going, *pictures], **QUICK)
    # What is sent to a folded section is lost: it is drawn when it is opened.
    site.on([by_token.expand], by_token_opened, [found], [heat], **QUICK)
    site.on([by_first.expand], beside, [found, other], [first], **QUICK)
    site.on([which.input], look, [found, which], [texts], **QUICK)
    site.on([other.input], beside, [found, other], [first], **QUICK)
    site.reword(reword, [found, which, lesson.lesson], [settings.schemes, *outputs])
    keeping.wire(site, found, take, [*outputs, *parts.outputs, *settings.parts])
    return [running, rewriting]


def _which(experiment: Experiment, number: int, t: Translate) -> dict:
    """Return the choice of an answer, by the seeds that were planned."""
    choices = [(findings.way(sampling, t), place) for place, sampling in enumerate(experiment.samplings)]
    return gr.update(choices=choices, value=number, visible=len(choices) > 1, label=t("ablation.which"))
