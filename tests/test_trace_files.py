"""Trace files: what is written is read back the same, and nothing that a stranger sends does harm."""

import csv
import io
import json
import random
from collections.abc import Iterator
from copy import deepcopy

import pytest

from llm_demo.comparison import drafted, facts, partings
from llm_demo.config import Config
from llm_demo.errors import InputError
from llm_demo.i18n import translator
from llm_demo.request import Request
from llm_demo.sampling import DRAFTING, STRATEGIES, Sampling
from llm_demo.trace import BeamNode, BeamStep, Candidate, Contrast, Draft, Draw, Ranked, Step, Trace
from llm_demo.trace_files import COLUMNS, LoadedTraces, from_json, to_csv, to_json

CONFIG = Config(max_upload_mb=2, max_compared=3, max_top_k=4)
PROMPT = "Lista de colores: «rojo», azul 😀\n"
KNOBS = {
    "beam": {"num_beams": 3},
    "contrastive": {"top_k": 3, "penalty_alpha": 0.6},
    "prompt_lookup": {"num_draft_tokens": 3},
    "speculative": {"num_draft_tokens": 3, "do_sample": True},
}

# One trace with something in every field, made by hand; no strategy has all of it at once.
RED = Candidate(5, " rojo", 0.75, 1.0)
BLUE = Candidate(6, '=azul;\n"1"', 0.25, 0.0)
STEPS = (
    Step(RED, (RED, BLUE), Draw(0.5, 0.0, 1.0), 0.8, -0.3),
    Step(BLUE, (RED,), None, 0.8, -1.4, (Contrast(6, " azul", 0.25, -0.5, 0.375),)),
    Step(RED, (RED, BLUE), Draw(0.1, 0.0, 1.0000000000000002), 0.8, -0.3),  # summed, so not exactly 1
)
TREE = (
    BeamStep((BeamNode(5, " rojo", 0, -0.3, -0.3, "survived", 0), BeamNode(6, " azul", 0, -1.4, -1.4, "survived", 1))),
    BeamStep(
        (BeamNode(6, " azul", 1, -0.5, -1.9, "finished", None), BeamNode(5, " rojo", 0, -2, -2.3, "pruned", None))
    ),
)
TRACE = Trace(
    prompt_ids=(1, 2),
    token_ids=(5, 6, 5),
    steps=STEPS,
    text=" rojo azul rojo",
    finish_reason="length",
    log_prob=-2.0,
    forward_passes=2,
    seconds=0.25,
    drafts=(Draft(0, (), (), 0), Draft(1, (6, 7), (" azul", " ñ"), 1)),
    beam_steps=TREE,
    ranking=(Ranked((5, 6), " rojo azul", -1.9, -0.95),),
)
EMPTY = Trace((1, 2), (), (), "", "cancelled", 0.0, 0, 0.0)
SAMPLINGS = (Sampling(temperature=0.5, seed=7, max_new_tokens=3), Sampling("greedy"))
GOOD = to_json([TRACE, EMPTY], PROMPT, SAMPLINGS, "tiny")


def refusal(text: str | bytes, config: Config = CONFIG) -> InputError:
    with pytest.raises(InputError) as caught:
        from_json(text, config)
    for language in ("es", "en"):
        assert caught.value.message(translator(language)).encode()  # a sentence that a page can carry
    return caught.value


# --- the document ---


def test_what_was_written_is_read_back():
    assert from_json(GOOD, CONFIG) == LoadedTraces("tiny", PROMPT, SAMPLINGS, (TRACE, EMPTY))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_bytes_are_read_as_utf_8_with_or_without_its_mark(encoding):
    assert from_json(GOOD.encode(encoding), CONFIG) == from_json(GOOD, CONFIG)


