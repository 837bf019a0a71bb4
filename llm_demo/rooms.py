"""Rooms: where a class answers a question together. In memory, bounded, gone after two hours.

Nothing personal is kept: no names, no addresses. Of a student there is a hash that means something in this room alone,
so that a second answer takes the place of the first.
"""

import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Literal, Protocol

from llm_demo.config import Config
from llm_demo.errors import InputError
from llm_demo.poll import Outcome, Question

LETTERS = "ACDEFGHJKMNPQRTUVWXY34679"  # none looks like another: no 0 and O, no 1 and I and L, no 2 and Z
CODE_LENGTH = 8  # 25 ** 8 codes: nobody finds a room by trying
IDLE_SECONDS = 600  # after which a room may have to make place for another

Phase = Literal["open", "counting", "revealed"]


@dataclass(frozen=True, slots=True)
class Ticket:
    """What opens a room to its instructor.

    Attributes:
        code: the room's, which everybody in it knows.
        secret: the instructor's alone.
    """

    code: str
    secret: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.code}.{self.secret}"

    @classmethod
    def parse(cls, text: str) -> "Ticket":
        """Take back what `str` gave; anything else is a ticket to no room."""
        code, _, secret = text.partition(".")
        return cls(code, secret)


@dataclass(frozen=True, slots=True)
class View:
    """What a student may see of a room.

    Attributes:
        number: of the question, from 1.
        question: what is asked.
        phase: `open` to answers, `counting` them, or `revealed`.
        guess: the student's own; empty where there is none.
        outcome: None until it is revealed.
    """

    number: int
    question: Question
    phase: Phase
    guess: str
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class Ballot:
    """The answers to one question, no more of which are taken; in no order that tells who they are of."""

    number: int
    question: Question
    guesses: tuple[str, ...]


class Rooms(Protocol):
    """The store of all rooms. A room that is unknown, closed or too old is one and the same: InputError `room_gone`."""

    def open(self, question: Question) -> Ticket:
        """Open a room with its first question; InputError where there are too many."""
        ...

    def ask(self, ticket: Ticket, question: Question) -> None:
        """Put the next question; the answers to the one before are forgotten."""
        ...

    def guess(self, code: str, number: int, visitor: str, text: object) -> None:
        """Take a visitor's answer, in place of the one before.

        Args:
            code: the room's.
            number: of the question that it answers.
            visitor: tells one from another; only a hash of it is kept.
            text: what was written, or a letter.

        Raises:
            InputError: not an answer to the question, which may be another by now; too late; or the room is full.
        """
        ...

    def view(self, code: str, visitor: str = "") -> View:
        """Return what a student may see."""
        ...

    def count(self, ticket: Ticket) -> int:
        """Return how many answers have arrived."""
        ...

    def freeze(self, ticket: Ticket) -> Ballot:
        """Take no more answers, and return those that came."""
        ...

    def reveal(self, ticket: Ticket, number: int, outcome: Outcome) -> None:
        """Show everybody what came of a frozen question; nothing where another has been asked meanwhile."""
        ...

    def close(self, ticket: Ticket) -> None:
        """Forget a room."""
        ...


@dataclass(slots=True)
class _Room:
    secret: str
    question: Question
    opened: float
    heard: float  # when its instructor was last here
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    number: int = 1
    phase: Phase = "open"
    guesses: dict[bytes, str] = field(default_factory=dict)
    outcome: Outcome | None = None

    def key(self, visitor: str) -> bytes:
        return blake2b(visitor.encode("utf-8", "replace"), key=self.salt, digest_size=16).digest()


class MemoryRooms:
    """Rooms in the memory of this process.

    Bounds: `max_rooms`, `max_room_guesses`, `max_guess_chars` and `room_seconds` of the config. Where all rooms are
    taken, the one whose instructor has been away longest makes place, if that is longer than `IDLE_SECONDS`.
    """

    def __init__(self, config: Config, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._clock = clock
        self._rooms: dict[str, _Room] = {}
        self._lock = threading.Lock()

    def open(self, question: Question) -> Ticket:
        """See `Rooms.open`."""
        with self._lock:
            now = self._clock()
            self._sweep(now)
            if len(self._rooms) >= self._config.max_rooms:
                idle = min(self._rooms, key=lambda code: self._rooms[code].heard)
                if now - self._rooms[idle].heard <= IDLE_SECONDS:
                    raise InputError("rooms_full", limit=self._config.max_rooms)
                del self._rooms[idle]
            code = _code()
            while code in self._rooms:
                code = _code()
            room = self._rooms[code] = _Room(secrets.token_urlsafe(16), question, opened=now, heard=now)
            return Ticket(code, room.secret)

    def ask(self, ticket: Ticket, question: Question) -> None:
        """See `Rooms.ask`."""
        with self._lock:
            room = self._own(ticket)
            room.question, room.outcome, room.phase = question, None, "open"
            room.number += 1
            room.guesses.clear()

    def guess(self, code: str, number: int, visitor: str, text: object) -> None:
        """See `Rooms.guess`."""
        with self._lock:
            room = self._room(code)
            if number != room.number:
                raise InputError("room_moved")
            if room.phase != "open":
                raise InputError("room_late")
            tidy = room.question.tidy(text, self._config.max_guess_chars)
            key = room.key(visitor)
            if key not in room.guesses and len(room.guesses) >= self._config.max_room_guesses:
                raise InputError("room_full", limit=self._config.max_room_guesses)
            room.guesses[key] = tidy

    def view(self, code: str, visitor: str = "") -> View:
        """See `Rooms.view`."""
        with self._lock:
            room = self._room(code)
            guess = room.guesses.get(room.key(visitor), "")
            return View(room.number, room.question, room.phase, guess, room.outcome)

    def count(self, ticket: Ticket) -> int:
        """See `Rooms.count`."""
        with self._lock:
            return len(self._own(ticket).guesses)

    def freeze(self, ticket: Ticket) -> Ballot:
        """See `Rooms.freeze`."""
        with self._lock:
            room = self._own(ticket)
            if room.phase == "open":
                room.phase = "counting"
            return Ballot(room.number, room.question, tuple(sorted(room.guesses.values())))

    def reveal(self, ticket: Ticket, number: int, outcome: Outcome) -> None:
        """See `Rooms.reveal`."""
        with self._lock:
            room = self._own(ticket)
            if room.number == number and room.phase != "open":
                room.outcome, room.phase = outcome, "revealed"

    def close(self, ticket: Ticket) -> None:
        """See `Rooms.close`."""
        with self._lock:
            self._own(ticket)
            del self._rooms[ticket.code]

    def _room(self, code: str) -> _Room:
        self._sweep(self._clock())
        room = self._rooms.get(code)
        if room is None:
            raise InputError("room_gone", minutes=self._config.room_seconds // 60)
        return room

    def _own(self, ticket: Ticket) -> _Room:
        room = self._room(ticket.code)
        if not hmac.compare_digest(ticket.secret.encode("utf-8", "replace"), room.secret.encode()):
            raise InputError("room_secret")
        room.heard = self._clock()
        return room

    def _sweep(self, now: float) -> None:
        for code in [code for code, room in self._rooms.items() if now - room.opened >= self._config.room_seconds]:
            del self._rooms[code]


def _code() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
