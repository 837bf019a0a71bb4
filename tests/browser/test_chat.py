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


@pytest.fixture(scope="module")
def opened(enter):
    """One visitor in the tab for all tests, the folds open."""
    with enter() as visitor:
        visitor.open_tab("chat")
        for fold in ("settings", "chat.compare", "chat.read"):
            visitor.page.get_by_text(visitor.t(fold), exact=True).click()
        yield visitor


@pytest.fixture
def chat(opened):
    """An empty conversation, its answers kept short, and nobody beside the model."""
    opened.page.locator("#chat-clear").click()
    expect(opened.page.locator("#chat-talk")).to_contain_text("Todavía no hay mensajes")
    opened.page.locator("#chat-message textarea").fill(GREETING)
    opened.page.locator("#chat-system textarea").fill("")
    opened.set_knob("knob.max_new_tokens", 12)
    choose(opened, "beside", "beside_none")
    opened.set_knob("chat.count", 1)
    seed = opened.page.locator("#chat-seed input")
    seed.fill("0")
    seed.press("Tab")
    return opened


def choose(visitor, box: str, key: str, **values: str) -> None:
    """Choose from one of the tab's lists what a key of the locale names."""
    field, wanted = visitor.page.locator(f"#chat-{box} input"), visitor.t(f"chat.{key}", **values)
    if field.input_value() != wanted:
        visitor.choose(f"chat-{box}", wanted)


def send(visitor, text: str = "") -> None:
    """Send a text, or what stands in the box, without waiting for the answer."""
    if text:
        visitor.page.locator("#chat-message textarea").fill(text)
    visitor.page.locator("#chat-send").click()


def ask(visitor, text: str = "") -> None:
    """Send and wait until the answer is whole."""
    send(visitor, text)
    expect(visitor.page.locator("#chat-message textarea")).to_have_value("")  # it has begun
    expect(visitor.page.locator("#chat-why .hint")).to_be_visible()


def answers(visitor):
    return visitor.page.locator("#chat-talk [data-testid=bot]")


def tokens(visitor, slot: int = 0) -> list[str]:
    return visitor.page.locator(f"#chat-slot-{slot} .strip .token").all_inner_texts()


def read(visitor) -> str:
    """Return the prompt that the model read."""
    return visitor.page.locator("#chat-read .read").first.inner_text()


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


@pytest.mark.slow
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
    said = chat.wait_until_still(answers(chat))

    assert chat.shown(".token.scored").count() < 512
    expect(chat.page.locator("#chat-slot-0")).to_contain_text("sin terminar")
    chat.set_knob("knob.max_new_tokens", 2)
    ask(chat, "And then?")
    assert f"<|im_start|>assistant\n{said}" in read(chat)


@pytest.mark.slow
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
    expect(chat.page.locator("#chat-read")).to_contain_text("12 nuevos, de los 8.192 que caben")
    expect(chat.page.locator("#chat-read mark").first).to_have_text("<|im_start|>")


def test_the_system_message_is_read_first(chat):
    chat.page.locator("#chat-system textarea").fill("Eres un pirata.")

    ask(chat)

    assert read(chat).startswith("<|im_start|>system\nEres un pirata.<|im_end|>\n<|im_start|>user\n")


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_second_message_keeps_the_first_in_the_prompt(chat):
    ask(chat)
    said = answers(chat).inner_text()

    ask(chat, "¿Y en inglés?")

    expect(answers(chat)).to_have_count(2)
    turns = f"user\n{GREETING}<|im_end|>\n<|im_start|>assistant\n{said}<|im_end|>\n<|im_start|>user\n¿Y en inglés?"
    assert turns in read(chat)


@pytest.mark.slow
def test_start_again_empties_everything(chat):
    ask(chat)

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


# --- again, otherwise, and back ---


@pytest.mark.slow
def test_the_same_seed_repeats_the_answer_and_another_does_not(chat):
    ask(chat)
    first = tokens(chat)

    chat.page.locator("#chat-retry").click()
    expect(chat.page.locator("#chat-why .hint")).to_have_count(0)
    expect(chat.page.locator("#chat-why .hint")).to_be_visible()
    assert tokens(chat) == first
    expect(answers(chat)).to_have_count(1)

    chat.page.locator("#chat-reseed").click()
    expect(chat.page.locator("#chat-seed input")).to_have_value("1")
    expect(chat.page.locator("#chat-why .hint")).to_be_visible()
    assert tokens(chat) != first


