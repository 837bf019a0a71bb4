"""One token under the microscope: a text written by hand, one decision after another."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.slow  # each of its pages takes seconds to open

PROMPT = "Lista de colores: rojo, azul"  # the example that the page opens with
# Both clicks in the page itself: what comes over is as late as the machine is busy.
STOP_SOON = """async () => {
  const press = (name) => document.querySelector(`#microscope-${name}`).click();
  press('finish');
  const written = () => document.querySelectorAll('#microscope-text .strip .token').length;
  while (written() < 4) await new Promise(requestAnimationFrame);
  press('stop');
}"""
ROWS = "plot => plot.data.flatMap(bars => bars.y.map((row, i) => [row, bars.x[i], bars.name]))"


@pytest.fixture(scope="module")
def window(enter):
    """One browser window for all tests: it fetches the page's scripts once."""
    with enter() as visitor:
        yield visitor


@pytest.fixture
def section(window):
    """The section as a page just opened shows it."""
    window.reload()
    window.open_tab("decoding")
    window.page.get_by_role("tab", name=window.t("microscope.title"), exact=True).click()
    return window


@pytest.fixture
def scope(section):
    """The same after one press of its first button."""
    part(section, "look").click()
    expect(choices(section)).not_to_have_count(0)
    expect(bars(section)).not_to_have_count(0)
    return section


def part(visitor, name: str):
    return visitor.page.locator(f"#microscope-{name}")


def written(visitor):
    """The tokens of the text, without the place of the next."""
    return visitor.page.locator("#microscope-text .strip .token")


def choices(visitor):
    return visitor.page.locator("#microscope-board [data-id]")


def bars(visitor):
    return visitor.tick_labels(part(visitor, "bars"))


def branches(visitor):
    return visitor.shown("#microscope-branches .branch .strip")


def ids(tokens) -> list[int]:
    """Return the ids of tokens, as their tooltips tell them."""
    return [int(re.search(r"id (\d+)", token.get_attribute("title"))[1]) for token in tokens.all()]


def offered(visitor) -> list[int]:
    return [int(button.get_attribute("data-id")) for button in choices(visitor).all()]


def write(visitor, place: int) -> int:
    """Press a candidate's button; return its id once it stands in the text."""
    length, token_id = written(visitor).count(), offered(visitor)[place]
    choices(visitor).nth(place).click()
    expect(written(visitor)).to_have_count(length + 1)
    expect_place(visitor, length + 2)
    return token_id


def expect_place(visitor, number: int) -> None:
    expect(part(visitor, "told")).to_contain_text(f"Paso {number}:")


def number_drawn(visitor) -> str:
    return re.search(r"sorteado, (\d,\d+)", part(visitor, "told").inner_text())[1]


def test_one_click_shows_the_bars_and_the_draw(scope):
    expect(bars(scope)).to_have_count(10)
    expect(choices(scope)).to_have_count(10)
    expect(part(scope, "bars").locator(".gtitle")).to_have_text("Los 10 tokens siguientes más probables")
    expect(part(scope, "draw").locator(".gtitle")).to_have_text(
        f"Un número al azar, {number_drawn(scope)}, elige el token"
    )
    expect(part(scope, "told")).to_contain_text("Fuera de esta lista queda")
    expect(part(scope, "text")).to_contain_text(PROMPT)
    expect(written(scope)).to_have_count(0)


def test_before_the_first_click_one_thing_can_be_pressed(section):
    expect(part(section, "hint")).to_contain_text("Empieza por el botón")
    expect(part(section, "panel")).to_have_count(0)


def test_top_k_2_leaves_two_bars_after_the_filters(scope):
    scope.set_knob("knob.top_k", 2)

    expect(bars(scope).filter(has_text="✕")).to_have_count(8)
    rows = part(scope, "bars").locator(".js-plotly-plot").evaluate(ROWS)
    left = [prob for _, prob, name in rows if name != scope.t("chart.raw")]
    assert sum(prob > 0 for prob in left) == 2
    assert sum(left) == pytest.approx(1, abs=1e-4)


def test_the_number_of_candidates_can_be_changed(scope):
    scope.set_knob("microscope.shown", 20)

    expect(choices(scope)).to_have_count(20)
    expect(bars(scope)).to_have_count(20)


def test_greedy_says_that_nothing_is_drawn(scope):
    scope.shown("#microscope-knobs").get_by_role("radio", name="greedy", exact=True).check()

    expect(part(scope, "draw").locator(".gtitle")).to_have_text("Aquí no se sortea nada")
    expect(part(scope, "told")).to_contain_text("Sin sorteo")
    expect(part(scope, "again")).to_be_disabled()
    expect(bars(scope).first).to_contain_text("▶")


def test_drawing_again_changes_the_number_and_not_the_bars(scope):
    number, tokens = number_drawn(scope), offered(scope)

    part(scope, "again").click()

    expect(part(scope, "told")).not_to_contain_text(f"sorteado, {number}")
    expect(part(scope, "draw")).to_contain_text(number_drawn(scope))
    assert offered(scope) == tokens


