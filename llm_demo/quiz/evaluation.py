"""Evaluation: a model put to many questions, and what its answers add up to."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from llm_demo.errors import InputError
from llm_demo.quiz.reply import REASONED, Reply
from llm_demo.quiz.rows import Question
from llm_demo.quiz.stats import Calibration, calibration, mcnemar_exact
from llm_demo.stats import wilson


@dataclass(frozen=True, slots=True)
class Settings:
    """What is asked of whom, and how.

    Attributes:
        language: of the questions.
        categories: to draw from; empty for all.
        n: questions.
        seed: of their order.
        way: a key of `reply.WAYS`.
        model: a key of the catalogue; empty for the default.
    """

    language: str = "es"
    categories: tuple[str, ...] = ()
    n: int = 20
    seed: int = 0
    way: str = "direct"
    model: str = ""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A run, whole or as far as it has got.

    Attributes:
        settings: as asked for; the language is the questions' own.
        model: key of the model that answers.
        source: (origin, name) of the questions; see `QuestionBank`.
        shots: origin of the worked examples; empty where none were shown.
        number_format: of the model's weights.
        questions: in the order in which they are asked.
        replies: to the first of them.
        seconds: spent on them.
    """

    settings: Settings
    model: str
    source: tuple[str, str]
    shots: str
    number_format: str
    questions: tuple[Question, ...]
    replies: tuple[Reply, ...] = ()
    seconds: float = 0.0

    @property
    def is_whole(self) -> bool:
        """Whether every question has its reply."""
        return len(self.replies) == len(self.questions)


@dataclass(frozen=True, slots=True)
class Share:
    """Right answers among some."""

    right: int
    count: int

    @property
    def value(self) -> float:
        """Of 1; 0 of none."""
        return self.right / self.count if self.count else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's, 95 %."""
        return wilson(self.right, self.count)


@dataclass(frozen=True, slots=True)
class Summary:
    """What the replies of a run add up to.

    Attributes:
        accuracy: an answer without a letter counts as wrong.
        chance: what guessing gets on average, as the number of options differs.
        by_category: in alphabetical order.
        letters: letter -> how often the model chose it; every letter that a question offers is there.
        golds: letter -> how often it was right.
        unparsed: answers without a letter.
        low_mass: answers whose letters got little of the model's probability.
        strict: right by the benchmark's own pattern; None where nothing was reasoned.
        calibration: of the probability of the letter chosen; None where letters were not weighed.
        per_second: questions.
    """

    accuracy: Share
    chance: float
    by_category: tuple[tuple[str, Share], ...]
    letters: dict[str, int]
    golds: dict[str, int]
    unparsed: int
    low_mass: int
    strict: Share | None
    calibration: Calibration | None
    per_second: float


@dataclass(frozen=True, slots=True)
class Paired:
    """Two runs on the questions that they have in common.

    Attributes:
        pairs: the replies of both, question by question.
        both, only_first, only_second, neither: how many questions who got right.
        p_value: of McNemar's exact test.
    """

    pairs: tuple[tuple[Reply, Reply], ...]
    both: int
    only_first: int
    only_second: int
    neither: int
    p_value: float


def share(replies: Iterable[Reply]) -> Share:
    """Count right answers."""
    known = [reply.is_right for reply in replies]
    return Share(sum(known), len(known))


def summarize(evaluation: Evaluation) -> Summary:
    """Add up a run's replies; InputError where there is none yet."""
    replies = evaluation.replies
    if not replies:
        raise InputError("quiz_nothing_yet")
    offered = max((reply.question.letters for reply in replies), key=len)
    chosen = Counter(reply.letter for reply in replies)
    gold = Counter(reply.question.answer for reply in replies)
    categories = sorted({reply.question.category for reply in replies})
    by_category = [(name, [reply for reply in replies if reply.question.category == name]) for name in categories]
    sureness = [(max(reply.scores.probs), reply.is_right) for reply in replies if reply.scores]
    strict = sum(reply.strict == reply.question.answer for reply in replies)
    return Summary(
        accuracy=share(replies),
        chance=sum(1 / len(reply.question.options) for reply in replies) / len(replies),
        by_category=tuple((name, share(mine)) for name, mine in by_category),
        letters={letter: chosen[letter] for letter in offered},
        golds={letter: gold[letter] for letter in offered},
        unparsed=chosen[None],
        low_mass=sum(reply.scores is not None and reply.scores.is_low for reply in replies),
        strict=Share(strict, len(replies)) if evaluation.settings.way in REASONED else None,
        calibration=calibration(sureness) if sureness else None,
        per_second=len(replies) / evaluation.seconds if evaluation.seconds else 0.0,
    )


def compare(first: Sequence[Reply], second: Sequence[Reply]) -> Paired:
    """Pair two runs by question; InputError where they have none in common."""
    others = {reply.question.question_id: reply for reply in second}
    pairs = tuple(
        (reply, others[reply.question.question_id]) for reply in first if reply.question.question_id in others
    )
    if not pairs:
        raise InputError("quiz_no_pairs")
    counts = Counter((mine.is_right, other.is_right) for mine, other in pairs)
    only_first, only_second = counts[True, False], counts[False, True]
    p_value = mcnemar_exact(only_first, only_second)
    return Paired(pairs, counts[True, True], only_first, only_second, counts[False, False], p_value)