def test_nothing_to_repeat_is_a_sentence(chat):
    chat.page.locator("#chat-retry").click()

    chat.expect_toast("Todavía no hay nada que repetir: envía primero un mensaje.")


@pytest.mark.slow
def test_an_earlier_message_is_changed_and_what_followed_is_dropped(chat):
    ask(chat)
    ask(chat, "¿Y en inglés?")
    expect(answers(chat)).to_have_count(2)

    chat.page.locator("#chat-talk [data-testid=user]").first.click()
    expect(chat.page.locator("#chat-message textarea")).to_have_value(GREETING)
    expect(chat.page.locator("#chat-editing")).to_contain_text("Estás cambiando tu mensaje 1")
    ask(chat, "Hello there")

    expect(chat.page.locator("#chat-talk [data-testid=user]")).to_have_text(["Hello there"])
    expect(answers(chat)).to_have_count(1)
    assert GREETING not in read(chat)

    chat.page.locator("#chat-undo").click()
    expect(answers(chat)).to_have_count(2)


@pytest.mark.slow
def test_an_own_message_can_be_reached_by_key_and_left_again(chat):
    ask(chat)

    chat.page.locator("#chat-talk [data-testid=user]").press("Enter")
    expect(chat.page.locator("#chat-editing")).to_contain_text("Estás cambiando tu mensaje 1")
    chat.page.locator("#chat-undo").click()

    expect(chat.page.locator("#chat-editing")).to_contain_text("Pulsa un mensaje tuyo")
    expect(chat.page.locator("#chat-message textarea")).to_have_value("")
    expect(answers(chat)).to_have_count(1)


def test_another_candidate_takes_a_tokens_place_and_the_answer_goes_on(chat):
    ask(chat)
    before = tokens(chat)
    chat.page.locator("#chat-slot-0 .token").nth(2).click()
    expect(chat.page.locator("#chat-why")).to_contain_text("Paso 3:")
    other = chat.page.locator("#chat-others [data-id]").nth(1)
    text = other.inner_text()

    other.click()

    expect(chat.page.locator("#chat-why")).to_contain_text("este token lo pusiste tú")
    after = tokens(chat)
    assert after[:2] == before[:2]
    assert after[2] == f"≠ {text}" or after[2].endswith(text)
    chat.page.locator("#chat-slot-0 .token").nth(0).click()
    expect(chat.page.locator("#chat-why")).to_contain_text("Viene de la respuesta anterior")
    chat.page.locator("#chat-undo").click()
    expect(chat.page.locator("#chat-why")).to_contain_text("El número sorteado")
    assert tokens(chat) == before


@pytest.mark.slow
def test_colours_go_and_the_tokens_stay(chat):
    ask(chat)
    token = chat.page.locator("#chat-slot-0 .token").first
    colour = "token => getComputedStyle(token).backgroundImage"
    assert "gradient" in token.evaluate(colour)

    chat.page.locator("#chat-colours input").uncheck()
    assert token.evaluate(colour) == "none"

    chat.page.locator("#chat-colours input").check()
    assert "gradient" in token.evaluate(colour)


# --- several answers ---


@pytest.mark.slow
def test_several_answers_have_seeds_of_their_own_and_one_is_kept(chat):
    chat.set_knob("chat.count", 3)
    ask(chat)
    texts = [tokens(chat, slot) for slot in range(3)]
    said = [chat.page.locator(f"#chat-slot-{slot} [data-testid=bot]").inner_text() for slot in range(3)]
    assert len(set(map(tuple, texts))) == 3
    expect(chat.shown("#chat-answers h3")).to_have_text(["semilla 0", "semilla 1", "semilla 2"])
    expect(answers(chat)).to_have_text([said[0]])

    chat.page.locator("#chat-slot-2 .token").nth(1).click()
    expect(chat.page.locator("#chat-why")).to_contain_text("Paso 2:")
    expect(chat.shown("#chat-answers .token[aria-pressed=true]")).to_have_text([texts[2][1]])
    chat.page.locator("#chat-slot-1 .chat-keep").click()
    expect(answers(chat)).to_have_text([said[1]])
    chat.page.locator("#chat-slot-0 .chat-drop").click()
    expect(chat.shown("#chat-answers h3")).to_have_text(["semilla 1", "semilla 2"])
    chat.set_knob("chat.count", 1)
    ask(chat, "¿Y en inglés?")

    assert f"<|im_start|>assistant\n{said[1]}<|im_end|>" in read(chat)


