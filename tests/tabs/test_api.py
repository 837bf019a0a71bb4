"""The named endpoints, as a notebook meets them: their shapes, and what they say to what they cannot use."""

import json
import math

import httpx
import pytest

from llm_demo.sampling import STRATEGIES
from llm_demo.trace import Step, Trace

FRANCE = "The capital of France is"
ENDPOINTS = {
    *("tokenize", "next_token", "generate", "compare"),
    *("chat", "ablate", "quiz_question", "quiz_answer", "quiz_evaluate"),
}
SHORT = {"strategy": "greedy", "max_new_tokens": 3}
USER = [{"role": "user", "content": "Hi"}]
PARTS = [{"name": "tone", "text": "Be brief."}, {"name": "topic", "text": "What is Git?"}]
CANDIDATE = {"token_id", "text", "raw_prob", "prob"}
LONG = "x" * 100_000
HALF = "a\ud800"  # half of a surrogate pair, which JSON can carry and UTF-8 cannot

EMPTY_PROMPT = "The prompt is empty: write something for the model to continue."
EMPTY_TEXT = "There is no text to split: write something."
TOO_LONG = "The text has 100,000 characters and 8,000 fit here: shorten it."
MESSAGES = "The conversation must be a list of messages with “role” (user or assistant) and “content”."
PARTS_SHAPE = "The parts must be a list of objects with “name” and “text”."
TOP_K = "The setting top_k must be a whole number from 1 to 50, and it is {}."
SAMPLES = "The number of samples must be a whole number from 1 to 8, and it is {}."
COMPARED = "From 1 to 8 strategies can be compared at once."


def knob(name: str, value: str, span: str, whole: str = "") -> str:
    return f"The setting {name} must be a {whole}number from {span}, and it is {value}."


def endpoint_with(prompt: object) -> list[tuple]:
    """Return a call of every endpoint that reads a text, with this text."""
    return [
        ("next_token", prompt),
        ("generate", prompt),
        ("compare", prompt, None, [SHORT]),
        ("chat", [{"role": "user", "content": prompt}]),
        ("ablate", [{"name": "a", "text": prompt}]),
    ]


# Shapes


def test_the_named_endpoints_are_those_of_the_tabs_and_no_others(client):
    described = client.view_api(return_format="dict")

    assert set(described["named_endpoints"]) == {f"/{name}" for name in ENDPOINTS}
    assert described["unnamed_endpoints"] == {}


def test_tokenize_gives_every_token_with_its_bytes(client, engine):
    given = client.predict("año ✓", api_name="/tokenize")

    assert list(given) == ["model", "tokens", "n_chars", "n_bytes"]
    assert given["model"] == "SmolLM2-135M-Instruct"
    assert (given["n_chars"], given["n_bytes"]) == (5, 8)
    assert [list(token) for token in given["tokens"]] == [["index", "id", "piece", "text", "bytes"]] * len(
        given["tokens"]
    )
    assert [token["index"] for token in given["tokens"]] == list(range(len(given["tokens"])))
    assert [token["id"] for token in given["tokens"]] == engine.tokenizer("año ✓").input_ids
    assert bytes(byte for token in given["tokens"] for byte in token["bytes"]) == "año ✓".encode()


def test_tokenize_speaks_for_other_models_too(client, qwen3):
    given = client.predict("Lista de colores: rojo, azul", qwen3, api_name="/tokenize")

    ids = [43617, 409, 1375, 4589, 25, 926, 7305, 11, 12376, 360]
    assert given["model"] == qwen3
    assert [token["id"] for token in given["tokens"]] == ids


def test_next_token_gives_a_step(client):
    step = client.predict(FRANCE, None, {"strategy": "greedy"}, 5, api_name="/next_token")

    assert set(step) == {"chosen", "top", "draw", "entropy", "log_prob", "contrast"}
    assert len(step["top"]) == 5
    assert all(set(candidate) == CANDIDATE for candidate in [step["chosen"], *step["top"]])
    assert step["draw"] is None
    assert step["log_prob"] == pytest.approx(math.log(step["chosen"]["raw_prob"]), abs=1e-4)
    assert json.loads(json.dumps(Step.from_dict(step).to_dict())) == step


def test_a_drawn_step_tells_its_number_and_interval(client):
    draw = client.predict(FRANCE, None, {"seed": 5}, api_name="/next_token")["draw"]

    assert set(draw) == {"number", "low", "high"}
    assert 0 <= draw["low"] <= draw["number"] < draw["high"] <= 1


