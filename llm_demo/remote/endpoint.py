"""Endpoint: an OpenAI-compatible server, asked from one thread of its own."""

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager
from textwrap import shorten
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

import openai
from openai import AsyncOpenAI, Timeout
from openai.types import Completion, CompletionChoice, Model

from llm_demo.config import Config
from llm_demo.errors import ModelError
from llm_demo.remote.line import Line, Tell, unheard

Result = TypeVar("Result")
Body = Mapping[str, object]

CONNECT_SECONDS = 5
TRIES = 3  # of a request of which nothing has come back: nothing is lost by asking again
PAUSE = 0.5  # seconds before the second try, twice as many before the third
BUSY = (429, 503)
NO_ENTRY = (401, 403)
LONGEST_REASON = 200  # characters of a server's own words


class Endpoint:
    """Asks for completions, as many at once as the operator allows; whatever goes wrong is told in a sentence.

    Its coroutines run in its own thread, see `start`. Certificates are checked, as httpx does by default; an authority
    of an institution's own is named in `SSL_CERT_FILE`.

    Attributes:
        line: whoever waits for a busy server.
    """

    def __init__(self, config: Config) -> None:
        self._address = config.endpoint if urlsplit(config.endpoint).path else f"{config.endpoint}/v1"
        self._key = config.endpoint_key
        self._loop = asyncio.new_event_loop()
        self._client = AsyncOpenAI(
            base_url=self._address,
            api_key=self._key or "none",  # left out, the one for another service would be sent
            max_retries=0,  # what is safe to ask again is known here
            timeout=Timeout(config.endpoint_seconds, connect=CONNECT_SECONDS, pool=None),
        )
        self.line = Line(config.max_streams)
        self._thread = threading.Thread(target=self._loop.run_forever, name="llm-demo-endpoint", daemon=True)
        self._thread.start()

    def start(self, work: Coroutine[None, None, Result]) -> "Future[Result]":
        """Run a coroutine in this server's thread; cancelling the future cancels it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """Break off whatever runs."""
        self.start(self._shut()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _shut(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._client.close()

    async def models(self) -> list[Model]:
        """Return what the server has to offer; ModelError where it cannot be asked."""
        async with self._answered(self._client.models.list) as found:
            return list(found.data)

    async def post(self, route: str, body: Body) -> Mapping[str, object]:
        """Ask a route of the server's own, beside those below `/v1`, such as one that tokenizes."""
        url = urljoin(f"{self._address}/", f"../{route}")
        async with self._answered(lambda: self._client.post(url, cast_to=dict[str, object], body=body)) as found:
            return found

    async def complete(self, body: Body, tell: Tell = unheard) -> Completion:
        """Return a whole completion.

        Args:
            body: of the request; what OpenAI does not define goes into `extra_body`.
            tell: is told the place in line.
        """
        async with self._answered(lambda: self._client.completions.create(stream=False, **body), tell) as found:
            return found

    async def stream(self, body: Body, tell: Tell = unheard) -> AsyncIterator[CompletionChoice]:
        """Yield a completion piece by piece; to close it closes the connection, which tells the server to stop.

        Args:
            body, tell: as for `complete`.

        Raises:
            ModelError: it could not be begun, or broke off before its end.
        """
        finished = False
        async with self._answered(lambda: self._client.completions.create(stream=True, **body), tell) as pieces:
            try:
                async for piece in pieces:
                    for choice in piece.choices:
                        finished = finished or choice.finish_reason is not None
                        yield choice
            except (openai.APIError, ValueError) as error:  # ValueError: what came is no JSON
                raise ModelError("engine_broken") from error
            finally:
                await pieces.close()
        if not finished:
            raise ModelError("engine_broken")

    @asynccontextmanager
    async def _answered(self, ask: Callable[[], Awaitable[Result]], tell: Tell = unheard) -> AsyncIterator[Result]:
        """Ask in turn, and again where nothing came of it; who was refused as too many goes back to the line."""
        tries, refused = 0, False
        while True:
            async with self.line.turn(tell, first=tries > 0 or refused):
                refused = False
                try:
                    answer = await ask()
                except openai.APIStatusError as error:
                    if error.status_code in BUSY:
                        refused = True
                        self.line.refused(_pause(error))
                        continue
                    if error.status_code < 500:
                        raise self._told(error) from error
                    failure = error
                except openai.APIConnectionError as error:
                    if _is_distrusted(error):
                        raise ModelError("engine_certificate") from error
                    failure = error
                else:
                    self.line.taken()
                    yield answer
                    return
            tries += 1
            if tries == TRIES:
                raise self._given_up(failure) from failure
            await asyncio.sleep(PAUSE * 2 ** (tries - 1))

    def _told(self, error: openai.APIStatusError) -> ModelError:
        if error.status_code in NO_ENTRY:
            return ModelError("engine_key")
        return ModelError("engine_refused", reason=self._reason(error))

    def _given_up(self, error: openai.APIError) -> ModelError:
        if isinstance(error, openai.APIStatusError):
            return ModelError("engine_failing", reason=self._reason(error))
        return ModelError("engine_unreachable")

    def _reason(self, error: openai.APIStatusError) -> str:
        """Return a server's own words, and never the key."""
        body = error.body if isinstance(error.body, dict) else {}
        reason = str(body.get("message") or body.get("detail") or error.status_code)
        if self._key:
            reason = reason.replace(self._key, "…")
        return shorten(reason, LONGEST_REASON, placeholder="…")


def _is_distrusted(error: openai.APIConnectionError) -> bool:
    """Tell whether a connection was broken off, with nothing sent, because of the server's certificate."""
    cause: BaseException | None = error
    while cause and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    return cause is not None


def _pause(error: openai.APIStatusError) -> float | None:
    """Return the seconds after which a busy server wants to be asked again; None where it does not say."""
    seconds = error.response.headers.get("retry-after", "")
    return float(seconds) if seconds.isascii() and seconds.isdigit() else None
