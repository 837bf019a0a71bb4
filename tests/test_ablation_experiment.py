"""An experiment: planned within the bounds, run in blocks, and measured as plain forward passes would measure it."""

import json
import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from llm_demo.ablation.experiment import Answer, Experiment, Result, plan
from llm_demo.ablation.first import jensen_shannon
from llm_demo.ablation.grid import contrasts, grid
from llm_demo.ablation.parts import Part
from llm_demo.ablation.run import Progress, block_size, run, run_again
from llm_demo.ablation.variants import SCHEMES, Variant
from llm_demo.ablation.worth import measure, noise, worths
from llm_demo.adherence import Check
from llm_demo.errors import DeadlineError, DemoError, InputError
from llm_demo.rows import padded
from llm_demo.sampling import Sampling
from llm_demo.stats import wilson

TONE = Part("tono", "Be brief.")
NOTHING = Part("nada", " ")
FORMAT = Part("formato", "Answer with three bullet points.")
TOPIC = Part("tema", "What is Git?")
SHORT = Sampling(max_new_tokens=4, temperature=0.7, seed=3)


def last(pictures) -> Progress:
    *_, end = pictures
    return end


# Planning


def test_each_variant_is_answered_greedily_and_then_from_seeds_that_count_up(make_engine):
    experiment = plan(make_engine(), [TONE, TOPIC], [], SHORT, samples=2)

    assert [(one.strategy, one.seed) for one in experiment.samplings] == [("greedy", 3), ("sample", 3), ("sample", 4)]
    assert [one.kind for one in experiment.variants] == ["full", "without", "without"]
    assert experiment.model == "tiny"


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"samples": 9}, "samples"),
        ({"samples": 0, "greedy": False}, "samples"),
        ({"samples": True}, "samples"),
        ({"parts": [Part(str(n), "a") for n in range(9)]}, "many_parts"),
        ({"parts": [NOTHING]}, "empty_parts"),
        ({"parts": [TONE, TONE]}, "part_names"),
        ({"parts": [Part("larga", "a" * 8_001)]}, "long_part"),
        ({"parts": [Part("una", "a" * 4_000), Part("otra", "a" * 4_000)]}, "long_prompt"),
        ({"parts": [Part("una", "a" * 1_021)]}, "context"),
        ({"parts": [Part("fin", "a<|end|>")]}, "special_part"),
        ({"sampling": replace(SHORT, max_new_tokens=600)}, "knob_whole"),
        ({"parts": [Part(str(n), "a") for n in range(8)], "schemes": SCHEMES}, "many_variants"),
    ],
)
def test_what_is_past_a_bound_is_refused_before_anything_runs(watch, make_engine, options, key):
    watched = watch()
    given = {"parts": [TONE, TOPIC], "checks": [], "sampling": SHORT, "samples": 1} | options

    with pytest.raises(DemoError) as caught:
        plan(make_engine(watched.model), **given)

    assert caught.value.key == key
    assert watched.passes == []


def test_the_bounds_are_the_operators(make_engine):
    narrow = make_engine(max_variants=2)

    with pytest.raises(InputError) as caught:
        plan(narrow, [TONE, TOPIC], [], SHORT, samples=1)

    assert caught.value.values == {"count": 3, "limit": 2}


@pytest.mark.parametrize(
    ("ways", "budget", "step", "rows", "size"),
    [
        (5, 0.1, 0.1, 5, 1),  # no time to spare
        (5, 0.2, 0.1, 5, 5),  # twice the time: 2 * (50 + 3 * 5) = 130 = 50 + 3 * 26.7
        (9, 0.9, 0.1, 9, 7),  # the worker takes no more than 64 rows at once
        (1, 9.0, 0.1, 1, 64),
        (9, 0.001, 1.0, 9, 1),  # however slow the machine is
        (5, 0.1, 0.0, 5, 12),
    ],
)
def test_blocks_grow_with_the_time_that_a_step_leaves(ways, budget, step, rows, size):
    assert block_size(ways, budget, step, rows) == size


# Running


@pytest.fixture(scope="module")
def ran(engine) -> list[Progress]:
    """Every picture of one experiment on the embedded model."""
    check = Check("formato", "bullets", "1-3")
    return list(run(engine, plan(engine, [TONE, NOTHING, FORMAT, TOPIC], [check], SHORT, samples=2)))


@pytest.fixture(scope="module")
def result(ran) -> Result:
    return ran[-1].result


