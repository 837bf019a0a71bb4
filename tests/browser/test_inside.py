"""Inside a model, in the Tokenizer tab: who looks at whom, and which tokens are near."""

import pytest
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.slow  # each of its pages takes seconds to open

TOKENS = ["El", "·per", "ro", "·que", "·vi", "·a", "yer", "·lad", "ra"]  # of the embedded model
CELLS = "plot => plot.data[0].z"
TITLE = "plot => plot.layout.title.text"
BARS = "plot => plot.data.map(bar => bar.x[0])"


@pytest.fixture(scope="module")
def inside(enter):
    """A page on the section, for all tests that choose and look."""
    with enter() as visitor:
        open_section(visitor)
        yield visitor


def open_section(visitor) -> None:
    visitor.open_section("tokenizer-sections", "inside.title")
    expect(chart(visitor, "map").locator(".ytick text").first).to_be_visible()


def chart(visitor, name: str) -> Locator:
    return visitor.page.locator(f"#inside-{name} .js-plotly-plot")


def chips(visitor) -> Locator:
    return visitor.page.locator("#inside-tokens .token")


def expect_title(visitor, title: str) -> None:
    expect(visitor.page.locator("#inside-map .gtitle")).to_have_text(title)


def far(visitor) -> None:
    """Show the head that looks furthest from the last token."""
    chips(visitor).last.click()
    expect(chips(visitor).last).to_have_attribute("aria-pressed", "true")
    visitor.page.locator("#inside-find").click()
    expect_title(visitor, "Capa 11, cabeza 8: quién mira a quién")


def test_lesson_t6_the_verb_looks_at_its_subject(inside):
    far(inside)

    expect(chips(inside)).to_have_text(TOKENS)
    rows = [f"{place + 1} {text}" for place, text in enumerate(TOKENS)]
    expect(inside.tick_labels(chart(inside, "map"))).to_have_text(rows[::-1])  # the page lists them from below
    cells = chart(inside, "map").evaluate(CELLS)
    assert all(cells[i][j] is None for i in range(9) for j in range(i + 1, 9))
    assert [sum(cells[i][: i + 1]) for i in range(9)] == pytest.approx([100] * 9, abs=0.1)
    assert max(range(9), key=lambda place: cells[8][place]) == 1  # «ra» looks at «per»
    expect(inside.tick_labels(chart(inside, "row")).first).to_contain_text("2 ·per")
    expect(inside.page.locator("#inside-told")).to_contain_text("ra mira sobre todo a ·per (74")


def test_lesson_t6_nearest_tokens_are_other_spellings_of_the_same(inside):
    chips(inside).nth(3).click()

    expect(inside.page.locator("#inside-near .gtitle")).to_have_text("Los más parecidos a «·que»")
    expect(inside.page.locator("#inside-table td:nth-child(3)").first).to_have_text("·Que")
    expect(inside.page.locator("#inside-table tbody tr")).to_have_count(10)
    bars = chart(inside, "near").evaluate(BARS)
    assert bars == sorted(bars, reverse=True)
    assert 0 < bars[-1] < bars[0] < 1


def test_a_click_on_the_map_chooses_the_token_of_that_row(inside):
    far(inside)
    plot = chart(inside, "map")
    plot.scroll_into_view_if_needed()
    box = plot.locator(".nsewdrag").bounding_box()

    inside.page.mouse.move(box["x"] + 5, box["y"] + box["height"] * 6.4 / 9)
    inside.page.mouse.click(box["x"] + 8, box["y"] + box["height"] * 6.5 / 9)

    expect(inside.shown("#inside-tokens .token[aria-pressed=true]")).to_have_text(["yer"])
    expect(inside.page.locator("#inside-row .gtitle")).to_have_text("A quién mira «yer»")
    expect(inside.tick_labels(chart(inside, "row")).first).to_contain_text("2 ·per")
    expect_title(inside, "Capa 11, cabeza 8: quién mira a quién")


def test_what_the_pointer_is_on_is_told_in_a_sentence(inside):
    far(inside)
    plot = chart(inside, "map")
    plot.scroll_into_view_if_needed()
    box = plot.locator(".nsewdrag").bounding_box()

    inside.page.mouse.move(box["x"] + box["width"] * 1.4 / 9, box["y"] + box["height"] * 8.4 / 9)
    inside.page.mouse.move(box["x"] + box["width"] * 1.5 / 9, box["y"] + box["height"] * 8.5 / 9)

    expect(plot.locator(".hovertext")).to_contain_text("«9 ra» mira a «2 ·per»: 74,1 %")


def test_another_head_a_mean_of_a_layer_and_the_mean_of_all(inside):
    far(inside)
    inside.set_knob("inside.head", 1)
    expect_title(inside, "Capa 11, cabeza 1: quién mira a quién")

    inside.page.get_by_label(inside.t("inside.layer_kind")).check()
    expect_title(inside, "Capa 11, media de sus cabezas: quién mira a quién")

    inside.page.get_by_label(inside.t("inside.all_kind")).check()
    expect_title(inside, "Media de todas las capas y cabezas: quién mira a quién")
    cells = chart(inside, "map").evaluate(CELLS)
    assert all(cells[i][0] == max(cells[i][: i + 1]) for i in range(9))  # the sink
    expect(inside.page.locator("#inside-told")).to_contain_text("el primer token, El, recibe de media el 7")


def test_a_text_of_ones_own_and_one_too_long_on_a_telephone(enter):
    with enter(width=390) as visitor:
        open_section(visitor)
        box = visitor.page.locator("#inside-text").locator("input, textarea")
        box.fill("La gata duerme")
        visitor.page.locator("#inside-run").click()
        expect(chips(visitor).first).to_have_text("La")

        box.fill("uno dos tres " * 40)
        visitor.page.locator("#inside-run").click()
        expect(chips(visitor)).to_have_count(64)
        expect(visitor.page.locator("#inside-told")).to_contain_text("Se muestran los 64 primeros tokens")
        expect(chart(visitor, "map").locator(".ytick text")).to_have_count(64)
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390
        frame = visitor.page.locator("#inside-map")  # the map itself moves in its frame
        assert frame.evaluate("frame => { frame.scrollLeft = 9999; return frame.scrollLeft }") > 500

        box.fill("")
        visitor.page.locator("#inside-run").click()
        visitor.expect_toast(visitor.t("errors.empty_prompt"))
        expect(chips(visitor)).to_have_count(64)


def test_what_is_shown_follows_the_language(enter):
    with enter() as visitor:
        open_section(visitor)

        visitor.page.locator("#language").get_by_label("English").check()

        expect_title(visitor, "Layer 11, head 8: who looks at whom")
        expect(visitor.page.locator("#inside-told")).to_contain_text("ra looks most at ·per (74.1 %)")
