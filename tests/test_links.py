"""Links: written and read again, and what a stranger may have put into one."""

import json
from urllib.parse import parse_qsl

import pytest

from llm_demo.config import Config
from llm_demo.errors import InputError
from llm_demo.lessons.course import COURSE
from llm_demo.links import TABS, Link, from_json, from_pairs, kinds, to_json, to_pairs, to_query
from llm_demo.sampling import Sampling

CONFIG = Config()
MODELS = ("SmolLM2-135M-Instruct", "Qwen3-0.6B")
COLOURS = "Lista de colores: rojo, azul & ñ😀"
LINKS = [
    Link("tokenizer", "es", MODELS[0], "T1", False, {"at": "tokenizer-tokens", "text": COLOURS, "special": True}),
    Link("chat", "en", values={"h1": "Hi", "h2": "Hello!", "text": "Who?", "count": 3, "beside": "model:Qwen3-0.6B"}),
    Link(
        "decoding",
        "es",
        run=True,
        values={
            "at": "decoding-race",
            "text": COLOURS,
            "s1": Sampling("greedy", max_new_tokens=30),
            "s2": Sampling(temperature=0.7, top_k=5, top_p=0.9, seed=2**53 - 1),
            "s3": Sampling("beam", num_beams=4, length_penalty=-1.5, early_stopping=True),
        },
    ),
    Link("ablation", values={"n1": "tono", "p1": "Sé amable.\nSí.", "on1": False, "c1": "bullets", "v1": "3-5"}),
    Link("quiz", values={"in": "wo", "q": 70, "letter": "J", "sure": 60, "categories": ("math", "computer science")}),
]


def read(query: str) -> tuple[Link | None, int]:
    return from_pairs(parse_qsl(query, keep_blank_values=True), CONFIG, MODELS)


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.tab)
def test_a_link_is_read_as_it_was_written(link):
    found, ignored = read(to_query(link, CONFIG, MODELS))

    assert (found, ignored) == (link, 0)


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.tab)
def test_a_file_is_read_as_it_was_written(link):
    found, ignored = from_json(to_json(link, CONFIG, MODELS).encode(), CONFIG, MODELS)

    assert (found, ignored) == (link, 0)


def test_the_query_is_short_and_can_be_read_by_a_person():
    link = Link("decoding", "es", values={"text": "a b", "s1": Sampling(temperature=0.7, top_k=5, max_new_tokens=30)})

    assert to_query(link, CONFIG, MODELS) == "tab=decoding&text=a+b&s1=sample,n30,t0.7,k5&lang=es"


@pytest.mark.parametrize("tab", TABS)
def test_a_lesson_alone_names_its_tab(tab):
    for lesson in COURSE[tab]:
        assert read(f"lesson={lesson.id}") == (Link(tab, lesson=lesson.id), 0)


@pytest.mark.parametrize(
    "query",
    [
        "s1=sample,t0", "s1=sample,tnan", "s1=sample,t1e3", "s1=sample,t-1", "s1=sample,n1.5", "s1=sample,n٣",
        "s1=sample,t1,t2", "s1=sample,x1", "s1=sample,", "s1=sample,o2", "s1=magic", "s1=", "s1=" + "n" * 5000,
        "s1=sample,s9007199254740992", "s9=greedy", "s0=greedy", "shown=NaN", "shown=Infinity", "shown=1e1",
        "shown=0", "shown=51", "shown=3.5", "shown=true", "at=quiz-play", "at=../etc", "text=" + "a" * 8001,
        "model=../../etc/passwd", "model=", "lang=fr", "lang=<script>", "run=2", "run=yes", "lesson=C1", "lesson=D99",
        "prompt=a", "a.b=1", "tab=decoding", "s1[]=greedy", "%00=1",
    ],
)  # fmt: skip
def test_a_bad_value_is_left_out_and_counted_and_the_others_kept(query):
    found, ignored = read(f"tab=decoding&s2=greedy&{query}")

    assert found == Link("decoding", values={"s2": Sampling("greedy")})
    assert ignored == 1


@pytest.mark.parametrize(("query", "ignored"), [("", 0), ("tab=nowhere", 1), ("a=1&tab=", 1), ("lesson=X1&text=a", 2)])
def test_an_address_that_names_no_tab_is_no_link(query, ignored):
    assert read(query) == (None, ignored)


def test_a_known_lesson_outweighs_an_unknown_tab():
    assert read("tab=nowhere&lesson=D6") == (Link("decoding", lesson="D6"), 1)


def test_what_others_add_to_an_address_is_not_counted():
    assert read("lesson=D6&utm_source=mail&fbclid=x&__theme=dark&logs=container&room=ABC") == (
        Link("decoding", lesson="D6"),
        0,
    )


def test_an_operators_bounds_hold():
    config = Config(max_prompt_chars=5, max_compared=2, max_parts=1)

    assert from_pairs([("tab", "decoding"), ("text", "abcdef"), ("s3", "greedy")], config, MODELS)[1] == 2
    assert "p2" not in kinds("ablation", config, MODELS)


@pytest.mark.parametrize(
    "values",
    [
        {"count": float("nan")},
        {"count": True},
        {"count": 99},
        {"text": 5},
        {"s": "greedy"},
        {"beside": "hers"},
        {"x": 1},
    ],
)
def test_what_could_not_be_read_again_is_not_written(values):
    assert to_pairs(Link("chat", values=values), CONFIG, MODELS) == [("tab", "chat")]


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{", b'{"version": 2, "link": {}}', b'{"version": 1, "link": []}', b"\xff", b"9" * 5000]
)
def test_what_is_no_file_of_ours_is_told(text):
    with pytest.raises(InputError):
        from_json(text, CONFIG, MODELS)


def test_a_strangers_file_loses_what_is_broken():
    link = {"tab": "chat", "text": "half \ud800", "count": 3, "system": {"a": []}, "h1": "Hi"}

    found, ignored = from_json(json.dumps({"version": 1, "link": link}), CONFIG, MODELS)

    assert found == Link("chat", values={"h1": "Hi"})
    assert ignored == 3
