"""A prompt in parts: what is read, how it is split, and which variants are made of it."""

import pytest

from llm_demo.ablation.experiment import check_samples, make_requests
from llm_demo.ablation.parts import Part, check_parts, check_texts, read_parts, split
from llm_demo.ablation.variants import make_variants, read_chosen
from llm_demo.config import Config
from llm_demo.errors import InputError
from llm_demo.sampling import Sampling

TONE = Part("tono", "Be brief.")
FORMAT = Part("formato", "Answer in English.")
TOPIC = Part("tema", "What is Git?")


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
def test_a_part_without_a_name_in_which_nothing_is_written_is_no_part(blank):
    data = [{"name": " ", "text": blank}, {"name": "tema", "text": "What is Git?"}]

    assert read_parts(data, limit=1) == [TOPIC]


def test_a_blank_part_with_a_name_is_one_that_adds_nothing(tiny_tokenizer):
    parts = read_parts([{"name": "nada", "text": " "}, {"name": "tema", "text": "What is Git?"}], limit=2)

    prompts = {variant.name: variant.prompt for variant in make_variants(tiny_tokenizer, parts)}

    assert prompts == {"full": "What is Git?", "without:nada": "What is Git?"}


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


def test_a_name_longer_than_a_label_is_refused():
    with pytest.raises(InputError) as caught:
        check_parts([Part("a" * 41, "b")], limit=8)

    assert caught.value.key == "long_name"


# What a model can be sent


@pytest.mark.parametrize("token", ["<|im_end|>", "<|im_start|>", "<|endoftext|>"])
def test_a_part_with_a_control_token_is_refused_by_name(engine, token):
    with pytest.raises(InputError) as caught:
        check_texts([TONE, Part("raro", f"Hola{token}")], engine.tokenizer, Config())

    assert (caught.value.key, caught.value.values) == ("special_part", {"name": "raro", "token": token})


def test_what_only_looks_like_a_control_token_is_text(engine):
    check_texts([Part("a", "im_end <|im_en|> <im_end> |"), TOPIC], engine.tokenizer, Config())


def test_a_part_longer_than_a_prompt_may_be_is_refused_by_name(tiny_tokenizer):
    check_texts([Part("larga", "a" * 8_000)], tiny_tokenizer, Config())

    with pytest.raises(InputError) as caught:
        check_texts([TONE, Part("larga", "a" * 8_001)], tiny_tokenizer, Config())

    assert (caught.value.key, caught.value.values["name"]) == ("long_part", "larga")


# Splitting


def test_a_prompt_is_split_at_its_lines():
    assert split(" Be brief.  Really.\n\n- one\nWhat is Git?\n", "line", 8) == [
        "Be brief.  Really.",
        "- one",
        "What is Git?",
    ]


def test_a_prompt_is_split_after_its_sentences():
    prompt = "Sé breve. Usa 3.5 ejemplos (¡tres!) y cita: «¿qué?» ¿Para qué sirve Git?\nFin"

    assert split(prompt, "sentence", 8) == [
        "Sé breve.",
        "Usa 3.5 ejemplos (¡tres!) y cita:",
        "«¿qué?»",
        "¿Para qué sirve Git?",
        "Fin",
    ]


def test_what_is_beyond_the_limit_stays_together_as_it_was():
    assert split("a\nb\n\nc d\ne", "line", 3) == ["a", "b", "c d\ne"]
    assert split("a\nb", "line", 1) == ["a\nb"]


@pytest.mark.parametrize(("prompt", "by", "key"), [(" \n ", "line", "empty_parts"), ("a", "word", "split_by")])
def test_what_cannot_be_split_is_refused(prompt, by, key):
    with pytest.raises(InputError) as caught:
        split(prompt, by, 8)

    assert caught.value.key == key


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


def names(variants) -> list[str]:
    return [variant.name for variant in variants]


def test_each_part_alone_stands_with_the_topic(tiny_tokenizer):
    variants = make_variants(tiny_tokenizer, [TONE, FORMAT, TOPIC], ["alone"])

    assert [(variant.name, variant.prompt) for variant in variants[1:]] == [
        ("alone:tono", "Be brief.\nWhat is Git?"),
        ("alone:formato", "Answer in English.\nWhat is Git?"),
    ]


def test_parts_add_up_from_the_first(tiny_tokenizer):
    variants = make_variants(tiny_tokenizer, [TONE, FORMAT, TOPIC], ["upto"])

    assert [(variant.name, variant.prompt) for variant in variants[1:]] == [
        ("upto:tono", "Be brief."),
        ("upto:formato", "Be brief.\nAnswer in English."),
    ]


def test_the_same_parts_are_run_once_whatever_schemes_they_belong_to(tiny_tokenizer):
    variants = make_variants(tiny_tokenizer, [TONE, TOPIC], ["without", "only", "alone", "upto"], [(1,), (0, 1)])

    assert names(variants) == ["full", "without:tono", "without:tema"]


def test_parts_chosen_by_hand_stand_in_the_order_given_after_the_full_prompt(tiny_tokenizer):
    variants = make_variants(tiny_tokenizer, [TONE, FORMAT, TOPIC], ["only"], [(2, 0), (1, 2)])

    assert names(variants) == ["full", "only:tema", "chosen:tema + tono", "chosen:formato + tema"]
    assert variants[2].prompt == "What is Git?\nBe brief."


def test_parts_chosen_by_hand_alone_are_compared_with_the_first_of_them(tiny_tokenizer):
    variants = make_variants(tiny_tokenizer, [TONE, FORMAT, TOPIC], [], [(0, 2), (1, 2)])

    assert names(variants) == ["chosen:tono + tema", "chosen:formato + tema"]


def test_without_schemes_and_choices_the_full_prompt_runs_alone(tiny_tokenizer):
    assert names(make_variants(tiny_tokenizer, [TONE, TOPIC], [])) == ["full"]


def test_variants_chosen_by_hand_are_read_a_line_each():
    assert read_chosen(" 1 3\n\n3,1\n2 + 3;1\n", 3) == [(0, 2), (2, 0), (1, 2, 0)]
    assert read_chosen(" \n", 3) == []


@pytest.mark.parametrize("line", ["0", "4", "1 1", "a", "1 2 x", "-1", "1.5", "999999999999", "٣", "1,"])
def test_a_line_that_is_no_variant_is_refused(line):
    with pytest.raises(InputError) as caught:
        read_chosen(f"1\n{line}", 3)

    assert (caught.value.key, caught.value.values) == ("chosen_line", {"line": line, "last": 3})


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