def test_the_document_says_what_it_is_and_holds_each_trace_with_its_settings():
    document = json.loads(GOOD)

    assert (document["version"], document["model"], document["prompt"]) == (1, "tiny", PROMPT)
    assert [one["sampling"]["strategy"] for one in document["continuations"]] == ["sample", "greedy"]
    assert Trace.from_dict(document["continuations"][0]["trace"]) == TRACE


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_real_trace_of_every_strategy_comes_back_the_same(make_engine, make_tiny_model, strategy):
    engine = make_engine(make_tiny_model(0), draft=make_tiny_model(1), stop_ids=frozenset({256}))
    sampling = Sampling(strategy, max_new_tokens=16, **KNOBS.get(strategy, {}))
    trace = engine.generate(PROMPT, sampling, top_k=4)

    loaded = from_json(to_json([trace], PROMPT, [sampling], "tiny"), CONFIG)

    assert loaded == LoadedTraces("tiny", PROMPT, (sampling,), (trace,))
    assert bool(trace.beam_steps) == (strategy == "beam")
    assert bool(trace.drafts) == (strategy in DRAFTING)
    assert bool(trace.steps[0].contrast) == (strategy == "contrastive")


def test_traces_stopped_at_any_moment_come_back_the_same(make_engine, make_tiny_model):
    engine = make_engine(make_tiny_model(0), draft=make_tiny_model(1))
    samplings = [Sampling("speculative", max_new_tokens=12), Sampling("beam", num_beams=2, max_new_tokens=12)]
    requests = [Request("hola", sampling) for sampling in samplings]
    traces = engine.collect(requests)
    for decision in engine.stream_many(requests, 4):
        traces.add(decision)
        stopped = tuple(traces.finished())
        assert from_json(to_json(stopped, "hola", samplings, "tiny"), CONFIG).traces == stopped


def test_a_model_whose_texts_have_infinite_log_probabilities_is_not_written_as_if_it_were_json():
    impossible = Trace((1,), (5,), STEPS[:1], "", "length", float("-inf"), 1, 0.1)

    with pytest.raises(ValueError, match="JSON"):
        to_json([impossible], PROMPT, SAMPLINGS[:1], "tiny")


# --- damage ---


def damaged(path: str, value: object) -> str:
    """Return the good document with another value at a path such as `continuations.0.trace.text`."""
    document = json.loads(GOOD)
    *way, last = [int(name) if name.isdigit() else name for name in path.split(".")]
    place = document
    for name in way:
        place = place[name]
    if value is GONE:
        del place[last]
    elif isinstance(place, list) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    return json.dumps(document)


GONE = object()
FIRST = "continuations.0.trace"
STEP = f"{FIRST}.steps.0"
CANDIDATE = json.loads(GOOD)["continuations"][0]["trace"]["steps"][0]["chosen"]
NODES = json.loads(GOOD)["continuations"][0]["trace"]["beam_steps"][0]
DRAFT_BEHIND = {"place": 3, "token_ids": [], "texts": [], "accepted": 0}  # as if a pass had decided nothing