def test_generate_continues_the_capital_of_france(client):
    trace = client.predict(FRANCE, None, {"strategy": "greedy", "max_new_tokens": 8}, api_name="/generate")

    assert "Paris" in trace["text"]
    assert [len(step["top"]) for step in trace["steps"]] == [10] * 8
    assert all(step["chosen"]["prob"] > 0 for step in trace["steps"])


def test_generate_gives_a_trace_that_can_be_taken_back(client, engine):
    given = client.predict(FRANCE, None, SHORT, api_name="/generate")

    trace = Trace.from_dict(given)

    fields = {"prompt_ids", "token_ids", "steps", "text", "finish_reason", "log_prob", "forward_passes", "seconds"}
    assert set(given) == fields | {"drafts", "beam_steps", "ranking"}
    assert trace.prompt_ids == tuple(engine.tokenizer(FRANCE).input_ids)
    assert trace.token_ids == tuple(step.chosen.token_id for step in trace.steps)
    assert trace.finish_reason == "length"
    assert trace.log_prob == pytest.approx(sum(step.log_prob for step in trace.steps))


def test_a_prompt_alone_is_drawn_from_and_shows_ten_candidates(client):
    step = client.predict(FRANCE, api_name="/next_token")

    assert len(step["top"]) == 10
    assert step["draw"] is not None


def test_compare_gives_a_trace_for_each_settings(client):
    alone = client.predict(FRANCE, None, SHORT, api_name="/generate")

    traces = client.predict(FRANCE, None, [SHORT, {"max_new_tokens": 2, "seed": 3}], 4, api_name="/compare")

    assert [len(trace["token_ids"]) for trace in traces] == [3, 2]
    assert traces[0]["token_ids"] == alone["token_ids"]
    assert {len(step["top"]) for trace in traces for step in trace["steps"]} == {4}


def test_chat_gives_text_reasoning_and_trace(client, engine):
    given = client.predict(USER, None, SHORT, "Be a pirate.", api_name="/chat")

    assert set(given) == {"text", "reasoning", "trace"}
    assert given["text"] == given["trace"]["text"]
    assert given["reasoning"] == ""
    read = engine.tokenizer.decode(given["trace"]["prompt_ids"])
    assert read.startswith("<|im_start|>system\nBe a pirate.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n")


def test_ablate_gives_variants_and_effects(client):
    given = client.predict(PARTS, None, SHORT, 2, api_name="/ablate")

    assert set(given) == {"variants", "effects"}
    assert [set(variant) for variant in given["variants"]] == [{"name", "prompt", "traces"}] * 3
    assert [variant["name"] for variant in given["variants"]] == ["full", "without:tone", "without:topic"]
    assert [len(variant["traces"]) for variant in given["variants"]] == [2, 2, 2]
    assert [set(effect) for effect in given["effects"]] == [{"part", "nats"}] * 2
    assert [effect["part"] for effect in given["effects"]] == ["tone", "topic"]


def test_a_question_holds_no_answer(client):
    assert client.predict("en", "math", 0, api_name="/quiz_question") == {
        "question_id": 7,
        "language": "en",
        "category": "math",
        "question": "How much is 2 + 2?",
        "options": {"A": "3", "B": "4", "C": "5"},
        "source": "test",
    }


def test_the_same_seed_draws_the_same_question(client):
    drawn = [client.predict("en", None, seed, api_name="/quiz_question")["question_id"] for seed in (0, 0, 1, 2, 3, 4)]

    assert drawn[0] == drawn[1]
    assert set(drawn) == {7, 8}


@pytest.mark.parametrize(("letter", "correct"), [("B", True), ("b ", True), ("A", False)])
def test_an_answer_is_judged_beside_the_models(client, letter, correct):
    given = client.predict(7, "en", letter, api_name="/quiz_answer")

    assert set(given) == {"gold", "correct", "model_letter", "letter_probs", "letter_mass"}
    assert (given["gold"], given["correct"]) == ("B", correct)
    assert list(given["letter_probs"]) == ["A", "B", "C"]
    assert sum(given["letter_probs"].values()) == pytest.approx(1)
    assert given["model_letter"] == max(given["letter_probs"], key=given["letter_probs"].get)
    assert 0 < given["letter_mass"] <= 1


