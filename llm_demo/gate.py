"""Gate: what stands between the open internet and the page, whoever serves it: sizes, doors kept shut, headers.

ASGI middleware (https://asgi.readthedocs.io), which knows HTTP and Gradio's addresses, and nothing of the page.
"""

import json
import math
from collections.abc import Awaitable, Callable, Mapping, MutableMapping

from llm_demo.config import Config
from llm_demo.errors import DemoError, InputError, RateError
from llm_demo.i18n import LANGUAGES, preferred, translator
from llm_demo.incident import report
from llm_demo.rates import Rate, address_of

Scope = MutableMapping[str, object]
Message = MutableMapping[str, object]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

API = "/gradio_api"
# What Gradio serves and this app has no use for: fetching other sites for a visitor, editing the app, recording.
SHUT = (
    *(f"{API}/{name}" for name in ("proxy=", "vibe-", "undo-vibe-", "dev/", "process_recording", "component_server")),
    *(f"{API}/{name}" for name in ("stream/", "deep_link", "custom_component", "run-history", "profiling")),
    "/monitoring",
)
# The page draws with scripts and styles of its own making, inside Gradio's: hence 'unsafe-inline' and 'unsafe-eval'.
# What matters here is where it may load from and send to, which is nowhere else, and who may frame it.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self' ",  # and the operator's
    )
)
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
)
TOLD = "llm_demo.told"  # the scope holds it once a request's trouble was told in a sentence


class Gate:
    """Lets in what is of a size and at a rate that can be served, and nothing out that tells how it failed."""

    def __init__(self, app: App, config: Config) -> None:
        """
        Args:
            app: the rest.
            config: the operator's.
        """
        self._app = app
        self._config = config
        self._requests = Rate(config.max_address_requests)
        self._uploads = Rate(config.max_address_uploads)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = str(scope["path"]).removeprefix(str(scope.get("root_path", "")))
        headers = _headers(scope)
        answer = _Answer(send, headers, self._config)
        if path.startswith(SHUT) or (path.startswith(f"{API}/file=") and "//" in path):
            await answer.refuse(404, InputError("bad_request"))
            return
        if scope["method"] == "POST":
            if seconds := self._wait(path, scope, headers):
                await answer.refuse(429, RateError("too_fast", seconds=math.ceil(seconds)))
                return
            if not path.startswith(f"{API}/upload"):  # which has a bound of its own
                body = await _read(receive, self._config.max_request_mb * 2**20)
                if body is None:
                    await answer.refuse(413, InputError("large_request", limit=self._config.max_request_mb))
                    return
                answer.body = body
                receive = _again(body, receive)
        try:
            await self._app(scope, receive, answer.pass_on(scope, path))
        except Exception as error:  # noqa: BLE001 - whatever a stranger's request has set off ends here
            report(error, "a request")
            await answer.refuse(400, InputError("bad_request"))

    def _wait(self, path: str, scope: Scope, headers: Mapping[str, str]) -> float:
        """Count a request; return the seconds to wait where there are too many, else 0."""
        client = scope.get("client")
        peer = client[0] if client else None
        address = address_of(peer, headers.get("x-forwarded-for"), self._config.trusted_proxies)
        seconds = self._requests.take(address)
        return seconds or (self._uploads.take(address) if path.startswith(f"{API}/upload") else 0.0)


class _Answer:
    """What goes back: the app's answer under our headers, or a sentence instead of it.

    Attributes:
        body: of the request; a tab's events begin with the language that the visitor reads.
    """

    def __init__(self, send: Send, headers: Mapping[str, str], config: Config) -> None:
        self.body = b""
        self._send = send
        self._headers = headers
        self._default = config.language
        self._armour = (*HEADERS, (b"content-security-policy", (POLICY + config.frame_ancestors).encode()))
        self._begun = False
        self._replaced = False

    def pass_on(self, scope: Scope, path: str) -> Send:
        """Return what the app is to answer with."""

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] == 422:  # in which FastAPI repeats all that was sent
                    await self.refuse(400, InputError("bad_request"))
                    self._replaced = True
                    return
                if message["status"] == 503 and path.startswith((f"{API}/queue/", f"{API}/call/")):
                    # Gradio's page has a sentence of its own for 503, in English; any other status shows ours.
                    await self.refuse(429, RateError("too_busy"))
                    self._replaced = True
                    return
                if message["status"] == 500 and scope.get(TOLD):
                    message = {**message, "status": 400}  # what was asked for could not be done: no fault of ours
                message = {**message, "headers": [*message.get("headers", ()), *self._armour]}
                self._begun = True
            if not self._replaced:
                await self._send(message)

        return send

    async def refuse(self, status: int, error: DemoError) -> None:
        """Answer with a sentence, where nothing was answered yet."""
        if self._begun:
            return
        self._begun = True
        sentence = error.message(translator(self._language()))
        # Gradio's page reads `error` or `detail`, by the address that it asked.
        content = json.dumps({"error": sentence, "detail": sentence}).encode()
        kind = ((b"content-type", b"application/json"), (b"content-length", str(len(content)).encode()))
        await self._send({"type": "http.response.start", "status": status, "headers": [*kind, *self._armour]})
        await self._send({"type": "http.response.body", "body": content})

    def _language(self) -> str:
        try:
            first = json.loads(self.body)["data"][0]
        except (ValueError, LookupError, TypeError, RecursionError):
            first = None
        chosen = first if isinstance(first, str) and first in LANGUAGES else None
        return preferred(chosen, self._headers.get("accept-language"), self._default)


def _headers(scope: Scope) -> Mapping[str, str]:
    """Return a request's headers by their names; one that comes several times is joined with commas."""
    found: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name = raw.decode("latin-1").lower()
        found[name] = f"{found[name]}, {value.decode('latin-1')}" if name in found else value.decode("latin-1")
    return found


async def _read(receive: Receive, limit: int) -> bytes | None:
    """Return a request's body; None where it is larger than `limit` bytes, or where whoever sent it has left."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] != "http.request" or len(body) > limit:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """Return what gives the body once more, and then whatever else comes."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return left.pop() if left else await receive()

    return replay
