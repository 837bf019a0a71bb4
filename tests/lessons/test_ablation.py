"""The Ablation tab's lessons: within the bounds, and on the embedded model showing what they say they show."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import pytest

from llm_demo.ablation.experiment import Experiment, Result, plan
from llm_demo.ablation.grid import grid
from llm_demo.ablation.run import run
from llm_demo.ablation.variants import make_variants
from llm_demo.ablation.worth import worths
from llm_demo.engine import Engine
from llm_demo.engine.local import LocalEngine
from llm_demo.i18n import LANGUAGES, keys
from llm_demo.lessons.ablation import LESSONS, Case
from llm_demo.lessons.lesson import find
from llm_demo.models.catalogue import CARDS

CASES = [(lesson, case) for lesson in LESSONS for case in lesson.cases]
RULES = ["style", "length", "separators", "fallback", "output", "lead", "role"]


def case_of(lesson_id: str, name: str) -> Case:
    return next(case for case in find(lesson_id, LESSONS).cases if case.name == name)


def test_the_courses_lessons_are_all_there_in_order():
    assert [lesson.id for lesson in LESSONS] == ["A1", "A2", "A3", "A4", "A5", "A6"]
    assert [case.name for case in find("A6", LESSONS).cases] == RULES


def test_models_are_those_of_the_catalogue():
    assert {lesson.model for lesson in LESSONS} - {""} <= {card.key for card in CARDS}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_case_has_a_title(language):
    assert {f"ablation_case.{case.name}" for _, case in CASES} <= keys(language)


@pytest.mark.parametrize(("lesson", "case"), CASES, ids=[case.name for _, case in CASES])
def test_every_case_is_within_the_bounds(engine, lesson, case):
    greedy, *drawn = case.samplings

    planned = plan(engine, case.parts, case.checks, drawn[0], len(drawn), schemes=case.schemes, chosen=case.chosen)

    assert planned.samplings == case.samplings
    assert greedy.strategy == "greedy"
    assert {check.part for check in case.checks} <= {part.name for part in case.parts}
    assert len({check.part for check in case.checks}) == len(case.checks)  # the editor has one for each part


# --- what is to be seen, on the embedded model ---


@pytest.fixture(scope="module")
def patient(engine) -> Iterator[Engine]:
    """The same model, whose jobs may take their time on a busy machine."""
    slow = LocalEngine(replace(engine.config, job_seconds=600), lambda report: engine.loaded)
    yield slow
    slow.close()


@pytest.fixture(scope="module")
def watch(patient) -> Callable[[str, str, int], Result]:
    """Run the greedy answers of a case, of so many tokens, once."""

    @cache
    def ran(lesson_id: str, name: str, tokens: int) -> Result:
        case = case_of(lesson_id, name)
        variants = make_variants(patient.tokenizer, case.parts, case.schemes, case.chosen)
        greedy = replace(case.samplings[0], max_new_tokens=tokens)
        *_, end = run(patient, Experiment("", case.parts, case.checks, tuple(variants), (greedy,)))
        return end.result

    return ran


def passed(result: Result, check: int = 0) -> dict[str, bool]:
    """Return by variant whether its greedy answer passed a check."""
    names = [variant.name for variant in result.experiment.variants]
    return {name: marks[0] for name, marks in zip(names, grid(result)[check].marks, strict=True)}


def cost(result: Result) -> dict[str, float]:
    return {worth.variant.name: worth.nats for worth in worths(result)}


@pytest.mark.slow  # the browser suite clicks the same
def test_a1_the_topic_is_worth_most(watch):
    nats = cost(watch("A1", "git", 16))

    assert nats["without:topic"] > 10 > max(nats["without:tone"], nats["without:format"])


@pytest.mark.slow  # the browser suite clicks the same
def test_a2_avoiding_words_is_easily_met_and_json_is_not(watch):
    result = watch("A2", "requests", 24)

    assert not passed(result)["without:JSON"]
    assert passed(result, 1)["without:no jargon"]


@pytest.mark.slow  # the browser suite clicks the same
def test_a3_the_example_sets_the_form_of_the_date(watch):
    result = watch("A3", "debate", 32)

    assert passed(result) == {"chosen:example + topic": True, "chosen:topic": False}
    assert "1960" not in result.answers[0][0].text  # the form, and not the fact


@pytest.mark.slow  # the browser suite clicks the same
def test_a4_without_task_and_examples_the_answer_is_least_likely(watch):
    result = watch("A4", "review", 8)

    nats = cost(result)
    assert max(nats, key=nats.get) == "chosen:topic"
    assert nats["chosen:task + topic"] > nats["chosen:task + example 1 + topic"]
    assert passed(result)["chosen:task + example 1 + topic"]
    assert not passed(result)["chosen:topic"]


@pytest.mark.slow  # the browser suite clicks the same
def test_a5_a_worked_answer_is_imitated(watch):
    result = watch("A5", "tennis", 36)

    assert cost(result)["chosen:topic"] > 10
    assert passed(result) == {"chosen:worked answer + topic": True, "chosen:topic": False}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "tokens"), [("style", 40), ("fallback", 10), ("output", 16), ("role", 10)])
def test_a6_the_precise_rule_passes_where_the_vague_one_does_not(watch, name, tokens):
    precise, vague = passed(watch("A6", name, tokens)).values()

    assert precise
    assert not vague