def test_an_evaluation_adds_up(client):
    given = client.predict("en", None, 5, 0, "direct", api_name="/quiz_evaluate")

    assert set(given) == {"n", "accuracy", "interval", "chance", "by_category", "letters", "unparsed"}
    assert (given["n"], given["unparsed"]) == (2, 0)  # all that the file has
    assert given["chance"] == pytest.approx((1 / 3 + 1 / 4) / 2)
    assert given["interval"][0] <= given["accuracy"] <= given["interval"][1]
    assert {name: share["count"] for name, share in given["by_category"].items()} == {"math": 1, "history": 1}
    assert sum(given["letters"].values()) == 2


# Bad input: each a sentence, word for word


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (("tokenize", ""), EMPTY_TEXT),
        (("tokenize", LONG + "x"), "The text has 100,001 characters and 100,000 fit here: shorten it."),
        *((call, EMPTY_PROMPT) for blank in ("", "   ", "\n\t") for call in endpoint_with(blank)[:3]),
        *((call, TOO_LONG) for call in endpoint_with(LONG)[:3]),
        (("chat", [{"role": "user", "content": "  "}]), "The message is empty: write something."),
        (("ablate", [{"name": "a", "text": " "}]), "All parts are empty: write at least one."),
    ],
)
def test_an_empty_or_endless_text_is_told_in_a_sentence(refused, call, sentence):
    assert refused(*call) == sentence


@pytest.mark.parametrize("call", [*endpoint_with(LONG)[3:], ("chat", USER, None, SHORT, LONG)])
def test_an_endless_text_in_a_template_is_told_its_length(refused, call):
    assert refused(*call).endswith("characters and 8,000 fit here: shorten it.")


@pytest.mark.parametrize("call", [("tokenize", HALF), *endpoint_with(HALF)])
def test_a_text_that_is_no_unicode_is_told_in_a_sentence(refused, call):
    assert refused(*call).endswith(".")


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("tokenize", ["a"]),
        ("next_token", ["a"]),
        ("generate", ["a"]),
        ("compare", ["a"]),
        ("chat", [USER]),
        ("ablate", [PARTS]),
        ("quiz_answer", [7, "en", "A"]),
        ("quiz_evaluate", ["en", None, 2, 0, "direct"]),
    ],
)
def test_an_unknown_model_is_told_in_a_sentence(refused, name, given):
    sentence = refused(name, *given, "<b>nobody</b>")

    assert sentence.startswith("There is no model called “<b>nobody</b>”. The models are: SmolLM2-135M-Instruct, ")


def test_another_model_of_the_catalogue_answers_when_it_is_named(client):
    ours, theirs = (
        client.predict("a", model, {"strategy": "greedy"}, api_name="/generate") for model in (None, "tiny")
    )

    assert theirs["prompt_ids"] == [64]  # the tiny tokenizer has a token a byte
    assert theirs["token_ids"] != ours["token_ids"]


@pytest.mark.parametrize(
    ("name", "given"), [("next_token", ["a"]), ("generate", ["a"]), ("chat", [USER]), ("ablate", [PARTS])]
)
def test_a_model_that_cannot_be_had_is_told_in_a_sentence(refused, name, given):
    assert refused(name, *given, "gone").startswith("The model “gone” cannot be read")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"temperature": math.nan}, knob("temperature", "nan", "0.001 to 10")),
        ({"temperature": math.inf}, knob("temperature", "inf", "0.001 to 10")),
        ({"top_p": -math.inf}, knob("top_p", "-inf", "0.001 to 1")),
        ({"temperature": 0}, knob("temperature", "0", "0.001 to 10")),
        ({"temperature": "hot"}, knob("temperature", "'hot'", "0.001 to 10")),
        ({"temperature": True}, knob("temperature", "True", "0.001 to 10")),
        ({"max_new_tokens": 513}, knob("max_new_tokens", "513", "1 to 512", "whole ")),
        ({"max_new_tokens": 0}, knob("max_new_tokens", "0", "1 to 2,048", "whole ")),
        ({"top_k": 1.5}, knob("top_k", "1.5", "0 to 1,000,000", "whole ")),
        ({"seed": -1}, knob("seed", "-1", "0 to 9,007,199,254,740,991", "whole ")),
        ({"seed": math.nan}, knob("seed", "nan", "0 to 9,007,199,254,740,991", "whole ")),
        ([], "The settings must be an object of names and values, not []."),
        ("greedy", "The settings must be an object of names and values, not 'greedy'."),
        (
            {"strategy": "magic"},
            f"There is no strategy 'magic'. The strategies are: {', '.join(STRATEGIES)}.",
        ),
    ],
)
def test_settings_out_of_range_are_told_in_a_sentence(refused, settings, sentence):
    assert refused("generate", "a", None, settings) == sentence
    assert refused("compare", "a", None, [SHORT, settings]) == sentence
    assert refused("chat", USER, None, settings) == sentence
    assert refused("ablate", PARTS, None, settings) == sentence


