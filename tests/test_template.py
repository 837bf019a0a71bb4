"""Turns: a prompt taken apart is the same prompt, and every message is where it was said."""

from pathlib import Path

import pytest
from transformers import AutoTokenizer

from llm_demo.chat import Message, render
from llm_demo.prompt import encode
from llm_demo.template import n_tokens, turns_of

QWEN3 = Path(__file__).parents[2] / "shared" / "tokenizers" / "qwen3"
TALK = (Message("user", "Hola"), Message("assistant", "¿Qué tal?"), Message("user", "Bien"))
TRICKY = (Message("user", "user"), Message("assistant", "<|im_start|>assistant"), Message("user", "system ⟦1⟧"))


@pytest.fixture(scope="module", params=["embedded", "qwen3"])
def tokenizer(request):
    if request.param == "embedded":
        return request.getfixturevalue("engine").tokenizer
    if not QWEN3.is_dir():
        pytest.skip("Qwen3's tokenizer is not on this machine")
    return AutoTokenizer.from_pretrained(QWEN3)


@pytest.fixture
def templated(tiny_tokenizer):
    """Give the tiny tokenizer a template; it has none afterwards."""

    def give(template: str):
        tiny_tokenizer.chat_template = template
        return tiny_tokenizer

    yield give
    tiny_tokenizer.chat_template = None


@pytest.mark.parametrize("thinking", [False, True])
@pytest.mark.parametrize("system", ["", "Sé breve.", "user"])
@pytest.mark.parametrize("messages", [TALK, TRICKY], ids=["plain", "tricky"])
def test_all_turns_together_are_the_prompt_and_its_tokens(tokenizer, messages, system, thinking):
    prompt = render(tokenizer, messages, system, thinking)

    turns = turns_of(tokenizer, messages, system, thinking)

    assert "".join(turn.text for turn in turns) == prompt
    ids = [token.id for turn in turns for token in turn.tokens]
    assert ids == list(encode(tokenizer, prompt, special=False))
    assert n_tokens(turns) == len(ids)


@pytest.mark.parametrize("messages", [TALK, TRICKY], ids=["plain", "tricky"])
def test_each_turn_is_the_speakers(tokenizer, messages):
    turns = turns_of(tokenizer, messages, "Sé breve.")

    assert [turn.role for turn in turns] == ["system", "user", "assistant", "user", "next"]
    texts = ["Sé breve.", *(message.content for message in messages)]
    roles = ["system", "user", "assistant", "user"]
    assert [turn.text for turn in turns[:4]] == [
        f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in zip(roles, texts, strict=True)
    ]
    assert turns[4].text.startswith("<|im_start|>assistant\n")


def test_a_system_message_that_nobody_wrote_is_the_templates_own(engine):
    turns = turns_of(engine.tokenizer, TALK)

    assert [turn.role for turn in turns] == ["own", "user", "assistant", "user", "next"]
    assert turns[0].text.startswith("<|im_start|>system\nYou are a helpful AI assistant")
    assert turns[1].text == "<|im_start|>user\nHola<|im_end|>\n"


def test_not_to_think_is_a_thought_already_ended():
    if not QWEN3.is_dir():
        pytest.skip("Qwen3's tokenizer is not on this machine")
    qwen3 = AutoTokenizer.from_pretrained(QWEN3)

    thinking, not_thinking = (turns_of(qwen3, TALK, thinking=switch)[-1] for switch in (True, False))

    assert thinking.text == "<|im_start|>assistant\n"
    assert not_thinking.text == thinking.text + "<think>\n\n</think>\n\n"


def test_a_base_model_reads_the_messages_alone(tiny_tokenizer):
    turns = turns_of(tiny_tokenizer, TALK, "Sé breve.")

    assert [(turn.role, turn.text) for turn in turns] == [
        ("system", "Sé breve."),
        ("user", "\nHola"),
        ("assistant", "\n¿Qué tal?"),
        ("user", "\nBien"),
    ]


def test_a_template_that_trims_is_taken_apart(templated):
    tokenizer = templated("{% for m in messages %}{{ m.role }}: {{ m.content | trim }}<|end|>{% endfor %}")

    turns = turns_of(tokenizer, [Message("user", "  Hola ")])

    assert [(turn.role, turn.text) for turn in turns] == [("user", "user: Hola<|end|>")]


def test_a_template_that_rewrites_what_was_said_is_left_whole(templated):
    tokenizer = templated("{% for m in messages %}{{ m.content | upper }}{% endfor %}")

    turns = turns_of(tokenizer, [Message("user", "hola")])

    assert [(turn.role, turn.text) for turn in turns] == [("whole", "HOLA")]
