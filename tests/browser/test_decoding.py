"""Decoding Strategies tab: strategies side by side, and every step of each under the lens.

One generation serves the tests that only look at it; each moves to the step that it is about.
"""

import re

import pytest
from playwright.sync_api import expect

PROMPT = "Lista de colores: rojo, azul"  # the example that the page opens with
TOKENS = 12
COLUMNS = ("greedy", "focused", "free")
SAMPLINGS = [
    {"strategy": "greedy", "max_new_tokens": TOKENS},
    {"temperature": 0.7, "top_k": 5, "top_p": 0.9, "max_new_tokens": TOKENS},
    {"temperature": 1.3, "max_new_tokens": TOKENS},
]
DATA = "plot => plot.data.map(bars => ({ y: bars.y, x: bars.x }))"


@pytest.fixture(scope="module")
def generated(enter):
    """The tab after one press of Generate."""
    with enter() as visitor:
        visitor.open_tab("decoding")
        visitor.set_knob("knob.max_new_tokens", TOKENS)
        visitor.page.locator("#decoding-run").click()
        expect(visitor.page.locator("#decoding-slot-2 .ytick text").first).to_be_visible()
        yield visitor


@pytest.fixture
def decoding(visitor):
    """The tab before anything was generated."""
    visitor.open_tab("decoding")
    return visitor


def slot(column: str) -> str:
    return f"#decoding-slot-{COLUMNS.index(column)}"


def tokens(visitor, column: str):
    return visitor.page.locator(f"{slot(column)} .token")


def ids(visitor, column: str) -> list[int]:
    """Return the ids of a column's tokens, as their tooltips tell them."""
    titles = [token.get_attribute("title") for token in tokens(visitor, column).all()]
    return [int(re.search(r"id (\d+)", title)[1]) for title in titles]


def labels(visitor, column: str):
    return visitor.tick_labels(visitor.page.locator(slot(column)))


def choose(visitor, number: int) -> None:
    """Bring the settings of a strategy, from 1, on the screen."""
    option = visitor.page.locator("#decoding-chosen label").nth(number - 1)
    option.click()
    expect(option.locator("input")).to_be_checked()
    expect(visitor.shown("#decoding-knobs input[type=range]").first).to_be_visible()


def go_to(visitor, step: int) -> None:
    """Move the slider's number and wait for the columns to follow."""
    visitor.shown("#decoding-step input[type=number]").fill(str(step))
    expect_step(visitor, step)


def expect_step(visitor, step: int) -> None:
    """Expect the slider and all three columns at a step: the token, the sentence and the chart agree."""
    expect(visitor.page.locator("#decoding-step input[type=range]")).to_have_value(str(step))
    for column in COLUMNS:
        pressed = visitor.page.locator(f"{slot(column)} .token[aria-pressed=true]")
        expect(pressed).to_have_count(1)
        expect(pressed).to_have_attribute("data-i", str(step - 1))
        sentence = visitor.page.locator(f"{slot(column)} .hint").first
        expect(sentence).to_contain_text(f"Paso {step}: elegido")
        chosen = re.search(r"elegido (.+?)\. El modelo", sentence.inner_text())[1]
        expect(labels(visitor, column).filter(has_text="▶")).to_have_text([f"▶ {chosen}"])


def test_generate_fills_three_columns_with_text_and_chart(generated):
    for column in COLUMNS:
        expect(tokens(generated, column)).to_have_count(TOKENS)
        expect(generated.page.locator(f"{slot(column)} .facts")).to_contain_text(f"{TOKENS} tokens")
        expect(generated.page.locator(f"{slot(column)} .gtitle")).to_have_text("Los 10 tokens siguientes más probables")


def test_the_greedy_column_is_the_engines_greedy_text(generated, client):
    trace = client.predict(PROMPT, None, SAMPLINGS[0], api_name="/generate")

    assert ids(generated, "greedy") == trace["token_ids"]


def test_the_columns_follow_their_own_settings(generated, client):
    traces = client.predict(PROMPT, None, SAMPLINGS, api_name="/compare")

    assert [ids(generated, column) for column in COLUMNS] == [trace["token_ids"] for trace in traces]
    assert len({tuple(trace["token_ids"]) for trace in traces}) == 3


def test_the_slider_moves_all_three_columns(generated):
    go_to(generated, 4)
    expect_step(generated, 4)

    go_to(generated, 2)
    expect_step(generated, 2)


def test_a_click_on_a_token_moves_all_three_columns(generated):
    go_to(generated, 1)

    tokens(generated, "focused").nth(6).click()

    expect_step(generated, 7)