def test_an_unknown_field_of_the_settings_is_refused_by_name(refused):
    sentence = refused("generate", "a", None, {"temprature": 1.0})

    assert sentence.startswith("There is no setting called 'temprature'. The settings are: strategy, max_new_tokens, ")


@pytest.mark.parametrize(
    ("given", "shown"), [(51, "51"), (0, "0"), (-1, "-1"), (math.nan, "nan"), (True, "True"), ("5", "'5'")]
)
@pytest.mark.parametrize("name", ["next_token", "generate"])
def test_a_number_of_candidates_out_of_range_is_told_in_a_sentence(refused, name, given, shown):
    assert refused(name, "a", None, SHORT, given) == TOP_K.format(shown)


@pytest.mark.parametrize("given", [[], [SHORT] * 9, {}, "greedy", 5, None, True])
def test_what_cannot_be_compared_is_told_in_a_sentence(refused, given):
    assert refused("compare", "a", None, given) == COMPARED


@pytest.mark.parametrize(
    "given",
    [
        *(None, 5, "hi", [], {}, [5], [None], [[]]),
        [{"role": "system", "content": "hi"}],
        [{"role": ["user"], "content": "hi"}],
        [{"role": "user"}],
        [{"role": "user", "content": None}],
        [{"role": "user", "content": ["hi"]}],
        [{"role": "user", "content": "hi", "name": "x"}],
    ],
)
def test_what_is_no_conversation_is_told_in_a_sentence(refused, given):
    assert refused("chat", given) == MESSAGES


def test_a_conversation_that_ends_with_the_model_is_told_in_a_sentence(refused):
    turns = [*USER, {"role": "assistant", "content": "Hello"}]

    assert refused("chat", turns) == "The message is empty: write something."


@pytest.mark.parametrize("system", [5, ["a"], {"a": 1}, True])
def test_a_system_message_that_is_no_text_is_told_in_a_sentence(refused, system):
    assert refused("chat", USER, None, SHORT, system).endswith(".")


@pytest.mark.parametrize("thinking", ["no", 5, ["a"]])
def test_a_switch_for_thinking_that_is_no_switch_is_told_in_a_sentence(refused, thinking):
    assert refused("chat", USER, None, SHORT, "", thinking).endswith(".")


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        *((given, PARTS_SHAPE) for given in (None, 5, "a", {}, ["a"], [{"name": "a"}], [{"name": "a", "text": 5}])),
        ([], "All parts are empty: write at least one."),
        ([{"name": str(n), "text": "a"} for n in range(9)], "There are 9 parts and 8 fit here."),
        ([{"name": "", "text": "a"}], "Every part needs a name, and no two can be the same."),
        ([{"name": "a", "text": "a"}] * 2, "Every part needs a name, and no two can be the same."),
    ],
)
def test_parts_that_cannot_be_used_are_told_in_a_sentence(refused, parts, sentence):
    assert refused("ablate", parts) == sentence


