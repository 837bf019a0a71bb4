"""The Decoding tab's lessons: each has the course's settings, and on the embedded model shows what it says it shows."""

from collections.abc import Callable
from functools import cache
from itertools import accumulate

import pytest

from llm_demo.errors import InputError
from llm_demo.i18n import LANGUAGES, translator
from llm_demo.lessons.decoding import LESSONS, DecodingLesson
from llm_demo.lessons.lesson import find
from llm_demo.models.catalogue import CARDS
from llm_demo.sampling import Sampling
from llm_demo.trace import Candidate, Trace

COLOURS, FUTURE = "Lista de colores: rojo, azul", "In a distant future, humans and AI"
COURSE = {
    "D1": [Sampling("greedy"), Sampling("sample"), Sampling("beam", num_beams=2)],
    "D2": [Sampling("greedy"), Sampling("sample", temperature=0.6, top_k=20, top_p=0.95)],
    "D3": [
        Sampling("greedy", repetition_penalty=1.1, max_new_tokens=80),
        Sampling("sample", temperature=1.0, top_k=50, repetition_penalty=1.1, max_new_tokens=80),
        Sampling("sample", temperature=0.3, top_p=0.9, repetition_penalty=1.1, max_new_tokens=80),
    ],
    "D4": [Sampling("sample", temperature=value, max_new_tokens=80) for value in (0.1, 0.7, 1.5)],
    "D5": [Sampling("sample", top_k=2), Sampling("sample", top_p=0.5)],
    "D6": [Sampling("greedy"), Sampling("sample", top_k=1), Sampling("sample", temperature=0.001)],
    "D7": [Sampling("sample", top_k=5, top_p=0.9), Sampling("sample", top_k=5), Sampling("sample", top_p=0.9)],
    "D8": [Sampling("greedy", repetition_penalty=value, max_new_tokens=100) for value in (1.0, 1.1, 1.3, 1.5)],
    "D9": [Sampling("greedy", max_new_tokens=40), Sampling("beam", num_beams=5, max_new_tokens=40)],
    "D10": [
        Sampling("greedy", max_new_tokens=100),
        Sampling("contrastive", penalty_alpha=0.6, top_k=4, max_new_tokens=100),
    ],
    "D11": [Sampling("greedy", max_new_tokens=60), Sampling("prompt_lookup", max_new_tokens=60)],
    "D12": [Sampling("greedy"), Sampling("speculative")],
    "D13": [Sampling("greedy", max_new_tokens=count) for count in (10, 30, 100)],
}
PROMPTS = dict.fromkeys(["D1", "D2"], COLOURS) | dict.fromkeys(["D3", "D4"], FUTURE)


@pytest.mark.parametrize("lesson_id", COURSE)
def test_settings_are_the_courses(lesson_id):
    lesson = find(lesson_id, LESSONS)

    assert list(lesson.samplings) == COURSE[lesson_id]
    assert lesson.prompt == PROMPTS.get(lesson_id, lesson.prompt)


def test_the_courses_lessons_are_all_there_in_order():
    assert [lesson.id for lesson in LESSONS][: len(COURSE)] == list(COURSE)


def test_models_are_those_of_the_catalogue():
    named = {name for lesson in LESSONS for name in (lesson.model, lesson.draft)} - {""}

    assert named - {card.key for card in CARDS} == set()


@pytest.mark.parametrize("lesson_id", ["", "D99", "d1", "x" * 1000])
def test_an_unknown_lesson_is_refused(lesson_id):
    with pytest.raises(InputError) as caught:
        find(lesson_id, LESSONS)

    for language in LANGUAGES:
        assert len(caught.value.message(translator(language))) < 200


# --- what is to be seen, on the embedded model ---


@pytest.fixture(scope="module")
def watch(engine) -> Callable[[str], list[Trace]]:
    """Run a lesson, once."""

    @cache
    def run(lesson_id: str) -> list[Trace]:
        lesson: DecodingLesson = find(lesson_id, LESSONS)
        return engine.compare(lesson.prompt, lesson.samplings, 50)

    return run


@pytest.fixture(scope="module")
def first_tops(engine) -> Callable[[str], list[tuple[Candidate, ...]]]:
    """Return the 50 likeliest candidates of a lesson's first step, column by column."""

    def run(lesson_id: str) -> list[tuple[Candidate, ...]]:
        lesson = find(lesson_id, LESSONS)
        return [engine.next_step(lesson.prompt, sampling, 50).top for sampling in lesson.samplings]

    return run


def returning(trace: Trace, length: int = 8) -> int:
    """Return how many runs of `length` tokens stood in the text before."""
    ids = trace.token_ids
    runs = [ids[start : start + length] for start in range(len(ids) - length + 1)]
    return len(runs) - len(set(runs))


def parting(one: Trace, other: Trace) -> int:
    """Return the first step in which two texts differ."""
    pairs = zip(one.token_ids, other.token_ids, strict=False)
    return next(place for place, (a, b) in enumerate(pairs) if a != b)


