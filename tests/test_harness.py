"""The comparison with lm-evaluation-harness, which is no dependency: it runs where somebody has installed it."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from llm_demo.bench import as_transformers_loads_it
from llm_demo.harness import Agreement, agree, told

SHARED = Path(__file__).parents[2] / "shared" / "data"


def test_there_is_a_line_for_each_language():
    lines = told([Agreement("es", 85, 84, 3.5e-5, 0.5, 1.0)]).splitlines()

    assert lines[1].split() == ["es", "85", "84", "3.5e-05", "0.500", "1.000", "0.50"]


@pytest.mark.slow
@pytest.mark.parametrize("language", ["es", "en"])
def test_letters_and_log_probabilities_are_the_harnesss(engine, tmp_path, language):
    pytest.importorskip("lm_eval", reason="lm-evaluation-harness is not installed")
    if not SHARED.is_dir():
        pytest.skip("no copy of MMLU-ProX's questions on this machine")
    rows = (SHARED / f"mmlu_prox_lite_{language}.jsonl").read_text("utf-8").splitlines()
    file = tmp_path / f"some_{language}.jsonl"
    file.write_text("\n".join(rows[::10]), "utf-8")
    plain = engine.call(partial(as_transformers_loads_it, engine))

    found = agree(engine.within(replace(engine.config, quiz_data=file)), plain, language)

    assert found.same_letter == found.questions == len(rows[::10])
    assert found.furthest < 1e-3
