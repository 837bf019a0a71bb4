"""Forced continuations: each token's log-probability, equal to that of one plain pass over the whole text."""

import pytest
import torch
from transformers import LlamaForCausalLM

from llm_demo.decoding.scoring import plan, read
from llm_demo.engine import Engine
from llm_demo.errors import InputError
from llm_demo.sampling import Sampling


def reference(model: LlamaForCausalLM, first: list[int], then: list[int]) -> list[float]:
    """Score with one plain pass: no cache, no padding, no neighbours."""
    with torch.inference_mode():
        table = model(input_ids=torch.tensor([[*first, *then]]), use_cache=False).logits[0].log_softmax(-1)
    return [table[len(first) - 1 + place, token].item() for place, token in enumerate(then)]


def log_probs(model: LlamaForCausalLM, first: list[int], continuations: list[list[int]]) -> list[list[float]]:
    pairs = [(tuple(first), tuple(ids)) for ids in continuations]
    scores = {}
    for batch in plan(pairs):
        scores |= read(model, batch, pairs)
    return [scores.get(place, []) for place in range(len(pairs))]


@pytest.mark.parametrize(
    "continuations",
    [[[7]], [[7, 8, 9]], [[7], [8], [9]], [[7, 8, 9], [10], [11, 12]], [[], [7, 8]], [[7], []], [[1, 0], [0]]],
    ids=str,
)
def test_continuations_of_one_prompt_score_as_each_does_alone(tiny_model, continuations):
    with torch.inference_mode():
        together = log_probs(tiny_model, [4, 5, 6], continuations)

    assert len(together) == len(continuations)
    for ids, values in zip(continuations, together, strict=True):
        assert values == pytest.approx(reference(tiny_model, [4, 5, 6], ids), abs=1e-4)


def test_what_texts_begin_with_is_read_once(watch):
    watched = watch()

    with torch.inference_mode():
        log_probs(watched.model, list(range(20)), [[7, 8], [9, 10, 11]])

    assert watched.passes == [(1, 19), (2, 3)]


def test_single_tokens_need_no_pass_of_their_own(watch):
    watched = watch()

    with torch.inference_mode():
        log_probs(watched.model, [4, 5, 6], [[7], [8], [9], [10]])

    assert watched.passes == [(1, 3)]


def test_probabilities_of_all_first_tokens_sum_to_one(tiny_model):
    with torch.inference_mode():
        scores = log_probs(tiny_model, [4, 5, 6], [[token] for token in range(259)])

    assert torch.tensor(scores).exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_the_softmax_is_in_float32_though_the_model_computes_in_bfloat16(make_tiny_model):
    model = make_tiny_model(initializer_range=0.02).to(torch.bfloat16)

    with torch.inference_mode():
        scores = log_probs(model, [4, 5, 6], [[token, 1] for token in range(259)])

    assert torch.tensor(scores)[:, 0].double().exp().sum().item() == pytest.approx(1, abs=1e-5)


PAIRS = [
    ("hola", " mundo"),
    ("hola", "!"),
    ("hola", ""),
    ("hola", " y adiós a todos"),
    ("adiós", "?"),
    ("x" * 300, "yz"),
    ("hola", " otra vez"),
    ("uno", ""),
]


def reference_of(engine: Engine, prompt: str, continuation: str) -> list[float]:
    first = engine.tokenizer(prompt).input_ids
    return reference(engine.model, first, engine.tokenizer(continuation, add_special_tokens=False).input_ids)


def test_pairs_of_mixed_lengths_and_prompts_score_as_each_does_alone(make_engine):
    engine = make_engine()

    together = engine.batch_log_probs(PAIRS)

    assert len(together) == len(PAIRS)
    for pair, values in zip(PAIRS, together, strict=True):
        assert values == pytest.approx(reference_of(engine, *pair), abs=1e-4)


def test_one_pair_scores_one_number_a_token(make_engine):
    engine = make_engine()

    values = engine.log_probs("hola", " mundo")

    assert len(values) == len(" mundo")
    assert values == pytest.approx(reference_of(engine, "hola", " mundo"), abs=1e-4)


def test_token_ids_are_scored_as_they_are(make_engine):
    engine = make_engine()
    trace = engine.generate("hola", Sampling(max_new_tokens=12, seed=3))

    (values,) = engine.batch_log_probs([("hola", trace.token_ids)])

    assert values == pytest.approx([step.log_prob for step in trace.steps], abs=1e-4)


def test_scoring_goes_on_while_others_generate(make_engine):
    engine = make_engine()
    stream = engine.stream("adiós", Sampling(max_new_tokens=200))
    next(stream)

    values = engine.log_probs("hola", " mundo")
    stream.close()

    assert values == pytest.approx(reference_of(engine, "hola", " mundo"), abs=1e-4)


def test_no_pairs_score_nothing(make_engine):
    assert make_engine().batch_log_probs([]) == []


def test_a_blank_prompt_is_refused(make_engine):
    with pytest.raises(InputError) as caught:
        make_engine().log_probs(" ", "x")

    assert caught.value.key == "empty_prompt"


def test_the_real_model_scores_as_one_plain_pass_does(engine):
    pairs = [
        ("The capital of France is", " Paris."),
        ("The capital of France is", " the city of light, as everybody knows"),
        ("La capital de Francia es", " París"),
    ]

    for pair, values in zip(pairs, engine.batch_log_probs(pairs), strict=True):
        assert values == pytest.approx(reference_of(engine, *pair), abs=1e-4)
