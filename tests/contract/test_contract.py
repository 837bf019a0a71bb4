"""What every engine owes the tabs, asked of the one in this process and of those behind servers alike."""

import math

import pytest
import torch

from llm_demo.config import Config
from llm_demo.errors import InputError, ModelError, SettingsError
from llm_demo.request import Request
from llm_demo.sampling import Sampling, warpers

GREEDY = Sampling("greedy", max_new_tokens=12)
DRAWN = Sampling(temperature=0.8, top_k=5, max_new_tokens=12, seed=3)
PROMPT = "The capital of France is"


def after(side, trace):
    """Return the judge's log-probabilities at each step of a trace."""
    return side.rows((*trace.prompt_ids, *trace.token_ids))[len(trace.prompt_ids) - 1 : -1]


def test_greedy_takes_the_likeliest_token_at_every_step(side):
    trace = side.engine.generate(PROMPT, GREEDY)

    assert trace.prompt_ids == tuple(side.engine.tokenizer(PROMPT).input_ids)
    for row, token in zip(after(side, trace).exp(), trace.token_ids, strict=True):
        assert row[token] >= row.max() - 2 * side.slack
    assert trace.text == side.engine.tokenizer.decode(trace.token_ids, skip_special_tokens=True)
    assert trace.finish_reason == ("length" if len(trace.token_ids) == 12 else "stop")


def test_a_step_holds_the_likeliest_tokens_with_the_models_own_probabilities(side):
    trace = side.engine.generate(PROMPT, GREEDY, top_k=7)

    for step, row in zip(trace.steps, after(side, trace).exp(), strict=True):
        told = [one.raw_prob for one in step.top]
        assert told == pytest.approx([row[one.token_id].item() for one in step.top], abs=side.slack)
        assert told == sorted(told, reverse=True)
        assert step.top[-1].raw_prob >= row.topk(7).values[-1] - side.slack
        assert [one.prob for one in step.top] == told
        assert math.exp(step.log_prob) == pytest.approx(step.chosen.raw_prob, rel=1e-4)


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(seed=1, max_new_tokens=6),
        Sampling(seed=2, temperature=0.8, top_k=5, max_new_tokens=6),
        Sampling(seed=3, temperature=1.4, top_k=9, top_p=0.7, max_new_tokens=6),
        Sampling(seed=4, top_p=0.4, max_new_tokens=6),
        Sampling(seed=5, temperature=0.5, min_p=0.3, max_new_tokens=6),
    ],
    ids=["plain", "top-k", "top-k and top-p", "top-p", "min-p"],
)
def test_what_the_filters_leave_is_what_transformers_warpers_leave(exact, sampling):
    trace = exact.engine.generate(PROMPT, sampling, top_k=8)

    for place, (step, row) in enumerate(zip(trace.steps, after(exact, trace), strict=True)):
        ids = torch.tensor([[*trace.prompt_ids, *trace.token_ids[:place]]])
        left = warpers(sampling)(ids, row[None].clone())[0].softmax(-1)
        expected = [left[one.token_id].item() for one in step.top]
        assert [one.prob for one in step.top] == pytest.approx(expected, abs=exact.slack)
        assert step.chosen.prob == pytest.approx(left[step.chosen.token_id].item(), abs=exact.slack)
        assert step.chosen.prob > 0


@pytest.mark.parametrize("sampling", [DRAWN, Sampling(top_p=0.3, seed=4, max_new_tokens=6)], ids=["top-k", "top-p"])
def test_what_is_drawn_is_among_what_the_filters_leave(side, sampling):
    trace = side.engine.generate(PROMPT, sampling)

    assert trace.token_ids
    for step in trace.steps:
        assert step.chosen.prob > 0
        assert sum(one.prob for one in {one.token_id: one for one in (*step.top, step.chosen)}.values()) <= 1 + 1e-5


