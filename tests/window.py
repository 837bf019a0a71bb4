"""Window: one visitor's page without a browser, over the very HTTP and SSE that Gradio's own JavaScript speaks.

Unlike `gradio_client` it knows the tabs' own events, keeps what the page would keep, and can be closed in mid-stream.
"""

import asyncio
import json
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass

import httpx
from gradio_client.utils import apply_diff

API = "/gradio_api"
KEPT = object()
Values = dict[int, object]  # a component's id -> its value


class TroubleError(Exception):
    """The app answered with trouble: what it said."""


@dataclass(frozen=True, slots=True)
class Event:
    """What a click or a change sets off.

    Attributes:
        number: of the function that runs.
        inputs: ids of the components that it reads.
        outputs: ids of those that it changes.
        queued: whether it goes through the queue.
        cancels: numbers of the running events that it ends.
        trigger: id of the component that was touched; None for the page itself.
    """

    number: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    queued: bool
    cancels: tuple[int, ...]
    trigger: int | None


class Layout:
    """The page as the app serves it to everybody.

    Attributes:
        values: what every component holds when the page opens.
    """

    def __init__(self, config: Mapping) -> None:
        """
        Args:
            config: the answer of `/config`.
        """
        parts = {part["id"]: part["props"] for part in config["components"]}
        self.values: Values = {number: props.get("value") for number, props in parts.items()}
        self._ids = {props["elem_id"]: number for number, props in parts.items() if props.get("elem_id")}
        self._labels = {number: props.get("label") for number, props in parts.items()}
        self._dependencies = config["dependencies"]

    def id(self, name: str) -> int:
        """Return the id of the component with an `elem_id`."""
        return self._ids[name]

    def labelled(self, label: str, events: Sequence[Event]) -> int:
        """Return the id of the component that some events read and a label names."""
        return next(number for event in events for number in event.inputs if self._labels[number] == label)

    def events(self, name: str, kind: str) -> list[Event]:
        """Return what happens when something is done to the component with an `elem_id`."""
        target = [self.id(name), kind]
        firsts = [event for event in self._dependencies if target in event["targets"]]
        return [event for first in firsts for event in self._all(first, target[0])]

    def opening(self) -> list[Event]:
        """Return what happens when the page opens."""
        # The page's own number is 0 where it is the first that its process builds.
        firsts = [event for event in self._dependencies if "load" in (kind for _, kind in event["targets"])]
        return [event for first in firsts for event in self._all(first, None)]

    def _all(self, first: Mapping, trigger: int | None) -> Iterator[Event]:
        """Yield an event and what follows it, as far as the app has a part in it."""
        if first["backend_fn"] or first["cancels"]:
            yield _event(first, trigger)
        for after in self._dependencies:
            if after["trigger_after"] == first["id"]:
                yield from self._all(after, trigger)


def _event(event: Mapping, trigger: int | None) -> Event:
    inputs, outputs, cancels = (tuple(event[name]) for name in ("inputs", "outputs", "cancels"))
    return Event(event["id"], inputs, outputs, event["queue"], cancels, trigger)