DAMAGES = [
    # no document, or not ours
    ("", "trace_file_json"),
    (GOOD[:-1], "trace_file_json"),
    (GOOD + "]", "trace_file_json"),
    (b"\xff\xfe\x00", "trace_file_json"),
    (b"PK\x03\x04", "trace_file_json"),
    ("[" * 500_000, "trace_file_json"),
    ('{"version":' * 50_000, "trace_file_json"),
    ("1" * 5_000, "trace_file_json"),
    ("null", "trace_file_version"),
    ("[]", "trace_file_version"),
    ('"version"', "trace_file_version"),
    ("{}", "trace_file_version"),
    (damaged("version", 2), "trace_file_version"),
    (damaged("version", "1"), "trace_file_version"),
    (damaged("version", [["x"] * 999] * 9), "trace_file_version"),
    (damaged("version", 1.0), "trace_file_value"),
    (damaged("version", True), "trace_file_value"),
    # fields
    (damaged("model", GONE), "trace_file_missing"),
    (damaged("extra", 1), "trace_file_unknown"),
    (damaged("\ud83d" * 999, 1), "trace_file_unknown"),
    (damaged(f"{STEP}.chosen.prob", GONE), "trace_file_missing"),
    (damaged(f"{STEP}.chosen.__class__", "x"), "trace_file_unknown"),
    (damaged(f"{STEP}.draw", GONE), "trace_file_missing"),
    # types
    (damaged("model", None), "trace_file_value"),
    (damaged("prompt", ["a"]), "trace_file_value"),
    (damaged("prompt", "\ud83d"), "trace_file_value"),
    (damaged("continuations", {"0": 1}), "trace_file_value"),
    (damaged("continuations.0", []), "trace_file_value"),
    (damaged(f"{FIRST}.steps", "abc"), "trace_file_value"),
    (damaged(STEP, None), "trace_file_value"),
    (damaged(f"{STEP}.top.0", [5, "x", 0.5, 0.5]), "trace_file_value"),
    (damaged(f"{STEP}.chosen.token_id", 5.0), "trace_file_value"),
    (damaged(f"{STEP}.chosen.token_id", "5"), "trace_file_value"),
    (damaged(f"{STEP}.chosen.token_id", True), "trace_file_value"),
    (damaged(f"{STEP}.chosen.text", "\udc80"), "trace_file_value"),
    (damaged(f"{STEP}.chosen.prob", "0.5"), "trace_file_value"),
    (damaged(f"{STEP}.chosen.prob", True), "trace_file_value"),
    (damaged(f"{STEP}.chosen.token_id", None), "trace_file_value"),
    (damaged(f"{STEP}.draw", []), "trace_file_value"),
    (damaged(f"{FIRST}.finish_reason", "tired"), "trace_file_value"),
    (damaged(f"{FIRST}.finish_reason", ["stop"]), "trace_file_value"),
    (damaged(f"{FIRST}.beam_steps.0.nodes.0.beam", "0"), "trace_file_value"),
    # ranges
    (damaged(f"{STEP}.chosen.raw_prob", 1.01), "trace_file_value"),
    (damaged(f"{STEP}.chosen.raw_prob", -0.01), "trace_file_value"),
    (damaged(f"{STEP}.chosen.prob", float("nan")), "trace_file_value"),
    (damaged(f"{STEP}.log_prob", float("-inf")), "trace_file_value"),
    (damaged(f"{STEP}.log_prob", 0.5), "trace_file_value"),
    (damaged(f"{STEP}.entropy", -1.0), "trace_file_value"),
    (damaged(f"{STEP}.draw.number", 2.0), "trace_file_value"),
    (damaged(f"{FIRST}.steps.1.contrast.0.penalty", -2.0), "trace_file_value"),
    (damaged(f"{FIRST}.steps.1.contrast.0.score", float("inf")), "trace_file_value"),
    (damaged(f"{FIRST}.steps.1.contrast.0.score", 10**4_000), "trace_file_value"),
    (damaged(f"{FIRST}.seconds", -1), "trace_file_value"),
    (damaged(f"{FIRST}.prompt_ids.1", -1), "trace_file_value"),
    (damaged(f"{FIRST}.prompt_ids.1", 2**40), "trace_file_value"),
    (damaged(f"{FIRST}.ranking.0.token_ids.0", -3), "trace_file_value"),
    (damaged("continuations.0.sampling.strategy", "magic"), "trace_file_value"),
    (damaged("continuations.0.sampling.temperature", 99), "trace_file_value"),
    (damaged("continuations.0.sampling.temperature", "1"), "trace_file_value"),
    (damaged("continuations.0.sampling.seed", 10**4_000), "trace_file_value"),
    (damaged("continuations.0.sampling.do_sample", 1), "trace_file_value"),
    (damaged("continuations.0.sampling.speed", 1), "trace_file_unknown"),
    # lengths
    (damaged("continuations", []), "trace_file_count"),
    (damaged("continuations", [json.loads(GOOD)["continuations"][1]] * 4), "trace_file_count"),
    (damaged(f"{STEP}.top", []), "trace_file_count"),
    (damaged(f"{STEP}.top", [CANDIDATE] * 5), "trace_file_count"),
    (damaged(f"{FIRST}.beam_steps.1.nodes", []), "trace_file_count"),
    (damaged(f"{FIRST}.token_ids", [5] * 2_049), "trace_file_count"),
    (damaged(f"{FIRST}.beam_steps", [NODES] * 2_049), "trace_file_count"),
    (damaged("prompt", "x" * 8_001), "long_prompt"),
    # contradictions
    (damaged(f"{FIRST}.token_ids", [5, 6]), "trace_file_contradiction"),
    (damaged(f"{FIRST}.token_ids", [5, 6, 7]), "trace_file_contradiction"),
    (damaged(f"{FIRST}.drafts.0.place", 1), "trace_file_contradiction"),
    (damaged(f"{FIRST}.drafts.1.place", 10**9), "trace_file_contradiction"),
    (damaged(f"{FIRST}.drafts.1.accepted", 2), "trace_file_contradiction"),
    (damaged(f"{FIRST}.drafts.1.accepted", 10**9), "trace_file_contradiction"),
    (damaged(f"{FIRST}.drafts.2", DRAFT_BEHIND), "trace_file_contradiction"),
    (damaged(f"{FIRST}.drafts.1.texts", []), "trace_file_contradiction"),
    (damaged(f"{FIRST}.drafts.1.token_ids", [7, 7]), "trace_file_contradiction"),
    (damaged(f"{FIRST}.beam_steps.0.nodes.0.parent", 1), "trace_file_contradiction"),
    (damaged(f"{FIRST}.beam_steps.1.nodes.0.parent", 2), "trace_file_contradiction"),
    (damaged(f"{FIRST}.beam_steps.0.nodes.0.beam", 7), "trace_file_contradiction"),
    (damaged(f"{FIRST}.beam_steps.0.nodes.0.beam", None), "trace_file_contradiction"),
    (damaged(f"{FIRST}.beam_steps.1.nodes.0.beam", 0), "trace_file_contradiction"),
]


