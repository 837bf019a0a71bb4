"""Poll: what a class is asked, and what came of it, as plain values that any store can keep."""

from dataclasses import dataclass

from llm_demo.errors import InputError


@dataclass(frozen=True, slots=True)
class NextToken:
    """Which token comes next?

    Attributes:
        prompt: what the model continues.
        forced: tokens after it, where the class has gone on writing with the model's own.
        text: both as one text, to be read by people.
    """

    prompt: str
    forced: tuple[int, ...]
    text: str

    def tidy(self, guess: object, limit: int) -> str:
        """Return a guess without the space around it.

        Raises:
            InputError: it is blank, longer than `limit` characters, or no valid text.
        """
        tidy = guess.strip() if isinstance(guess, str) else ""
        if not tidy:
            raise InputError("room_blank")
        if len(tidy) > limit:
            raise InputError("room_long", limit=limit)
        try:
            tidy.encode()
        except UnicodeEncodeError as error:
            raise InputError("half_character") from error
        return tidy


@dataclass(frozen=True, slots=True)
class WhichLetter:
    """Which letter is right? A question of the quiz, without its answer.

    Attributes:
        text: what is asked.
        options: "A" first.
        question_id, language: where the quiz finds it.
        model: a key of the catalogue, empty for the loaded model.
        category, seed: how the next one is drawn; an empty category means any.
        seen: the ids asked so far, this one too.
    """

    text: str
    options: tuple[str, ...]
    question_id: int
    language: str
    model: str
    category: str
    seed: int
    seen: frozenset[int]

    @property
    def letters(self) -> tuple[str, ...]:
        """The options' letters."""
        return tuple("ABCDEFGHIJ"[: len(self.options)])

    def tidy(self, guess: object, _limit: int) -> str:
        """Return a letter of the question; InputError for anything else."""
        if guess not in self.letters:
            raise InputError("quiz_no_letter", last=self.letters[-1])
        return str(guess)


Question = NextToken | WhichLetter


@dataclass(frozen=True, slots=True)
class Row:
    """One answer that the class or the model gave.

    Attributes:
        name: a letter, or a token decoded alone.
        token_id: None for a letter.
        votes: how many of the class.
        prob: the model's, in [0, 1].
        rank: its place in the model's order, from 1.
        written: what the votes for a token said, the most frequent first: `rojo` where the token is ` ro`.
    """

    name: str
    token_id: int | None
    votes: int
    prob: float
    rank: int
    written: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The class beside the model.

    Attributes:
        rows: by falling probability for tokens, in the alphabet's order for letters; all that got a vote are here.
        votes: answers of the class in all.
        model: its key.
        gold: the right letter; empty for tokens.
        mass: what the model gave the letters together, in [0, 1]; their `prob` divide it up. 1 for tokens.
    """

    rows: tuple[Row, ...]
    votes: int
    model: str
    gold: str = ""
    mass: float = 1.0

    @property
    def first(self) -> Row:
        """What the model finds likeliest."""
        return min(self.rows, key=lambda row: row.rank)

    @property
    def favourite(self) -> Row | None:
        """What most of the class said, of equals what the model finds likelier; None where nobody said anything."""
        return max(self.rows, key=lambda row: (row.votes, -row.rank)) if self.votes else None

    def share(self, row: Row) -> float:
        """Return the class's share of an answer, in [0, 1]; 0 where nobody said anything."""
        return row.votes / self.votes if self.votes else 0.0
