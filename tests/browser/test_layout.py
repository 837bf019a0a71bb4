"""The page on a telephone, in the dark, and under axe, which looks for what keeps people out."""

import pytest
from axe_playwright_python.sync_playwright import Axe
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
    with enter("?lang=en&__theme=dark", "en-GB", reads="en") as visitor:
        expect(visitor.shown(".token").first).to_be_visible()
        yield visitor


SECTIONS = {  # a click that fills each of the sections inside a tab, and what shows that it did
    "costs.title": ("tokenizer", "#tokenizer-languages-run", "#tokenizer-languages-chart svg text"),
    "turns.title": ("tokenizer", None, "#tokenizer-sections h4"),
    "card.title": ("tokenizer", None, ".model-card"),
    "inside.title": ("tokenizer", None, "#inside-map svg text"),
    "microscope.title": ("decoding", "#microscope-look", "#microscope-bars svg text"),
    "evaluate.title": ("quiz", "#evaluate-run", "#evaluate-facts b"),
    "contest.title": ("quiz", None, "#contest-run"),
}


def trouble(visitor) -> list[str]:
    """Return what axe calls serious or critical (WCAG 2 A and AA, and good practice), and where."""
    found = Axe().run(visitor.page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def open_folds(visitor) -> None:
    """Open everything that is folded in the open tab."""
    for fold in visitor.shown("button.label-wrap:not(.open)").all():
        fold.click()


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


def show(visitor, section: str) -> None:
    """Open a section inside a tab and have it show what it has."""
    tab, button, result = SECTIONS[section]
    visitor.open_tab(tab)
    visitor.open_section(f"{tab}-sections", section)
    if button:
        expect(visitor.page.locator(button)).to_be_visible()
    if button == "#evaluate-run":
        visitor.page.locator("#evaluate-count input").fill("4")
    if button:
        visitor.page.locator(button).click()
    expect(visitor.page.locator(result).first).to_be_visible()


def expect_no_scrolling_sideways(visitor) -> None:
    width = visitor.page.evaluate("document.documentElement.scrollWidth")
    assert width <= WIDTH, visitor.page.evaluate(WIDEST)


def brightness(element, part: str) -> float:
    """Return how bright a colour of an element is, from 0 to 1."""
    element.evaluate("(element, part) => { element.dataset.part = part }", part)
    return element.evaluate(BRIGHTNESS)


@pytest.mark.parametrize("tab", RUNS)
def test_a_telephone_needs_no_scrolling_sideways(telephone, tab):
    run(telephone, tab)

    expect_no_scrolling_sideways(telephone)
    assert trouble(telephone) == []


@pytest.mark.slow
@pytest.mark.parametrize("section", SECTIONS)
def test_nor_do_its_sections(telephone, section):
    show(telephone, section)

    expect_no_scrolling_sideways(telephone)


@pytest.mark.slow
@pytest.mark.parametrize("tab", RUNS)
def test_axe_finds_nothing_serious_in_the_dark_and_in_english(dark, tab):
    run(dark, tab)
    open_folds(dark)

    assert trouble(dark) == []


@pytest.mark.slow
@pytest.mark.parametrize("section", SECTIONS)
def test_nor_in_the_sections(dark, section):
    show(dark, section)

    assert trouble(dark) == []


def test_the_dark_theme_has_light_words_on_a_dark_page(dark):
    expect(dark.page.locator("body.dark")).to_be_visible()
    assert brightness(dark.page.locator("gradio-app"), "backgroundColor") < 0.2
    assert brightness(dark.page.locator("h1"), "color") > 0.7
    assert brightness(dark.shown(".token").first, "color") > 0.7


def test_the_words_of_a_chart_are_light_in_the_dark(dark):
    run(dark, "quiz")

    for words in (".xtick text", ".gtitle", ".annotation-text"):
        assert brightness(dark.page.locator(f"#quiz-chart {words}").first, "fill") > 0.7