@pytest.mark.slow
def test_the_same_model_without_its_template_reads_the_text_alone(chat):
    choose(chat, "beside", "beside_plain")
    ask(chat)

    expect(chat.shown("#chat-answers h3")).to_have_text(["con su plantilla", "sin plantilla"])
    expect(chat.page.locator("#chat-read .read").nth(1)).to_have_text(GREETING)
    expect(chat.page.locator("#chat-slot-1")).to_contain_text("Aquí el modelo lee el texto sin la plantilla")


@pytest.mark.slow
def test_a_model_that_cannot_be_had_is_told_and_stood_in_for(chat):
    choose(chat, "beside", "beside_model", name="SmolLM2-135M")

    told = chat.page.get_by_test_id("toast-text").filter(has_text="responderá el mismo modelo sin su plantilla")
    expect(told).to_contain_text("No se puede obtener «SmolLM2-135M»")
    expect(chat.page.locator("#chat-beside input")).to_have_value(chat.t("chat.beside_plain"))


# --- settings ---


@pytest.mark.parametrize("name", ["gibberish", "banana", "unhelpful"])
def test_a_system_message_is_one_click(chat, name):
    chat.page.locator(f"#chat-{name}").click()

    expect(chat.page.locator("#chat-system textarea")).to_have_value(chat.t(f"chat.system_{name}"))


def test_the_models_own_settings_are_one_click_and_marked(chat):
    expect(chat.page.locator("#chat-mark")).to_contain_text("Estos ajustes no son los del modelo")

    chat.page.locator("#chat-own-settings").click()

    expect(chat.page.locator("#chat-mark")).to_contain_text("Estos son los valores del propio modelo: Voraz (greedy)")
    chat.page.locator("[role=tabpanel]").get_by_label("sample", exact=True).check()
    expect(chat.page.locator("#chat-mark")).to_contain_text("Estos ajustes no son los del modelo")


# --- what does not fit, and who else is there ---


@pytest.mark.slow
def test_the_oldest_messages_leave_and_it_is_told(chat):
    chat.set_knob("knob.max_new_tokens", 2)
    chat.page.locator("#chat-system textarea").fill("Sé breve.")
    ask(chat, "information " * 340)

    ask(chat, "communication " * 300)

    expect(chat.page.locator("#chat-slot-0")).to_contain_text("los 2 mensajes más antiguos se quedan fuera")
    assert read(chat).startswith("<|im_start|>system\nSé breve.<|im_end|>\n<|im_start|>user\ncommunication")


@pytest.mark.slow
def test_conversations_of_two_visitors_never_mix(chat, enter):
    with enter() as other:
        other.open_tab("chat")
        other.page.get_by_text(other.t("settings"), exact=True).click()
        for visitor in (chat, other):
            visitor.set_knob("knob.max_new_tokens", 40)
        send(chat, "Say only the word apple.")
        send(other, "Say only the word river.")

        for visitor, mine in ((chat, "apple"), (other, "river")):
            expect(visitor.page.locator("#chat-why .hint")).to_be_visible()
            expect(visitor.page.locator("#chat-talk [data-testid=user]")).to_have_text([f"Say only the word {mine}."])
            expect(answers(visitor)).to_have_count(1)
        other.page.get_by_text(other.t("chat.read"), exact=True).click()
        assert "apple" in read(chat)
        assert "river" not in read(chat)
        assert "apple" not in read(other)
        ask(other, "Again.")
        assert "apple" not in read(other)
