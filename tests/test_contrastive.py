"""Contrastive search against a slow textbook version: no cache, no batch, one candidate at a time."""

import json

import pytest
import torch

from llm_demo.errors import SettingsError
from llm_demo.sampling import Sampling
from llm_demo.trace import Trace
from tests.test_beam import PROMPTS


def textbook(model, ids: list[int], count: int, alpha: float, k: int) -> list[int]:
    """Return `count` tokens by equation 5 of Su et al. 2022, read off whole forward passes."""

    def run(sequence: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        output = model(input_ids=torch.tensor([sequence]), output_hidden_states=True, use_cache=False)
        return output.logits[0, -1].softmax(-1), output.hidden_states[-1][0]

    ids, start = list(ids), len(ids)
    for _ in range(count):
        probs, _ = run(ids)
        scores = {}
        for token in probs.topk(k).indices.tolist():
            _, states = run([*ids, token])
            likeness = torch.cosine_similarity(states[-1:], states[:-1]).max().item()
            scores[token] = (1 - alpha) * probs[token].item() - alpha * likeness
        ids.append(max(scores, key=scores.__getitem__))
    return ids[start:]


def contrastive(count: int = 6, alpha: float = 0.6, k: int = 4) -> Sampling:
    return Sampling("contrastive", penalty_alpha=alpha, top_k=k, max_new_tokens=count)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_text_is_the_textbooks(engine, prompt):
    ids = engine.encode(prompt)
    with torch.inference_mode():
        expected = textbook(engine.model, list(ids), 4, 0.6, 4)

    trace = engine.generate(prompt, contrastive(4))

    assert list(trace.token_ids) == expected[: len(trace.token_ids)]
    assert len(trace.token_ids) == 4 or trace.finish_reason == "stop"


@pytest.mark.parametrize(("alpha", "k"), [(0.0, 4), (0.3, 2), (0.9, 8), (1.0, 3)])
def test_alpha_and_k_mean_what_the_paper_means(make_engine, tiny_model, alpha, k):
    engine = make_engine(tiny_model)
    with torch.inference_mode():
        expected = textbook(tiny_model, list(engine.encode("hola")), 20, alpha, k)

    assert list(engine.generate("hola", contrastive(20, alpha, k)).token_ids) == expected


def test_without_a_penalty_it_is_greedy(make_engine):
    engine = make_engine()

    greedy = engine.generate("hola", Sampling("greedy", max_new_tokens=20))

    assert engine.generate("hola", contrastive(20, alpha=0.0)).token_ids == greedy.token_ids


def test_each_step_tells_confidence_and_penalty_of_every_candidate(make_engine):
    for step in make_engine().generate("hola", contrastive(5, 0.6, 4)).steps:
        assert len(step.contrast) == 4
        for candidate in step.contrast:
            worth = 0.4 * candidate.confidence - 0.6 * candidate.penalty
            assert candidate.score == pytest.approx(worth, abs=1e-6)
            assert -1.0001 <= candidate.penalty <= 1.0001
        best = max(step.contrast, key=lambda candidate: candidate.score)
        assert best.token_id == step.chosen.token_id


def test_the_candidates_of_a_step_share_one_pass(make_engine):
    assert make_engine().generate("hola", contrastive(5)).forward_passes == 6


def test_it_needs_a_number_of_candidates(make_engine):
    with pytest.raises(SettingsError) as caught:
        Sampling("contrastive", penalty_alpha=0.6)
    assert caught.value.values["knob"] == "top_k"


def test_its_trace_survives_json(make_engine):
    trace = make_engine().generate("hola", contrastive(5))

    assert Trace.from_dict(json.loads(json.dumps(trace.to_dict()))) == trace
