"""A thinking model in the chat: Qwen3's tokenizer and template, around a model whose every word is known beforehand."""

import shutil
from pathlib import Path

import pytest
import torch
from playwright.sync_api import expect
from transformers import AutoTokenizer, GenerationConfig, Qwen3Config, Qwen3ForCausalLM

from llm_demo.lessons.chat import LESSONS
from llm_demo.lessons.lesson import find

pytestmark = pytest.mark.slow  # each of its pages takes seconds to open

QWEN3 = Path(__file__).parents[3] / "shared" / "tokenizers" / "qwen3"
ENDS = (151645, 151643)  # the two ids that end a text
SIZE = 16


@pytest.fixture(scope="module")
def thinker(tmp_path_factory, qwen3):
    """A folder with a model that writes one token after each: layers of zeros leave a table of which follows which.

    After the template's last line break it thinks two words and then answers one; where the template has already
    closed the thoughts it answers at once.
    """
    tokenizer = AutoTokenizer.from_pretrained(QWEN3)

    def token(text: str) -> int:
        (one,) = tokenizer.encode(text)
        return one

    follows = {
        token("\n"): token("<think>"),
        token("<think>"): token("One"),
        token("One"): token(" two"),
        token(" two"): token("</think>"),
        token("</think>"): token("Hello"),
        token("\n\n"): token("Hello"),
        token("Hello"): ENDS[0],
    }
    config = Qwen3Config(
        vocab_size=151_936,
        hidden_size=SIZE,
        intermediate_size=SIZE,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        max_position_embeddings=2048,
        tie_word_embeddings=False,
        eos_token_id=ENDS[0],
    )
    model = Qwen3ForCausalLM(config)
    with torch.no_grad():
        for weights in model.parameters():
            weights.zero_()
        model.model.norm.weight.fill_(1)
        model.model.embed_tokens.weight[:, -1] = 1  # of every token that nothing is known to follow
        for place, (before, after) in enumerate(follows.items()):
            model.model.embed_tokens.weight[before] = torch.eye(SIZE)[place]
            model.lm_head.weight[after, place] = 8
    model.generation_config = GenerationConfig(
        do_sample=True, temperature=0.6, top_k=20, top_p=0.95, eos_token_id=list(ENDS)
    )
    folder = tmp_path_factory.mktemp("thinker") / "Thinker"
    model.save_pretrained(folder)
    for file in QWEN3.iterdir():
        shutil.copy(file, folder)
    return folder


@pytest.fixture(scope="module")
def chat(enter, start_app, thinker):
    """One visitor of an app that runs the model."""
    with enter(url=start_app(LLM_DEMO_MODEL=str(thinker), LLM_DEMO_DRAFT_MODEL="")) as visitor:
        visitor.open_tab("chat")
        visitor.page.get_by_text(visitor.t("settings"), exact=True).click()
        expect(visitor.page.locator("#chat-thinking")).to_be_visible()
        yield visitor


def ask(chat, length: int) -> None:
    chat.set_knob("knob.max_new_tokens", length)
    chat.page.locator("#chat-clear").click()
    chat.page.locator("#chat-message textarea").fill("Hi")
    chat.page.locator("#chat-send").click()
    expect(chat.page.locator("#chat-message textarea")).to_have_value("")  # it has begun
    expect(chat.page.locator("#chat-why .hint")).to_be_visible()


def tokens(chat, slot: int) -> list[str]:
    return chat.page.locator(f"#chat-slot-{slot} .strip .token").all_inner_texts()


def test_the_models_own_settings_are_its_generation_config(chat):
    expect(chat.page.locator("#chat-mark")).to_contain_text("T 0,6 · top-k 20 · top-p 0,95")

    chat.page.locator("#chat-own-settings").click()

    expect(chat.page.locator("#chat-mark")).to_contain_text("Estos son los valores del propio modelo")
    knob = chat.page.locator(f'input[aria-label="number input for {chat.t("knob.top_k")}"]')
    expect(knob.locator("visible=true").first).to_have_value("20")


def test_thoughts_are_folded_apart_and_counted(chat):
    chat.page.locator("#chat-thinking input").check()

    ask(chat, 20)

    assert tokens(chat, 0) == ["<think>", "One", "·two", "</think>", "Hello", "<|im_end|>"]
    expect(chat.page.locator("#chat-talk details")).to_contain_text("One two")
    expect(chat.page.locator("#chat-talk [data-testid=bot]").last).to_have_text("Hello")
    expect(chat.page.locator("#chat-slot-0")).to_contain_text("4 de los 6 tokens son pensamientos")
    expect(chat.page.locator("#chat-slot-0 .facts")).to_contain_text("terminó el propio modelo")


def test_thoughts_that_the_bound_cut_off_are_told(chat):
    chat.page.locator("#chat-thinking input").check()

    ask(chat, 3)

    expect(chat.page.locator("#chat-slot-0")).to_contain_text("El máximo de tokens lo cortó mientras pensaba")
    expect(chat.page.locator("#chat-talk details")).to_contain_text("One two")


def test_without_thinking_it_answers_at_once(chat):
    chat.page.locator("#chat-thinking input").uncheck()

    ask(chat, 20)

    assert tokens(chat, 0) == ["Hello", "<|im_end|>"]
    expect(chat.page.locator("#chat-talk details")).to_have_count(0)


def test_c8_two_templates_two_behaviours(chat):
    lesson = find("C8", LESSONS)
    chat.choose_lesson("chat", "C8")
    expect(chat.page.locator("#chat-message textarea")).to_have_value(lesson.message(chat.t))

    chat.page.locator("#chat-send").click()
    expect(chat.page.locator("#chat-look")).to_contain_text(lesson.look(chat.t))

    expect(chat.shown("#chat-answers h3")).to_have_text(["sin pensar", "pensando"])
    assert tokens(chat, 0) == ["Hello", "<|im_end|>"]
    assert tokens(chat, 1)[0] == "<think>"
    chat.page.get_by_text(chat.t("chat.read"), exact=True).click()
    expect(chat.page.locator("#chat-read .read")).to_have_count(2)
    without, thinking = chat.page.locator("#chat-read .read").all_inner_texts()
    assert without == thinking + "<think>\n\n</think>\n\n"