def test_every_answer_is_what_a_request_of_its_own_would_get(engine, result):
    for place, number in ((0, 0), (2, 1), (5, 2)):
        answer = result.answers[place][number]
        alone = engine.generate(result.experiment.variants[place].prompt, answer.sampling)
        assert answer.token_ids == alone.token_ids
        assert answer.text == alone.text
        assert answer.finish_reason == alone.finish_reason
        assert sum(answer.log_probs) == pytest.approx(alone.log_prob, abs=1e-4)


def test_pictures_follow_one_another_and_never_lose_anything(ran):
    stages = list(dict.fromkeys(picture.stage for picture in ran))

    assert stages == ["answers", "worth", "first", "noise", "done"]
    for before, after in pairwise(ran):
        tokens = [[len(a.token_ids) for a in answers] for answers in before.result.answers]
        grown = [[len(a.token_ids) for a in answers] for answers in after.result.answers]
        assert all(sum(one) <= sum(other) for one, other in zip(tokens, grown, strict=True))
        assert len(before.result.first) <= len(after.result.first)
    assert all(0 <= picture.done <= picture.of for picture in ran)


@pytest.mark.parametrize(("seconds", "begun"), [(1e9, [1, 8, 9]), (0.0, [1, 2, 3, 4, 5, 6, 7, 8, 9])])
def test_the_first_variant_goes_ahead_and_the_others_follow_in_blocks(make_engine, monkeypatch, seconds, begun):
    monkeypatch.setattr("llm_demo.ablation.run.BLOCK_SECONDS", seconds)
    engine = make_engine()
    experiment = plan(engine, [Part(str(n), "a" * n) for n in range(1, 8)], [], SHORT, samples=8)

    counts = [
        sum(bool(answers) for answers in picture.result.answers)
        for picture in run(engine, experiment)
        if picture.stage == "answers"
    ]

    assert list(dict.fromkeys(counts)) == begun


def test_a_run_that_is_closed_stops(watch, make_engine):
    watched = watch()
    pictures = run(make_engine(watched.model), plan(make_engine(watched.model), [TONE, TOPIC], [], SHORT, samples=1))

    first = next(pictures)
    pictures.close()
    count = len(watched.passes)

    assert first.stage == "answers"
    assert count < 40


def test_a_job_that_takes_too_long_leaves_the_picture_before(make_engine, watch):
    held = watch(held=True)
    engine = make_engine(held.model, job_seconds=1)
    held.allow(2)
    pictures = []

    with pytest.raises(DeadlineError):
        pictures.extend(run(engine, plan(engine, [TOPIC], [], SHORT, samples=1)))

    assert len(pictures[-1].result.answers[0][0].token_ids) >= 1
    assert not pictures[-1].result.answers[0][0].whole


def test_answers_of_one_prompt_share_its_reading(make_engine, watch):
    watched = watch()
    engine = make_engine(watched.model)
    experiment = plan(engine, [TONE, TOPIC], [], SHORT, samples=7)

    for picture in run(engine, experiment):
        if picture.stage != "answers":
            break

    read = [rows * tokens for rows, tokens in watched.passes if tokens > 1]
    assert sum(read) == sum(padded(len(engine.encode(variant.prompt))) for variant in experiment.variants)


# Worth


def log_probs(engine, prompt: str, ids: tuple[int, ...]) -> list[float]:
    """Return the log-probabilities of ids after a prompt: one plain pass over all of it, without a cache."""
    read = engine.tokenizer(prompt).input_ids
    with torch.inference_mode():
        logits = engine.model(input_ids=torch.tensor([[*read, *ids]]), use_cache=False).logits[0]
    rows = logits[len(read) - 1 : -1].log_softmax(-1)
    return rows.gather(1, torch.tensor(ids)[:, None])[:, 0].tolist()


def test_the_worth_of_a_part_is_what_plain_passes_say(engine, result):
    variants, answer = result.experiment.variants, result.answers[0][0]
    full, *others = (log_probs(engine, variant.prompt, answer.token_ids) for variant in variants)

    for worth, variant, other in zip(worths(result), variants[1:], others, strict=True):
        assert worth.variant == variant
        assert worth.nats == pytest.approx(sum(full) - sum(other), abs=1e-4)
        assert worth.by_token == pytest.approx([f - o for f, o in zip(full, other, strict=True)], abs=1e-4)
    by_part = {worth.variant.name: worth.nats for worth in worths(result)}
    assert by_part["without:tema"] > 1  # no topic, no such answer


