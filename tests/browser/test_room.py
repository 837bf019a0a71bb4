"""A class in a room: an instructor and two students, each in a window of their own."""

import re

import pytest
from playwright.sync_api import expect

CODE = re.compile("^[A-Z0-9]{8}$")
pytestmark = pytest.mark.slow  # three windows of the page, and clocks to wait for


@pytest.fixture
def instructor(enter):
    """Somebody whose prompt has been put to a class; `code` is the room's."""
    with enter() as visitor:
        visitor.open_tab("decoding")
        visitor.page.locator("#decoding-ask-class").click()
        expect(visitor.page.locator("#room-host .code")).to_have_text(CODE)
        yield visitor
        visitor.page.locator("#room-close").click()
        expect(visitor.page.locator("#room-host")).to_be_hidden()


@pytest.fixture
def students(enter, instructor):
    """Two telephones in the room, one of somebody who reads English."""
    query = "?room=" + code(instructor)
    with enter(query=query, width=390) as first, enter(query=query, width=390, locale="en-GB", reads="en") as second:
        for student in (first, second):
            expect(student.page.locator("#pupil-told")).to_have_text(student.t("room.not_sent"))
        yield first, second


def code(instructor) -> str:
    return instructor.page.locator("#room-host .code").inner_text()


def send(student, text: str) -> None:
    student.page.locator("#pupil-guess").locator("input, textarea").fill(text)
    student.page.locator("#pupil-send").click()
    expect(student.page.locator("#pupil-told b")).to_have_text(text)


def choose(student, letter: str) -> None:
    student.page.locator(f"#pupil-letter input[value='{letter}']").check()
    student.page.locator("#pupil-send").click()
    expect(student.page.locator("#pupil-told b")).to_have_text(letter)


def test_a_class_guesses_tokens_and_then_a_letter(instructor, students):
    first, second = students
    page = instructor.page

    # The next token: answers arrive uncounted by content, one is changed, then all is shown to everybody.
    send(first, "verde")
    send(second, "gris")
    send(first, "rojo")
    expect(page.locator("#room-count b")).to_have_text("2")
    expect(page.locator("#room-told")).to_have_text("")
    page.locator("#room-reveal").click()
    for visitor, chart, told in ((instructor, "room-chart", "room-told"), (first, "pupil-chart", "pupil-result")):
        expect(visitor.page.locator(f"#{chart} .ytick").first).to_be_visible()
        expect(visitor.page.locator(f"#{told} tbody tr")).to_have_count(2)
        expect(visitor.page.locator(f"#{told} tbody")).to_contain_text("«rojo»")
        expect(visitor.page.locator(f"#{told} tbody")).not_to_contain_text("«verde»")
    expect(second.page.locator("#pupil-result")).to_contain_text(second.t("room.first_token"))
    expect(first.page.locator("#pupil-send")).to_be_hidden()
    assert first.page.evaluate("document.documentElement.scrollWidth") <= 390

    # The text goes on with the model's token, and the telephones follow by themselves.
    before = page.locator("#room-asked .read").inner_text()
    page.locator("#room-next").click()
    expect(page.locator("#room-asked h3")).to_have_text(instructor.t("room.which_token", number=2))
    assert page.locator("#room-asked .read").inner_text().startswith(before.removesuffix("?"))
    expect(first.page.locator("#pupil-question h3")).to_have_text(first.t("room.which_token", number=2))
    expect(first.page.locator("#pupil-guess").locator("input, textarea")).to_have_value("")
    expect(first.page.locator("#pupil-chart")).to_be_hidden()

    # A question of the quiz, in the same room.
    room = code(instructor)
    instructor.open_tab("quiz")
    expect(page.locator("#quiz-question .question")).to_be_visible()
    page.locator("#quiz-ask-class").click()
    for student in students:
        expect(student.page.locator("#pupil-question h3")).to_have_text(student.t("room.which_letter", number=3))
    assert code(instructor) == room
    choose(first, "A")
    choose(second, "B")
    page.locator("#room-reveal").click()
    expect(second.page.locator("#pupil-chart .ytick").first).to_be_visible()
    expect(second.page.locator("#pupil-result")).to_contain_text("The right answer is")

    # Another of its questions; then the room is closed.
    asked = page.locator("#room-asked .question").inner_text()
    page.locator("#room-next").click()
    expect(page.locator("#room-asked h3")).to_have_text(instructor.t("room.which_letter", number=4))
    assert page.locator("#room-asked .question").inner_text() != asked
    page.locator("#room-close").click()
    expect(page.locator("#room-host")).to_be_hidden()
    expect(first.page.locator("#pupil-told")).to_have_text(first.t("errors.room_gone", minutes=120))
    page.locator("#quiz-ask-class").click()  # and another can be opened
    expect(page.locator("#room-asked h3")).to_have_text(instructor.t("room.which_letter", number=1))
    assert code(instructor) != room


def test_pages_that_are_loaded_again_go_on_where_they_were(instructor, students):
    student, _ = students
    send(student, "verde")
    student.reload()
    expect(student.page.locator("#pupil-told b")).to_have_text("verde")
    expect(student.page.locator("#pupil-guess").locator("input, textarea")).to_have_value("verde")
    room = code(instructor)

    instructor.reload()

    expect(instructor.page.locator("#room-host .code")).to_have_text(room)
    expect(instructor.page.locator("#room-count b")).to_have_text("1")


def test_both_panels_follow_the_language(instructor, students):
    student, _ = students
    send(student, "verde")
    instructor.page.locator("#room-reveal").click()
    expect(student.page.locator("#pupil-result")).to_contain_text(student.t("room.first_token"))

    for visitor in (instructor, student):
        visitor.page.locator("#language").get_by_label("English").check()

    expect(instructor.page.locator("#room-chart .gtitle")).to_have_text("The class and the model")
    expect(instructor.page.locator("#room-reveal")).to_have_text("Show the result")
    expect(student.page.locator("#pupil-chart .gtitle")).to_have_text("The class and the model")
    expect(student.page.locator("#pupil-result")).to_contain_text("They wrote")


def test_a_room_that_is_none_is_told_in_a_sentence(enter):
    with enter(query="?room=NEVERWAS") as visitor:
        expect(visitor.page.locator("#pupil-told")).to_have_text(visitor.t("errors.room_gone", minutes=120))
        expect(visitor.page.locator("#pupil-send")).to_be_hidden()
