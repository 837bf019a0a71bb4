"""Rooms: who may do what, one answer each, nothing left of anybody, and every bound."""

import threading
from dataclasses import replace

import pytest

from llm_demo.config import Config
from llm_demo.errors import InputError
from llm_demo.poll import NextToken, Outcome, Row, WhichLetter
from llm_demo.rooms import CODE_LENGTH, IDLE_SECONDS, LETTERS, MemoryRooms, Ticket

COLOURS = NextToken("rojo, azul", (), "rojo, azul")
NUMBERS = NextToken("uno, dos", (), "uno, dos")
EXAM = WhichLetter("2 + 2?", ("3", "4", "5"), 7, "en", "", "", 0, frozenset({7}))
OUTCOME = Outcome((Row(",", 28, 1, 0.8, 1, (",",)),), 1, "tiny")


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rooms(clock) -> MemoryRooms:
    return MemoryRooms(Config(max_rooms=3, max_room_guesses=4, max_guess_chars=10, room_seconds=7200), clock)


def refusal(work, *values) -> str:
    with pytest.raises(InputError) as caught:
        work(*values)
    return caught.value.key


# --- answers ---


def test_an_answer_is_counted_and_shown_to_whoever_gave_it_alone(rooms):
    ticket = rooms.open(COLOURS)

    rooms.guess(ticket.code, 1, "ana", " verde ")

    assert rooms.count(ticket) == 1
    assert rooms.view(ticket.code, "ana").guess == "verde"
    assert rooms.view(ticket.code, "luis").guess == ""


def test_a_second_answer_takes_the_place_of_the_first(rooms):
    ticket = rooms.open(COLOURS)
    for visitor, text in [("ana", "verde"), ("luis", "gris"), ("ana", "negro")]:
        rooms.guess(ticket.code, 1, visitor, text)

    assert rooms.freeze(ticket).guesses == ("gris", "negro")


def test_what_comes_after_the_counting_has_begun_is_refused(rooms):
    ticket = rooms.open(COLOURS)
    rooms.guess(ticket.code, 1, "ana", "verde")
    rooms.freeze(ticket)

    assert refusal(rooms.guess, ticket.code, 1, "ana", "gris") == "room_late"
    assert rooms.view(ticket.code).phase == "counting"
    assert rooms.freeze(ticket).guesses == ("verde",)  # counting that failed can be done again


def test_an_answer_to_the_question_before_is_refused(rooms):
    ticket = rooms.open(COLOURS)
    rooms.guess(ticket.code, 1, "ana", "verde")
    rooms.ask(ticket, NUMBERS)

    assert refusal(rooms.guess, ticket.code, 1, "ana", "gris") == "room_moved"
    assert rooms.count(ticket) == 0
    assert rooms.view(ticket.code, "ana").guess == ""


@pytest.mark.parametrize(
    ("question", "text", "key"),
    [
        (COLOURS, "", "room_blank"),
        (COLOURS, " \n ", "room_blank"),
        (COLOURS, None, "room_blank"),
        (COLOURS, ["verde"], "room_blank"),
        (COLOURS, "verde oscuro", "room_long"),
        (COLOURS, "\ud800", "half_character"),
        (EXAM, "D", "quiz_no_letter"),
        (EXAM, "", "quiz_no_letter"),
        (EXAM, None, "quiz_no_letter"),
        (EXAM, ["A"], "quiz_no_letter"),
    ],
)
def test_what_is_no_answer_is_refused(rooms, question, text, key):
    ticket = rooms.open(question)

    assert refusal(rooms.guess, ticket.code, 1, "ana", text) == key
    assert rooms.count(ticket) == 0


# --- what a student cannot do ---


def test_nobody_sees_the_outcome_before_it_is_revealed(rooms):
    ticket = rooms.open(COLOURS)
    assert rooms.view(ticket.code).outcome is None

    rooms.reveal(ticket, 1, OUTCOME)  # not counted yet
    assert rooms.view(ticket.code).outcome is None

    rooms.freeze(ticket)
    assert rooms.view(ticket.code).outcome is None

    rooms.reveal(ticket, 1, OUTCOME)
    assert rooms.view(ticket.code).outcome == OUTCOME
    assert rooms.view(ticket.code).phase == "revealed"


def test_an_outcome_that_comes_after_the_next_question_is_not_shown_with_it(rooms):
    ticket = rooms.open(COLOURS)
    rooms.freeze(ticket)
    rooms.ask(ticket, NUMBERS)
    rooms.freeze(ticket)

    rooms.reveal(ticket, 1, OUTCOME)

    assert rooms.view(ticket.code).outcome is None