def is_likeliest(trace: Trace, place: int) -> bool:
    return trace.steps[place].chosen.token_id == trace.steps[place].top[0].token_id


def test_d1_only_the_sample_depends_on_the_seed_and_is_far_less_likely(watch):
    greedy, sampled, beams = watch("D1")

    assert [trace.steps[0].draw is None for trace in (greedy, sampled, beams)] == [True, False, True]
    assert sampled.log_prob < 2 * min(greedy.log_prob, beams.log_prob)
    assert len({greedy.text, sampled.text, beams.text}) == 3


@pytest.mark.slow  # the browser suite sees the same
def test_d3_the_free_sample_is_by_far_the_least_likely(watch):
    greedy, free, careful = watch("D3")

    assert free.log_prob < 2 * min(greedy.log_prob, careful.log_prob)


def test_d4_bars_of_one_distribution_sharpen_and_flatten(first_tops):
    cold, warm, hot = (top[0] for top in first_tops("D4"))

    assert cold.raw_prob == pytest.approx(hot.raw_prob, abs=1e-4)
    assert cold.prob > 0.8 > warm.prob > warm.raw_prob > hot.prob


def test_d5_top_k_keeps_two_and_top_p_as_many_as_it_needs(watch):
    by_count, by_mass = ([sum(c.prob > 0 for c in step.top) for step in trace.steps] for trace in watch("D5"))

    assert set(by_count) == {2}
    assert min(by_mass) == 1
    assert max(by_mass) > 5


def test_d6_three_names_of_one_text(watch):
    greedy, alone, cold = watch("D6")

    assert greedy.token_ids == alone.token_ids == cold.token_ids


def test_d7_top_p_counts_over_what_top_k_left(first_tops):
    both, only_k, only_p = first_tops("D7")
    five = [candidate.raw_prob for candidate in both[:5]]
    mass = list(accumulate(prob / sum(five) for prob in five))
    kept = next(count for count, reached in enumerate(mass, 1) if reached >= 0.9)  # who crosses 90% stays

    assert sum(five) < 0.9
    assert kept < 5
    assert [c.prob > 0 for c in both] == [place < kept for place in range(50)]
    assert [c.prob for c in both[:kept]] == pytest.approx([p / sum(five[:kept]) for p in five[:kept]], abs=1e-4)
    assert [c.prob > 0 for c in only_k] == [place < 5 for place in range(50)]
    assert sum(c.prob > 0 for c in only_p) > 10


@pytest.mark.slow
def test_d8_penalties_end_the_repetition_and_cost_probability(watch):
    traces = watch("D8")

    assert returning(traces[0]) > 10
    assert [returning(trace) for trace in traces[1:]] == [0, 0, 0]
    log_probs = [trace.log_prob for trace in traces]
    assert log_probs == sorted(log_probs, reverse=True)


def test_d9_beams_find_the_likelier_text_by_a_less_likely_token(watch):
    greedy, beams = watch("D9")
    place = parting(greedy, beams)

    assert len(greedy.token_ids) == len(beams.token_ids)
    assert beams.log_prob > greedy.log_prob
    assert is_likeliest(greedy, place)
    assert not is_likeliest(beams, place)


@pytest.mark.slow
def test_d10_contrastive_search_does_not_repeat_what_greedy_does(watch):
    greedy, contrastive = watch("D10")

    assert returning(greedy) > 10
    assert returning(contrastive) == 0
    assert not is_likeliest(contrastive, parting(greedy, contrastive))
    assert all(step.draw is None for step in contrastive.steps)


def test_d11_prompt_lookup_writes_the_greedy_text_in_fewer_passes(watch):
    greedy, lookup = watch("D11")

    assert lookup.token_ids == greedy.token_ids
    assert lookup.forward_passes < greedy.forward_passes / 3
    assert any(draft.accepted == len(draft.token_ids) > 5 for draft in lookup.drafts)
    assert any(draft.accepted < len(draft.token_ids) for draft in lookup.drafts)


def test_d12_a_drafted_text_is_the_greedy_one_in_fewer_passes(make_engine, make_tiny_model):
    lesson = find("D12", LESSONS)
    drafted = make_engine(make_tiny_model(0), draft=make_tiny_model(0))

    greedy, speculative = drafted.compare(lesson.prompt, lesson.samplings)

    assert speculative.token_ids == greedy.token_ids
    assert speculative.forward_passes < greedy.forward_passes


def test_d13_a_bound_cuts_and_does_not_lengthen(watch):
    short, middle, long = watch("D13")

    assert middle.token_ids[:10] == short.token_ids
    assert long.token_ids[:30] == middle.token_ids
    assert [trace.finish_reason for trace in (short, middle, long)] == ["length", "length", "stop"]
    assert 30 < len(long.token_ids) < 100
