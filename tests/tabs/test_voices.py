"""Who answers in a chat: what the panel's components hold, turned into voices with names."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from llm_demo.conversation import Voice
from llm_demo.errors import DemoError
from llm_demo.i18n import translator
from llm_demo.sampling import Sampling
from llm_demo.tabs.voices import PRESETS, mark, names_of, system_message, voices_of

T = translator("es")
KNOBS = ["sample", 0.7, 5, 0.9, 1.0, 20, 3]
SAMPLING = Sampling(temperature=0.7, top_k=5, top_p=0.9, max_new_tokens=20, seed=3)
KEY = "SmolLM2-135M-Instruct"
FIRST = Voice(KEY, SAMPLING, "Sé breve.")


@pytest.fixture(scope="module")
def voiced(engine) -> Callable[..., tuple[Voice, ...]]:
    def make(model=KEY, beside="none", count=1, system="Sé breve.", thinking=False, knobs=KNOBS):
        return voices_of(engine, T, [model, beside, count, system, thinking, *knobs])

    return make


def test_one_voice_is_what_the_knobs_say(voiced):
    assert voiced() == (FIRST,)
    assert names_of(voiced(), T) == [KEY]


def test_further_answers_have_the_seeds_that_follow(voiced):
    made = voiced(count=3)

    assert made == tuple(replace(FIRST, sampling=replace(SAMPLING, seed=seed)) for seed in (3, 4, 5))
    assert names_of(made, T) == ["semilla 3", "semilla 4", "semilla 5"]


@pytest.mark.parametrize(
    ("beside", "change", "names"),
    [
        ("plain", {"plain": True}, ["con su plantilla", "sin plantilla"]),
        ("thinking", {"thinking": True}, ["sin pensar", "pensando"]),
        (f"model:{KEY}", {}, [KEY, KEY]),
    ],
)
def test_another_voice_speaks_beside_it(voiced, beside, change, names):
    made = voiced(beside=beside)

    assert made == (FIRST, replace(FIRST, **change))
    assert names_of(made, T) == names


def test_the_four_system_messages_speak_side_by_side(voiced):
    made = voiced(beside="systems")

    assert [voice.system for voice in made] == [system_message(name, T) for name in PRESETS]
    assert made[0].system == ""
    assert names_of(made, T) == [T(f"chat.preset_{name}") for name in PRESETS]


@pytest.mark.parametrize(
    "forged",
    [
        *({"count": value} for value in (0, 5, 1.5, True, None, "2", float("nan"), float("inf"))),
        *({"system": value} for value in (None, 5, ["x"])),
        *({"thinking": value} for value in (None, 1, "true")),
        *({"model": value} for value in ("nobody", "x" * 1000, 5)),
        *({"beside": value} for value in ("nobody", "model:nobody", 5, ["plain"])),
        {"knobs": ["sample", 99, 5, 0.9, 1.0, 20, 3]},
        {"knobs": ["nothing", 0.7, 5, 0.9, 1.0, 20, 3]},
    ],
)
def test_what_no_visitor_could_choose_is_refused_in_a_sentence(voiced, forged):
    with pytest.raises(DemoError) as caught:
        voiced(**forged)

    assert 10 < len(caught.value.message(T)) < 400


def test_the_models_own_settings_are_told_from_others(engine):
    assert "Estos son los valores del propio modelo" in mark(engine, Sampling("greedy"), T)
    assert "no son los del modelo" in mark(engine, SAMPLING, T)
    # what greedy decoding does not use cannot make it another
    assert "Estos son" in mark(engine, Sampling("greedy", temperature=0.3), T)
