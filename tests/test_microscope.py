"""Microscope: each decision equals the engine's own, and texts left behind are worked by hand."""

from dataclasses import replace

import pytest
import torch

from llm_demo import microscope
from llm_demo.errors import InputError, SettingsError
from llm_demo.microscope import MOST_BRANCHES, Scope
from llm_demo.rows import padded
from llm_demo.sampling import Sampling
from llm_demo.trace import Candidate, Step

SAMPLINGS = {
    "greedy": Sampling("greedy"),
    "plain": Sampling(seed=3),
    "filters": Sampling(temperature=1.3, top_k=20, top_p=0.9, min_p=0.02, seed=5),
    "penalty": Sampling(repetition_penalty=1.5, seed=1),
    "greedy_penalty": Sampling("greedy", repetition_penalty=1.5),
}
END = 9
DECIDED = Step(Candidate(0, "a", 0.5, 0.5), tuple(Candidate(i, "abc"[i], 0.3, 0.3) for i in range(3)), None, 1.0, -1.0)


def begin(engine, prompt: str) -> Scope:
    return see(engine, Scope(prompt, engine.encode(prompt), engine.loaded.stop_ids))


def see(engine, scope: Scope) -> Scope:
    return replace(scope, logits=engine.look(scope.prompt, scope.before))


def decide(engine, scope: Scope, sampling: Sampling, top_k: int = 5) -> Step:
    return engine.call(lambda: microscope.decide(scope, sampling, top_k, engine.tokenizer.decode))


def assert_same(mine: Step, expected: Step) -> None:
    """Compare two steps, their numbers to the last bits of float32."""
    assert [c.token_id for c in (mine.chosen, *mine.top)] == [c.token_id for c in (expected.chosen, *expected.top)]
    assert [c.text for c in (mine.chosen, *mine.top)] == [c.text for c in (expected.chosen, *expected.top)]
    assert numbers(mine) == pytest.approx(numbers(expected), abs=1e-4)


def numbers(step: Step) -> list[float]:
    drawn = [step.draw.number, step.draw.low, step.draw.high] if step.draw else []
    probs = [prob for c in (step.chosen, *step.top) for prob in (c.raw_prob, c.prob)]
    return [*probs, *drawn, step.entropy, step.log_prob]


def follow(engine, prompt: str, sampling: Sampling, count: int) -> tuple[Scope, list[Step]]:
    """Take what was chosen, `count` times."""
    scope, steps = begin(engine, prompt), []
    for _ in range(count):
        steps.append(decide(engine, scope, sampling))
        scope = see(engine, microscope.force(scope, steps[-1], steps[-1].chosen.token_id))
    return scope, steps


# --- the same decisions as the engine's ---


@pytest.mark.parametrize("sampling", SAMPLINGS.values(), ids=SAMPLINGS)
def test_taking_the_chosen_token_again_and_again_writes_the_engines_text(make_engine, sampling):
    engine = make_engine()
    trace = engine.generate("hola, hola", replace(sampling, max_new_tokens=6), top_k=5)

    scope, steps = follow(engine, "hola, hola", sampling, 6)

    for mine, expected in zip(steps, trace.steps, strict=True):
        assert_same(mine, expected)
    assert scope.before == trace.token_ids
    assert engine.tokenizer.decode(scope.before) == trace.text


@pytest.mark.parametrize("sampling", SAMPLINGS.values(), ids=SAMPLINGS)
def test_after_forced_tokens_the_decision_is_the_engines(make_engine, sampling):
    engine = make_engine()
    forced = (104, 104, 33)
    step = engine.generate("hola", replace(sampling, max_new_tokens=4), top_k=5, forced=forced).steps[3]

    text = tuple(Candidate(token_id, "?", 0.1, 0.1) for token_id in forced)
    scope = see(engine, replace(begin(engine, "hola"), text=text, place=3))

    assert_same(decide(engine, scope, sampling), step)


@pytest.mark.parametrize("sampling", SAMPLINGS.values(), ids=SAMPLINGS)
def test_on_the_embedded_model_it_is_the_engines_too(engine, sampling):
    steps = engine.generate("Lista de colores: rojo, azul", replace(sampling, max_new_tokens=3), top_k=5).steps

    _, taken = follow(engine, "Lista de colores: rojo, azul", sampling, 3)

    for mine, expected in zip(taken, steps, strict=True):
        assert_same(mine, expected)