def test_the_worth_of_every_further_answer_is_what_plain_passes_say(engine, result):
    variants = result.experiment.variants
    for place, answer in enumerate(result.answers[0][1:]):
        full, *others = (sum(log_probs(engine, variant.prompt, answer.token_ids)) for variant in variants)
        found = [worth.others[place] for worth in worths(result)]
        assert found == pytest.approx([full - other for other in others], abs=1e-4)


def test_a_part_in_which_nothing_is_written_was_worth_nothing(result):
    by_part = {worth.variant.name: worth for worth in worths(result)}

    assert by_part["without:nada"].nats == pytest.approx(0, abs=1e-4)
    assert by_part["without:nada"].others == pytest.approx([0, 0], abs=1e-4)


def test_the_endpoints_effects_are_the_same_figures(engine, result):
    trace = engine.generate(result.experiment.variants[0].prompt, result.experiment.samplings[0])

    effects = measure(engine, result.experiment.variants, trace)

    assert {effect.part: effect.nats for effect in effects} == {
        worth.variant.part: pytest.approx(worth.nats, abs=1e-6)
        for worth in worths(result)
        if worth.variant.kind == "without"
    }


def test_a_prompt_of_one_part_has_nothing_to_measure(make_engine):
    engine = make_engine()
    end = last(run(engine, plan(engine, [TOPIC], [], SHORT, samples=0)))

    assert worths(end.result) == []
    assert noise(end.result) is None
    assert measure(engine, end.result.experiment.variants, engine.generate("What is Git?", SHORT)) == []


def answered(*log_probs: float, strategy: str = "sample", finish: str = "stop", text: str = "") -> Answer:
    ids = tuple(range(len(log_probs)))
    return Answer(Sampling(strategy), ids, tuple(map(str, ids)), log_probs, text, finish)


def made(answers, checks=(), scores=()) -> Result:
    """Put a result together by hand: the full prompt, and it without `formato`."""
    variants = (Variant("full", "", "a b", (0, 1)), Variant("without", "formato", "b", (1,)))
    ways = tuple(answer.sampling for answer in answers[0])
    return Result(Experiment("tiny", (FORMAT, TOPIC), tuple(checks), variants, ways), tuple(answers), scores)


def test_noise_is_the_mean_difference_between_two_seeds_as_far_as_both_go():
    greedy, broken = answered(-50.0, strategy="greedy"), answered(-90.0, finish="cancelled")
    sampled = [answered(-1.0, -2.0), answered(-5.0), answered(-3.0, -6.0, -100.0)]

    # The first token of the first and second, two tokens of the first and third, the first of the second and third.
    expected = (abs(-1 + 5) + abs(-3 + 9) + abs(-5 + 3)) / 3
    assert noise(made([[greedy, *sampled, broken], []])) == pytest.approx(expected)
    assert noise(made([[greedy, sampled[0], broken], []])) is None


def test_worth_is_told_as_far_as_it_was_measured():
    answers = [[answered(-1.0, -2.0), answered(-4.0)], []]

    (worth,) = worths(made(answers, scores=(((-1.0, -2.0), (-4.0, -2.5)), ((-4.0,),))))

    assert worth.nats == pytest.approx(3.5)
    assert worth.by_token == pytest.approx((3.0, 0.5))
    assert worth.others == ()
    assert worths(made(answers)) == []


# First token


def test_the_divergence_of_a_hand_worked_pair():
    one, other = torch.tensor([0.5, 0.5, 0.0]).log(), torch.tensor([0.0, 0.5, 0.5]).log()

    # Half of each distribution is where the other has nothing: 0.5 * log2(2) of each.
    assert jensen_shannon(one, other) == pytest.approx(0.5)
    assert jensen_shannon(one, one) == 0
    assert jensen_shannon(torch.tensor([1.0, 0.0]).log(), torch.tensor([0.0, 1.0]).log()) == pytest.approx(1)


def test_the_divergence_is_symmetric_and_that_of_the_definition():
    torch.manual_seed(0)
    one, other = torch.randn(2, 1_000, dtype=torch.float64) * 4
    p, q = one.softmax(-1), other.softmax(-1)
    m = (p + q) / 2
    expected = ((p * (p / m).log2()).sum() + (q * (q / m).log2()).sum()) / 2

    assert jensen_shannon(one, other) == pytest.approx(expected.item())
    assert jensen_shannon(other, one) == pytest.approx(expected.item())


