"""A room over plain HTTP, as many telephones would use it: the app's own events, no browser."""

import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from llm_demo.i18n import translator

SECONDS = 120
EN = translator("en")
# What the panels give, in the order of `Host.outputs` and `Pupil.outputs`.
HOST = ("ticket", "panel", "invitation", "link", "qr", "question", "count", "reveal", "next", "chart", "told", "clock")
PUPIL = ("panel", "question", "guess", "letter", "send", "told", "chart", "result", "seen", "clock")


class Window:
    """A window of the page: posts the events that the elements with certain ids trigger.

    Args:
        address: of the app.
        events: (id of an element, kind) -> number of the event, and whether it waits in the queue.
    """

    def __init__(self, address: str, events: dict) -> None:
        self._api = f"{address}/gradio_api"
        self._events = events
        self._session = uuid.uuid4().hex
        self._http = httpx.Client(timeout=SECONDS)

    def press(self, name: str, *values: object) -> list[object]:
        """Click a button; returns the values of the event's outputs."""
        event, waits = self._events[name, "click"]
        return self._queued(event, values) if waits else self._now(event, values)

    def follow(self, code: str, name: str = "") -> dict:
        """Look whether there is anything new in a room."""
        event, _ = self._events["room-name", "tick"]
        return dict(zip(PUPIL, self._now(event, ("en", code, name, None)), strict=True))

    def send(self, code: str, text: str, letter: str | None = None, name: str = "") -> dict:
        return dict(zip(PUPIL, self.press("pupil-send", "en", code, name, None, text, letter), strict=True))

    def post(self, event: int, values: tuple) -> httpx.Response:
        body = json.dumps(self._body(event, values))  # half a character too, which httpx would not send
        return self._http.post(f"{self._api}/run/predict", content=body, headers={"Content-Type": "application/json"})

    def _now(self, event: int, values: tuple) -> list[object]:
        answer = self.post(event, values)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def _queued(self, event: int, values: tuple) -> list[object]:
        self._http.post(f"{self._api}/queue/join", json=self._body(event, values)).raise_for_status()
        with self._http.stream("GET", f"{self._api}/queue/data", params={"session_hash": self._session}) as stream:
            for line in stream.iter_lines():
                told = json.loads(line.removeprefix("data:") or "{}")
                if told.get("msg") == "process_completed":
                    assert told["success"], told
                    return told["output"]["data"]
        raise AssertionError("the stream ended before the event did")

    def _body(self, event: int, values: tuple) -> dict:
        return {"data": list(values), "fn_index": event, "session_hash": self._session}


class Instructor(Window):
    ticket = ""
    code = ""

    def do(self, button: str, *values: object) -> dict:
        told = dict(zip(HOST, self.press(button, "en", self.ticket, *values), strict=True))
        self.ticket = told["ticket"]
        self.code = self.ticket.partition(".")[0]
        return told


@pytest.fixture(scope="module")
def events(address) -> dict:
    """What `Window` needs to know of the page. A clock has no id: it goes by the hidden box that its event reads."""
    config = httpx.get(f"{address}/config").json()
    named = {part["id"]: part["props"]["elem_id"] for part in config["components"] if part["props"].get("elem_id")}
    found = {}
    for event in config["dependencies"]:
        for source, kind in event["targets"]:
            names = (
                [named[part] for part in event["inputs"] if part in named] if kind == "tick" else [named.get(source)]
            )
            found |= {(name, kind): (event["id"], event["queue"] is not False) for name in names}
    return found


@pytest.fixture
def window(address, events) -> Callable[[], Window]:
    return lambda: Window(address, events)


@pytest.fixture
def instructor(address, events) -> Iterator[Instructor]:
    """Somebody who has just asked the class how a list goes on."""
    instructor = Instructor(address, events)
    told = instructor.do("decoding-ask-class", "https://school.example/demo/", "Lista de colores: rojo, azul", False)
    assert told["link"] == f"https://school.example/demo/?room={instructor.code}"
    yield instructor
    instructor.do("room-close")


def test_guesses_are_shown_beside_the_model_when_the_instructor_says_so(instructor, window):
    first, second = window(), window()
    assert first.follow(instructor.code)["seen"] is None  # states stay on the server
    second.follow(instructor.code)

    assert "verde" in first.send(instructor.code, "verde")["told"]
    second.send(instructor.code, "rojo")
    assert first.follow(instructor.code)["chart"] == {"__type__": "update"}  # nothing new

    shown = instructor.do("room-reveal", "")

    assert EN("room.first_token") in shown["told"]
    assert "«verde»" in shown["told"]
    seen = first.follow(instructor.code)
    assert seen["result"] == shown["told"]
    assert seen["chart"]["visible"] is True
    assert seen["send"]["visible"] is False


def test_a_page_that_was_loaded_again_is_no_second_student(instructor, window):
    for text in ("verde", "rojo"):
        again = window()
        again.follow(instructor.code, "the same window")
        again.send(instructor.code, text, name="the same window")

    assert "<b>1</b>" in instructor.do("room-reveal", "")["count"]


def test_a_students_event_is_no_way_to_the_instructors(instructor, window):
    student = window()
    student.follow(instructor.code)

    for stolen in (instructor.code, f"{instructor.code}.", f"{instructor.code}.guessed"):
        student.press("room-close", "en", stolen)

    assert student.follow(instructor.code)["clock"] == {"__type__": "update"}  # the room is as it was


@pytest.mark.parametrize("nonsense", ["", "NEVERWAS", None, 7, ["A"], {"a": 1}, "x" * 100_000, "<b>", "\ud800"])
def test_nonsense_is_answered_without_a_crash(window, instructor, nonsense):
    stranger = window()
    look, _ = stranger._events["room-name", "tick"]
    send, _ = stranger._events["pupil-send", "click"]
    no_text = (EN("errors.bad_request"), EN("errors.half_character"))

    nowhere = stranger.post(send, ("en", nonsense, nonsense, None, nonsense, nonsense)).json()
    assert nowhere["error"] in (EN("errors.room_gone", minutes=120), *no_text)
    for code in (nonsense, instructor.code):
        looked = stranger.post(look, ("en", code, nonsense, None)).json()
        assert "data" in looked or looked["error"] in no_text
    told = stranger.post(send, ("en", instructor.code, nonsense, None, nonsense, nonsense)).json()
    assert "data" in told or told["error"].startswith(("Write your answer", "Your answer is too long", *no_text))


@pytest.mark.slow
def test_a_class_of_forty_answers_at_once(window, instructor):
    """Every telephone looks every 3 seconds; here each looks five times, as fast as it can."""

    def student(number: int) -> str:
        phone = window()
        phone.follow(instructor.code)
        for text in ("first", f"guess {number}"):
            phone.send(instructor.code, text)
        for _ in range(5):
            phone.follow(instructor.code)
        return phone.send(instructor.code, f"guess {number}")["told"]

    with ThreadPoolExecutor(40) as phones:
        told = list(phones.map(student, range(40)))

    assert all(f"guess {number}<" in sentence for number, sentence in enumerate(told))  # nobody has another's
    shown = instructor.do("room-reveal", "")
    assert "<b>40</b>" in shown["count"]
    assert "«first»" not in shown["told"]
