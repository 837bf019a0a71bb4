"""What every engine owes the tabs, asked of the one in this process and of the one behind a server alike."""

import math

import pytest
import torch
from torch import Tensor

from llm_demo.config import Config
from llm_demo.engine import Engine
from llm_demo.errors import InputError, ModelError, SettingsError
from llm_demo.request import Request
from llm_demo.sampling import Sampling, warpers

GREEDY = Sampling("greedy", max_new_tokens=12)
DRAWN = Sampling(temperature=0.8, top_k=5, max_new_tokens=12, seed=3)
PROMPT = "érase una vez"


def table(model, ids) -> Tensor:
    """Return the log-probabilities after every token: one plain pass without a cache."""
    with torch.inference_mode():
        return model(input_ids=torch.tensor([list(ids)]), use_cache=False).logits[0].log_softmax(-1)


def argmax_loop(model, ids, count: int) -> tuple[int, ...]:
    ids, begin = list(ids), len(ids)
    for _ in range(count):
        ids.append(int(table(model, ids)[-1].argmax()))
    return tuple(ids[begin:])


def test_greedy_takes_the_likeliest_token_at_every_step(either, tiny_model, tiny_tokenizer):
    trace = either.generate(PROMPT, GREEDY)

    assert trace.prompt_ids == tuple(tiny_tokenizer(PROMPT).input_ids)
    assert trace.token_ids == argmax_loop(tiny_model, trace.prompt_ids, 12)
    assert trace.text == tiny_tokenizer.decode(trace.token_ids)
    assert trace.finish_reason == "length"


def test_a_step_holds_the_likeliest_tokens_with_the_models_own_probabilities(either, tiny_model):
    trace = either.generate(PROMPT, GREEDY, top_k=7)
    rows = table(tiny_model, (*trace.prompt_ids, *trace.token_ids))[len(trace.prompt_ids) - 1 :]

    for step, row in zip(trace.steps, rows, strict=False):
        falling = row.topk(7)
        assert [one.token_id for one in step.top] == falling.indices.tolist()
        assert [one.raw_prob for one in step.top] == pytest.approx(falling.values.exp().tolist(), abs=1e-5)
        assert [one.prob for one in step.top] == [one.raw_prob for one in step.top]
        assert step.log_prob == pytest.approx(row[step.chosen.token_id].item(), abs=1e-4)


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
def test_what_the_filters_leave_is_what_transformers_warpers_leave(either, tiny_model, sampling):
    trace = either.generate(PROMPT, sampling, top_k=8)

    for place, step in enumerate(trace.steps):
        ids = torch.tensor([[*trace.prompt_ids, *trace.token_ids[:place]]])
        left = warpers(sampling)(ids, table(tiny_model, ids[0].tolist())[-1:].clone())[0].softmax(-1)
        assert [one.prob for one in step.top] == pytest.approx(
            [left[one.token_id].item() for one in step.top], abs=1e-5
        )
        assert step.chosen.prob == pytest.approx(left[step.chosen.token_id].item(), abs=1e-5)
        assert step.chosen.prob > 0


def test_the_same_seed_gives_the_same_text_and_another_seed_another(either):
    texts = [either.generate(PROMPT, Sampling(seed=seed, max_new_tokens=12)).token_ids for seed in (1, 1, 2)]

    assert texts[0] == texts[1] != texts[2]


def test_the_penalty_changes_the_text_as_it_does_in_transformers(either, tiny_model):
    sampling = Sampling("greedy", repetition_penalty=3.0, max_new_tokens=8)
    trace = either.generate(PROMPT, sampling)

    ids = list(trace.prompt_ids)
    for chosen in trace.token_ids:
        with torch.inference_mode():
            logits = tiny_model(input_ids=torch.tensor([ids]), use_cache=False).logits[:, -1]
        assert chosen == int(warpers(sampling)(torch.tensor([ids]), logits.clone()).argmax())
        ids.append(chosen)


def test_a_text_ends_with_the_token_that_ends_it(either, tiny_model):
    end = next(iter(either.loaded.stop_ids))
    trace = either.generate(PROMPT, Sampling("greedy", max_new_tokens=12), forced=(65, 66, end))

    assert trace.token_ids == (65, 66, end)
    assert trace.finish_reason == "stop"
    assert trace.text == "bc"


def test_forced_tokens_are_recorded_with_what_the_model_gave_them(either, tiny_model):
    trace = either.generate(PROMPT, GREEDY, top_k=4, forced=(65, 66))
    rows = table(tiny_model, (*trace.prompt_ids, *trace.token_ids))[len(trace.prompt_ids) - 1 :]

    assert trace.token_ids[:2] == (65, 66)
    assert len(trace.token_ids) == 12
    assert trace.log_prob == pytest.approx(
        sum(row[t].item() for row, t in zip(rows, trace.token_ids, strict=False)), abs=1e-3
    )
    assert [one.token_id for one in trace.steps[0].top] == rows[0].topk(4).indices.tolist()


