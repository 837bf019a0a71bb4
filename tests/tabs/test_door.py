"""The door: events and calls of a small page, over real HTTP, asked too often or wrongly."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr
import httpx
import pytest

from llm_demo.config import Config
from llm_demo.errors import InputError
from llm_demo.tabs.door import Door
from llm_demo.tabs.site import spoken
from tests.served import launched

SECRET = "sk-what a visitor wrote"
ENGLISH = {"Accept-Language": "en"}


def echo(language: str, text: str, number: float, choice: str) -> str:
    if text == "break":
        raise RuntimeError(SECRET)
    if text == "refuse":
        with spoken(lambda key, **values: f"{key} {values}"):
            raise InputError("empty_text")
    return f"{text}|{number}|{choice}"


def say(text: str) -> str:
    return text


@contextmanager
def served(**bounds: int) -> Iterator[str]:
    """Serve a page of one event, waiting in line (0) or not (1), and return its address."""
    with Door(Config(**bounds), analytics_enabled=False) as page:
        inputs = [gr.Textbox(), gr.Textbox(), gr.Slider(0, 10), gr.Radio(["a", "b"])]
        told, button = gr.Textbox(), gr.Button()
        for queue in (True, False):
            button.click(echo, inputs, told, queue=queue, api_visibility="private")
        gr.api(say, api_name="say")
    page.queue(api_open=False)
    with launched(page) as url:
        yield url


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    with served() as address:
        yield address


def run(address: str, *data: object, session: str = "a") -> tuple[int, str]:
    """Send the event that does not wait in line; return the status, and the result or the sentence."""
    body = json.dumps({"fn_index": 1, "data": data, "session_hash": session}).encode()
    headers = {"Content-Type": "application/json", **ENGLISH}
    answer = httpx.post(f"{address}/gradio_api/run/x", content=body, headers=headers, timeout=60)
    told = answer.json()
    return answer.status_code, told["data"][0] if "data" in told else told["error"]


def call(address: str, text: str = "hi", session: str | None = None, **headers: str) -> str:
    """Call the endpoint as a program does; return what it said."""
    url = f"{address}/gradio_api/call/say"
    body = {"data": [text], **({"session_hash": session} if session else {})}
    begun = httpx.post(url, json=body, headers={**ENGLISH, **headers}, timeout=60).json()
    return httpx.get(f"{url}/{begun['event_id']}", timeout=60).text


def test_what_a_page_sends_arrives(page):
    assert run(page, "en", "hi", 5, "a") == (200, "hi|5|a")


def test_an_empty_box_may_send_null(page):
    assert run(page, "en", None, 5, None) == (200, "|5|None")


@pytest.mark.parametrize(
    "data",
    [
        ("en", "hi", 5),
        ("en", ["hi"], 5, "a"),
        ("en", 5, 5, "a"),
        ("en", "hi", "5", "a"),
        ("en", "hi", True, "a"),
        ("en", "hi", 50, "a"),
        ("en", "hi", 5, "c"),
        ("en", "hi", 5, 1),
        ("en", {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}, 5, "a"),
    ],
)
def test_what_no_page_sends_is_refused_in_a_sentence(page, data):
    assert run(page, *data) == (
        400,
        "What was sent does not fit here, so it was not used: look at the settings again, or reload the page.",
    )


def test_half_a_character_is_refused_in_a_sentence(page):
    status, told = run(page, "en", "a\ud800", 5, "a")

    assert (status, told.split(":")[0]) == (400, "The text holds half a character (a code that is no valid text)")


def test_the_language_is_that_of_the_page_or_else_of_the_browser(page):
    assert run(page, "es")[1].startswith("Lo enviado no encaja aquí")
    assert run(page, 7)[1].startswith("What was sent does not fit here")


def test_trouble_that_was_told_is_told_as_it_was(page):
    assert run(page, "en", "refuse", 5, "a") == (400, "errors.empty_text {}")


def test_a_failure_is_told_without_its_words_and_the_log_has_its_place(page, caplog, capfd):
    status, told = run(page, "en", "break", 5, "a")

    assert (status, told.split(",")[0]) == (500, "Something went wrong in the demo")
    assert "RuntimeError" in caplog.text
    assert "in echo" in caplog.text
    assert SECRET not in caplog.text + "".join(capfd.readouterr())


def test_a_visitor_who_asks_too_often_is_told_how_long_to_wait():
    with served(max_visitor_jobs=2) as address:
        said = [call(address, session="a") for _ in range(3)]

        assert ["hi" in one for one in said] == [True, True, False]
        assert re.search(r"wait (30|2\d) s", said[2])
        assert "hi" in call(address, session="b")  # another visitor of the same address
        assert "hi" in call(address)


def test_an_address_that_asks_too_often_is_told_how_long_to_wait():
    with served(max_address_jobs=2, trusted_proxies=1) as address:
        mine, other = {"X-Forwarded-For": "1.1.1.1"}, {"X-Forwarded-For": "9.9.9.9, 2.2.2.2"}

        assert ["hi" in call(address, session=name, **mine) for name in "abc"] == [True, True, False]
        assert "hi" in call(address, session="d", **other)


def test_clicks_that_do_not_wait_in_line_are_no_jobs():
    with served(max_visitor_jobs=1) as address:
        assert {run(address, "en", "hi", 5, "a")[0] for _ in range(5)} == {200}


def test_a_session_keeps_a_component_once_however_often_it_changes():
    with Door(Config(), analytics_enabled=False) as page:
        language, box, button = gr.Textbox(), gr.Textbox(), gr.Button()
        button.click(lambda _, text: gr.update(label=text), [language, box], box, queue=False, api_visibility="private")
    page.queue(api_open=False)

    with launched(page) as url:
        for text in "abcde":
            body = {"data": ["en", text], "fn_index": 0, "session_hash": "somebody"}
            httpx.post(f"{url}/gradio_api/run/predict", json=body).raise_for_status()

    session = page.state_holder["somebody"]
    assert session[box._id].label == "e"
    assert set(session.blocks_config.blocks) == set(session.config_values) == set(page.blocks)


def test_of_calls_without_a_page_nothing_is_kept():
    with Door(Config(), analytics_enabled=False) as page:
        gr.api(say, api_name="say")
        gr.api(lambda: 1 / 0, api_name="fail")
    page.queue(api_open=False)

    with launched(page) as url:
        for name, data in (("say", ["hi"]), ("fail", [])):
            event = httpx.post(f"{url}/gradio_api/call/{name}", json={"data": data}).raise_for_status().json()
            told = httpx.get(f"{url}/gradio_api/call/{name}/{event['event_id']}").text
            assert ("hi" in told) == (name == "say")

        assert not page.state_holder.session_data
        assert not page.state_holder.time_last_used
