"""What a strategy is called: everything that changes something, nothing that does not."""

import pytest

from llm_demo.i18n import translator
from llm_demo.sampling import STRATEGIES, Sampling
from llm_demo.tabs.naming import RELEVANT, name_of, names_of

ES, EN = translator("es"), translator("en")


@pytest.mark.parametrize(
    ("sampling", "spanish", "english"),
    [
        (Sampling("greedy"), "Voraz (greedy)", "Greedy"),
        (Sampling(), "Muestreo (sampling)", "Sampling"),
        (
            Sampling(temperature=0.7, top_k=5, top_p=0.95),
            "Muestreo (sampling) · T 0,7 · top-k 5 · top-p 0,95",
            "Sampling · T 0.7 · top-k 5 · top-p 0.95",
        ),
        (Sampling(temperature=0.001), "Muestreo (sampling) · T 0,001", "Sampling · T 0.001"),
        (
            Sampling(temperature=2.0, seed=1_234),
            "Muestreo (sampling) · T 2 · semilla 1.234",
            "Sampling · T 2 · seed 1,234",
        ),
        (
            Sampling("greedy", temperature=0.5, repetition_penalty=1.1),
            "Voraz (greedy) · penalización 1,1",
            "Greedy · penalty 1.1",
        ),
        (
            Sampling("beam", num_beams=5, early_stopping=True),
            "Búsqueda por haces (beam search) · 5 haces · parada temprana",
            "Beam search · 5 beams · early stopping",
        ),
        (
            Sampling("contrastive", penalty_alpha=0.6, top_k=4),
            "Búsqueda contrastiva (contrastive search) · α 0,6 · top-k 4",
            "Contrastive search · α 0.6 · top-k 4",
        ),
        (
            Sampling("prompt_lookup", temperature=0.5, num_draft_tokens=3),
            "Copia del prompt (prompt lookup) · borrador de 3",
            "Prompt lookup · drafts of 3",
        ),
        (
            Sampling("prompt_lookup", temperature=0.5, do_sample=True),
            "Copia del prompt (prompt lookup) · con sorteo · T 0,5",
            "Prompt lookup · drawn · T 0.5",
        ),
    ],
)
def test_a_name_holds_what_changes_the_text(sampling, spanish, english):
    assert (name_of(sampling, ES), name_of(sampling, EN)) == (spanish, english)


def test_names_are_numbered_and_tell_lengths_that_differ():
    same = [Sampling("greedy", max_new_tokens=9), Sampling("greedy", max_new_tokens=9)]
    other = [Sampling("greedy", max_new_tokens=9), Sampling("greedy", max_new_tokens=30)]

    assert names_of(same, ES) == ["1 · Voraz (greedy)", "2 · Voraz (greedy)"]
    assert names_of(other, ES) == ["1 · Voraz (greedy) · máx. 9", "2 · Voraz (greedy) · máx. 30"]


def test_knobs_are_those_of_strategies_that_there_are():
    assert set(RELEVANT) <= set(STRATEGIES)
