"""Spanish and English: how a visitor gets one, and that nothing of the other is left."""

import re

import pytest
from playwright.sync_api import expect

from llm_demo.i18n import keys, translator

pytestmark = pytest.mark.slow  # each of its pages takes seconds to open

# Each tab, and what is drawn last in it.
DRAWN = {
    "tokenizer": "#tokenizer-table td",
    "chat": "#chat-chart svg text",
    "decoding": "#decoding-slot-2 svg text",
    "ablation": "#ablation-worth svg text",
    "quiz": "#quiz-chart svg text",
}
# All that a person can read or hear: the text, the words in charts, what is said of a field, what is chosen in it.
READ = """() => [
  document.body.innerText,
  ...[...document.querySelectorAll('svg text')].map(text => text.textContent),
  ...['placeholder', 'title', 'aria-label'].flatMap(
    name => [...document.querySelectorAll(`[${name}]`)].map(element => element.getAttribute(name))),
  ...[...document.querySelectorAll('[role=listbox], [role=combobox]')].map(field => field.value),
].join('\\n')"""


def spanish_phrases() -> list[str]:
    """Return the longer pieces of the Spanish sentences that stand between their names and signs."""
    es, en = translator("es"), translator("en")
    english = "\n".join(en(key) for key in keys("en"))
    examples = {key for key in keys("es") if ".example" in key}  # a text of the visitor's once it was sent
    pieces = {
        piece.strip(" .:·«»()")
        for key in keys("es") - examples
        for piece in re.split(r"\{\w+\}|<[^>]+>|\*\*|###|\n", es(key))
    }
    return sorted(piece for piece in pieces if len(piece) >= 10 and piece not in english)


def expect_no_spanish(visitor) -> None:
    read = visitor.page.evaluate(READ)
    assert [phrase for phrase in spanish_phrases() if phrase in read] == []


def run(visitor, tab: str, button: str) -> None:
    """Open a tab, keep its text short, run it and wait until something is drawn."""
    visitor.open_tab(tab)
    if tab == "chat":
        visitor.page.get_by_text(visitor.t("settings"), exact=True).click()
    if tab == "ablation":
        visitor.page.get_by_text(visitor.t("ablation.settings"), exact=True).click()
        visitor.set_knob("ablation.samples", 0)
    visitor.set_knob("knob.max_new_tokens", 3)
    visitor.page.locator(button).click()
    expect(visitor.page.locator(DRAWN[tab]).first).to_be_visible()
    if tab == "ablation":  # what still runs goes on in the language that it began in
        expect(visitor.page.locator("#ablation-going")).to_be_hidden()


@pytest.fixture(scope="module")
def switched(enter):
    """A page on which everything was drawn in Spanish before English was chosen."""
    with enter() as visitor:
        run(visitor, "chat", "#chat-send")
        run(visitor, "decoding", "#decoding-run")
        run(visitor, "ablation", "#ablation-run")
        visitor.open_tab("quiz")
        visitor.page.locator("#quiz-options input[value='B']").check()
        visitor.page.locator("#quiz-answer").click()
        expect(visitor.page.locator("#quiz-chart .gtitle")).to_contain_text("Probabilidad de cada letra")
        visitor.page.get_by_label("English", exact=True).check()
        visitor.t = translator("en")
        expect(visitor.page.get_by_role("tab", name="Prompt Ablation", exact=True)).to_be_visible()
        yield visitor


@pytest.mark.parametrize(
    ("query", "locale", "reads"),
    [("?lang=en", "es-ES", "en"), ("?lang=es", "en-GB", "es"), ("", "en-GB", "en"), ("", "de-DE", "es")],
)
def test_the_address_then_the_browser_choose_the_language(enter, query, locale, reads):
    with enter(query, locale, reads=reads) as visitor:
        expect(visitor.page.locator("h1")).to_have_text(translator(reads)("page.title"))
        expect(visitor.page.locator("#language input:checked")).to_have_value(reads)


