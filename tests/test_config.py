"""Config: every variable read, and every unreadable value named."""

from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from llm_demo.config import Config
from llm_demo.errors import ConfigError

READ = [
    ("LLM_DEMO_MODEL", "Qwen3-0.6B", "model", "Qwen3-0.6B"),
    (
        "LLM_DEMO_EXTRA_MODELS",
        "one=some/model, two=/a/folder",
        "extra_models",
        {"one": "some/model", "two": "/a/folder"},
    ),
    ("LLM_DEMO_DRAFT_MODEL", "Qwen3-0.6B", "draft_model", "Qwen3-0.6B"),
    ("LLM_DEMO_CLASSIFIER", "/a/classifier", "classifier", "/a/classifier"),
    ("LLM_DEMO_MAX_CACHE_MB", "500", "max_cache_mb", 500),
    ("LLM_DEMO_MAX_UPLOAD_MB", "20", "max_upload_mb", 20),
    ("LLM_DEMO_DEVICE", "cpu", "device", "cpu"),
    ("LLM_DEMO_DTYPE", "bfloat16", "dtype", "bfloat16"),
    ("LLM_DEMO_CACHE", "/a/cache", "cache", Path("/a/cache")),
    ("LLM_DEMO_QUIZ_DATA", "/a/file.jsonl", "quiz_data", Path("/a/file.jsonl")),
    ("LLM_DEMO_LANGUAGE", "en", "language", "en"),
    ("LLM_DEMO_MAX_PROMPT_CHARS", "100", "max_prompt_chars", 100),
    ("LLM_DEMO_MAX_SENTENCE_CHARS", "80", "max_sentence_chars", 80),
    ("LLM_DEMO_MAX_TOKENIZED_CHARS", "500", "max_tokenized_chars", 500),
    ("LLM_DEMO_MAX_NEW_TOKENS", "64", "max_new_tokens", 64),
    ("LLM_DEMO_MAX_TOP_K", "20", "max_top_k", 20),
    ("LLM_DEMO_MAX_COMPARED", "4", "max_compared", 4),
    ("LLM_DEMO_MAX_MODELS", "1", "max_models", 1),
    ("LLM_DEMO_MAX_ANSWERS", "3", "max_answers", 3),
    ("LLM_DEMO_MAX_PARTS", "5", "max_parts", 5),
    ("LLM_DEMO_MAX_SAMPLES", "3", "max_samples", 3),
    ("LLM_DEMO_MAX_ATTENTION_TOKENS", "32", "max_attention_tokens", 32),
    ("LLM_DEMO_MAX_VARIANTS", "6", "max_variants", 6),
    ("LLM_DEMO_MAX_REQUEST_MB", "1", "max_request_mb", 1),
    ("LLM_DEMO_MAX_VISITOR_JOBS", "60", "max_visitor_jobs", 60),
    ("LLM_DEMO_MAX_ADDRESS_JOBS", "600", "max_address_jobs", 600),
    ("LLM_DEMO_MAX_ADDRESS_RUNNING", "10", "max_address_running", 10),
    ("LLM_DEMO_MAX_ADDRESS_REQUESTS", "900", "max_address_requests", 900),
    ("LLM_DEMO_MAX_ADDRESS_UPLOADS", "10", "max_address_uploads", 10),
    ("LLM_DEMO_MAX_ADDRESS_MODELS", "2", "max_address_models", 2),
    ("LLM_DEMO_FRAME_ANCESTORS", "https://a.es https://*.b.es:*", "frame_ancestors", "https://a.es https://*.b.es:*"),
    ("LLM_DEMO_TRUSTED_PROXIES", "0", "trusted_proxies", 0),
    ("LLM_DEMO_JOB_SECONDS", "10", "job_seconds", 10),
    ("LLM_DEMO_QUIZ_SET", "full", "quiz_set", "full"),
    ("LLM_DEMO_MAX_QUIZ_CHARS", "9000", "max_quiz_chars", 9_000),
    ("LLM_DEMO_MAX_QUIZ_TOKENS", "300", "max_quiz_tokens", 300),
    ("LLM_DEMO_MAX_QUIZ_QUESTIONS", "30", "max_quiz_questions", 30),
    ("LLM_DEMO_MAX_QUIZ_WRITTEN", "5", "max_quiz_written", 5),
    ("LLM_DEMO_QUIZ_SECONDS", "90", "quiz_seconds", 90),
    ("LLM_DEMO_ENDPOINT", "https://gpu.example.org/v1/", "endpoint", "https://gpu.example.org/v1"),
    ("LLM_DEMO_ENDPOINT_KEY", "a-secret", "endpoint_key", "a-secret"),
    ("LLM_DEMO_ENDPOINT_SECONDS", "5", "endpoint_seconds", 5),
    ("LLM_DEMO_MAX_STREAMS", "100", "max_streams", 100),
    ("LLM_DEMO_MAX_ROOMS", "3", "max_rooms", 3),
    ("LLM_DEMO_MAX_ROOM_GUESSES", "30", "max_room_guesses", 30),
    ("LLM_DEMO_MAX_GUESS_CHARS", "20", "max_guess_chars", 20),
    ("LLM_DEMO_ROOM_SECONDS", "600", "room_seconds", 600),
]