@pytest.mark.parametrize("secret", ["", "x", "é", "another"])
def test_the_code_alone_opens_nothing_of_the_instructors(rooms, secret):
    ticket = rooms.open(COLOURS)
    rooms.guess(ticket.code, 1, "ana", "verde")
    forged = Ticket(ticket.code, secret)

    for work, values in [
        (rooms.count, ()),
        (rooms.freeze, ()),
        (rooms.close, ()),
        (rooms.ask, (NUMBERS,)),
        (rooms.reveal, (1, OUTCOME)),
    ]:
        assert refusal(work, forged, *values) == "room_secret"
    assert rooms.view(ticket.code).phase == "open"
    assert rooms.count(ticket) == 1


def test_the_ticket_of_one_room_opens_no_other(rooms):
    mine, theirs = rooms.open(COLOURS), rooms.open(NUMBERS)

    assert refusal(rooms.close, replace(theirs, secret=mine.secret)) == "room_secret"


def test_codes_can_be_read_aloud_and_secrets_are_long_and_not_printed(clock):
    rooms = MemoryRooms(Config(max_rooms=200), clock)
    tickets = [rooms.open(COLOURS) for _ in range(200)]

    assert len({ticket.code for ticket in tickets}) == len({ticket.secret for ticket in tickets}) == 200
    assert all(len(ticket.code) == CODE_LENGTH and set(ticket.code) <= set(LETTERS) for ticket in tickets)
    assert not set("0O1IL2Z5S8B") & set(LETTERS)
    assert min(len(ticket.secret) for ticket in tickets) >= 20
    assert tickets[0].secret not in repr(tickets[0])
    assert Ticket.parse(str(tickets[0])) == tickets[0]


def test_of_a_student_only_a_hash_is_kept_that_differs_from_room_to_room(rooms):
    first, second = rooms.open(COLOURS), rooms.open(COLOURS)
    rooms.guess(first.code, 1, "ana", "verde")
    rooms.guess(second.code, 1, "ana", "verde")

    kept = [key for room in rooms._rooms.values() for key in room.guesses]

    assert len(set(kept)) == 2
    assert not any(b"ana" in key for key in kept)


# --- the end of a room, and its bounds ---


def test_a_closed_room_is_as_one_that_never_was(rooms):
    ticket = rooms.open(COLOURS)
    rooms.close(ticket)

    assert refusal(rooms.view, ticket.code) == refusal(rooms.view, "NEVERWAS") == "room_gone"
    assert refusal(rooms.close, ticket) == "room_gone"
    assert rooms._rooms == {}


def test_a_room_is_forgotten_after_two_hours_however_busy_it_is(rooms, clock):
    ticket = rooms.open(COLOURS)
    clock.now += 7199
    rooms.guess(ticket.code, 1, "ana", "verde")
    assert rooms.count(ticket) == 1

    clock.now += 1

    assert refusal(rooms.guess, ticket.code, 1, "luis", "gris") == "room_gone"
    assert rooms._rooms == {}


def test_there_are_no_more_rooms_than_the_bound(rooms):
    for _ in range(3):
        rooms.open(COLOURS)

    assert refusal(rooms.open, COLOURS) == "rooms_full"


def test_a_room_that_its_instructor_left_makes_place_for_another(rooms, clock):
    tickets = [rooms.open(COLOURS) for _ in range(3)]
    clock.now += IDLE_SECONDS
    rooms.count(tickets[0])
    rooms.count(tickets[2])
    rooms.view(tickets[1].code)  # students alone do not hold a room
    assert refusal(rooms.open, COLOURS) == "rooms_full"

    clock.now += 1
    rooms.open(NUMBERS)

    assert refusal(rooms.view, tickets[1].code) == "room_gone"
    assert [rooms.count(ticket) for ticket in (tickets[0], tickets[2])] == [0, 0]


def test_a_full_room_takes_no_more_people_but_lets_those_in_it_change_their_minds(rooms):
    ticket = rooms.open(COLOURS)
    for visitor in "abcd":
        rooms.guess(ticket.code, 1, visitor, "verde")

    assert refusal(rooms.guess, ticket.code, 1, "e", "verde") == "room_full"
    rooms.guess(ticket.code, 1, "a", "gris")
    assert rooms.freeze(ticket).guesses == ("gris", "verde", "verde", "verde")


def test_forty_students_at_once_are_all_counted_once():
    rooms = MemoryRooms(Config())
    ticket = rooms.open(COLOURS)
    start = threading.Barrier(40)

    def student(number: int) -> None:
        start.wait()
        for attempt in range(25):
            rooms.guess(ticket.code, 1, f"visitor {number}", f"{number}/{attempt}")
            rooms.view(ticket.code, f"visitor {number}")

    students = [threading.Thread(target=student, args=(number,)) for number in range(40)]
    for thread in students:
        thread.start()
    for thread in students:
        thread.join()

    assert rooms.count(ticket) == 40
    assert set(rooms.freeze(ticket).guesses) == {f"{number}/24" for number in range(40)}
