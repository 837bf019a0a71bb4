"""Line: whoever a busy server cannot take yet, in the order of arrival."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

FIRST_PAUSE = 0.5  # seconds; each further refusal doubles it
LONGEST_PAUSE = 30.0

Tell = Callable[[int], None]  # is told a place, from 1


def unheard(_place: int) -> None:
    """Take a place that nobody wants to know."""


@dataclass(slots=True, eq=False)
class _Ticket:
    tell: Tell
    place: int = 0
    called: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Line:
    """Lets at most `room` in at once. While the server refuses, the first in line alone knocks, ever more patiently.

    To be used in one event loop.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._inside = 0
        self._waiting: list[_Ticket] = []
        self._refusals = 0  # in a row; none while the server takes what it is sent
        self._knocking = False  # whether somebody is inside to find out whether it takes more
        self._clock: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def turn(self, tell: Tell, first: bool = False) -> AsyncIterator[None]:
        """Wait for a place inside, and leave it in the end.

        Args:
            tell: is told the place in line whenever it changes.
            first: whether to stand before all others, as one whom the server has just refused.
        """
        ticket = _Ticket(tell)
        self._waiting.insert(0 if first else len(self._waiting), ticket)
        self._let_in()
        try:
            await ticket.called
        except asyncio.CancelledError:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                self._number()
            else:  # called and cancelled at once
                self._leave()
            raise
        try:
            yield
        finally:
            self._leave()

    def taken(self) -> None:
        """The server took a request: whoever waits may come."""
        self._refusals, self._knocking = 0, False
        self._let_in()

    def refused(self, pause: float | None = None) -> None:
        """The server is busy: nobody comes in for some seconds, those that it named or ever more of them."""
        if self._clock:  # others of the same rush were refused too
            return
        self._refusals += 1
        self._knocking = False
        growing = FIRST_PAUSE * 2 ** (self._refusals - 1) * random.uniform(0.8, 1.2)  # not all apps in step
        pause = min(growing if pause is None else pause, LONGEST_PAUSE)
        self._clock = asyncio.get_running_loop().call_later(pause, self._knock)

    def _knock(self) -> None:
        self._clock = None
        self._let_in()

    def _leave(self) -> None:
        self._inside -= 1
        if self._refusals and not self._clock:
            self._knocking = False  # there may be room now, or whoever knocked has gone without an answer
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self._inside < self._room and not self._clock and not self._knocking:
            self._knocking = self._refusals > 0
            self._inside += 1
            self._waiting.pop(0).called.set_result(None)
        self._number()

    def _number(self) -> None:
        for place, ticket in enumerate(self._waiting, start=1):
            if place != ticket.place:
                ticket.place = place
                ticket.tell(place)