def test_drawing_again_uses_the_next_number_of_the_seed(make_engine):
    engine = make_engine()
    steps = engine.generate("hola", Sampling(seed=3, max_new_tokens=3)).steps
    scope = begin(engine, "hola")

    for step in steps:
        assert decide(engine, scope, Sampling(seed=3)).draw.number == step.draw.number
        scope = microscope.draw_again(scope)


def test_the_next_place_begins_with_its_own_number(make_engine):
    engine = make_engine()
    steps = engine.generate("hola", Sampling(seed=3, max_new_tokens=2)).steps
    scope = microscope.draw_again(microscope.draw_again(begin(engine, "hola")))

    scope = see(engine, microscope.force(scope, steps[0], steps[0].chosen.token_id))

    assert decide(engine, scope, Sampling(seed=3)).draw.number == steps[1].draw.number


def test_other_settings_and_draws_need_no_forward_pass(make_engine, watch):
    watched = watch()
    engine = make_engine(watched.model)
    scope = begin(engine, "hola")
    before = list(watched.passes)

    for sampling in SAMPLINGS.values():
        decide(engine, microscope.draw_again(scope), sampling)

    assert before == [(1, padded(4))]
    assert watched.passes == before


# --- the look ---


def test_a_look_gives_the_models_own_scores(make_engine):
    engine = make_engine()
    ids = [*engine.encode("hola"), 65, 66]
    with torch.inference_mode():
        expected = engine.model(torch.tensor([ids])).logits[0, -1]

    seen = engine.look("hola", [65, 66])

    assert seen.shape == (259,)
    assert seen.dtype == torch.float32
    assert seen.tolist() == pytest.approx(expected.tolist(), abs=1e-4)


def test_a_long_text_is_read_in_pieces(make_engine, watch):
    watched = watch()
    engine = make_engine(watched.model)

    engine.look("a" * 150)

    assert watched.passes == [(1, 64), (1, 64), (1, 22)]


def test_looks_do_not_share_their_scores(make_engine):
    engine = make_engine()
    first = engine.look("hola")
    kept = first.tolist()

    engine.look("adiós", [65])

    assert first.tolist() == kept


@pytest.mark.parametrize(
    ("prompt", "forced", "key"),
    [
        ("  ", [], "empty_prompt"),
        ("x" * 51, [], "long_prompt"),
        ("hola", [65] * 9, "full_text"),
        ("hola", [259], "bad_id"),
        ("hola", ["a"], "bad_id"),
    ],
)
def test_a_look_past_a_bound_is_refused_before_anything_runs(make_engine, watch, prompt, forced, key):
    watched = watch()
    engine = make_engine(watched.model, max_prompt_chars=50, max_new_tokens=8)

    with pytest.raises(InputError) as caught:
        engine.look(prompt, forced)

    assert caught.value.key == key
    assert watched.passes == []


def test_a_look_at_the_bound_runs_and_the_context_bounds_it_too(make_engine, make_tiny_model):
    engine = make_engine(make_tiny_model(max_position_embeddings=8), max_new_tokens=5)

    assert engine.look("hola", [65] * 4).shape == (259,)
    with pytest.raises(InputError) as caught:
        engine.look("hola", [65] * 5)
    assert caught.value.key == "context"


# --- what may be asked ---


@pytest.mark.parametrize("token_id", [3, -1, None, "0", [0], 0.5])
def test_only_a_candidate_can_be_forced(token_id):
    with pytest.raises(InputError) as caught:
        microscope.force(scope_of(""), DECIDED, token_id)
    assert caught.value.key == "no_candidate"


@pytest.mark.parametrize("top_k", [0, 21, 2.5, float("nan"), None, "5"])
def test_at_most_twenty_candidates_are_shown(make_engine, top_k):
    engine = make_engine()
    scope = begin(engine, "hola")

    with pytest.raises(SettingsError):
        decide(engine, scope, Sampling(), top_k)
    assert len(decide(engine, scope, Sampling(), 20).top) == 20


def test_an_operator_may_show_fewer(make_engine):
    engine = make_engine()
    scope = begin(engine, "hola")

    with pytest.raises(SettingsError) as caught:
        engine.call(lambda: microscope.decide(scope, Sampling(), 4, engine.tokenizer.decode, most=3))
    assert caught.value.values["high"] == 3


@pytest.mark.parametrize("place", [-1, 4])
def test_there_is_no_place_outside_the_text(place):
    with pytest.raises(InputError):
        microscope.back(scope_of("abc"), place)