def test_first_tokens_are_compared_over_the_whole_vocabulary(engine, result):
    variants = result.experiment.variants
    full, *_, only = (engine.look(variant.prompt) for variant in variants)

    assert result.first[0].bits == 0
    assert result.first[-1].bits == pytest.approx(jensen_shannon(full, only))
    for rival in result.first[-1].rivals:
        assert rival.reference == pytest.approx(full.softmax(-1)[rival.token_id].item(), abs=1e-6)
        assert rival.variant == pytest.approx(only.softmax(-1)[rival.token_id].item(), abs=1e-6)
        assert rival.text == engine.tokenizer.decode([rival.token_id])
    assert result.first[-1].rivals[0].token_id == int(full.argmax())
    assert int(only.argmax()) in [rival.token_id for rival in result.first[-1].rivals]


# Grid

BULLETS = "- a\n- b\n- c"


def test_rates_are_counted_over_the_samples_that_ended():
    full = [answered(strategy="greedy", text="a"), *[answered(text=BULLETS)] * 3, answered(text="a")]
    without = [answered(strategy="greedy", text=BULLETS), *[answered(text="a")] * 3, answered(finish="cancelled")]
    check = Check("formato", "bullets", "3")
    found = made([full, without], [check])

    (column,) = grid(found)

    assert column.marks == ((False, True, True, True, False), (True, False, False, False, None))
    assert [(rate.passed, rate.of) for rate in column.rates] == [(3, 4), (0, 3)]
    assert [(rate.low, rate.high) for rate in column.rates] == [wilson(3, 4), wilson(0, 3)]
    (contrast,) = contrasts(found, [column])
    assert (contrast.check, contrast.with_it.passed, contrast.without.passed) == (check, 3, 0)


def test_where_nothing_was_sampled_the_greedy_answer_counts():
    answers = [[answered(strategy="greedy", text=BULLETS)], [answered(strategy="greedy", text="a")]]

    (column,) = grid(made(answers, [Check("formato", "bullets", "3")]))

    assert [(rate.passed, rate.of) for rate in column.rates] == [(1, 1), (0, 1)]


def test_a_part_is_contrasted_with_its_own_absence_alone():
    answers = [[answered(text="a")], [answered(text="b")]]
    found = made(answers, [Check("tema", "contains", "a")])

    assert contrasts(found, grid(found)) == []


def test_a_pattern_that_takes_too_long_says_nothing_of_anybody():
    answers = [[answered(text="a" * 5_000 + "!")], [answered(text="a")]]

    (column,) = grid(made(answers, [Check("formato", "pattern", "(a+)+$")]))

    assert column.slow
    assert column.marks == ((None,), (None,))
    assert [(rate.passed, rate.of, rate.low, rate.high) for rate in column.rates] == [(0, 0, 0.0, 1.0)] * 2


# Again


def test_an_answer_written_again_gets_a_seed_that_nobody_had(engine, result):
    again = last(run_again(engine, result, 1, 2)).result

    answer = again.answers[1][2]
    assert answer.sampling.seed == 5
    assert answer.token_ids == engine.generate(result.experiment.variants[1].prompt, answer.sampling).token_ids
    assert again.scores == result.scores
    kept = [one for answers in result.answers for one in answers if one is not result.answers[1][2]]
    assert all(any(one is other for answers in again.answers for other in answers) for one in kept)


def test_a_greedy_answer_written_again_is_the_same(engine, result):
    assert last(run_again(engine, result, 0, 0)).result.answers[0][0].token_ids == result.answers[0][0].token_ids


def test_an_answer_of_the_full_prompt_written_again_is_measured_again(engine, result):
    again = last(run_again(engine, result, 0, 1)).result

    ids = again.answers[0][1].token_ids
    expected = [sum(log_probs(engine, variant.prompt, ids)) for variant in result.experiment.variants]
    assert [sum(score) for score in again.scores[1]] == pytest.approx(expected, abs=1e-4)
    assert again.scores[0] == result.scores[0]


@pytest.mark.parametrize(("variant", "answer"), [(9, 0), (0, 9), (-1, 0), (0, -1)])
def test_an_answer_that_is_not_there_cannot_be_written_again(engine, result, variant, answer):
    with pytest.raises(InputError) as caught:
        last(run_again(engine, result, variant, answer))

    assert caught.value.key == "no_such_answer"


def test_figures_are_finite(result):
    assert json.dumps([worth.nats for worth in worths(result)], allow_nan=False)
    assert math.isfinite(noise(result))
