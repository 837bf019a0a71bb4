"""From messages to the prompt that a model reads, and from what it wrote to thoughts and answer."""

from pathlib import Path

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from llm_demo.chat import (
    Fitted,
    Message,
    can_think,
    count_thinking,
    fit,
    has_template,
    is_cut,
    read_messages,
    render,
    split_thinking,
)
from llm_demo.errors import InputError

QWEN3 = Path(__file__).parents[2] / "shared" / "tokenizers" / "qwen3"
TALK = [Message("user", "Hola"), Message("assistant", "¿Qué tal?"), Message("user", "Bien\n<b>y</b> tú")]
TURNS = [{"role": message.role, "content": message.content} for message in TALK]


@pytest.fixture(scope="module")
def embedded(engine) -> PreTrainedTokenizerBase:
    return engine.tokenizer


@pytest.fixture(scope="module")
def qwen3() -> PreTrainedTokenizerBase:
    if not QWEN3.is_dir():
        pytest.skip("Qwen3's tokenizer is not on this machine")
    return AutoTokenizer.from_pretrained(QWEN3)


def refusal(data: object) -> str:
    with pytest.raises(InputError) as caught:
        read_messages(data)
    return caught.value.key


# The prompt


def test_the_prompt_is_that_of_the_models_own_template(embedded):
    expected = embedded.apply_chat_template(TURNS, tokenize=False, add_generation_prompt=True)

    assert render(embedded, TALK) == expected
    assert expected.endswith("<|im_start|>user\nBien\n<b>y</b> tú<|im_end|>\n<|im_start|>assistant\n")


def test_a_system_message_goes_first(embedded):
    turns = [{"role": "system", "content": "Sé breve."}, *TURNS]

    prompt = render(embedded, TALK, system="Sé breve.")

    assert prompt == embedded.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    assert prompt.startswith("<|im_start|>system\nSé breve.<|im_end|>\n")


@pytest.mark.parametrize("system", ["", "  ", "\n"])
def test_an_empty_system_message_leaves_the_template_its_own(embedded, system):
    assert render(embedded, TALK, system=system) == render(embedded, TALK)
    assert "You are a helpful AI assistant named SmolLM" in render(embedded, TALK)


def test_a_base_model_reads_the_texts_alone(tiny_tokenizer):
    assert not has_template(tiny_tokenizer)
    assert render(tiny_tokenizer, TALK) == "Hola\n¿Qué tal?\nBien\n<b>y</b> tú"
    assert render(tiny_tokenizer, TALK, system="Sé breve.") == "Sé breve.\nHola\n¿Qué tal?\nBien\n<b>y</b> tú"


def test_a_conversation_that_the_template_refuses_is_told_why(tiny_tokenizer):
    class Strict:
        """A tokenizer whose template allows one turn only, as some do."""

        added_tokens_decoder = tiny_tokenizer.added_tokens_decoder
        chat_template = "{% if messages|length > 1 %}{{ raise_exception('One turn only') }}{% endif %}"

        def apply_chat_template(self, turns, **options):
            template = type(tiny_tokenizer).apply_chat_template
            return template(tiny_tokenizer, turns, chat_template=self.chat_template, **options)

    with pytest.raises(InputError) as caught:
        render(Strict(), TALK)

    assert (caught.value.key, caught.value.values) == ("template", {"reason": "One turn only"})


# Thinking


def test_only_a_template_with_the_switch_can_think(embedded, qwen3, tiny_tokenizer):
    assert can_think(qwen3)
    assert not can_think(embedded)
    assert not can_think(tiny_tokenizer)


def test_without_thinking_the_template_closes_the_thoughts_at_once(qwen3):
    assert render(qwen3, TALK, thinking=False).endswith("<|im_start|>assistant\n<think>\n\n</think>\n\n")


def test_with_thinking_the_model_opens_them_itself(qwen3):
    assert render(qwen3, TALK, thinking=True).endswith("<|im_start|>assistant\n")


@pytest.mark.parametrize("thinking", [False, True])
def test_the_switch_is_the_templates_own(qwen3, thinking):
    options = {"tokenize": False, "add_generation_prompt": True, "enable_thinking": thinking}

    assert render(qwen3, TALK, thinking=thinking) == qwen3.apply_chat_template(TURNS, **options)


@pytest.mark.parametrize(
    ("text", "prompt", "expected"),
    [
        ("Hola", "", ("", "Hola")),
        ("", "", ("", "")),
        ("<think>\nFácil.\n</think>\n\nHola", "", ("Fácil.", "Hola")),
        ("\n<think>a</think>b", "", ("a", "b")),
        ("<think>\n\n</think>\n\nHola", "", ("", "Hola")),
        ("<think>\nEs una", "", ("Es una", "")),
        ("<think>", "", ("", "")),
        ("a <think>b</think> c", "", ("", "a <think>b</think> c")),
        ("Fácil.</think>Hola", "…<|im_start|>assistant\n<think>\n", ("Fácil.", "Hola")),
        ("Es una", "…<|im_start|>assistant\n<think>\n", ("Es una", "")),
        ("Hola", "…<|im_start|>assistant\n<think>\n\n</think>\n\n", ("", "Hola")),
        ("<think>a <think> b</think>c</think>d", "", ("a <think> b", "c</think>d")),
        ("  Hola \n", "", ("", "  Hola \n")),
    ],
)
def test_thoughts_are_told_from_the_answer(text, prompt, expected):
    assert split_thinking(text, prompt) == expected


def test_an_answer_without_thinking_is_all_answer_under_the_real_template(qwen3):
    assert split_thinking("Hola", render(qwen3, TALK, thinking=False)) == ("", "Hola")