def test_a_click_on_a_bar_writes_exactly_that_token_and_undo_takes_it_back(scope):
    token_id, before = offered(scope)[2], offered(scope)
    row = part(scope, "bars").locator(".ytick").nth(2).bounding_box()
    plot = part(scope, "bars").locator(".nsewdrag").bounding_box()

    scope.page.mouse.click(plot["x"] + plot["width"] / 2, row["y"] + row["height"] / 2)  # beside the short bar

    expect(written(scope)).to_have_count(1)
    expect_place(scope, 2)
    assert ids(written(scope)) == [token_id]

    part(scope, "undo").click()

    expect(written(scope)).to_have_count(0)
    expect_place(scope, 1)
    expect(part(scope, "undo")).to_be_disabled()
    assert offered(scope) == before


def test_looking_again_goes_to_the_end_and_another_prompt_begins_anew(scope):
    first = offered(scope)
    kept = [write(scope, 0), write(scope, 0)]
    written(scope).first.click()
    expect_place(scope, 1)

    part(scope, "look").click()
    expect_place(scope, 3)
    assert ids(written(scope)) == kept

    scope.page.locator("#decoding-prompt textarea").fill("Once upon a")
    part(scope, "look").click()
    expect(written(scope)).to_have_count(0)
    expect(part(scope, "text")).to_contain_text("Once upon a")
    expect_place(scope, 1)
    assert offered(scope) != first


def test_two_quick_clicks_write_one_token(scope):
    token_id = offered(scope)[1]

    choices(scope).nth(1).dblclick()
    expect_place(scope, 2)
    scope.page.wait_for_timeout(500)  # what was on its way may still arrive

    assert ids(written(scope)) == [token_id]


def test_the_keyboard_alone_writes_a_token(scope):
    token_id = offered(scope)[1]
    choices(scope).first.focus()

    scope.page.keyboard.press("Tab")
    scope.page.keyboard.press("Enter")

    expect(written(scope)).to_have_count(1)
    assert ids(written(scope)) == [token_id]


def test_taking_the_chosen_one_and_letting_it_finish_write_the_engines_text(scope, client):
    part(scope, "take").click()
    expect(written(scope)).to_have_count(1)
    expect_place(scope, 2)

    part(scope, "finish").click()

    expect_place(scope, 42)
    settings = {"max_new_tokens": 41, "top_k": 5, "seed": 4}
    assert ids(written(scope)) == client.predict(PROMPT, None, settings, api_name="/generate")["token_ids"]


def test_what_was_stopped_stays_and_goes_on(scope):
    scope.page.evaluate(STOP_SOON)
    stopped, before = ids(written(scope)), []
    while stopped != before:  # what was on its way may still arrive
        scope.page.wait_for_timeout(1500)
        stopped, before = ids(written(scope)), stopped
    assert 4 <= len(stopped) < 40

    part(scope, "text").locator(".token.next").click()
    expect_place(scope, len(stopped) + 1)

    assert [*stopped, write(scope, 0)] == ids(written(scope))


def test_another_token_in_the_middle_leaves_a_branch_that_can_be_taken_up(scope):
    old = [write(scope, 0), write(scope, 0), write(scope, 0)]

    written(scope).nth(1).click()
    expect_place(scope, 2)
    expect(part(scope, "hint")).to_contain_text("Esta es la decisión que dio")
    other = offered(scope)[2]
    choices(scope).nth(2).click()

    expect_place(scope, 3)
    expect(branches(scope)).to_have_count(1)
    assert ids(written(scope)) == [old[0], other]
    assert ids(branches(scope).first.locator(".token")) == old

    branches(scope).first.locator(".token").nth(2).click()

    expect(written(scope)).to_have_count(3)
    expect_place(scope, 3)
    assert ids(written(scope)) == old
    expect(branches(scope)).to_have_count(1)
    assert ids(branches(scope).first.locator(".token")) == [old[0], other]


def test_the_language_changes_everything_and_keeps_the_text(scope):
    kept = [write(scope, 0)]

    scope.page.get_by_label("English").check()

    expect(part(scope, "told")).to_contain_text("Step 2:")
    expect(part(scope, "bars").locator(".gtitle")).to_have_text("The 10 likeliest next tokens")
    expect(part(scope, "draw").locator(".gtitle")).to_contain_text("picks the token")
    expect(part(scope, "board")).to_contain_text("Write one yourself:")
    expect(part(scope, "hint")).to_contain_text("still to be decided")
    assert ids(written(scope)) == kept


def test_another_tab_and_back_shows_the_same_pictures(scope):
    scope.set_knob("knob.top_k", 2)
    expect(bars(scope).filter(has_text="✕")).to_have_count(8)

    scope.open_tab("chat")
    scope.page.get_by_role("tab", name=scope.t("decoding.title"), exact=True).click()

    expect(bars(scope).filter(has_text="✕")).to_have_count(8)


def test_a_blank_prompt_is_told_in_a_sentence(section):
    section.page.locator("#decoding-prompt textarea").fill("   ")

    part(section, "look").click()

    section.expect_toast("El texto de partida está vacío: escribe algo para que el modelo lo continúe.")