@pytest.mark.parametrize("number", [-1, 1])
def test_there_is_no_branch_that_was_not_left(number):
    with pytest.raises(InputError):
        microscope.take_up(scope_of("abc", branches=["b"]), number, 0)


# --- texts and branches: a letter is a token, "." the end of text ---


def scope_of(text: str, place: int | None = None, branches: tuple[str, ...] | list[str] = ()) -> Scope:
    tokens, *others = [tuple(Candidate(token(c), c, 0.3, 0.3) for c in letters) for letters in (text, *branches)]
    where = len(text) if place is None else place
    return Scope("p", (0,), frozenset({END}), tokens, where, torch.zeros(3), 1, tuple(others))


def token(letter: str) -> int:
    return END if letter == "." else "abc".index(letter)


def letters(scope: Scope) -> tuple[str, int, list[str]]:
    """Return the text, the place and the branches."""
    texts = ["".join(c.text for c in text) for text in (scope.text, *scope.branches)]
    return texts[0], scope.place, texts[1:]


def force(scope: Scope, letter: str) -> Scope:
    ending = Candidate(END, ".", 0.1, 0.1)
    return microscope.force(scope, replace(DECIDED, top=(*DECIDED.top, ending)), token(letter))


def test_a_forced_token_follows_the_text():
    assert letters(force(scope_of("ab"), "c")) == ("abc", 3, [])


def test_the_scores_and_the_draws_of_a_place_left_are_forgotten():
    moved = [force(scope_of("ab"), "c"), microscope.undo(scope_of("ab")), microscope.back(scope_of("ab"), 1)]

    assert [(scope.logits, scope.draws) for scope in moved] == [(None, 0)] * 3


def test_undo_takes_the_last_token_back_until_there_is_none():
    scope = microscope.undo(scope_of("ab", place=0))
    assert letters(scope) == ("a", 1, [])

    assert letters(microscope.undo(microscope.undo(scope))) == ("", 0, [])


def test_going_back_leaves_the_text():
    assert letters(microscope.back(scope_of("abc"), 1)) == ("abc", 1, [])


def test_another_token_in_the_middle_leaves_the_old_text_as_a_branch():
    assert letters(force(scope_of("abc", place=1), "c")) == ("ac", 2, ["abc"])


def test_the_same_token_in_the_middle_only_moves_on():
    assert letters(force(scope_of("abc", place=1), "b")) == ("abc", 2, [])


def test_the_newest_branch_stands_first_and_the_oldest_goes():
    branches = ["aa", "ab", "ac", "ba", "bb", "bc"]
    assert len(branches) == MOST_BRANCHES

    scope = force(scope_of("cca", place=1, branches=branches), "a")

    assert letters(scope) == ("ca", 2, ["cca", "aa", "ab", "ac", "ba", "bb"])


def test_a_branch_that_the_text_says_again_is_no_branch_any_more():
    assert letters(force(scope_of("a", branches=["ab", "ac"]), "b")) == ("ab", 2, ["ac"])


def test_a_text_that_begins_a_branch_is_not_kept_twice():
    assert letters(force(scope_of("a", place=0, branches=["ab"]), "c")) == ("c", 1, ["ab"])


def test_a_branch_is_taken_up_at_a_place_and_the_text_becomes_one():
    assert letters(microscope.take_up(scope_of("ca", branches=["ab", "abc"]), 1, 2)) == ("abc", 2, ["ca"])


def test_an_empty_text_is_no_branch():
    assert letters(microscope.take_up(scope_of("", branches=["ab"]), 0, 1)) == ("ab", 1, [])


def test_nothing_follows_the_end_of_text():
    scope = force(scope_of("a"), ".")
    assert letters(scope) == ("a.", 1, [])
    assert scope.ended

    assert letters(force(scope, ".")) == ("a.", 1, [])
    assert letters(force(scope, "b")) == ("ab", 2, ["a."])
    assert letters(microscope.undo(scope)) == ("a", 1, [])


def test_a_text_grows_from_the_place_and_the_place_stays():
    grown = microscope.grow(scope_of("abc", place=1), scope_of("cc").text)

    assert letters(grown) == ("acc", 1, ["abc"])
    assert grown.logits is not None


def test_a_text_that_grows_into_what_it_says_already_stays():
    assert letters(microscope.grow(scope_of("abc", place=1), scope_of("b").text)) == ("abc", 1, [])
    assert letters(microscope.grow(scope_of("abc", place=1), scope_of("bca").text)) == ("abca", 1, [])