def test_a_thought_cut_off_by_the_bound_is_all_thought_under_the_real_template(qwen3):
    assert split_thinking("<think>\nEs una", render(qwen3, TALK, thinking=True)) == ("Es una", "")


# The JSON form


def test_messages_are_read_as_they_are():
    assert read_messages(TURNS) == TALK


@pytest.mark.parametrize(
    "data",
    [
        *(None, 5, "Hola", True, {}, [], ["Hola"], [None], [[]]),
        [{}],
        [{"role": "user"}],
        [{"content": "Hola"}],
        [{"role": "user", "content": "Hola", "name": "x"}],
        [{"role": "system", "content": "Hola"}],
        [{"role": "tool", "content": "Hola"}],
        [{"role": "USER", "content": "Hola"}],
        [{"role": None, "content": "Hola"}],
        [{"role": ["user"], "content": "Hola"}],
        [{"role": {"a": 1}, "content": "Hola"}],
        [{"role": "user", "content": None}],
        [{"role": "user", "content": 5}],
        [{"role": "user", "content": ["Hola"]}],
        [{"role": "user", "content": [{"type": "text", "text": "Hola"}]}],
        [{"role": "user", "content": "Hola"}, 5],
    ],
)
def test_what_is_no_conversation_is_refused(data):
    assert refusal(data) == "messages"


@pytest.mark.parametrize(
    "data",
    [
        [{"role": "user", "content": ""}],
        [{"role": "user", "content": " \n"}],
        [{"role": "assistant", "content": "Hola"}],
        [{"role": "user", "content": "Hola"}, {"role": "assistant", "content": "Hola"}],
    ],
)
def test_a_conversation_must_end_with_words_of_the_user(data):
    assert refusal(data) == "empty_message"


def test_an_answer_may_have_been_empty():
    turns = [TURNS[0], {"role": "assistant", "content": ""}, TURNS[2]]

    assert read_messages(turns)[1] == Message("assistant", "")


def test_without_its_template_a_model_that_has_one_reads_the_texts_alone(embedded):
    assert render(embedded, TALK, plain=True) == "Hola\n¿Qué tal?\nBien\n<b>y</b> tú"


# Thoughts counted


@pytest.mark.parametrize(
    ("text", "thoughts", "cut"),
    [
        ("<think>\nFácil.\n</think>\n\nHola", "<think>\nFácil.\n</think>", False),
        ("<think>\nEs una", "<think>\nEs una", True),
        ("Hola", "", False),
        ("", "", False),
    ],
)
def test_tokens_of_thoughts_are_counted_with_their_signs(qwen3, text, thoughts, cut):
    encode = qwen3.encode

    assert count_thinking(qwen3, encode(text)) == len(encode(thoughts))
    assert is_cut(text) == cut


def test_thoughts_that_the_prompt_opened_are_counted_too(tiny_tokenizer):
    ids = tiny_tokenizer.encode("hm</think>Yes")

    assert count_thinking(tiny_tokenizer, ids, "…<think>\n") == len("hm</think>")  # a token a byte
    assert count_thinking(tiny_tokenizer, ids) == 0
    assert is_cut("hm", "…<think>\n")


# A conversation that outgrows its room


LONG_TALK = [
    Message("user", "a" * 20),
    Message("assistant", "b" * 20),
    Message("user", "c" * 20),
    Message("assistant", "d" * 20),
    Message("user", "e" * 20),
]


@pytest.mark.parametrize(
    ("new_tokens", "left_out"),
    # A token a byte, a line break between the texts: 104 tokens, 62 without the first two messages, then 20.
    [(0, 0), (16, 0), (17, 2), (58, 2), (59, 4), (100, 4)],
)
def test_the_oldest_leave_first_a_question_with_its_answer(make_engine, make_tiny_model, new_tokens, left_out):
    engine = make_engine(make_tiny_model(max_position_embeddings=120))

    read = fit(engine, LONG_TALK, new_tokens)

    assert read == Fitted("\n".join(message.content for message in LONG_TALK[left_out:]), left_out)


def test_the_bound_on_characters_counts_too_and_the_system_message_stays(make_engine):
    engine = make_engine(max_prompt_chars=50)

    assert fit(engine, LONG_TALK, 1, system="Sé breve.") == Fitted("Sé breve.\n" + "e" * 20, 4)


@pytest.mark.parametrize(("new_tokens", "key"), [(101, "context"), (1, "long_prompt")])
def test_a_message_that_does_not_fit_alone_is_refused(make_engine, make_tiny_model, new_tokens, key):
    limit = 10 if key == "long_prompt" else 8_000
    engine = make_engine(make_tiny_model(max_position_embeddings=120), max_prompt_chars=limit)

    with pytest.raises(InputError) as caught:
        fit(engine, LONG_TALK, new_tokens)

    assert caught.value.key == key


def test_a_long_conversation_is_fitted_in_few_readings(make_engine, make_tiny_model):
    class Counting(list):
        """Messages that count how often a part of them is asked for."""

        asked = 0

        def __getitem__(self, place):
            type(self).asked += 1
            return super().__getitem__(place)

    engine = make_engine(make_tiny_model(max_position_embeddings=120))
    talk = Counting([message for _ in range(500) for message in LONG_TALK[:2]] + LONG_TALK[4:])

    read = fit(engine, talk, 10)

    assert read.left_out == 996
    assert Counting.asked < 15


def test_a_conversation_with_room_is_rendered_whole(engine):
    assert fit(engine, TALK, 10) == Fitted(render(engine.tokenizer, TALK), 0)