def test_an_empty_environment_gives_the_documented_defaults():
    config = Config.from_env({})

    assert config == Config()
    assert (config.max_prompt_chars, config.max_new_tokens, config.max_top_k) == (8_000, 512, 50)
    assert (config.max_compared, config.max_parts, config.max_samples, config.job_seconds) == (8, 8, 8, 60)
    assert config.max_variants == 16
    assert config.language == "es"
    assert (config.max_quiz_tokens, config.max_quiz_questions, config.quiz_seconds) == (2_048, 200, 300)


@pytest.mark.parametrize(("variable", "text", "name", "value"), READ)
def test_each_variable_sets_its_field(variable, text, name, value):
    assert getattr(Config.from_env({variable: text}), name) == value


def test_every_field_has_a_variable_in_the_list_above():
    assert {name for _, _, name, _ in READ} == {field.name for field in fields(Config)}


def test_a_home_directory_is_expanded():
    assert Config.from_env({"LLM_DEMO_CACHE": "~/models"}).cache == Path.home() / "models"


def test_spaces_around_a_value_are_ignored():
    assert Config.from_env({"LLM_DEMO_MAX_TOP_K": " 7 "}).max_top_k == 7


def test_a_blank_variable_leaves_the_default():
    assert Config.from_env({"LLM_DEMO_DEVICE": "  "}).device == "auto"


def test_variables_of_others_are_left_alone():
    assert Config.from_env({"MAX_NEW_TOKENS": "none", "GRADIO_SERVER_PORT": "x"}) == Config()


def test_a_comma_too_many_between_extra_models_is_forgiven():
    assert Config.from_env({"LLM_DEMO_EXTRA_MODELS": "a=b,,c=d,"}).extra_models == {"a": "b", "c": "d"}


def test_a_source_may_hold_an_equals_sign():
    assert Config.from_env({"LLM_DEMO_EXTRA_MODELS": "a=/x=y"}).extra_models == {"a": "/x=y"}


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", "nan", "inf", "1e3", "٣"])
@pytest.mark.parametrize("variable", ["LLM_DEMO_MAX_NEW_TOKENS", "LLM_DEMO_JOB_SECONDS"])
def test_a_bound_that_is_no_whole_number_above_zero_is_named(variable, text):
    with pytest.raises(ConfigError) as caught:
        Config.from_env({variable: text})

    assert caught.value.key == "config_count"
    assert caught.value.values == {"variable": variable, "value": text}


@pytest.mark.parametrize(
    ("variable", "choice"),
    [
        ("LLM_DEMO_DEVICE", "cpu"),
        ("LLM_DEMO_DTYPE", "float32"),
        ("LLM_DEMO_LANGUAGE", "es"),
        ("LLM_DEMO_QUIZ_SET", "lite"),
    ],
)
def test_a_value_that_is_no_choice_is_named_beside_the_choices(variable, choice):
    with pytest.raises(ConfigError) as caught:
        Config.from_env({variable: "tpu"})

    assert caught.value.key == "config_choice"
    assert (caught.value.values["variable"], caught.value.values["value"]) == (variable, "tpu")
    assert choice in caught.value.values["choices"].split(", ")


@pytest.mark.parametrize("text", ["qwen", "=Qwen/Qwen3-0.6B", "key=", "a=b,broken"])
def test_an_extra_model_without_key_or_source_is_named(text):
    with pytest.raises(ConfigError) as caught:
        Config.from_env({"LLM_DEMO_EXTRA_MODELS": text})

    assert caught.value.key == "config_pairs"
    assert caught.value.values == {"variable": "LLM_DEMO_EXTRA_MODELS", "value": text.split(",")[-1]}


@pytest.mark.parametrize("text", ["gpu:8000", "ftp://gpu/v1", "http://", "http://[::1", "https://me:secret@gpu/v1"])
def test_an_address_that_is_none_is_refused_and_not_quoted(text):
    with pytest.raises(ConfigError) as caught:
        Config.from_env({"LLM_DEMO_ENDPOINT": text})

    assert caught.value.key == "config_address"
    assert caught.value.values == {"variable": "LLM_DEMO_ENDPOINT"}


def test_the_key_of_an_endpoint_is_not_written_with_the_rest():
    assert "a-secret" not in repr(Config(endpoint_key="a-secret"))


def test_it_cannot_be_changed_after_the_start():
    with pytest.raises(FrozenInstanceError):
        Config().max_top_k = 99