@pytest.mark.parametrize(("text", "key"), DAMAGES, ids=range(len(DAMAGES)))
def test_damage_is_told_in_one_sentence(text, key):
    assert refusal(text).key == key


def test_a_file_past_the_bound_is_refused_before_it_is_read():
    at_the_bound = GOOD + " " * (2 * 2**20 - len(GOOD.encode()))

    assert from_json(at_the_bound, CONFIG).traces == (TRACE, EMPTY)
    for larger in (at_the_bound + " ", at_the_bound.encode() + b" "):
        assert (refusal(larger).key, refusal(larger).values) == ("trace_file_size", {"limit": 2})


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        (f"{FIRST}.steps.2.top.1.prob", 7, "continuations[0].trace.steps[2].top[1].prob"),
        ("continuations.1.sampling.temperature", 99, "continuations[1].sampling.temperature"),
        ("continuations.1.sampling.strategy", "magic", "continuations[1].sampling.strategy"),
        ("continuations.1.trace.text", GONE, "continuations[1].trace.text"),
        ("extra", 1, "extra"),
        (f"{FIRST}.beam_steps.1.nodes.0.parent", 2, "continuations[0].trace.beam_steps[1]"),
        (f"{FIRST}.drafts.1.accepted", 2, "continuations[0].trace.drafts[1]"),
    ],
)
def test_the_sentence_says_where(path, value, where):
    error = refusal(damaged(path, value))

    assert error.values["where"] == where
    assert all(f"{where}" in error.message(translator(language)) for language in ("es", "en"))


def test_what_a_stranger_wrote_is_quoted_at_a_length_that_a_sentence_bears():
    for text in (damaged("x" * 10_000, 1), damaged("continuations", "x" * 10_000), damaged("version", "x" * 10_000)):
        assert len(str(refusal(text))) < 300


ODD = (
    None, True, 0, -1, 1, 2, 0.5, -0.5, 1e308, 2**53, 10**400, "", "x", "stop", "\ud800", [], {}, [[]], [0], [None],
    {"token_id": 1}, float("nan"), float("inf"), [1, 2, 3],
)  # fmt: skip


