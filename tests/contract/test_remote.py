"""What only a server can do: tell less, be busy, break off, be somebody else's."""

import logging
import threading
import time

import pytest
import torch

from llm_demo.config import Config
from llm_demo.decoding.feed import Waiting
from llm_demo.engine import Engine
from llm_demo.engine import remote as remote_module
from llm_demo.errors import DeadlineError, ModelError, SettingsError
from llm_demo.request import Request
from llm_demo.sampling import Sampling
from llm_demo.trace import Step
from tests.contract.fake import Faults

PROMPT = "érase una vez"  # after which the tiny model does not soon end
GREEDY = Sampling("greedy", max_new_tokens=12)
LONG = Sampling("greedy", max_new_tokens=400)


@pytest.fixture(scope="module")
def served(serve):
    """An engine on a server of its own whose faults a test may set; silence for a second counts as its end."""
    return serve(endpoint_seconds=1)


@pytest.fixture(autouse=True)
def well(served):
    """Let every test begin with a server that is well."""
    yield
    served[1].faults = Faults()


def steps_until_error(engine: Engine, sampling: Sampling) -> tuple[list[Step], ModelError]:
    steps: list[Step] = []
    with pytest.raises(ModelError) as caught:
        steps.extend(engine.stream(PROMPT, sampling))
    return steps, caught.value


# --- what is asked ---


def test_a_text_is_sent_as_ids_and_every_setting_is_said(served, tiny_tokenizer):
    engine, server = served
    sampling = Sampling(
        temperature=0.7, top_k=4, top_p=0.9, min_p=0.1, repetition_penalty=1.2, seed=8, max_new_tokens=3
    )
    engine.generate(PROMPT, sampling)
    body = server.seen.bodies[-1]

    assert body["prompt"] == tiny_tokenizer(PROMPT).input_ids
    said = ("temperature", "top_k", "top_p", "min_p", "repetition_penalty", "seed", "max_tokens")
    assert [body[name] for name in said] == [0.7, 4, 0.9, 0.1, 1.2, 8, 3]
    assert (body["presence_penalty"], body["frequency_penalty"], body["stop_token_ids"]) == (0, 0, [256])


def test_greedy_leaves_nothing_to_the_models_own_defaults(served):
    engine, server = served
    engine.generate(PROMPT, Sampling("greedy", temperature=0.7, top_k=4, top_p=0.5, max_new_tokens=1))
    body = server.seen.bodies[-1]

    said = ("temperature", "top_k", "top_p", "min_p", "repetition_penalty")
    assert [body[name] for name in said] == [0, -1, 1, 0, 1]


# --- what is told ---


def test_no_more_candidates_are_shown_than_are_told(served):
    engine, _ = served

    assert engine.offers.candidates == 20
    assert len(engine.next_step(PROMPT, GREEDY, top_k=50).top) == 20


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(temperature=0.7),  # the sum over all tokens is not known
        Sampling(temperature=0.7, top_p=0.9),
        Sampling(temperature=0.9, top_k=40),  # of which twenty are told
        Sampling(top_p=0.999999),
        Sampling(top_k=5, repetition_penalty=1.3),
    ],
    ids=["temperature", "temperature before top-p", "top-k past the limit", "top-p past the limit", "penalty"],
)
def test_what_does_not_follow_from_what_is_told_is_not_made_up(served, sampling):
    step = served[0].next_step(PROMPT, sampling)

    assert {one.prob for one in (step.chosen, *step.top)} == {None}
    assert all(one.raw_prob > 0 for one in step.top)
    assert (step.entropy, step.draw) == (None, None)


def test_a_server_that_tells_what_its_filters_leave_is_taken_at_its_word(serve, local):
    engine, _ = serve({"logprobs_mode": "processed_logprobs"})
    sampling = Sampling(temperature=0.8, top_k=5, seed=3, max_new_tokens=4)
    trace = engine.generate(PROMPT, sampling)

    assert not engine.offers.raw
    exact = local.engine.generate(PROMPT, sampling, forced=trace.token_ids)
    for step, other in zip(trace.steps, exact.steps, strict=True):
        probs = {one.token_id: one.prob for one in other.top}
        assert [one.prob for one in step.top] == pytest.approx([probs[one.token_id] for one in step.top], abs=1e-5)
        assert {one.raw_prob for one in step.top} == {None}
    assert trace.log_prob is None
    plain = engine.generate(PROMPT, GREEDY)
    assert plain.log_prob == pytest.approx(local.engine.generate(PROMPT, GREEDY).log_prob, abs=1e-3)
    scored = engine.generate(PROMPT, sampling, forced=(65,)).steps[0]
    assert scored.log_prob == pytest.approx(local.rows(trace.prompt_ids)[-1, 65].item(), abs=1e-4)


