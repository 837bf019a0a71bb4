"""The page on a telephone, and in the dark."""

import pytest
from playwright.sync_api import expect

WIDTH = 390
WIDEST = """() => [...document.querySelectorAll('body *')]
  .filter(element => element.getBoundingClientRect().right > innerWidth + 1)
  .map(element => element.outerHTML.slice(0, 120)).slice(0, 5)"""
BRIGHTNESS = """element => {
  const [red, green, blue] = getComputedStyle(element)[element.dataset.part].match(/[\\d.]+/g).map(Number);
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}"""
RUNS = {
    "tokenizer": ("#tokenizer-run", "#tokenizer-table td"),
    "chat": ("#chat-send", "#chat-chart svg text"),
    "decoding": ("#decoding-run", "#decoding-slot-2 svg text"),
    "ablation": ("#ablation-run", "#ablation-worth svg text"),
    "quiz": ("#quiz-answer", "#quiz-chart svg text"),
}


@pytest.fixture(scope="module")
def telephone(enter):
    with enter(width=WIDTH) as visitor:
        expect(visitor.shown(".token").first).to_be_visible()
        yield visitor


@pytest.fixture(scope="module")
def dark(enter):
    with enter("?__theme=dark") as visitor:
        expect(visitor.shown(".token").first).to_be_visible()
        yield visitor


def run(visitor, tab: str) -> None:
    """Open a tab and have it show all that it has to show, of few tokens."""
    visitor.open_tab(tab)
    if tab == "chat":
        visitor.page.get_by_text(visitor.t("settings"), exact=True).click()
    if tab == "ablation":
        visitor.page.get_by_text(visitor.t("ablation.settings"), exact=True).click()
        visitor.set_knob("ablation.samples", 0)
    if tab in ("chat", "decoding", "ablation"):
        visitor.set_knob("knob.max_new_tokens", 3)
    if tab == "quiz":
        visitor.page.locator("#quiz-options input[value='B']").check()
    button, result = RUNS[tab]
    visitor.page.locator(button).click()
    expect(visitor.page.locator(result).first).to_be_visible()


def brightness(element, part: str) -> float:
    """Return how bright a colour of an element is, from 0 to 1."""
    element.evaluate("(element, part) => { element.dataset.part = part }", part)
    return element.evaluate(BRIGHTNESS)


@pytest.mark.parametrize("tab", RUNS)
def test_a_telephone_needs_no_scrolling_sideways(telephone, tab):
    run(telephone, tab)

    width = telephone.page.evaluate("document.documentElement.scrollWidth")
    assert width <= WIDTH, telephone.page.evaluate(WIDEST)


def test_the_dark_theme_has_light_words_on_a_dark_page(dark):
    expect(dark.page.locator("body.dark")).to_be_visible()
    assert brightness(dark.page.locator("gradio-app"), "backgroundColor") < 0.2
    assert brightness(dark.page.locator("h1"), "color") > 0.7
    assert brightness(dark.shown(".token").first, "color") > 0.7


def test_the_words_of_a_chart_are_light_in_the_dark(dark):
    run(dark, "quiz")

    for words in (".xtick text", ".gtitle", ".annotation-text"):
        assert brightness(dark.page.locator(f"#quiz-chart {words}").first, "fill") > 0.7