def places(value: object) -> Iterator[tuple[dict | list, str | int]]:
    """Yield every place of a document: the container and the key."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield value, key
        yield from places(item)


@pytest.mark.parametrize("seed", range(3))
def test_any_value_anywhere_is_read_or_refused_and_what_is_read_can_be_used(seed):
    rng = random.Random(seed)
    good = json.loads(GOOD)
    refused = 0
    for _ in range(300):
        document = deepcopy(good)
        for _ in range(rng.choice((1, 1, 2, 4))):
            container, key = rng.choice(list(places(document)))
            others = [other[name] for other, name in places(good)]
            container[key] = deepcopy(rng.choice((rng.choice(ODD), rng.choice(others))))
        try:
            loaded = from_json(json.dumps(document), CONFIG)
        except InputError:
            refused += 1
        else:
            partings(loaded.traces)
            for trace in loaded.traces:
                facts(trace)
                drafted(trace)
            to_csv(loaded.traces, ["a", "b", "c"][: len(loaded.traces)])
            assert from_json(to_json(loaded.traces, loaded.prompt, loaded.samplings, loaded.model), CONFIG) == loaded

    assert 150 < refused < 300


def test_any_byte_anywhere_is_read_or_refused():
    rng = random.Random(0)
    refused = 0
    for _ in range(300):
        data = bytearray(GOOD.encode())
        data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            from_json(bytes(data), CONFIG)
        except InputError:
            refused += 1

    assert 150 < refused < 300


# --- the table ---


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def unguarded(cell: str) -> str:
    return cell.removeprefix("'")


def test_the_table_holds_every_candidate_of_every_step_by_hand():
    assert to_csv([TRACE, EMPTY], ["voraz", "libre"]).split("\r\n")[:5] == [
        '"strategy","step","rank","token_id","text","raw_prob","prob","chosen"',
        '"voraz",1,1,5," rojo",0.75,1.0,1',
        '"voraz",1,2,6,"\'=azul;\n""1""",0.25,0.0,0',
        '"voraz",2,1,5," rojo",0.75,1.0,0',
        '"voraz",2,"",6,"\'=azul;\n""1""",0.25,0.0,1',  # chosen, but not among the candidates
    ]


def test_a_table_read_again_has_the_same_numbers_and_texts(make_engine):
    samplings = [Sampling("greedy", max_new_tokens=9), Sampling(max_new_tokens=12, top_k=50, seed=4)]
    names = ["voraz (greedy)", "muestreo, 1"]
    traces = make_engine().compare(PROMPT, samplings, top_k=5)

    read = rows(to_csv(traces, names))

    assert tuple(read[0]) == COLUMNS
    for name, trace in zip(names, traces, strict=True):
        for number, step in enumerate(trace.steps, start=1):
            mine = [row for row in read if row["strategy"] == name and row["step"] == str(number)]
            found = [
                Candidate(int(row["token_id"]), unguarded(row["text"]), float(row["raw_prob"]), float(row["prob"]))
                for row in mine
            ]
            assert tuple(found[:5]) == step.top
            assert [row["rank"] for row in mine[:5]] == ["1", "2", "3", "4", "5"]
            assert [one for one, row in zip(found, mine, strict=True) if row["chosen"] == "1"] == [step.chosen]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠", "'"])
def test_no_cell_of_text_begins_as_a_formula_and_no_text_is_lost(start):
    text = f'{start}HYPERLINK("http://x";1),2\r\n\''
    chosen = Candidate(1, text, 1.0, 1.0)
    trace = Trace((1,), (1,), (Step(chosen, (chosen,), None, 0.0, 0.0),), text, "length", 0.0, 1, 0.1)

    (row,) = rows(to_csv([trace], [text]))

    for cell in (row["strategy"], row["text"]):
        assert cell.startswith("'")
        assert unguarded(cell) == text


@pytest.mark.parametrize("text", ["", " rojo", "a=b", "1", " =x", "ñ😀", '"', "{}", "<b>"])
def test_harmless_text_is_left_as_it_is(text):
    chosen = Candidate(1, text, 1.0, 1.0)
    trace = Trace((1,), (1,), (Step(chosen, (chosen,), None, 0.0, 0.0),), text, "length", 0.0, 1, 0.1)

    assert rows(to_csv([trace], ["x"]))[0]["text"] == text
