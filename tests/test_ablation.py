"""A prompt in parts: what is read, which variants are made of it, and what a part was worth."""

import pytest
import torch

from llm_demo.ablation import Part, check_samples, make_requests, make_variants, measure, read_parts
from llm_demo.errors import InputError
from llm_demo.sampling import Sampling

TONE = Part("tono", "Be brief.")
FORMAT = Part("formato", "Answer in English.")
TOPIC = Part("tema", "What is Git?")
GREEDY = Sampling(strategy="greedy", max_new_tokens=5)


def refusal(data: object, limit: int = 8) -> str:
    with pytest.raises(InputError) as caught:
        read_parts(data, limit)
    return caught.value.key


def named(count: int) -> list[dict[str, str]]:
    return [{"name": str(number), "text": "a"} for number in range(count)]


# Reading


def test_parts_are_read_in_order_their_names_trimmed():
    data = [{"name": " tono ", "text": " Be brief. "}, {"name": "tema", "text": "What is Git?"}]

    assert read_parts(data, limit=8) == [Part("tono", " Be brief. "), TOPIC]


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_a_part_in_which_nothing_is_written_is_no_part(blank):
    data = [{"name": "tono", "text": blank}, {"name": "tema", "text": "What is Git?"}]

    assert read_parts(data, limit=8) == [TOPIC]


def test_a_blank_part_needs_no_name_and_counts_for_no_bound():
    assert len(read_parts([*named(2), {"name": "", "text": " "}, {"name": "0", "text": ""}], limit=2)) == 2


@pytest.mark.parametrize(
    "data",
    [
        *(None, 5, "a", True, {}, ["a"], [None], [[]], [{}]),
        [{"name": "a"}],
        [{"text": "a"}],
        [{"name": "a", "text": "a", "more": 1}],
        [{"name": "a", "text": None}],
        [{"name": 5, "text": "a"}],
        [{"name": ["a"], "text": "a"}],
        [*named(1), 5],
    ],
)
def test_what_are_no_parts_is_refused(data):
    assert refusal(data) == "parts"


@pytest.mark.parametrize("data", [[], [{"name": "a", "text": " "}]])
def test_nothing_written_anywhere_is_refused(data):
    assert refusal(data) == "empty_parts"


def test_more_parts_than_fit_are_refused():
    assert len(read_parts(named(8), limit=8)) == 8
    assert refusal(named(9)) == "many_parts"


@pytest.mark.parametrize(
    "data",
    [
        [{"name": "", "text": "a"}],
        [{"name": "  ", "text": "a"}],
        [{"name": "a", "text": "a"}, {"name": "a", "text": "b"}],
        [{"name": "a", "text": "a"}, {"name": " a ", "text": "b"}],
    ],
)
def test_parts_must_be_told_apart_by_name(data):
    assert refusal(data) == "part_names"


# Variants


def test_three_parts_make_five_variants(tiny_tokenizer):
    variants = make_variants(tiny_tokenizer, [TONE, FORMAT, TOPIC])

    assert [(variant.name, variant.prompt) for variant in variants] == [
        ("full", "Be brief.\nAnswer in English.\nWhat is Git?"),
        ("without:tono", "Answer in English.\nWhat is Git?"),
        ("without:formato", "Be brief.\nWhat is Git?"),
        ("without:tema", "Be brief.\nAnswer in English."),
        ("only:tema", "What is Git?"),
    ]


def test_of_two_parts_the_last_alone_is_not_run_twice(tiny_tokenizer):
    variants = make_variants(tiny_tokenizer, [TONE, TOPIC])

    assert [variant.name for variant in variants] == ["full", "without:tono", "without:tema"]
    assert len({variant.prompt for variant in variants}) == 3


def test_one_part_has_no_other_variant(tiny_tokenizer):
    assert [variant.name for variant in make_variants(tiny_tokenizer, [TOPIC])] == ["full"]


def test_two_parts_with_one_text_are_left_out_one_at_a_time(tiny_tokenizer):
    twins = [Part("a", "Be brief."), Part("b", "Be brief."), TOPIC]

    prompts = {variant.name: variant.prompt for variant in make_variants(tiny_tokenizer, twins)}

    assert prompts["without:a"] == prompts["without:b"] == "Be brief.\nWhat is Git?"


def test_an_instruct_model_reads_each_variant_through_its_template(engine):
    variants = make_variants(engine.tokenizer, [TONE, TOPIC])

    turns = [{"role": "user", "content": "Be brief.\nWhat is Git?"}]
    assert variants[0].prompt == engine.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)


def test_the_samples_of_a_variant_differ_in_their_seed_alone(tiny_tokenizer):
    variants = make_variants(tiny_tokenizer, [TONE, TOPIC])

    requests = make_requests(variants, Sampling(seed=7), samples=2)

    assert [request.prompt for request in requests] == [variant.prompt for variant in variants for _ in range(2)]
    assert [request.sampling for request in requests] == [Sampling(seed=7), Sampling(seed=8)] * 3


@pytest.mark.parametrize("samples", [0, 9, -1, 1.0, "2", None, True, float("nan")])
def test_a_number_of_samples_out_of_range_is_refused(samples):
    with pytest.raises(InputError) as caught:
        check_samples(samples, limit=8)

    assert caught.value.key == "samples"


# Worth


def log_prob(engine, prompt: str, ids: tuple[int, ...]) -> float:
    """Return the log-probability of ids after a prompt: one plain pass over all of it, without a cache."""
    read = engine.tokenizer(prompt).input_ids
    with torch.inference_mode():
        logits = engine.model(input_ids=torch.tensor([[*read, *ids]]), use_cache=False).logits[0]
    rows = logits[len(read) - 1 : -1].log_softmax(-1)
    return rows.gather(1, torch.tensor(ids)[:, None]).sum().item()


def test_the_worth_of_a_part_is_what_a_plain_pass_says(engine):
    variants = make_variants(engine.tokenizer, [TONE, FORMAT, TOPIC])
    answer = engine.generate(variants[0].prompt, GREEDY)

    effects = measure(engine, variants, answer)

    full, *without = (log_prob(engine, variant.prompt, answer.token_ids) for variant in variants[:4])
    assert [effect.part for effect in effects] == ["tono", "formato", "tema"]
    assert [effect.nats for effect in effects] == pytest.approx([full - other for other in without], abs=1e-3)
    assert effects[2].nats > 1  # no topic, no such answer


def test_a_prompt_of_one_part_has_nothing_to_measure(engine):
    variants = make_variants(engine.tokenizer, [TOPIC])

    assert measure(engine, variants, engine.generate(variants[0].prompt, GREEDY)) == []