def test_the_same_seed_gives_the_same_text_and_another_seed_another(side):
    texts = [side.engine.generate(PROMPT, Sampling(seed=seed, max_new_tokens=12)).token_ids for seed in (1, 1, 2)]

    assert texts[0] == texts[1] != texts[2]


def test_the_penalty_changes_the_text_as_it_does_in_transformers(exact):
    sampling = Sampling("greedy", repetition_penalty=3.0, max_new_tokens=8)
    trace = exact.engine.generate(PROMPT, sampling)

    ids = list(trace.prompt_ids)
    for chosen in trace.token_ids:
        with torch.inference_mode():
            logits = exact.judge(input_ids=torch.tensor([ids]), use_cache=False).logits[:, -1]
        assert chosen == int(warpers(sampling)(torch.tensor([ids]), logits.clone()).argmax())
        ids.append(chosen)


def test_a_text_ends_with_the_token_that_ends_it(exact):
    end = next(iter(exact.engine.loaded.stop_ids))
    trace = exact.engine.generate(PROMPT, GREEDY, forced=(*exact.words, end))

    assert trace.token_ids == (*exact.words, end)
    assert trace.finish_reason == "stop"
    assert trace.text == exact.engine.tokenizer.decode(exact.words)


def test_forced_tokens_are_recorded_with_what_the_model_gave_them(side):
    trace = side.engine.generate(PROMPT, GREEDY, top_k=4, forced=side.words)
    rows = after(side, trace).exp()

    assert trace.token_ids[:2] == side.words
    assert 2 < len(trace.token_ids) <= 12
    for step, row in zip(trace.steps, rows, strict=True):
        assert step.chosen.raw_prob == pytest.approx(row[step.chosen.token_id].item(), abs=side.slack)
        assert step.top[0].raw_prob == pytest.approx(row.max().item(), abs=side.slack)
    assert trace.log_prob == pytest.approx(sum(step.log_prob for step in trace.steps))


def test_a_text_ends_where_a_pattern_of_ours_is_found(side):
    free = side.engine.generate(PROMPT, GREEDY)
    (trace,) = side.engine.generate_many([Request(PROMPT, GREEDY, until=r"(?s).")])

    assert trace.token_ids == free.token_ids[:1]
    assert trace.finish_reason == "cancelled"


def test_several_requests_keep_apart(side):
    requests = [Request(prompt, GREEDY) for prompt in ("One", "Two and", "Red, green", "My name is")]

    together = side.engine.generate_many(requests)

    assert [trace.token_ids for trace in together] == [
        side.engine.generate(request.prompt, GREEDY).token_ids for request in requests
    ]


def test_a_stream_yields_the_steps_of_the_trace(side):
    assert tuple(side.engine.stream(PROMPT, DRAWN)) == side.engine.generate(PROMPT, DRAWN).steps


def test_what_is_cut_short_is_cancelled_and_keeps_what_came(side):
    requests = [Request(PROMPT, Sampling("greedy", max_new_tokens=400))]
    traces, decisions = side.engine.collect(requests), side.engine.stream_many(requests)
    for _ in range(3):
        traces.add(next(decisions))
    decisions.close()

    (trace,) = traces.finished()
    assert (trace.finish_reason, len(trace.token_ids)) == ("cancelled", 3)


def test_scores_are_those_of_one_plain_pass(side):
    tokenizer = side.engine.tokenizer
    pairs = [("My name", " is Ann"), ("Red, green", side.words), ("Hello", "")]
    found = side.engine.batch_log_probs(pairs)

    assert side.engine.log_probs(*pairs[0]) == pytest.approx(found[0], abs=side.slack)
    for (prompt, given), scores in zip(pairs, found, strict=True):
        before = tokenizer(prompt).input_ids
        ids = tokenizer(given).input_ids if isinstance(given, str) else given
        rows = side.rows([*before, *ids])[len(before) - 1 :].exp()
        expected = [row[token].item() for row, token in zip(rows, ids, strict=False)]
        assert [math.exp(score) for score in scores] == pytest.approx(expected, abs=side.slack)


