"""Ranking: what a stable sort of the whole vocabulary gives, without one."""

import pytest
import torch

from llm_demo.ranking import Ranking, likeliest


@pytest.mark.parametrize("levels", [3, 8, 10**6], ids=["mostly ties", "some", "hardly any"])
def test_the_likeliest_are_those_of_a_stable_sort(levels):
    random = torch.Generator().manual_seed(levels)
    for size in (*range(1, 60), 4096):
        probs = torch.randint(0, levels, (size,), generator=random).float()
        values, ids = probs.sort(descending=True, stable=True)
        for k in {1, 2, size // 2 + 1, size, size + 3}:
            assert likeliest(probs, k) == (values[:k].tolist(), ids[:k].tolist())


def test_a_ranking_is_the_same_however_far_one_has_looked_before():
    probs = torch.randint(0, 9, (300,), generator=torch.Generator().manual_seed(1)).float()
    values, ids = probs.sort(descending=True, stable=True)
    ranking = Ranking(probs)

    for k in (10, 3, 40, 40, 1, 500, 7):
        assert ranking.first(k) == (values[:k].tolist(), ids[:k].tolist())