class Window:
    """A page opened by one visitor: `async with` it. What still runs at its end is left in mid-stream.

    Attributes:
        values: what its components hold now.
        updates: what else has changed of components, such as the choices of a list, by their properties' names.
        notices: what the app told in passing.
    """

    def __init__(self, client: httpx.AsyncClient, layout: Layout) -> None:
        self._client = client
        self._layout = layout
        self.values = dict(layout.values)
        self.updates: dict[int, dict] = defaultdict(dict)
        self.notices: list[str] = []
        self._session = uuid.uuid4().hex[:12]
        self._running: dict[int, str] = {}  # function -> the queue's name for its run
        self._told: dict[str, asyncio.Queue[dict | Exception]] = defaultdict(asyncio.Queue)  # run -> what it said
        self._waiting: set[str] = set()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> "Window":
        self._tasks["heart"] = asyncio.create_task(self._beat())
        await self.settle(self._layout.opening())
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _beat(self) -> None:
        """Hold the connection whose end tells the app that the visitor is gone."""
        with suppress(httpx.HTTPError):  # the app has ended; whoever waits for an answer is told
            async with self._client.stream("GET", f"{API}/heartbeat/{self._session}", timeout=None) as stream:
                async for _ in stream.aiter_lines():
                    pass

    async def do(self, name: str, kind: str = "click") -> AsyncIterator[Values]:
        """Touch a component and yield what its events answer, as it comes."""
        async with aclosing(self._run(self._layout.events(name, kind))) as answers:
            async for answer in answers:
                yield answer

    async def settle(self, events: Sequence[Event]) -> Values:
        """Run events to their end; returns all that they changed."""
        changed: Values = {}
        async with aclosing(self._run(events)) as answers:
            async for answer in answers:
                changed |= answer
        return changed

    async def set_language(self, code: str) -> Values:
        """Choose a language; returns all that changes with it."""
        self.values[self._layout.id("language")] = code
        return await self.settle(self._layout.events("language", "change"))

    async def stop(self, name: str) -> None:
        """Press a button that ends other events, and let it do what else it does."""
        events = self._layout.events(name, "click")
        for number in {number for event in events for number in event.cancels} & self._running.keys():
            body = {"session_hash": self._session, "fn_index": number, "event_id": self._running[number]}
            (await self._client.post(f"{API}/cancel", json=body)).raise_for_status()
        await self.settle(events)

    async def _run(self, events: Sequence[Event]) -> AsyncIterator[Values]:
        queued: list[tuple[Event, str]] = []
        for event in events:
            if not event.outputs:
                continue
            body = {
                "data": [self.values[number] for number in event.inputs],
                "fn_index": event.number,
                "session_hash": self._session,
                "trigger_id": event.trigger,
                "event_data": None,
            }
            if event.queued:
                run = _json(await self._client.post(f"{API}/queue/join", json=body))["event_id"]
                queued.append((event, run))
                self._running[event.number] = run
                self._waiting.add(run)
                if "stream" not in self._tasks or self._tasks["stream"].done():
                    self._tasks["stream"] = asyncio.create_task(self._listen())
            else:
                yield self._take(event, _json(await self._client.post(f"{API}/run/predict", json=body))["data"])
        for event, run in queued:
            async with aclosing(self._answers(run)) as answers:
                async for data in answers:
                    yield self._take(event, data)
            if self._running.get(event.number) == run:
                del self._running[event.number]

    async def _answers(self, run: str) -> AsyncIterator[list]:
        """Yield what a run answers; after its first answer it sends what changed."""
        grown: list | None = None
        while True:
            message = await self._told[run].get()
            if isinstance(message, Exception):
                raise message
            data = message["output"].get("data", [])
            if not message["success"]:
                raise TroubleError(message["output"].get("error"))
            if message["msg"] == "process_completed":
                if data:  # a run that was stopped answers nothing
                    yield data
                return
            grown = data if grown is None else [apply_diff(*pair) for pair in zip(grown, data, strict=True)]
            yield grown

    async def _listen(self) -> None:
        """Read the session's stream until all its runs are over."""
        query = {"session_hash": self._session}
        try:
            while self._waiting:
                async with self._client.stream("GET", f"{API}/queue/data", params=query) as stream:
                    stream.raise_for_status()
                    async for line in stream.aiter_lines():
                        if line.startswith("data:"):
                            self._hear(json.loads(line.removeprefix("data:")))
        except (httpx.HTTPError, TroubleError) as error:
            for run in self._waiting:
                self._told[run].put_nowait(TroubleError(f"the stream broke off: {error!r}"))

    def _hear(self, message: dict) -> None:
        kind, run = message["msg"], message.get("event_id")
        if kind == "unexpected_error":
            raise TroubleError(message.get("message"))
        if kind == "log":
            self.notices.append(message["log"])
        if kind in ("process_generating", "process_completed"):
            self._told[run].put_nowait(message)
            if kind == "process_completed":
                self._waiting.discard(run)

    def _take(self, event: Event, data: list) -> Values:
        for number, sent in zip(event.outputs, data, strict=True):
            if isinstance(sent, dict) and sent.get("__type__") == "update":
                self.updates[number] |= sent
        changed = dict(zip(event.outputs, map(_value, data), strict=True))
        changed = {number: value for number, value in changed.items() if value is not KEPT}
        self.values |= changed
        return changed


def _value(sent: object) -> object:
    """Return what a component holds after an answer; `KEPT` where it keeps what it had."""
    if isinstance(sent, dict) and sent.get("__type__") == "update":
        return sent.get("value", KEPT)
    return sent


def _json(answer: httpx.Response) -> dict:
    if answer.is_error:
        raise TroubleError(f"{answer.status_code}: {answer.text[:200]}")
    return answer.json()