def test_a_server_that_tells_every_token_can_be_looked_into(serve, local, tiny_tokenizer):
    engine, _ = serve({"max_logprobs": -1})
    found = engine.look(PROMPT, forced=(65,))

    assert engine.offers.whole
    expected = local.rows([*tiny_tokenizer(PROMPT).input_ids, 65])[-1]
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_one_that_tells_the_likeliest_alone_says_so(served):
    with pytest.raises(ModelError) as caught:
        served[0].look(PROMPT)

    assert caught.value.key == "engine_whole"


def test_one_that_tells_logits_is_refused_at_the_start(serve):
    with pytest.raises(ModelError) as caught:
        serve({"logprobs_mode": "raw_logits"})

    assert caught.value.key == "engine_logits_mode"


@pytest.mark.parametrize(
    ("sampling", "key"),
    [
        (Sampling("beam", num_beams=2), "engine_strategy"),
        (Sampling("contrastive", top_k=4), "engine_strategy"),
        (Sampling("prompt_lookup"), "engine_strategy"),
        (Sampling("greedy", no_repeat_ngram_size=2), "engine_knob"),
        (Sampling(typical_p=0.9), "engine_knob"),
    ],
)
def test_what_it_does_not_run_is_told_and_not_imitated(served, sampling, key):
    with pytest.raises(SettingsError) as caught:
        served[0].generate(PROMPT, sampling)

    assert caught.value.key == key


def test_a_text_that_it_reads_in_another_way_is_told(served, tiny_tokenizer):
    engine, server = served
    server.faults.read_as = [*tiny_tokenizer(PROMPT).input_ids[:-1], 65]

    steps, error = steps_until_error(engine, GREEDY)

    assert steps == []
    assert (error.key, error.values["place"], error.values["other"]) == ("engine_other_ids", len(PROMPT.encode()), "b")


# --- busy, failing, gone ---


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_a_place_in_line(served, status):
    engine, server = served
    server.faults.busy, server.faults.busy_status = 1, status
    events = [decision.event for decision in engine.stream_many([Request(PROMPT, GREEDY)])]

    assert events[0] == Waiting(1)
    assert sum(isinstance(event, Step) for event in events) == 12


def test_those_who_wait_are_served_in_the_order_of_arrival(serve):
    engine, server = serve(max_streams=1)
    server.faults.pause = 0.02
    decisions = engine.stream_many([Request(prompt, GREEDY) for prompt in ("uno", "dos", "tres")])
    told = [(decision.row, decision.event) for decision in decisions]

    assert [(row, event.place) for row, event in told if isinstance(event, Waiting)] == [(1, 1), (2, 2), (2, 1)]
    assert [row for row, event in told if isinstance(event, Step)] == [0] * 12 + [1] * 12 + [2] * 12
    assert server.seen.most == 1


@pytest.mark.parametrize(
    "ask",
    [
        lambda engine: engine.generate(PROMPT, GREEDY),
        lambda engine: engine.log_probs(PROMPT, "ab"),
        lambda engine: list(engine.weigh([(PROMPT, [65])])),
        lambda engine: list(engine.weigh([(PROMPT, [65])] * 3)),
    ],
    ids=["generate", "log_probs", "weigh", "weigh several"],
)
def test_whoever_listens_hears_the_place_once_for_each_step_nearer(served, ask):
    engine, server = served
    places: list[int] = []
    server.faults.busy = 1
    ask(engine.heard_by(places.append))
    ask(engine)

    assert places == [1]


