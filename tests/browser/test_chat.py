"""Chat tab: a streamed answer, what the model read, and each token of the answer under the lens."""

from itertools import pairwise

import pytest
from playwright.sync_api import expect

GREETING = "Hola modelito, ¿hablas español?"  # the example that the page opens with
WATCH = """() => {
  window.seen = [];
  new MutationObserver(() => {
    const said = [...document.querySelectorAll('#chat-talk [data-testid=bot]')].pop()?.innerText;
    if (said && said !== window.seen.at(-1)) window.seen.push(said);
  }).observe(document.querySelector('#chat-talk'), { childList: true, subtree: true, characterData: true });
}"""


@pytest.fixture
def chat(visitor):
    """The tab, its answers kept short."""
    visitor.open_tab("chat")
    visitor.page.get_by_text(visitor.t("settings"), exact=True).click()
    visitor.set_knob("knob.max_new_tokens", 12)
    return visitor


def send(visitor, text: str = "") -> None:
    """Send a text, or what stands in the box, without waiting for the answer."""
    if text:
        visitor.page.locator("#chat-message textarea").fill(text)
    visitor.page.locator("#chat-send").click()


def ask(visitor, text: str = "") -> None:
    """Send and wait until the answer is whole."""
    send(visitor, text)
    expect(visitor.page.locator("#chat-why .hint")).to_be_visible()


def answers(visitor):
    return visitor.page.locator("#chat-talk [data-testid=bot]")


def read(visitor) -> str:
    """Return the prompt that the model read."""
    if not visitor.page.locator("#chat-read .read").is_visible():
        visitor.page.get_by_text(visitor.t("chat.read"), exact=True).click()
    return visitor.page.locator("#chat-read .read").inner_text()


def test_the_answer_is_the_models_own(chat, client):
    settings = {"temperature": 0.7, "top_p": 0.9, "max_new_tokens": 12}  # the sliders' own, and ours
    said = client.predict([{"role": "user", "content": GREETING}], None, settings, api_name="/chat")["text"]

    ask(chat)

    expect(chat.page.locator("#chat-talk [data-testid=user]")).to_have_text([GREETING])
    expect(answers(chat)).to_have_text([said])
    expect(chat.page.locator("#chat-message textarea")).to_have_value("")


def test_the_answer_grows_while_it_is_written(chat):
    chat.page.evaluate(WATCH)

    ask(chat, "What is the capital of France?")

    seen = chat.page.evaluate("window.seen")
    assert len(seen) >= 3
    assert all(whole.startswith(part) for part, whole in pairwise(seen))


def test_half_a_character_waits_for_the_rest(chat):
    chat.page.evaluate(WATCH)

    ask(chat)  # its answer has a "¿" of two tokens, and a picture falls between them

    assert "¿" in answers(chat).inner_text()
    assert "\ufffd" not in "".join(chat.page.evaluate("window.seen"))


def test_stop_keeps_the_partial_answer_and_the_next_turn_reads_it(chat):
    chat.set_knob("knob.max_new_tokens", 512)
    send(chat, "Write a long story about a dragon and a wizard.")
    expect(chat.shown(".token.scored").nth(4)).to_be_visible()

    chat.page.locator("#chat-stop").click()
    chat.page.wait_for_timeout(1000)  # what was on its way may still arrive
    said, count = answers(chat).inner_text(), chat.shown(".token.scored").count()
    chat.page.wait_for_timeout(2000)

    assert chat.shown(".token.scored").count() == count < 512
    expect(chat.page.locator("#chat-facts")).to_contain_text("sin terminar")
    chat.set_knob("knob.max_new_tokens", 2)
    ask(chat, "And then?")
    assert f"<|im_start|>assistant\n{said}" in read(chat)


def test_a_token_of_a_stopped_answer_still_shows_its_step(chat):
    chat.set_knob("knob.max_new_tokens", 512)
    send(chat, "Write a long story about a dragon and a wizard.")
    expect(chat.shown(".token.scored").nth(4)).to_be_visible()
    chat.page.locator("#chat-stop").click()
    chat.page.wait_for_timeout(1000)

    chat.shown(".token.scored").nth(2).click()

    expect(chat.page.locator("#chat-why")).to_contain_text("Paso 3:")
    expect(chat.page.locator("#chat-chart .ytick text").first).to_be_visible()


def test_the_prompt_that_the_model_read_shows_the_templates_signs(chat):
    ask(chat)

    prompt = read(chat)

    assert prompt.startswith("<|im_start|>system\n")
    assert prompt.endswith(f"<|im_start|>user\n{GREETING}<|im_end|>\n<|im_start|>assistant\n")
    expect(chat.page.locator("#chat-read")).to_contain_text("tokens de los 8.192 que caben en su contexto")


def test_the_system_message_is_read_first(chat):
    chat.page.locator("#chat-system textarea").fill("Eres un pirata.")

    ask(chat)

    assert read(chat).startswith("<|im_start|>system\nEres un pirata.<|im_end|>\n<|im_start|>user\n")


def test_a_click_on_a_token_shows_its_own_step(chat):
    ask(chat)
    token = chat.shown(".token.scored").nth(3)
    text = token.inner_text()

    token.click()

    expect(chat.page.locator("#chat-why")).to_contain_text(f"Paso 4: elegido {text}.")
    expect(chat.shown(".token[aria-pressed=true]")).to_have_text([text])
    labels = chat.tick_labels(chat.page.locator("#chat-chart"))
    expect(labels.filter(has_text="▶")).to_have_text([f"▶ {text}"])
    expect(chat.page.locator("#chat-chart .gtitle")).to_have_text("Los 10 tokens siguientes más probables")


def test_the_first_step_is_shown_when_the_answer_is_whole(chat):
    ask(chat)

    text = chat.shown(".token.scored").first.inner_text()
    expect(chat.page.locator("#chat-why")).to_contain_text(f"Paso 1: elegido {text}.")
    expect(chat.tick_labels(chat.page.locator("#chat-chart")).filter(has_text="▶")).to_have_text([f"▶ {text}"])


def test_a_second_message_keeps_the_first_in_the_prompt(chat):
    ask(chat)
    said = answers(chat).inner_text()

    ask(chat, "¿Y en inglés?")

    expect(answers(chat)).to_have_count(2)
    turns = f"user\n{GREETING}<|im_end|>\n<|im_start|>assistant\n{said}<|im_end|>\n<|im_start|>user\n¿Y en inglés?"
    assert turns in read(chat)


def test_start_again_empties_everything(chat):
    ask(chat)
    read(chat)

    chat.page.locator("#chat-clear").click()

    expect(chat.page.locator("#chat-talk")).to_contain_text("Todavía no hay mensajes")
    expect(chat.shown(".token")).to_have_count(0)
    expect(chat.page.locator("#chat-chart .js-plotly-plot")).to_have_count(0)
    expect(chat.page.locator("#chat-why")).to_have_text("")
    expect(chat.page.locator("#chat-read")).to_have_text("")
    ask(chat, "Otra vez")
    assert GREETING not in read(chat)


def test_a_blank_message_is_told_in_a_sentence_and_hides_nothing(chat):
    ask(chat)

    send(chat, "  ")

    chat.expect_toast("El mensaje está vacío: escribe algo.")
    expect(answers(chat)).to_have_count(1)
    chat.expect_in_sight(answers(chat))
    chat.expect_in_sight(chat.page.locator("#chat-message textarea"))