@pytest.mark.parametrize(
    ("given", "shown"), [(0, "0"), (9, "9"), (1.5, "1.5"), (math.nan, "nan"), ("2", "'2'"), (True, "True")]
)
def test_a_number_of_samples_out_of_range_is_told_in_a_sentence(refused, given, shown):
    assert refused("ablate", PARTS, None, SHORT, given) == SAMPLES.format(shown)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (("quiz_answer", 7, "en", "D"), "“D” is not one of this question's options: choose a letter from A to C."),
        (("quiz_answer", 7, "en", "Z"), "“Z” is not one of this question's options: choose a letter from A to C."),
        (("quiz_answer", 7, "en", "AB"), "“AB” is not one of this question's options: choose a letter from A to C."),
        (("quiz_answer", 7, "en", 5), "“5” is not one of this question's options: choose a letter from A to C."),
        (
            ("quiz_answer", 7, "en", ["A"]),
            "“['A']” is not one of this question's options: choose a letter from A to C.",
        ),
        (("quiz_answer", 7, "en", ""), "Choose an option first: a letter from A to C."),
        (("quiz_answer", 7, "en", None), "Choose an option first: a letter from A to C."),
        (("quiz_answer", 99, "en", "A"), "There is no question with the number “99”."),
        (("quiz_answer", None, "en", "A"), "There is no question with the number “None”."),
        (("quiz_answer", [7], "en", "A"), "There is no question with the number “[7]”."),
        (("quiz_question", "en", "magic"), "There is no category “magic”. The categories are: history, math."),
        (("quiz_question", "en", ["math"]), "There is no category “['math']”. The categories are: history, math."),
        (("quiz_question", "en", None, "x"), "The seed must be a whole number, and “x” is not one."),
        (("quiz_question", "en", None, math.nan), "The seed must be a whole number, and “nan” is not one."),
        (("quiz_question", "en", None, 1.5), "The seed must be a whole number, and “1.5” is not one."),
        (("quiz_question", "en", None, None), "The seed must be a whole number, and “None” is not one."),
        (
            ("quiz_evaluate", "en", None, 201),
            "The number of questions must be a whole number from 1 to 200, and it is 201.",
        ),
        (
            ("quiz_evaluate", "en", None, 21, 0, "cot_0"),
            "The number of questions must be a whole number from 1 to 20, and it is 21.",
        ),
        (
            ("quiz_evaluate", "en", None, 2.5),
            "The number of questions must be a whole number from 1 to 200, and it is 2.5.",
        ),
        (("quiz_evaluate", "en", None, 2, "x"), "The seed must be a whole number, and “x” is not one."),
        (("quiz_evaluate", "en", "magic"), "There is no category “magic”. The categories are: history, math."),
        (
            ("quiz_evaluate", "en", None, 2, 0, "guess"),
            "There is no way of answering called “guess”. The ways are: direct, rotated, two_tokens, cot_0, cot_5.",
        ),
    ],
)
def test_a_quiz_asked_wrongly_answers_in_a_sentence(refused, call, sentence):
    assert refused(*call) == sentence


@pytest.mark.parametrize("language", ["xx", "<b>", "", None, 5, ["es"], {"es": 1}])
def test_an_unknown_language_of_questions_is_told_in_a_sentence(refused, language):
    expected = f"There are no questions in the language “{language}”. The languages are: af, ar, "

    assert refused("quiz_question", language).startswith(expected)
    assert refused("quiz_answer", 7, language, "A").startswith(expected)


@pytest.mark.parametrize("given", [None, 5, 0, True, ["a"], {"a": 1}])
def test_a_prompt_that_is_no_text_counts_as_empty(refused, given):
    assert refused("tokenize", given) == EMPTY_TEXT
    assert refused("next_token", given) == EMPTY_PROMPT
    assert refused("generate", given) == EMPTY_PROMPT
    assert refused("compare", given, None, [SHORT]) == EMPTY_PROMPT


@pytest.mark.parametrize("model", [5, True, ["x"], {"x": 1}, 0, False, [], {}])
def test_a_model_that_is_no_name_is_told_in_a_sentence(refused, model):
    for call in (("tokenize", "a"), ("generate", "a"), ("chat", USER), ("quiz_answer", 7, "en", "A")):
        assert refused(*call, model).startswith("There is no model called ")


def test_the_sentence_comes_in_the_language_that_the_client_accepts(refused):
    assert refused("generate", "", language="en-GB,en;q=0.9,es;q=0.1") == EMPTY_PROMPT
    assert refused("generate", "", language="es-ES") == (
        "El texto de partida está vacío: escribe algo para que el modelo lo continúe."
    )
    assert refused("generate", "", language="de").startswith("El texto de partida está vacío")


@pytest.mark.parametrize("name", sorted(ENDPOINTS))
def test_the_way_around_the_queue_is_closed(address, name):
    answer = httpx.post(f"{address}/gradio_api/run/{name}", json={"data": ["a", None]}, timeout=30)

    assert answer.status_code == 404


def test_the_server_answers_the_next_good_request(client, refused):
    for call in (("generate", ""), ("generate", LONG), ("generate", "a", None, {"temperature": math.nan})):
        refused(*call)

    assert client.predict(FRANCE, None, SHORT, api_name="/generate")["finish_reason"] == "length"
