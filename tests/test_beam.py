"""Beam search: the texts of `generate`, and a tree that adds up."""

import json
from itertools import pairwise

import pytest
import torch

from llm_demo.sampling import Sampling
from llm_demo.trace import Trace

PROMPTS = [
    "The capital of France is",
    "Lista de colores: rojo, azul",
    "In a distant future, humans and AI",
    "Había una vez un perro que",
    "def fibonacci(n):",
    "Los meses del año son",
    "Once upon a time there was",
    "La receta de la tortilla lleva",
    "Water boils at",
    "El agua hierve a",
    "My favourite book is",
    "Mi libro favorito es",
    "The opposite of hot is",
    "Lo contrario de frío es",
    "1, 2, 3, 4,",
    "Querida abuela:",
    "Dear Sir or Madam,",
    "El sol sale por",
    "The three primary colours are",
    "Para hacer una web hace falta",
]


def beam(num_beams: int, length_penalty: float = 1.0, **more: object) -> Sampling:
    return Sampling("beam", num_beams=num_beams, length_penalty=length_penalty, max_new_tokens=12, **more)


def generated(engine, prompt: str, sampling: Sampling) -> tuple[int, ...]:
    inputs = engine.tokenizer(prompt, return_tensors="pt")
    with torch.inference_mode():
        ids = engine.model.generate(
            **inputs,
            do_sample=False,
            num_beams=sampling.num_beams,
            length_penalty=sampling.length_penalty,
            early_stopping=sampling.early_stopping,
            repetition_penalty=sampling.repetition_penalty,
            max_new_tokens=sampling.max_new_tokens,
        )
    return tuple(ids[0, inputs.input_ids.shape[1] :].tolist())


@pytest.mark.parametrize(("place", "prompt"), list(enumerate(PROMPTS)), ids=lambda value: str(value)[:20])
def test_the_text_is_that_of_generate(engine, place, prompt):
    # Each prompt takes one of the nine settings.
    sampling = beam((2, 4, 8)[place % 3], (0.0, 1.0, 2.0)[place // 3 % 3])

    assert engine.generate(prompt, sampling).token_ids == generated(engine, prompt, sampling)


@pytest.mark.slow
@pytest.mark.parametrize("length_penalty", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("beams", [2, 4, 8])
def test_every_setting_on_every_prompt_is_that_of_generate(engine, beams, length_penalty):
    for prompt in PROMPTS:
        sampling = beam(beams, length_penalty)
        assert engine.generate(prompt, sampling).token_ids == generated(engine, prompt, sampling)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("length_penalty", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("seed", range(6))
def test_texts_that_end_early_end_as_in_generate(make_engine, make_tiny_model, seed, length_penalty, early_stopping):
    # A small vocabulary, one sixth of it ending the text, so that beams finish all the time.
    model = make_tiny_model(seed, vocab_size=12, eos_token_id=[3, 7], pad_token_id=0)
    model.generation_config.eos_token_id = [3, 7]
    engine = make_engine(model, frozenset({3, 7}))
    prompt_ids = [1, 5, 2, 8]
    sampling = beam(3, length_penalty, early_stopping=early_stopping)
    with torch.inference_mode():
        ids = model.generate(
            torch.tensor([prompt_ids]),
            do_sample=False,
            num_beams=3,
            length_penalty=length_penalty,
            early_stopping=early_stopping,
            max_new_tokens=12,
            pad_token_id=0,
        )[0, len(prompt_ids) :].tolist()

    trace = engine.generate(engine.tokenizer.decode(prompt_ids), sampling)

    assert trace.prompt_ids == tuple(prompt_ids)
    assert list(trace.token_ids) == ids[: len(trace.token_ids)]
    assert set(ids[len(trace.token_ids) :]) <= {0}


def test_penalties_act_on_beams_as_in_generate(engine):
    sampling = beam(4, repetition_penalty=1.3)

    trace = engine.generate("Lista de colores: rojo, azul", sampling)

    assert trace.token_ids == generated(engine, "Lista de colores: rojo, azul", sampling)


@pytest.fixture(scope="module")
def trace(engine) -> Trace:
    return engine.generate("The capital of France is", beam(4))


def test_every_node_adds_its_own_log_probability_to_its_parents_total(trace):
    parents = [0.0]
    for step in trace.beam_steps:
        for node in step.nodes:
            assert node.total == pytest.approx(parents[node.parent] + node.log_prob, abs=1e-4)
        survivors = sorted((node for node in step.nodes if node.beam is not None), key=lambda node: node.beam)
        assert [node.fate for node in survivors] == ["survived"] * len(survivors)
        parents = [node.total for node in survivors]


def test_as_many_survive_as_there_are_beams_and_the_rest_is_pruned(trace):
    for step in trace.beam_steps[:-1]:
        assert sum(node.fate == "survived" for node in step.nodes) == 4
        assert sum(node.fate == "pruned" for node in step.nodes) == len(step.nodes) - 4


def test_nodes_fall_in_total_log_probability(trace):
    for step in trace.beam_steps:
        assert all(a.total >= b.total for a, b in pairwise(step.nodes))


def test_the_winner_is_the_path_through_the_tree_that_ends_with_the_best_score(trace):
    scores = [text.score for text in trace.ranking]

    assert scores == sorted(scores, reverse=True)
    assert trace.ranking[0].token_ids == trace.token_ids
    assert trace.ranking[0].log_prob == pytest.approx(trace.log_prob, abs=1e-3)
    assert trace.ranking[0].score == pytest.approx(trace.ranking[0].log_prob / len(trace.token_ids), abs=1e-5)


def test_every_beam_of_a_step_is_decoded_in_one_pass(trace):
    assert trace.forward_passes == len(trace.beam_steps) == 12


def test_a_longer_length_penalty_ranks_by_another_measure(engine):
    plain, long = (engine.generate("Water boils at", beam(2, penalty)).ranking[0] for penalty in (0.0, 2.0))

    assert plain.score == pytest.approx(plain.log_prob)
    assert long.score == pytest.approx(long.log_prob / len(long.token_ids) ** 2)


def test_a_tree_survives_json(trace):
    assert Trace.from_dict(json.loads(json.dumps(trace.to_dict()))) == trace
