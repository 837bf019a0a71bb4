"""A link made in one browser and opened in another, and the course's exercises from the first to the next."""

import json
import re
from contextlib import contextmanager

import pytest
from playwright.sync_api import Locator, expect

from llm_demo.lessons.decoding import LESSONS
from llm_demo.lessons.lesson import find

IDS = "tokens => tokens.map(token => token.title.match(/id (\\d+)/)[1])"
# Storage as a browser has it that forbids it, which Chromium does in frames of other sites.
NO_STORAGE = """Object.defineProperty(window, 'localStorage', {
  configurable: true, get() { throw new DOMException('no', 'SecurityError'); },
})"""


def shared(visitor, tab: str, run: bool = False) -> Locator:
    """Press a tab's "copy link"; returns what then appears."""
    if run:
        visitor.page.locator(f"#{tab}-link-run input").check()
    visitor.page.locator(f"#{tab}-link").click()
    made = visitor.page.locator(f"#{tab}-shared .shared")
    expect(made).to_be_visible()
    return made


def query_of(link: Locator) -> str:
    return "?" + link.locator("input").input_value().partition("?")[2]


@pytest.fixture
def maker(enter):
    """The person who makes a link, on the page just opened."""
    with enter() as visitor:
        expect(visitor.shown(".token").first).to_be_visible()
        yield visitor


@pytest.fixture
def opened(enter):
    """Open a link in a browser of its own, whose owner reads English where the link does not say otherwise."""

    @contextmanager
    def opened(query: str):
        with enter(query, "en-GB") as visitor:
            yield visitor

    return opened


def columns(visitor) -> list[list[str]]:
    """Return the token ids of each column of the Decoding tab."""
    return [column.locator(".token").evaluate_all(IDS) for column in visitor.shown("[id^=decoding-slot-]").all()]


def test_a_decoding_link_gives_the_same_texts_in_another_browser(maker, opened):
    maker.open_tab("decoding")
    maker.page.locator("#decoding-prompt textarea").fill("Uno, dos, tres «ñ» & más:")
    maker.set_knob("knob.max_new_tokens", 6)
    maker.page.locator("#decoding-run").click()
    expect(maker.shown("[id^=decoding-slot-] .facts")).to_have_count(3)
    query = query_of(shared(maker, "decoding", run=True))

    with opened(query) as other:
        expect(other.shown("[id^=decoding-slot-] .facts")).to_have_count(3)
        expect(other.page.locator("#decoding-prompt textarea")).to_have_value("Uno, dos, tres «ñ» & más:")
        assert columns(other) == columns(maker)
        assert len(columns(other)[0]) == 6
        expect(other.page.locator("#link-notice")).to_be_empty()
        expect(other.page).to_have_url(re.compile(r"s1=greedy,n6&((?!run=).)*$"))  # a reload fills it, and no more


def test_what_a_link_should_not_hold_is_left_out_and_told_once(opened):
    with opened("?tab=decoding&lang=es&text=<b>a</b>&s1=sample,tNaN&s2=greedy,n5&model=../etc&x=%00") as visitor:
        expect(visitor.page.locator("#decoding-prompt textarea")).to_have_value("<b>a</b>")
        expect(visitor.page.locator("#decoding-chosen label")).to_have_text(["1 · Voraz (greedy)"])
        expect(visitor.page.locator("#link-notice")).to_have_text(visitor.t("link.ignored", count=3))


@pytest.mark.slow
def test_an_exercise_from_its_link_to_the_next_one(enter):
    lesson, after = find("D5", LESSONS), find("D6", LESSONS)
    with enter("?lesson=D5") as visitor:
        page, t = visitor.page, visitor.t
        heading = page.locator("#decoding-lessons").get_by_role("button").first
        expect(page.locator("#decoding-question")).to_contain_text(lesson.predict(t))
        expect(page.locator("#decoding-prompt textarea")).to_have_value(lesson.prompt)
        expect(heading).to_contain_text(t("exercise.heading", done=0, count=len(LESSONS)))

        page.locator("#decoding-answer label").nth(lesson.right).click()
        expect(page.locator("#decoding-told")).to_contain_text(t("exercise.right"))
        visitor.set_knob("knob.max_new_tokens", 5)
        page.locator("#decoding-run").click()

        expect(page.locator("#decoding-look")).to_contain_text(lesson.look(t))
        expect(heading).to_contain_text(t("exercise.heading", done=1, count=len(LESSONS)))
        page.locator("#decoding-further").click()
        expect(page.locator("#decoding-question")).to_contain_text(after.predict(t))
        expect(page.locator("#decoding-look")).to_be_empty()
        titles = [("✓ " if one is lesson else "") + one.title(t) for one in LESSONS]
        expect(visitor.unfold_lessons("decoding").locator("label")).to_have_text([t("exercise.none"), *titles])

        visitor.reload()  # what was done is kept by the browser
        expect(heading).to_contain_text(t("exercise.heading", done=1, count=len(LESSONS)))


@pytest.mark.slow
def test_exercises_do_without_storage(enter):
    with enter("?lesson=T5", script=NO_STORAGE) as visitor:
        expect(visitor.page.locator("#tokenizer-question")).to_contain_text("T5")
        visitor.page.locator("#tokenizer-run").click()
        expect(visitor.page.locator("#tokenizer-look")).not_to_be_empty()


