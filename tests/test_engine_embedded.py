"""Engine on the real, embedded model in float32: token for token what transformers itself gives."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import torch
from torch import Tensor

from llm_demo.engine import Engine
from llm_demo.sampling import Sampling
from llm_demo.trace import Trace

TOKENS = 40
PROMPTS = [
    "The capital of France is",
    "Once upon a time, in a small village by the sea,",
    "def fibonacci(n):\n",
    "Question: Why is the sky blue?\nAnswer:",
    "La capital de España es",
    "Érase una vez un niño que",
    "Lista de colores: rojo, azul,",
    "Pregunta: ¿Cuánto es dos más dos?\nRespuesta:",
]
GREEDY = Sampling(strategy="greedy", max_new_tokens=TOKENS)


def generate(engine: Engine, prompt: str, **penalties: float) -> list[int]:
    """Let transformers continue the prompt greedily, with nothing but the given penalties."""
    inputs = engine.tokenizer(prompt, return_tensors="pt")
    neutral = {"repetition_penalty": None, "no_repeat_ngram_size": None}
    output = engine.model.generate(
        **inputs,
        do_sample=False,
        num_beams=1,
        max_new_tokens=TOKENS,
        temperature=None,
        top_k=None,
        top_p=None,
        **{**neutral, **penalties},
    )
    return output[0, inputs.input_ids.shape[1] :].tolist()


def probabilities(engine: Engine, trace: Trace) -> Tensor:
    """Return the distribution before each token of a trace: one plain pass over all of it, without a cache."""
    ids = torch.tensor([[*trace.prompt_ids, *trace.token_ids]])
    with torch.inference_mode():
        logits = engine.model(input_ids=ids, use_cache=False).logits[0]
    return logits[len(trace.prompt_ids) - 1 : -1].softmax(-1)


@pytest.fixture(scope="module")
def greedy(engine) -> dict[str, Trace]:
    return {prompt: engine.generate(prompt, GREEDY) for prompt in PROMPTS}


@pytest.mark.parametrize("prompt", PROMPTS)
def test_greedy_equals_generate_token_for_token(engine, greedy, prompt):
    assert list(greedy[prompt].token_ids) == generate(engine, prompt)


@pytest.mark.parametrize(
    ("prompt", "penalties"),
    [
        ("Lista de colores: rojo, azul,", {"repetition_penalty": 1.3}),
        ("Once upon a time, in a small village by the sea,", {"repetition_penalty": 1.1}),
        ("Lista de colores: rojo, azul,", {"no_repeat_ngram_size": 2}),
        ("def fibonacci(n):\n", {"repetition_penalty": 1.2, "no_repeat_ngram_size": 3}),
    ],
)
def test_greedy_with_penalties_equals_generate_token_for_token(engine, prompt, penalties):
    sampling = Sampling(strategy="greedy", max_new_tokens=TOKENS, **penalties)

    assert list(engine.generate(prompt, sampling).token_ids) == generate(engine, prompt, **penalties)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_every_raw_prob_is_that_of_a_plain_pass_over_the_whole_text(engine, greedy, prompt):
    trace = greedy[prompt]

    for step, expected in zip(trace.steps, probabilities(engine, trace), strict=True):
        shown = (step.chosen, *step.top)
        assert [c.raw_prob for c in shown] == pytest.approx([expected[c.token_id].item() for c in shown], abs=1e-4)
        assert step.top[0].raw_prob == pytest.approx(expected.max().item(), abs=1e-4)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_text_is_what_the_tokenizer_makes_of_the_generated_ids(engine, greedy, prompt):
    trace = greedy[prompt]

    assert trace.text == engine.tokenizer.decode(trace.token_ids, skip_special_tokens=True)


def test_the_capital_of_france_is_paris(greedy):
    trace = greedy["The capital of France is"]

    assert trace.steps[0].chosen.text == " Paris"
    assert trace.text.startswith(" Paris")


def test_a_prompt_of_several_hundred_tokens_is_continued_as_generate_does(engine):
    prompt = " ".join(f"{number} and {number + 1} are numbers;" for number in range(60))

    trace = engine.generate(prompt, GREEDY)

    assert len(trace.prompt_ids) > 512
    assert list(trace.token_ids) == generate(engine, prompt)


# Neighbours move a row's logits by a rounding error. With the whole tail of 49,152 tokens open, two of almost the
# same probability may change places by it, so these keep some filter.
SAMPLINGS = [
    GREEDY,
    Sampling(top_p=0.9, seed=1, max_new_tokens=25),
    Sampling(temperature=0.7, top_k=50, seed=2, max_new_tokens=15),
    Sampling(temperature=1.5, top_k=20, seed=3, max_new_tokens=30),
    Sampling(min_p=0.1, repetition_penalty=1.2, seed=4, max_new_tokens=20),
]


def test_compared_rows_equal_their_solo_runs_and_choose_nothing_filtered_out(engine):
    traces = engine.compare("Lista de colores: rojo, azul,", SAMPLINGS)

    for sampling, trace in zip(SAMPLINGS, traces, strict=True):
        assert trace.token_ids == engine.generate("Lista de colores: rojo, azul,", sampling).token_ids
        assert all(step.chosen.prob > 0 for step in trace.steps)


def test_each_of_sixteen_visitors_reads_what_each_would_alone(engine):
    """Nothing is filtered: the tail of a distribution is where the last bits of a logit would show."""
    requests = [(PROMPTS[i % len(PROMPTS)], Sampling(seed=i, max_new_tokens=12)) for i in range(16)]
    alone = [engine.generate(*request) for request in requests]
    all_here = Barrier(16)

    def visit(request: tuple[str, Sampling]) -> Trace:
        all_here.wait()
        return engine.generate(*request)

    with ThreadPoolExecutor(16) as visitors:
        together = list(visitors.map(visit, requests))

    assert [trace.token_ids for trace in together] == [trace.token_ids for trace in alone]
    for mine, crowds in zip(alone, together, strict=True):
        assert mine.log_prob == pytest.approx(crowds.log_prob, abs=1e-3)


def test_the_end_of_a_turn_stops_a_chat_answer(engine):
    messages = [{"role": "user", "content": "Say hello."}]
    prompt = engine.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)

    trace = engine.generate(prompt, GREEDY)

    assert trace.finish_reason == "stop"
    assert trace.token_ids[-1] == engine.tokenizer.eos_token_id
    assert "<|im_end|>" not in trace.text
