"""Soak: many visitors at once for minutes, each answer compared with what the same visitor gets alone.

    python -m tests.soak --visitors 30 --minutes 10

starts `python app.py` on the embedded model, speaks to 127.0.0.1 alone and stops by itself. Its exit code is 1 where
an answer was an error, another visitor's or another one than alone, where work was left behind, or where memory grew:
everybody comes twice for half of the time, and what the app holds when all have gone is compared.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import httpx

from tests.errands import ERRANDS, LANGUAGES, Errand, Told, ask, call_of, foreign, is_beginning_of, tokens_in, told
from tests.served import Served, serve
from tests.window import Layout, TroubleError, Window

MAX_VISITORS, MAX_MINUTES = 100, 60
FLAT = 1.05  # times what the app holds after the first crowd may be held after the second
LONG_ENOUGH = 5.0  # minutes of both together: in less, memory still grows to what a crowd needs
IDLE = 0.2  # of a core: what the app may still use once everybody has gone
GONE_SECONDS = 20.0  # until it may use no more than that
TIMEOUT = httpx.Timeout(900)

# How a visitor behaves with something that grows, and how often.
MANNERS = {"waits": 6, "stops": 2, "leaves": 2}


class LeftError(Exception):
    """The visitor closed the page in mid-stream."""


@dataclass(slots=True)
class Report:
    """What was seen.

    Attributes:
        first, whole: seconds from a click to the first token and to the end, by errand.
        errors: what the app said that it should not have said.
        mixed: answers that were not those of the visitor alone.
        done: errands by how they ended.
        rests: megabytes held when everybody had gone, after each crowd.
    """

    first: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    whole: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    rests: list[float] = field(default_factory=list)
    tokens: int = 0


class Visitor:
    """One person, with prompts and seeds of their own, and what each gives when nobody else is there."""

    def __init__(self, number: int, client: httpx.AsyncClient, layout: Layout, report: Report) -> None:
        self._number = number
        self._client = client
        self._layout = layout
        self._report = report
        self._language = LANGUAGES[number % len(LANGUAGES)]
        self._chance = random.Random(number)
        # Everybody chats and decodes; the other tabs are shared out.
        others = [errand for errand in ERRANDS if not errand.grows]
        self._errands = [*(errand for errand in ERRANDS if errand.grows), others[number % len(others)]]
        self._alone: dict[str, Told] = {}
        self._called: object = None

    async def learn(self) -> None:
        """Do one's errands once, with nobody else there."""
        async with Window(self._client, self._layout) as window:
            await window.set_language(self._language)
            for errand in self._errands:
                self._alone[errand.name] = await self._do(window, errand, "waits")
        self._called = await ask(self._client, *call_of(self._number))

    async def live(self, until: float, pause: float) -> None:
        """Come, do some errands, go, and come again; never raises."""
        await asyncio.sleep(self._chance.uniform(0, pause))
        while time.monotonic() < until:
            try:
                await self._visit(until, pause)
            except LeftError:
                self._report.done["left in mid-stream"] += 1
            except (TroubleError, httpx.HTTPError) as error:
                self._report.errors.append(f"visitor {self._number}: {error!r}")

    async def _visit(self, until: float, pause: float) -> None:
        async with Window(self._client, self._layout) as window:
            await window.set_language(self._language)
            for errand in self._chance.sample(self._errands, len(self._errands)):
                if time.monotonic() > until:
                    return
                manner = self._chance.choices(list(MANNERS), list(MANNERS.values()))[0] if errand.stop else "waits"
                seen = await self._do(window, errand, manner)
                self._compare(errand, seen, manner)
                if errand.grows and self._chance.random() < 0.3:
                    await self._speak_otherwise(window, errand, seen)
                await asyncio.sleep(self._chance.expovariate(1 / pause))
        name, values = call_of(self._number)
        begun = time.monotonic()
        answer = await ask(self._client, name, values)
        self._report.whole[f"/{name}"].append(time.monotonic() - begun)
        self._report.done["endpoint"] += 1
        self._report.tokens += tokens_in(answer)
        if answer != self._called:
            self._report.mixed.append(f"visitor {self._number}: /{name} gave another answer than alone")

    async def _do(self, window: Window, errand: Errand, manner: str) -> Told:
        """Do one errand; returns what was told at last."""
        await errand.prepare(window, self._layout, self._number, self._language)
        patience = self._chance.randint(2, 5)  # answers until a visitor who does not wait has had enough
        begun, count, seen = time.monotonic(), 0, {}
        async for answer in window.do(errand.run):
            count += 1
            if stranger := foreign(answer, self._number):
                self._report.mixed.append(f"visitor {self._number}: {errand.name} showed {stranger}")
            if errand.grows and not seen and told(answer, errand):
                self._report.first[errand.name].append(time.monotonic() - begun)
            seen |= told(answer, errand)
            if manner != "waits" and count == patience:
                if manner == "leaves":
                    raise LeftError
                await window.stop(errand.stop)
        if manner == "waits":
            self._report.whole[errand.name].append(time.monotonic() - begun)
        self._report.done[f"{manner}"] += 1
        self._report.tokens += sum(map(len, seen.values())) if errand.grows else 0
        return seen

    def _compare(self, errand: Errand, seen: Told, manner: str) -> None:
        alone = self._alone[errand.name]
        same = seen == alone if manner == "waits" else is_beginning_of(seen, alone) or not errand.grows
        if not same:
            self._report.mixed.append(f"visitor {self._number}: {errand.name} ({manner}) was not as alone")

    async def _speak_otherwise(self, window: Window, errand: Errand, seen: Told) -> None:
        """Change the language there and back: what is shown again comes from what the app keeps for this visitor."""
        for language in (*(code for code in LANGUAGES if code != self._language), self._language):
            again = told(await window.set_language(language), errand)
            # Words have changed; tokens and their probabilities must not have. What has none is not shown again.
            if seen and {place: again.get(place) for place in seen} != seen:
                self._report.mixed.append(f"visitor {self._number}: {errand.name} changed with the language")
        self._report.done["language changed"] += 2


