"""Gate: over a small app that answers what a test tells it to, through ASGI itself."""

import json
from collections.abc import Awaitable, Callable

import httpx
import pytest

from llm_demo.config import Config
from llm_demo.gate import SHUT, TOLD, Gate
from tests import apart

API = "/gradio_api"
SECRET = "sk-secret in what a visitor wrote"


def answering(status: int, content: object = None, told: bool = False) -> Callable[..., Awaitable[None]]:
    """Make an app that answers everything alike; with `told`, as one that has told its trouble."""

    async def app(scope, receive, send):
        if told:
            scope[TOLD] = True
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(content).encode()})

    return app


async def echo(scope, receive, send):
    """Answer with how many bytes were sent."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    await answering(200, len(body))(scope, receive, send)


async def breaking(scope, receive, send):
    raise RuntimeError(SECRET)


def ask(
    app, path: str, method: str = "POST", config: Config | None = None, times: int = 1, **options
) -> httpx.Response:
    """Return the answer to the last of some requests."""

    async def exchange() -> httpx.Response:
        transport = httpx.ASGITransport(Gate(app, config or Config()))
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            return [await client.request(method, path, **options) for _ in range(times)][-1]

    return apart.run(exchange())


def test_every_answer_says_who_may_frame_it_and_where_it_may_load_from():
    for answer in (ask(answering(200), "/", "GET"), ask(answering(404), "/x"), ask(breaking, "/")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'self' https://huggingface.co https://*.hf.space" in policy
        assert not [source for source in policy.split() if source.startswith(("http:", "*"))]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", [*SHUT, f"{API}/file=http://169.254.169.254/", f"{API}/file=//x/y"])
def test_doors_that_the_app_does_not_use_are_shut(path):
    assert ask(answering(200), path + "a", "GET").status_code == 404


def test_files_of_its_own_are_served():
    assert ask(answering(200), f"{API}/file=/tmp/gradio/abc/a.json", "GET").status_code == 200


def test_a_body_arrives_whole_up_to_the_bound_and_not_beyond():
    config = Config(max_request_mb=1)
    limit = 2**20

    assert ask(echo, f"{API}/queue/join", config=config, content=b"x" * limit).json() == limit
    refused = ask(echo, f"{API}/queue/join", config=config, content=b"x" * (limit + 1))
    assert (refused.status_code, refused.json()["error"]) == (
        413,
        "Lo enviado es demasiado grande: aquí caben como mucho 1 MB.",
    )


def test_a_file_has_a_bound_of_its_own():
    assert ask(echo, f"{API}/upload", config=Config(max_request_mb=1), content=b"x" * 2**21).json() == 2**21


def test_too_many_requests_are_told_in_the_language_that_the_page_is_in():
    config = Config(max_address_requests=2)
    spanish_browser = {"Accept-Language": "es"}

    allowed = ask(answering(200), f"{API}/x", config=config, times=2)
    refused = ask(answering(200), f"{API}/x", config=config, times=3, headers=spanish_browser)

    assert allowed.status_code == 200
    assert refused.status_code == 429
    assert refused.json()["detail"].startswith("Has pedido más de lo que cabe aquí en un minuto: espera 30 s")


def test_looking_is_free():
    assert ask(answering(200), "/", "GET", Config(max_address_requests=1), times=9).status_code == 200


def test_files_are_counted_for_themselves():
    config = Config(max_address_uploads=1)

    assert ask(answering(200), f"{API}/upload", config=config, times=2).status_code == 429
    assert ask(answering(200), f"{API}/queue/join", config=config, times=2).status_code == 200


def test_a_visitor_behind_a_proxy_that_is_vouched_for_pays_alone():
    async def exchange() -> list[int]:
        gate = Gate(answering(200), Config(max_address_requests=1, trusted_proxies=1))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://app") as client:
            heard = ["6.6.6.6, 1.1.1.1", "2.2.2.2", "7.7.7.7, 1.1.1.1"]
            return [(await client.post("/", headers={"X-Forwarded-For": who})).status_code for who in heard]

    assert apart.run(exchange()) == [200, 200, 429]


@pytest.mark.parametrize("path", [f"{API}/queue/join", f"{API}/call/generate"])
def test_a_full_queue_is_told_in_a_sentence(path):
    full = answering(503, {"detail": "Queue is full. Max size is 256 and size is 256."})

    answer = ask(full, path, json={"data": ["en"]}, headers={"Accept-Language": "es"})

    assert answer.status_code == 429  # Gradio's page says something of its own, in English, for 503
    assert answer.json()["detail"].startswith("The demo is full at the moment")


def test_what_was_told_is_no_fault_of_the_server():
    assert ask(answering(500, {"error": "a sentence"}, told=True), f"{API}/run/x").status_code == 400
    assert ask(answering(500, {"error": "a sentence"}), f"{API}/run/x").status_code == 500


def test_what_was_sent_is_not_repeated():
    answer = ask(answering(422, {"detail": [{"input": SECRET}]}), f"{API}/queue/join", json={"data": SECRET})

    assert answer.status_code == 400
    assert SECRET not in answer.text


def test_an_answer_that_breaks_off_is_ended():
    async def half(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError(SECRET)

    assert ask(half, "/", "GET").text == "half"


def test_a_failure_ends_in_a_sentence_and_its_place_in_the_log(caplog):
    answer = ask(breaking, "/", headers={"Accept-Language": "en"})

    assert (answer.status_code, answer.json()["error"]) == (
        400,
        "What was sent does not fit here, so it was not used: look at the settings again, or reload the page.",
    )
    assert "RuntimeError" in caplog.text
    assert "in breaking" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("body", [b"", b"[", b"5", b'{"data": {}}', b"[" * 100_000, b'{"data": [["es"]]}'])
def test_a_body_that_says_nothing_of_a_language_is_no_trouble(body):
    assert "message" not in ask(answering(422), "/", content=body).json()