def test_a_failure_before_the_first_token_is_asked_again(served):
    engine, server = served
    before = len(server.seen.bodies)
    server.faults.failing = 1

    assert len(engine.generate(PROMPT, GREEDY).token_ids) == 12
    assert len(server.seen.bodies) == before + 2


def test_a_server_that_goes_on_failing_is_given_up(served):
    engine, server = served
    server.faults.failing = 99

    assert steps_until_error(engine, GREEDY)[1].key == "engine_failing"


@pytest.mark.parametrize("fault", ["break_after", "error_after", "garbage_after", "silent_after"])
def test_one_that_dies_in_the_middle_is_told_and_what_came_is_kept(served, fault):
    engine, server = served
    whole = engine.generate(PROMPT, GREEDY)
    before = len(server.seen.bodies)
    setattr(server.faults, fault, 4)

    steps, error = steps_until_error(engine, GREEDY)

    assert error.key == "engine_broken"
    assert [step.chosen.token_id for step in steps] == list(whole.token_ids[:4])
    assert len(server.seen.bodies) == before + 1  # a text half written is not begun anew


def test_an_answer_in_another_shape_is_no_crash(served, monkeypatch, caplog):
    engine, server = served
    monkeypatch.setattr(
        server, "_next", lambda ids, body, rng: (65, {"tokens": ["x"], "token_logprobs": [], "top_logprobs": []})
    )
    caplog.set_level(logging.CRITICAL)

    assert steps_until_error(engine, GREEDY)[1].key == "engine_broken"


def test_to_stop_reading_closes_the_stream(served):
    engine, server = served
    server.faults.pause = 0.01
    gone = server.seen.cancelled
    decisions = engine.stream_many([Request(PROMPT, LONG)])
    next(decisions)
    decisions.close()

    end = time.monotonic() + 10
    while server.seen.streaming and time.monotonic() < end:
        time.sleep(0.01)
    assert (server.seen.streaming, server.seen.cancelled) == (0, gone + 1)


def test_a_job_that_takes_too_long_is_ended(serve):
    engine, server = serve(job_seconds=1)
    server.faults.pause = 0.2

    with pytest.raises(DeadlineError):
        engine.generate(PROMPT, LONG)


def test_of_one_visitors_jobs_one_runs_at_a_time(served):
    engine, server = served
    server.faults.pause = 0.02
    server.seen.most = 0

    def ask() -> None:
        list(engine.stream_many([Request(PROMPT, GREEDY)], visitor="ana"))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert server.seen.most == 1


# --- who may, and which model ---


def test_the_key_opens_the_door_and_is_shown_nowhere(serve, caplog):
    caplog.set_level(logging.DEBUG)
    engine, server = serve({"key": "a-secret"}, endpoint_key="a-secret")
    assert engine.generate(PROMPT, GREEDY).token_ids
    server._key = "another"

    with pytest.raises(ModelError) as caught:
        engine.generate(PROMPT, GREEDY)

    assert caught.value.key == "engine_key"
    assert "a-secret" not in str(caught.value) + repr(engine.config) + caplog.text


def test_the_models_that_a_server_names_come_first_in_the_catalogue(serve):
    engine, _ = serve({"names": ["tiny", "twin"]})

    assert list(engine.cards)[:2] == ["tiny", "twin"]
    assert "SmolLM2-135M-Instruct" in engine.cards


def test_a_model_that_the_server_lacks_is_named_among_those_that_it_has(serve):
    with pytest.raises(ModelError) as caught:
        serve(model="distilgpt2")

    assert (caught.value.key, caught.value.values["known"]) == ("unknown_model", "tiny")


def test_a_server_that_was_not_there_is_found_when_it_comes(served, tiny_folder, monkeypatch):
    config = Config(endpoint="http://127.0.0.1:9", extra_models={"tiny": str(tiny_folder)}, device="cpu")
    engine = Engine.load(config=config, wait=False)
    with pytest.raises(ModelError) as caught:
        _ = engine.loaded
    assert (caught.value.key, engine.loading.stage) == ("engine_unreachable", "failed")

    monkeypatch.setattr(remote_module, "AGAIN", 0.0)
    monkeypatch.setattr(engine, "_endpoint", served[0]._endpoint)
    assert engine.generate(PROMPT, GREEDY).token_ids