@pytest.mark.slow
def test_a_tokenizer_link_gives_the_same_tokens(maker, opened):
    maker.page.locator("#tokenizer-text textarea").fill("Hola, ñandú 😀")
    maker.page.locator("#tokenizer-special input").check()
    expect(maker.page.locator("#tokenizer-view")).to_contain_text("ñandú")
    query = query_of(shared(maker, "tokenizer", run=True))

    with opened(query) as other:
        expect(other.page.locator("#tokenizer-special input")).to_be_checked()
        same = maker.page.locator("#tokenizer-view td").all_inner_texts()
        expect(other.page.locator("#tokenizer-view td")).to_have_text(same)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("section", "fields", "element", "text"),
    [
        ("languages", "run=1", "#tokenizer-languages-told", "SmolLM2-135M-Instruct"),
        ("turns", "first=Hello&system=Sing", "#tokenizer-turns-read", "Sing"),
        ("card", "beside=distilgpt2", "#card-table", "distilgpt2"),
        ("inside", "inside=The+red+house&run=1", "#inside-told", "house"),
    ],
)
def test_a_tokenizer_link_opens_its_section(opened, section, fields, element, text):
    with opened(f"?tab=tokenizer&lang=es&at=tokenizer-{section}&{fields}") as visitor:
        expect(visitor.page.locator(element)).to_contain_text(text)


@pytest.mark.slow
def test_a_quiz_link_gives_the_same_answer_and_asks_without_telling_it(maker, opened):
    maker.open_tab("quiz")
    maker.page.locator("#quiz-next").click()
    maker.page.locator("#quiz-options input[value='C']").check()
    maker.page.locator("#quiz-answer").click()
    verdict = maker.page.locator("#quiz-verdict .verdict")
    expect(verdict).to_have_count(3)
    asked = query_of(shared(maker, "quiz"))
    assert "letter" not in asked
    maker.page.locator("#quiz-link-run input").check()
    maker.page.locator("#quiz-link").click()
    expect(maker.page.locator("#quiz-shared input")).to_have_value(re.compile("letter=C.*run=1"))
    query = query_of(maker.page.locator("#quiz-shared .shared"))

    with opened(query) as other:
        expect(other.page.locator("#quiz-verdict .verdict")).to_have_text(verdict.all_inner_texts())
        same = maker.page.locator("#quiz-question .question").inner_text()
        expect(other.page.locator("#quiz-question .question")).to_have_text(same)


@pytest.mark.slow
def test_a_quiz_link_runs_many_questions(opened):
    with opened("?tab=quiz&lang=es&at=quiz-evaluate&in=es&way=direct&count=3&seed=5&run=1") as visitor:
        expect(visitor.page.locator("#evaluate-table tr[data-i]")).to_have_count(3)
        expect(visitor.page.locator("#evaluate-count input")).to_have_value("3")


@pytest.mark.slow
def test_a_chat_link_has_what_was_said_and_who_answers(maker, opened):
    maker.open_tab("chat")
    maker.page.get_by_text(maker.t("settings"), exact=True).locator("visible=true").click()
    maker.set_knob("knob.max_new_tokens", 5)
    maker.page.locator("#chat-system textarea").fill("Responde en una palabra.")
    maker.page.locator("#chat-send").click()
    over = re.compile("|".join(maker.t(f"trace.{reason}") for reason in ("length", "stop")))
    expect(maker.page.locator("#chat-slot-0 .block.chat-told")).to_contain_text(over)
    said = maker.page.locator("#chat-talk .bubble")
    expect(said).to_have_count(2)
    maker.page.locator("#chat-message textarea").fill("¿Y tú?")
    query = query_of(shared(maker, "chat"))

    with opened(query) as other:
        expect(other.page.locator("#chat-talk .bubble")).to_have_text(said.all_inner_texts())
        expect(other.page.locator("#chat-message textarea")).to_have_value("¿Y tú?")
        other.page.get_by_text(other.t("settings"), exact=True).locator("visible=true").click()
        expect(other.page.locator("#chat-system textarea")).to_have_value("Responde en una palabra.")


@pytest.mark.slow
def test_an_ablation_link_has_the_parts_their_checks_and_the_settings(maker, opened):
    maker.open_tab("ablation")
    maker.page.locator("#ablation-text-1 textarea").fill("En 4 puntos.")
    maker.page.locator("#ablation-on-0 input").uncheck()
    query = query_of(shared(maker, "ablation"))

    with opened(query) as other:
        expect(other.page.locator("#ablation-text-1 textarea")).to_have_value("En 4 puntos.")
        expect(other.page.locator("#ablation-on-0 input")).not_to_be_checked()
        expect(other.page.locator("[id^=ablation-part-]:visible")).to_have_count(3)
        other.page.get_by_text(other.t("ablation.checks"), exact=True).click()
        expect(other.page.locator("#ablation-value-1 textarea")).to_have_value("3")


@pytest.mark.slow
def test_what_does_not_fit_into_a_link_travels_as_a_file(maker, opened, tmp_path):
    text = "Érase una vez. " * 200
    maker.open_tab("decoding")
    maker.page.locator("#decoding-prompt textarea").fill(text)
    made = shared(maker, "decoding")
    expect(made.locator("input")).to_have_count(0)
    with maker.page.expect_download() as download:
        made.get_by_text(maker.t("link.file")).click()
    file = tmp_path / "link.json"
    download.value.save_as(file)
    assert json.loads(file.read_text("utf-8"))["link"]["text"] == text

    with opened("?lang=es") as other:
        with other.page.expect_file_chooser() as chooser:
            other.page.locator("#tokenizer-link-open").click()
        chooser.value.set_files(file)
        expect(other.page.locator("#decoding-prompt textarea")).to_have_value(text)