def test_weighed_tokens_and_the_likeliest_are_those_of_one_plain_pass(side):
    tokenizer = side.engine.tokenizer
    asked = [("My name is", side.words), ("Red, green", side.words[:1])]

    for place, weighed in side.engine.weigh(asked, top_k=5):
        prompt, wanted = asked[place]
        row = side.rows(tokenizer(prompt).input_ids)[-1].exp()
        expected = [row[token].item() for token in wanted]
        assert [math.exp(nats) for nats in weighed.log_probs] == pytest.approx(expected, abs=side.slack)
        told = [math.exp(nats) for _, nats in weighed.likeliest]
        assert told == pytest.approx([row[token].item() for token, _ in weighed.likeliest], abs=side.slack)
        assert len(told) == 5


def test_a_token_that_is_nearly_impossible_is_weighed_too(exact):
    row = exact.rows(exact.engine.tokenizer("My name is").input_ids)[-1]
    rare = int(row.argmin())

    ((_, weighed),) = exact.engine.weigh([("My name is", (rare,))])

    assert weighed.log_probs == pytest.approx([row[rare].item()], abs=1e-3)


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        (lambda engine: engine.generate(" ", GREEDY), "empty_prompt"),
        (lambda engine: engine.generate("x" * 8_001, GREEDY), "long_prompt"),
        (lambda engine: engine.generate("hola \ud83d", GREEDY), "half_character"),
        (lambda engine: engine.generate(PROMPT, GREEDY, forced=(1_000_000,)), "bad_id"),
        (lambda engine: engine.generate(PROMPT, GREEDY, forced=(65,) * 13), "many_forced"),
        (lambda engine: list(engine.weigh([(PROMPT, (-1,))])), "bad_id"),
        (lambda engine: engine.branch(PROMPT, engine.generate(PROMPT, GREEDY), 13, 65, GREEDY), "bad_place"),
    ],
    ids=["blank", "long", "half", "id", "many", "weighed id", "place"],
)
def test_what_cannot_be_used_is_refused_before_anything_runs(side, asked, key):
    with pytest.raises(InputError) as caught:
        asked(side.engine)

    assert caught.value.key == key


@pytest.mark.parametrize(
    "asked",
    [
        lambda engine: engine.generate("x" * 1_020, GREEDY),
        lambda engine: engine.batch_log_probs([("x" * 1_000, "y" * 30)]),
    ],
    ids=["continued", "scored"],
)
def test_a_text_that_outgrows_the_context_is_refused(exact, asked):
    with pytest.raises(InputError) as caught:
        asked(exact.engine)

    assert caught.value.key == "context"


def test_settings_past_the_operators_bounds_are_refused(side):
    bounded = side.engine.within(Config(max_new_tokens=8, max_top_k=5))

    with pytest.raises(SettingsError) as caught:
        bounded.generate(PROMPT, GREEDY)
    assert caught.value.values["knob"] == "max_new_tokens"
    with pytest.raises(SettingsError) as caught:
        bounded.next_step(PROMPT, Sampling("greedy", max_new_tokens=1), top_k=6)
    assert caught.value.values["knob"] == "top_k"


def test_an_unknown_model_is_refused_and_the_own_one_is_this(side):
    key = side.engine.loaded.card.key

    assert side.engine.of("") is side.engine.of(None) is side.engine.of(key) is side.engine
    assert side.engine.tokenizer_of(key) is side.engine.tokenizer
    with pytest.raises(ModelError) as caught:
        side.engine.of("nobody's")
    assert caught.value.key == "unknown_model"


def test_it_is_ready_and_computes_where_nothing_else_does(side):
    assert side.engine.loading.stage == "ready"
    assert side.engine.call(torch.is_inference_mode_enabled) is True
