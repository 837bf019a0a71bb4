"""Engine on tiny random models: bounds, ends, seeds, cancelling, loading."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
import torch
from torch import Tensor

from llm_demo.config import Config
from llm_demo.decoding.feed import Waiting
from llm_demo.engine import Engine
from llm_demo.engine.local import LocalEngine
from llm_demo.errors import DeadlineError, InputError, ModelError, SettingsError
from llm_demo.models.catalogue import ModelCard
from llm_demo.models.files import STAGES
from llm_demo.models.loader import Loaded
from llm_demo.request import Request
from llm_demo.rows import padded
from llm_demo.sampling import Sampling

GREEDY = Sampling(strategy="greedy", max_new_tokens=12)
DRAWN = Sampling(temperature=0.8, top_k=40, top_p=0.95, max_new_tokens=12, seed=3)


def scores(model, ids: list[int]) -> Tensor:
    """Return the logits at every place of `ids`: one plain pass without a cache."""
    with torch.inference_mode():
        return model(input_ids=torch.tensor([ids]), use_cache=False).logits[0]


def argmax_loop(model, prompt_ids: tuple[int, ...], count: int) -> list[int]:
    """Decode greedily the slow way: the whole text read anew for every token."""
    ids = list(prompt_ids)
    for _ in range(count):
        ids.append(int(scores(model, ids)[-1].argmax()))
    return ids[len(prompt_ids) :]


# --- what a trace says ---


def test_greedy_takes_the_likeliest_token_at_every_step(make_engine):
    engine = make_engine()

    trace = engine.generate("hola", GREEDY)

    assert list(trace.token_ids) == argmax_loop(engine.model, trace.prompt_ids, 12)


def test_the_models_own_generation_config_leaks_into_neither_greedy_nor_sampling(make_engine, make_tiny_model):
    model = make_tiny_model()
    model.generation_config.update(
        do_sample=True, temperature=0.6, top_k=20, top_p=0.5, repetition_penalty=3.0, no_repeat_ngram_size=1
    )
    plain, opinionated = make_engine(), make_engine(model)

    greedy = opinionated.generate("hola", GREEDY)

    assert list(greedy.token_ids) == argmax_loop(model, greedy.prompt_ids, 12)
    assert greedy.steps[0].draw is None
    assert opinionated.generate("hola", DRAWN).token_ids == plain.generate("hola", DRAWN).token_ids


def test_the_trace_holds_the_prompt_as_the_model_read_it_and_one_step_a_token(make_engine, tiny_tokenizer):
    trace = make_engine().generate("¿qué?", GREEDY)

    assert list(trace.prompt_ids) == tiny_tokenizer("¿qué?").input_ids
    assert tuple(step.chosen.token_id for step in trace.steps) == trace.token_ids
    assert len(trace.token_ids) == trace.forward_passes == 12
    assert trace.finish_reason == "length"


def test_the_log_prob_of_a_trace_is_that_of_its_text_under_the_model(make_engine):
    engine = make_engine()
    trace = engine.generate("hola", DRAWN)

    table = scores(engine.model, [*trace.prompt_ids, *trace.token_ids]).log_softmax(-1)
    places = range(len(trace.prompt_ids) - 1, len(trace.prompt_ids) + 11)
    expected = sum(table[place, token].item() for place, token in zip(places, trace.token_ids, strict=True))

    assert trace.log_prob == pytest.approx(expected, abs=1e-3)


def test_next_step_is_the_first_step_of_a_continuation(make_engine):
    engine = make_engine()

    assert engine.next_step("hola", DRAWN, top_k=4) == engine.generate("hola", DRAWN, top_k=4).steps[0]


def test_a_step_shows_as_many_candidates_as_asked_for(make_engine):
    assert len(make_engine().next_step("hola", GREEDY, top_k=7).top) == 7


def test_a_stream_yields_the_steps_of_the_trace(make_engine):
    engine = make_engine()

    assert tuple(engine.stream("hola", DRAWN)) == engine.generate("hola", DRAWN).steps


def test_traces_of_a_stream_cut_short_are_cancelled_and_keep_what_came(make_engine):
    engine = make_engine()
    requests = [Request("hola", GREEDY), Request("adiós", GREEDY)]
    traces = engine.collect(requests)
    decisions = engine.stream_many(requests)
    while len(traces.finished()[0].token_ids) < 3:
        traces.add(next(decisions))
    decisions.close()

    cut = traces.finished()[0]
    assert cut.finish_reason == "cancelled"
    assert cut.token_ids == engine.generate("hola", GREEDY).token_ids[:3]


def test_traces_of_nothing_at_all_are_cancelled_and_empty(make_engine):
    (trace,) = make_engine().collect([Request("hola", GREEDY)]).finished()

    assert (trace.finish_reason, trace.token_ids, trace.text, trace.forward_passes) == ("cancelled", (), "", 0)


# --- ends ---


@pytest.mark.parametrize("place", [0, 1, 2])
def test_every_end_of_text_id_of_a_list_stops_it(tmp_path, make_tiny_model, tiny_tokenizer, place):
    model = make_tiny_model()
    free = argmax_loop(model, tuple(tiny_tokenizer("hola").input_ids), 12)
    ends = [257, 257, 257]
    ends[place] = free[5]
    model.generation_config.eos_token_id = ends
    model.save_pretrained(tmp_path)
    tiny_tokenizer.save_pretrained(tmp_path)
    engine = Engine.load(str(tmp_path), Config(device="cpu", dtype="float32"))

    trace = engine.generate("hola", GREEDY)
    engine.close()

    assert list(trace.token_ids) == free[: free.index(free[5]) + 1]
    assert trace.finish_reason == "stop"


def test_a_text_that_ends_at_its_last_token_has_stopped(make_engine):
    free = make_engine().generate("hola", GREEDY).token_ids
    first = next(i for i, token in enumerate(free) if token not in free[:i] and i > 2)
    engine = make_engine(stop_ids=frozenset({free[first]}))

    trace = engine.generate("hola", Sampling(strategy="greedy", max_new_tokens=first + 1))

    assert (trace.finish_reason, len(trace.token_ids)) == ("stop", first + 1)


# --- together ---


def test_compared_rows_equal_their_solo_runs(make_engine):
    engine = make_engine()
    samplings = [
        GREEDY,
        DRAWN,
        Sampling(seed=9, max_new_tokens=3),
        Sampling(strategy="greedy", repetition_penalty=1.5, max_new_tokens=20),
        Sampling(strategy="greedy", no_repeat_ngram_size=1, max_new_tokens=7),
        Sampling(min_p=0.05, seed=4, max_new_tokens=25),
    ]

    traces = engine.compare("érase una vez", samplings)

    assert [t.token_ids for t in traces] == [
        engine.generate("érase una vez", sampling).token_ids for sampling in samplings
    ]


def test_whoever_waits_for_an_earlier_job_hears_the_place(make_engine):
    engine, places = make_engine(), []
    earlier = engine.stream_many([Request("a", Sampling("greedy", max_new_tokens=200))], 1, "somebody")
    next(earlier)

    heard = engine.heard_by(places.append)
    waiting = heard.stream_many([Request("b", Sampling("greedy", max_new_tokens=2))], 1, "somebody")

    assert next(waiting).event == Waiting(1)
    assert places == [1]
    earlier.close()
    assert len([*waiting]) == 2


def test_compared_strategies_read_their_prompt_once(make_engine, watch):
    watched = watch()

    make_engine(watched.model).compare("érase una vez", [GREEDY, DRAWN, GREEDY])

    assert [tokens for _, tokens in watched.passes if tokens > 1] == [padded(len("érase una vez".encode()))]


def test_the_same_seed_gives_the_same_text_whoever_else_is_there(make_engine):
    engine = make_engine()
    alone = engine.generate("hola", DRAWN)
    others_are_here = threading.Barrier(5)

    def visit(number: int) -> tuple[int, ...]:
        others_are_here.wait()
        if number:
            engine.generate("x" * (7 * number), Sampling(seed=number, max_new_tokens=40))
            return ()
        return engine.generate("hola", DRAWN).token_ids

    with ThreadPoolExecutor(5) as visitors:
        mine, *_ = visitors.map(visit, range(5))

    assert mine == alone.token_ids


def test_another_seed_gives_another_text(make_engine):
    engine = make_engine()

    texts = {engine.generate("hola", Sampling(seed=seed)).token_ids for seed in range(4)}

    assert len(texts) == 4


# --- cancelling ---


def test_closing_a_stream_stops_the_work_within_one_step(make_engine, watch):
    watched = watch(held=True)
    engine = make_engine(watched.model)
    stream = engine.stream("hola", Sampling(max_new_tokens=500))
    watched.allow(3)
    for _ in range(3):
        next(stream)

    stream.close()  # while a fourth pass may be on its way
    watched.allow()
    engine.generate("adiós", Sampling(max_new_tokens=8))

    assert len(watched.passes) <= 3 + 1 + 8
    assert {rows for rows, _ in watched.passes} == {1}


def test_closing_a_stream_before_its_first_step_stops_the_work_too(make_engine, watch):
    watched = watch(held=True)
    engine = make_engine(watched.model)
    stream = engine.stream("hola", Sampling(max_new_tokens=500))

    stream.close()
    watched.allow()
    engine.generate("adiós", Sampling(max_new_tokens=8))

    assert len(watched.passes) <= 2 + 8
    assert {rows for rows, _ in watched.passes} == {1}


# --- bounds ---


@pytest.mark.parametrize("prompt", ["", " ", "\n\t \u3000", None, 3, ["hola"]])
def test_a_blank_prompt_is_refused(make_engine, prompt):
    with pytest.raises(InputError) as caught:
        make_engine().stream(prompt, GREEDY)

    assert caught.value.key == "empty_prompt"


def test_a_prompt_past_the_bound_is_refused_and_one_at_the_bound_runs(make_engine):
    engine = make_engine(max_prompt_chars=10)

    assert engine.next_step("x" * 10, GREEDY)
    with pytest.raises(InputError) as caught:
        engine.stream("x" * 11, GREEDY)

    assert (caught.value.key, caught.value.values) == ("long_prompt", {"length": 11, "limit": 10})


def test_half_a_surrogate_pair_is_refused(make_engine):
    with pytest.raises(InputError):
        make_engine().stream("hola \ud83d", GREEDY)  # JSON can carry it, UTF-8 cannot


def test_prompt_and_new_tokens_must_fit_into_the_context(make_engine, make_tiny_model):
    engine = make_engine(make_tiny_model(max_position_embeddings=64))

    assert engine.generate("x" * 52, GREEDY).finish_reason == "length"
    with pytest.raises(InputError) as caught:
        engine.stream("x" * 53, GREEDY)

    assert (caught.value.key, caught.value.values) == ("context", {"tokens": 65, "context": 64})


def test_a_scored_text_must_fit_into_the_context(make_engine, make_tiny_model):
    engine = make_engine(make_tiny_model(max_position_embeddings=64))

    assert len(engine.log_probs("x" * 40, "y" * 24)) == 24
    with pytest.raises(InputError) as caught:
        engine.batch_log_probs([("x" * 40, "y"), ("x" * 40, "y" * 25)])

    assert caught.value.key == "context"


def test_more_new_tokens_than_the_operator_allows_are_refused(make_engine):
    engine = make_engine(max_new_tokens=12)

    assert engine.generate("hola", GREEDY)
    with pytest.raises(SettingsError) as caught:
        engine.compare("hola", [GREEDY, Sampling(max_new_tokens=13)])

    assert (caught.value.values["knob"], caught.value.values["high"]) == ("max_new_tokens", 12)


@pytest.mark.parametrize("top_k", [0, -1, 51, 10**400, 1.5, 5.0, float("nan"), True, "3", None])
def test_a_number_of_candidates_out_of_range_is_refused(make_engine, top_k):
    with pytest.raises(SettingsError) as caught:
        make_engine().stream("hola", GREEDY, top_k=top_k)

    assert caught.value.values["knob"] == "top_k"


def test_the_most_candidates_that_the_operator_allows_are_shown(make_engine):
    assert len(make_engine(max_top_k=60).next_step("hola", GREEDY, top_k=60).top) == 60


@pytest.mark.parametrize("count", [0, 4])
def test_no_strategy_and_more_than_the_operator_allows_are_refused(make_engine, count):
    engine = make_engine(max_compared=3)

    assert len(engine.compare("hola", [GREEDY] * 3)) == 3
    with pytest.raises(InputError) as caught:
        engine.compare("hola", [GREEDY] * count)

    assert (caught.value.key, caught.value.values) == ("samplings", {"limit": 3})


def test_forty_requests_for_one_prompt_all_finish(make_engine):
    engine = make_engine(job_seconds=20)  # an ablation of empty parts asks for as many

    traces = engine.generate_many([Request("hola", Sampling(max_new_tokens=2, seed=i)) for i in range(40)])

    assert [len(trace.token_ids) for trace in traces] == [2] * 40


def test_nothing_runs_for_a_request_that_is_refused(make_engine, watch):
    watched = watch()
    engine = make_engine(watched.model, max_new_tokens=12)

    with pytest.raises(SettingsError):
        engine.compare("hola", [GREEDY, Sampling(max_new_tokens=13)])
    with pytest.raises(InputError):
        engine.generate_many([Request("hola", GREEDY), Request(" ", GREEDY)])
    assert watched.passes == []


@pytest.mark.parametrize("call", [Engine.generate, Engine.next_step, lambda *a: list(Engine.stream(*a))])
def test_a_job_past_its_seconds_is_told_so(make_engine, watch, call):
    engine = make_engine(watch(held=True).model, job_seconds=0.05)

    with pytest.raises(DeadlineError) as caught:
        call(engine, "hola", GREEDY)

    assert caught.value.key == "deadline"


def test_scoring_past_its_seconds_is_told_so(make_engine):
    engine = make_engine(job_seconds=-1)

    with pytest.raises(DeadlineError) as caught:
        engine.batch_log_probs([("hola", "x")])

    assert caught.value.key == "deadline"


# --- loading ---


@pytest.fixture
def loaded(tiny_model, tiny_tokenizer) -> Loaded:
    return Loaded(ModelCard("tiny", "/nowhere"), tiny_model, tiny_tokenizer, frozenset(), 1024, 100_000, "float32")


def test_a_call_made_while_the_model_loads_waits_and_then_runs(loaded):
    go_on = threading.Event()

    def read(report) -> Loaded:
        go_on.wait(30)
        return loaded

    engine = LocalEngine(Config(), read)
    with ThreadPoolExecutor(1) as visitor:
        asked = visitor.submit(engine.generate, "hola", GREEDY)
        assert engine.loading.stage == STAGES[0]
        assert not asked.done()
        go_on.set()
        assert len(asked.result().token_ids) == 12
    engine.close()


def test_naming_the_model_that_is_still_loading_waits_for_it(loaded):
    go_on = threading.Event()

    def read(report) -> Loaded:
        go_on.wait(30)
        return loaded

    engine = LocalEngine(Config(model="/nowhere", extra_models={"tiny": "/nowhere"}), read)
    with ThreadPoolExecutor(1) as visitor:
        asked = visitor.submit(engine.of, "tiny")
        threading.Timer(0.2, go_on.set).start()
        assert asked.result() is engine
    engine.close()


def test_loading_tells_each_stage_and_how_many_lie_behind(loaded):
    told, seen = threading.Semaphore(0), threading.Semaphore(0)

    def read(report) -> Loaded:
        for stage in STAGES:
            report(stage)
            told.release()
            seen.acquire(timeout=30)
        return loaded

    engine = LocalEngine(Config(), read)
    stages = []
    for _ in STAGES:
        told.acquire(timeout=30)
        stages.append((engine.loading.stage, engine.loading.done))
        seen.release()
    assert engine.model is loaded.model  # waits

    assert stages == [("fetch", 0), ("check", 1), ("convert", 2), ("load", 3)]
    assert (engine.loading.stage, engine.loading.done, engine.loading.error) == ("ready", 4, None)
    engine.close()


def test_a_model_that_cannot_be_loaded_says_so_at_every_call_and_never_hangs():
    def read(report) -> Loaded:
        report("check")
        raise ModelError("digest", requirement="x")

    engine = LocalEngine(Config(), read)

    for call in (
        lambda: engine.generate("hola", GREEDY),
        lambda: engine.log_probs("a", "b"),
        lambda: engine.tokenizer,
        lambda: engine.of("Qwen3-0.6B"),
    ):
        with pytest.raises(ModelError, match="x") as caught:
            call()
        assert caught.value.key == "digest"
    assert (engine.loading.stage, engine.loading.done) == ("failed", 1)
    assert engine.loading.error is caught.value


def test_load_waits_and_raises_unless_told_otherwise(tmp_path):
    missing = str(tmp_path / "missing")

    with pytest.raises(ModelError):
        Engine.load(missing, Config(device="cpu"))
    engine = Engine.load(missing, Config(device="cpu"), wait=False)
    with pytest.raises(ModelError):
        assert engine.model


def test_the_tokenizer_of_a_folder_without_weights_is_served(make_engine, tmp_path, tiny_tokenizer):
    tiny_tokenizer.save_pretrained(tmp_path)
    engine = make_engine(extra_models={"words": str(tmp_path)})

    assert engine.tokenizer_of("words")("ñ").input_ids == tiny_tokenizer("ñ").input_ids
    assert engine.tokenizer_of("words") is engine.tokenizer_of("words")
    assert engine.tokenizer_of() is engine.tokenizer


# --- memory ---


@pytest.mark.slow
def test_two_thousand_short_jobs_leave_memory_as_it_was(make_engine):
    engine, memory = make_engine(), psutil.Process().memory_info

    def ask(number: int) -> None:
        engine.generate("hola" * (1 + number % 20), Sampling(seed=number, max_new_tokens=1 + number % 8))

    with ThreadPoolExecutor(4) as visitors:
        list(visitors.map(ask, range(200)))
        after_200 = memory().rss
        list(visitors.map(ask, range(200, 2000)))

    assert memory().rss < 1.05 * after_200


# --- models beside the default one ---


@pytest.fixture
def two(make_engine, tiny_folder, tmp_path) -> Engine:
    """An engine whose catalogue has two models in folders, and one that is broken."""
    other = tmp_path / "other"
    shutil.copytree(tiny_folder, other)
    extra = {"one": str(tiny_folder), "two": str(other), "broken": str(tmp_path)}
    return make_engine(extra_models=extra, device="cpu", max_models=1)


def test_another_model_is_opened_once_and_writes_its_own_text(two, tiny_model):
    beside = two.of("one")

    trace = beside.generate("hola", GREEDY)

    assert list(trace.token_ids) == argmax_loop(tiny_model, trace.prompt_ids, len(trace.token_ids))
    assert beside.loaded.card.key == "one"
    assert two.of("one") is beside
    assert two.of("") is two
    assert two.of(None) is two


def test_all_models_compute_in_one_thread(two):
    threads = {engine.call(threading.get_ident) for engine in (two, two.of("one"), two.of("two"))}

    assert len(threads) == 1


def test_what_is_let_go_ends_its_work_first(two):
    beside = two.of("one")
    steps = beside.stream("hola", Sampling("greedy", max_new_tokens=40))
    next(steps)

    two.of("two")  # there is room for one

    assert len(list(steps)) == 39
    assert two.of("one") is not beside


def test_visitors_of_two_models_at_once_each_read_their_own(two):
    with ThreadPoolExecutor(8) as visitors:
        jobs = [(two.of(key), prompt) for prompt in ("hola", "adiós", "sí") for key in ("", "one")]
        crowd = [visitors.submit(engine.generate, prompt, GREEDY) for engine, prompt in jobs]

    assert [job.result().token_ids for job in crowd] == [
        engine.generate(prompt, GREEDY).token_ids for engine, prompt in jobs
    ]


def test_a_model_that_cannot_be_had_is_a_sentence_and_is_tried_again(two, tiny_folder, tmp_path):
    for name in ("broken", "broken", "../../etc/passwd"):
        with pytest.raises(ModelError):
            two.of(name)

    shutil.copytree(tiny_folder, tmp_path, dirs_exist_ok=True)
    assert two.of("broken").generate("hola", GREEDY).token_ids


def test_a_model_too_large_for_the_free_memory_is_not_loaded(two, monkeypatch):
    free = psutil.virtual_memory()._replace(available=1000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)

    with pytest.raises(ModelError) as caught:
        two.of("one")

    assert caught.value.key == "no_room"
