"""Score: what a visitor and the model have got right so far, and how well each one's sureness fits."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

from llm_demo.charts import Figure, SurenessLine, sureness_lines
from llm_demo.i18n import Translate
from llm_demo.quiz.dataset import Question
from llm_demo.quiz.evaluation import Share
from llm_demo.quiz.quiz import Answered
from llm_demo.quiz.stats import calibration
from llm_demo.tabs import quizwords

ENOUGH = 10  # answers from which calibration is shown: fewer say nothing


@dataclass(frozen=True, slots=True)
class Played:
    """One question answered by both.

    Attributes:
        language, category: of the question.
        visitor, model: whether each was right.
        sureness: the visitor's, in [0, 1]; None where they did not say.
        model_sureness: the probability of the model's letter among the letters.
    """

    language: str
    category: str
    visitor: bool
    model: bool
    sureness: float | None
    model_sureness: float


@dataclass(frozen=True, slots=True)
class Game:
    """Where one visitor stands. Kept on the server: the gold letter never travels before the guess.

    Attributes:
        question: on the screen; None before the first.
        answered: its answers, once they are in.
        seen: ids of the questions shown.
        played: what was answered, in order.
        category: the one that questions are drawn from; empty for all.
    """

    question: Question | None = None
    answered: Answered | None = None
    seen: frozenset[int] = frozenset()
    played: tuple[Played, ...] = ()
    category: str = ""


def facts(played: Sequence[Played], t: Translate) -> str:
    """Return both scores with their intervals, then by category and language; safe HTML."""
    if not played:
        return f'<p class="hint">{t("quiz.no_score")}</p>'
    lines = [
        f"<span>{t('quiz.score_visitor')} {_share((one.visitor for one in played), t)}</span>",
        f"<span>{t('quiz.score_model')} {_share((one.model for one in played), t)}</span>",
    ]
    shown = f'<div class="facts">{"".join(lines)}</div>'
    rows = [
        *_rows(played, lambda one: quizwords.category(one.category, t)),
        *_rows(played, lambda one: quizwords.AUTONYMS[one.language]),
    ]
    if len(played) < 2:
        return shown
    head = f"<tr><th></th><th>n</th><th>{t('quiz.score_visitor')}</th><th>{t('quiz.score_model')}</th></tr>"
    body = "".join(
        f"<tr><td>{escape(name)}</td><td>{len(mine)}</td><td>{sum(one.visitor for one in mine)}</td>"
        f"<td>{sum(one.model for one in mine)}</td></tr>"
        for name, mine in rows
    )
    table = f'<div class="tokens-table wraps"><table>{head}{body}</table></div>'
    return shown + f"<details><summary>{t('quiz.score_details')}</summary>{table}</details>"


def chart(played: Sequence[Played], t: Translate) -> Figure | None:
    """Return how sureness fits success, once there are enough answers."""
    mine = [(one.sureness, one.visitor) for one in played if one.sureness is not None]
    models = [(one.model_sureness, one.model) for one in played]
    lines = [
        SurenessLine(t(name), [(each.sureness, each.right, each.count) for each in calibration(answers).bins])
        for name, answers in (("quiz.score_visitor", mine), ("quiz.score_model", models))
        if len(answers) >= ENOUGH
    ]
    return sureness_lines(lines, t) if lines else None


def _share(right: Iterable[bool], t: Translate) -> str:
    known = list(right)
    return quizwords.share(Share(sum(known), len(known)), t)


def _rows(played: Sequence[Played], name: Callable[[Played], str]) -> list[tuple[str, list[Played]]]:
    names = sorted({name(one) for one in played})
    return [(each, [one for one in played if name(one) == each]) for each in names]