def test_the_sentence_names_the_clicked_token(generated):
    go_to(generated, 1)
    text = tokens(generated, "greedy").nth(2).inner_text()

    tokens(generated, "greedy").nth(2).click()

    expect(generated.page.locator("#decoding-slot-0 .hint")).to_contain_text(f"Paso 3: elegido {text}.")


def test_the_arrow_keys_move_between_tokens(generated):
    go_to(generated, 1)
    tokens(generated, "greedy").nth(4).click()
    expect_step(generated, 5)

    generated.page.keyboard.press("ArrowRight")
    expect_step(generated, 6)

    generated.page.keyboard.press("ArrowLeft")
    expect_step(generated, 5)


def test_the_last_of_many_quick_arrow_keys_wins(generated):
    go_to(generated, 1)
    tokens(generated, "greedy").first.click()
    expect_step(generated, 1)

    for _ in range(6):
        generated.page.keyboard.press("ArrowRight")

    expect(generated.page.locator("#decoding-slot-0 .token[data-i='6']")).to_be_focused()
    expect_step(generated, 7)


def test_the_last_of_many_quick_moves_of_the_slider_wins(generated):
    go_to(generated, 1)
    generated.page.locator("#decoding-step input[type=range]").focus()

    for _ in range(6):
        generated.page.keyboard.press("ArrowRight")

    expect_step(generated, 7)


def test_tokens_that_the_filters_removed_are_marked_and_left_with_nothing(generated):
    go_to(generated, 2)

    texts = labels(generated, "focused").all_text_contents()
    raw, filtered, chosen = generated.page.locator("#decoding-slot-1 .js-plotly-plot").evaluate(DATA)
    left = dict(zip([*filtered["y"], *chosen["y"]], [*filtered["x"], *chosen["x"]], strict=True))
    assert 5 <= sum(text.startswith("✕") for text in texts) <= 9  # top-k 5 of the 10 shown, top-p besides
    assert [left[place] == 0 for place in range(10)] == [text.startswith("✕") for text in texts]
    assert all(prob > 0 for prob in raw["x"])


def test_greedy_filters_nothing(generated):
    go_to(generated, 2)

    assert not [text for text in labels(generated, "greedy").all_text_contents() if text.startswith("✕")]


def test_all_columns_begin_from_the_same_distribution(generated):
    go_to(generated, 1)

    charts = [generated.page.locator(f"{slot(column)} .js-plotly-plot").evaluate(DATA) for column in COLUMNS]

    greedy, focused, free = ([round(prob, 5) for prob in bars[0]["x"][:10]] for bars in charts)
    assert greedy == focused == free


def test_the_page_says_which_settings_are_the_models(generated):
    expect(generated.page.locator("#decoding-origin")).to_contain_text(
        "Del modelo: los tokens que terminan el texto, <|im_end|> (2)."
    )


@pytest.mark.slow
def test_a_text_that_was_stopped_can_still_be_looked_at(decoding):
    decoding.set_knob("knob.max_new_tokens", 2)
    decoding.page.locator("#decoding-run").click()
    expect(decoding.page.locator("#decoding-slot-2 .ytick text").first).to_be_visible()
    decoding.set_knob("knob.max_new_tokens", 100)
    decoding.page.locator("#decoding-prompt textarea").fill("Once upon a time")
    decoding.page.locator("#decoding-run").click()
    expect(tokens(decoding, "free").nth(7)).to_be_visible()
    decoding.page.locator("#decoding-stop").click()
    decoding.wait_until_still(decoding.page.locator(f"{slot('greedy')} .strip"))
    stopped = ids(decoding, "greedy")

    tokens(decoding, "greedy").nth(5).click()

    expect_step(decoding, 6)
    assert ids(decoding, "greedy") == stopped
    assert 8 <= len(stopped) < 100


def test_a_blank_prompt_is_told_in_a_sentence(decoding):
    decoding.page.locator("#decoding-prompt textarea").fill("   ")

    decoding.page.locator("#decoding-run").click()

    decoding.expect_toast("El texto de partida está vacío: escribe algo para que el modelo lo continúe.")


@pytest.mark.slow
def test_a_prompt_past_the_bound_is_told_in_a_sentence(decoding):
    decoding.page.locator("#decoding-prompt textarea").fill("x" * 100_000)

    decoding.page.locator("#decoding-run").click()

    decoding.expect_toast("El texto tiene 100.000 caracteres y aquí caben 8.000: acórtalo.")


@pytest.mark.slow
def test_a_negative_seed_is_told_in_a_sentence(decoding):
    choose(decoding, 2)
    decoding.page.get_by_label(decoding.t("knob.seed")).locator("visible=true").fill("-1")

    decoding.page.locator("#decoding-run").click()

    decoding.expect_toast("El ajuste seed debe ser un número entero entre 0 y 9.007.199.254.740.991, y vale -1.")