@pytest.mark.parametrize(("reads", "locale"), [("en", "es-ES"), ("es", "en-GB")])
def test_the_page_tells_the_browser_which_language_it_is_in(enter, reads, locale):
    with enter(f"?lang={reads}", locale, reads=reads) as visitor:
        expect(visitor.page.locator("html")).to_have_attribute("lang", reads)
        expect(visitor.page).to_have_title(translator(reads)("page.title"))


def test_no_spanish_is_on_the_english_page(enter):
    with enter("?lang=en", "en-GB", reads="en") as visitor:
        expect(visitor.shown(".token").first).to_be_visible()
        expect(visitor.page.locator("#foot")).to_contain_text("Model: SmolLM2-135M-Instruct")
        for tab in DRAWN:
            visitor.open_tab(tab)
            expect_no_spanish(visitor)


@pytest.mark.parametrize(("tab", "drawn"), DRAWN.items())
def test_no_spanish_is_left_after_switching(switched, tab, drawn):
    switched.open_tab(tab)
    expect(switched.page.locator(drawn).first).to_be_visible()

    expect_no_spanish(switched)


def test_the_title_of_the_window_is_switched(switched):
    expect(switched.page).to_have_title("How a language model writes")


def test_the_charts_of_steps_are_redrawn(switched):
    for tab, chart in (("chat", "#chat-chart"), ("decoding", "#decoding-slot-1")):
        switched.open_tab(tab)
        expect(switched.page.locator(f"{chart} .gtitle")).to_have_text("The 10 likeliest next tokens")
        expect(switched.page.locator(f"{chart} .legendtext").first).to_have_text("What the model gives")
        expect(switched.shown(f"{chart} .hint, #chat-why .hint").first).to_contain_text("Step 1:")
        bars = switched.page.locator(f"{chart} .bartext").first
        expect(bars).to_have_text(re.compile(r"^<?\d+\.\d %$"))


def test_the_ablation_is_redrawn(switched):
    switched.open_tab("ablation")

    expect(switched.page.locator("#ablation-worth .gtitle")).to_have_text("What each part was worth to the answer")
    expect(switched.shown("#ablation-cards h3").nth(1)).to_have_text("Without “tono”")
    expect(switched.page.locator("#ablation-verdict")).to_contain_text("The part that mattered most was")


def test_the_quiz_keeps_its_answer_and_score_in_the_other_language(switched):
    switched.open_tab("quiz")

    expect(switched.page.locator("#quiz-verdict")).to_contain_text("Correct answer:")
    expect(switched.page.locator("#quiz-chart .gtitle")).to_contain_text("✓ correct · ▶ model · ● you")
    expect(switched.page.locator("#quiz-score")).to_contain_text("of 1")
    expect(switched.page.locator("#quiz-category input")).to_have_value("All")


def test_trouble_is_told_in_the_other_language(switched):
    switched.open_tab("tokenizer")
    switched.page.locator("#tokenizer-text textarea").fill("")
    switched.page.locator("#tokenizer-run").click()

    switched.expect_toast("There is no text to split: write something.")


def test_what_a_visitor_typed_outlives_the_switch(visitor):
    visitor.open_tab("chat")
    visitor.page.locator("#chat-message textarea").fill("mi mensaje")
    visitor.open_tab("ablation")
    name = visitor.page.locator("#ablation-name-0").locator("input, textarea")
    name.fill("mi parte")
    visitor.page.locator("#ablation-text-0 textarea").fill("mi instrucción")

    visitor.page.get_by_label("English", exact=True).check()
    visitor.t = translator("en")
    expect(visitor.page.locator("#ablation-run")).to_have_text("Compare variants")

    expect(name).to_have_value("mi parte")
    expect(visitor.page.locator("#ablation-text-0 textarea")).to_have_value("mi instrucción")
    visitor.open_tab("chat")
    expect(visitor.page.locator("#chat-message textarea")).to_have_value("mi mensaje")