def test_a_text_ends_where_a_pattern_of_ours_is_found(either):
    free = either.generate(PROMPT, GREEDY)
    third = free.steps[2].chosen.text
    (trace,) = either.generate_many([Request(PROMPT, GREEDY, until=f"^..{'.' if third.strip() else ''}")])

    assert 2 <= len(trace.token_ids) <= 3
    assert trace.token_ids == free.token_ids[: len(trace.token_ids)]


def test_several_requests_keep_apart(either):
    requests = [Request(prompt, GREEDY) for prompt in ("uno", "dos", "tres", "cuatro")]

    together = either.generate_many(requests)

    assert [trace.token_ids for trace in together] == [
        either.generate(request.prompt, GREEDY).token_ids for request in requests
    ]


def test_a_stream_yields_the_steps_of_the_trace(either):
    assert tuple(either.stream(PROMPT, DRAWN)) == either.generate(PROMPT, DRAWN).steps


def test_what_is_cut_short_is_cancelled_and_keeps_what_came(either):
    requests = [Request(PROMPT, Sampling("greedy", max_new_tokens=400))]
    traces, decisions = either.collect(requests), either.stream_many(requests)
    for _ in range(3):
        traces.add(next(decisions))
    decisions.close()

    (trace,) = traces.finished()
    assert (trace.finish_reason, len(trace.token_ids)) == ("cancelled", 3)


def test_scores_are_those_of_one_plain_pass(either, tiny_model, tiny_tokenizer):
    pairs = [("hola", " mundo"), ("adiós", [65, 66, 67]), ("hola", "")]
    found = either.batch_log_probs(pairs)

    for (prompt, given), scores in zip(pairs, found, strict=True):
        before = tiny_tokenizer(prompt).input_ids
        ids = tiny_tokenizer(given).input_ids if isinstance(given, str) else given
        rows = table(tiny_model, [*before, *ids])[len(before) - 1 :]
        assert scores == pytest.approx([row[t].item() for row, t in zip(rows, ids, strict=False)], abs=1e-4)


def test_weighed_tokens_and_the_likeliest_are_those_of_one_plain_pass(either, tiny_model, tiny_tokenizer):
    rare = int(table(tiny_model, tiny_tokenizer("hola").input_ids)[-1].argmin())
    asked = [("hola", (65, rare)), ("adiós", (66,))]

    for place, weighed in either.weigh(asked, top_k=5):
        prompt, wanted = asked[place]
        row = table(tiny_model, tiny_tokenizer(prompt).input_ids)[-1]
        assert weighed.log_probs == pytest.approx([row[token].item() for token in wanted], abs=1e-4)
        assert [token for token, _ in weighed.likeliest] == row.topk(5).indices.tolist()
        assert math.exp(weighed.likeliest[0][1]) == pytest.approx(row.max().exp().item(), abs=1e-5)


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        (lambda engine: engine.generate(" ", GREEDY), "empty_prompt"),
        (lambda engine: engine.generate("x" * 8_001, GREEDY), "long_prompt"),
        (lambda engine: engine.generate("hola \ud83d", GREEDY), "half_character"),
        (lambda engine: engine.generate("x" * 1_020, GREEDY), "context"),
        (lambda engine: engine.generate(PROMPT, GREEDY, forced=(259,)), "bad_id"),
        (lambda engine: engine.generate(PROMPT, GREEDY, forced=(65,) * 13), "many_forced"),
        (lambda engine: engine.batch_log_probs([("x" * 1_000, "y" * 30)]), "context"),
        (lambda engine: list(engine.weigh([(PROMPT, (-1,))])), "bad_id"),
        (lambda engine: engine.branch(PROMPT, engine.generate(PROMPT, GREEDY), 13, 65, GREEDY), "bad_place"),
    ],
    ids=["blank", "long", "half", "context", "id", "many", "scored context", "weighed id", "place"],
)
def test_what_cannot_be_used_is_refused_before_anything_runs(either, asked, key):
    with pytest.raises(InputError) as caught:
        asked(either)

    assert caught.value.key == key


def test_settings_past_the_operators_bounds_are_refused(either):
    bounded: Engine = either.within(Config(max_new_tokens=8, max_top_k=5))

    with pytest.raises(SettingsError) as caught:
        bounded.generate(PROMPT, GREEDY)
    assert caught.value.values["knob"] == "max_new_tokens"
    with pytest.raises(SettingsError) as caught:
        bounded.next_step(PROMPT, Sampling("greedy", max_new_tokens=1), top_k=6)
    assert caught.value.values["knob"] == "top_k"


def test_an_unknown_model_is_refused_by_name_and_the_own_one_is_this(either):
    assert either.of("") is either.of(None) is either.of("tiny") is either
    assert either.tokenizer_of("tiny") is either.tokenizer
    with pytest.raises(ModelError) as caught:
        either.of("nobody's")
    assert caught.value.key == "unknown_model"


def test_it_is_ready_and_computes_where_nothing_else_does(either):
    assert either.loading.stage == "ready"
    assert either.call(torch.is_inference_mode_enabled) is True