async def soak(served: Served, visitors: int, minutes: float, pause: float) -> Report:
    """Let everybody in, one by one and then twice together; returns what was seen."""
    report = Report()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=visitors)
    async with httpx.AsyncClient(base_url=served.url, timeout=TIMEOUT, limits=limits) as client:
        layout = Layout((await client.get("/config")).json())
        crowd = [Visitor(number, client, layout, report) for number in range(visitors)]
        print(f"memory at the start: {served.memory:.0f} MB", flush=True)
        began = time.monotonic()
        for visitor in crowd:
            await visitor.learn()
        print(f"everybody alone took {time.monotonic() - began:.0f} s; memory now {served.memory:.0f} MB", flush=True)
        for name, seconds in sorted(report.first.items()):
            print(f"  {name}: first token alone {spread(seconds)}", flush=True)
        report = fresh(crowd)
        before = served.threads, served.files
        took = 0.0
        for _ in range(2):
            began = time.monotonic()
            until = began + 30 * minutes
            watching = asyncio.create_task(watch(served, report, began, until))
            await asyncio.gather(*(visitor.live(until, pause) for visitor in crowd))
            await watching
            took += time.monotonic() - began
            idle = await asyncio.to_thread(served.settle, IDLE, GONE_SECONDS)
            report.rests.append(served.memory)
            print(f"memory when all have gone: {report.rests[-1]:.0f} MB", flush=True)
        tell(report, took)
    print(f"threads {before[0]} -> {served.threads}, open files {before[1]} -> {served.files}")
    print(f"with everybody gone the app uses {idle:.2f} of a core; waiting in the queue: {served.queued}")
    if idle > IDLE or served.queued:
        report.errors.append("work was left behind")
    if not served.runs:
        report.errors.append("the app has ended")
    if minutes >= LONG_ENOUGH and report.rests[1] > FLAT * report.rests[0]:
        report.errors.append("memory has grown from the first crowd to the second")
    report.errors += served.tracebacks
    return report


def fresh(crowd: list[Visitor]) -> Report:
    """Give everybody a new report to write into."""
    report = Report()
    for visitor in crowd:
        visitor._report = report
    return report


async def watch(served: Served, report: Report, began: float, until: float) -> None:
    """Tell the memory every minute, as long as visitors come."""
    while (now := time.monotonic()) < until:
        minute, errands = (now - began) / 60, sum(report.done.values())
        print(f"minute {minute:4.1f}: {served.memory:.0f} MB, {errands} errands", flush=True)
        await asyncio.sleep(min(60, until - now))


def spread(seconds: list[float]) -> str:
    """Return the median and the 95th percentile."""
    parts = quantiles(seconds, n=20) if len(seconds) > 1 else seconds * 19
    return f"p50 {parts[9]:6.2f} s, p95 {parts[18]:6.2f} s, n {len(seconds)}"


def tell(report: Report, seconds: float) -> None:
    """Print what was seen."""
    print(f"errands: {dict(report.done)}, in {seconds:.0f} s")
    every = [one for several in report.first.values() for one in several]
    if every:
        print(f"first token: {spread(every)}")
    for kind, measured in (("first token", report.first), ("whole answer", report.whole)):
        for name, took in sorted(measured.items()):
            print(f"  {kind} {name}: {spread(took)}")
    print(f"tokens shown: {report.tokens}, {report.tokens / seconds:.1f} a second")


def main(arguments: list[str]) -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=30)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--pause", type=float, default=4, help="seconds that a visitor looks at an answer, on average")
    chosen = parser.parse_args(arguments)
    if not (1 <= chosen.visitors <= MAX_VISITORS and 0 < chosen.minutes <= MAX_MINUTES and chosen.pause > 0):
        parser.error(f"from 1 to {MAX_VISITORS} visitors, for at most {MAX_MINUTES} minutes, with a pause")
    # On a slow machine thirty people wait longer than a job may take; that would be its bound at work, and no fault.
    patient = {"LLM_DEMO_JOB_SECONDS": "900", "LLM_DEMO_QUIZ_SECONDS": "900"}
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder), **patient) as served:
        report = asyncio.run(soak(served, chosen.visitors, chosen.minutes, chosen.pause))
    for trouble in (*report.errors, *report.mixed):
        print(trouble)
    print(f"errors: {len(report.errors)}, mixed: {len(report.mixed)}")
    return int(bool(report.errors or report.mixed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
