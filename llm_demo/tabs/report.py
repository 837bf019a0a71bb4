"""Report: what an evaluation adds up to, as sentences, charts and a table of its questions."""

from html import escape

from llm_demo.charts import (
    Figure,
    ShareBar,
    SurenessLine,
    letter_counts,
    percent,
    share_bars,
    sureness_lines,
)
from llm_demo.i18n import Translate
from llm_demo.quiz.evaluation import Evaluation, summarize
from llm_demo.quiz.reply import REASONED, Reply
from llm_demo.tabs import quizwords

FILTERS = ("all", "right", "wrong", "unparsed", "low_mass")
CUT = 90  # characters of a question in the table


def filters(t: Translate) -> list[tuple[str, str]]:
    """Return the kinds of answers that the table can be limited to."""
    return [(t(f"evaluate_only.{name}"), name) for name in FILTERS]


def filtered(evaluation: Evaluation, only: str) -> list[Reply]:
    """Return the replies of one of `FILTERS`; all of them for any other name."""
    tests = {
        "right": lambda reply: reply.is_right,
        "wrong": lambda reply: not reply.is_right,
        "unparsed": lambda reply: reply.letter is None,
        "low_mass": lambda reply: reply.scores is not None and reply.scores.is_low,
    }
    return [reply for reply in evaluation.replies if tests.get(only, lambda _: True)(reply)]


def name(evaluation: Evaluation, t: Translate) -> str:
    """Return how a run is called in a list; plain text."""
    settings = evaluation.settings
    parts = [evaluation.model, quizwords.AUTONYMS[settings.language], quizwords.way(settings.way, t)]
    parts += [quizwords.category(category, t) for category in settings.categories]
    return " · ".join([*parts, f"n = {len(evaluation.replies)}", t("evaluate.seed_is", seed=settings.seed)])


def progress(evaluation: Evaluation, t: Translate) -> str:
    """Return how far a run is and how long it may still take; safe HTML."""
    done, of = len(evaluation.replies), len(evaluation.questions)
    line = t("evaluate.progress", done=done, of=of)
    if done and not evaluation.is_whole:
        left = evaluation.seconds / done * (of - done)
        line += " · " + t("evaluate.left", seconds=t.number(left))
    return f'<div class="status" role="status">{line}<progress value="{done}" max="{of}"></progress></div>'


def facts(evaluation: Evaluation, t: Translate) -> str:
    """Return the figures and what they must not be mistaken for; safe HTML."""
    summary, settings = summarize(evaluation), evaluation.settings
    origin, source = evaluation.source
    told = [
        t("evaluate.accuracy", share=quizwords.share(summary.accuracy, t)),
        t("evaluate.chance", chance=escape(percent(summary.chance, t))),
        t("evaluate.unparsed", share=escape(percent(summary.unparsed / summary.accuracy.count, t))),
    ]
    if summary.strict:
        told.append(t("evaluate.strict", share=quizwords.share(summary.strict, t)))
    if summary.calibration:
        told.append(t("evaluate.low_mass", share=escape(percent(summary.low_mass / summary.accuracy.count, t))))
        told.append(t("evaluate.error", error=t.number(summary.calibration.error, 2)))
    told.append(t("evaluate.speed", speed=t.number(summary.per_second, 2)))
    low, _ = summary.accuracy.interval
    verdict = t("evaluate.above_chance" if low > summary.chance else "evaluate.not_above_chance")
    label = t(f"evaluate.source_{origin}", name=escape(source), format=escape(evaluation.number_format))
    notes = [f"<p>{verdict}</p>", f'<p class="hint">{escape(name(evaluation, t))}. {label}</p>']
    if evaluation.shots == "bundled":
        notes.append(f'<p class="hint">{t("quiz.own_shots")}</p>')
    key = "evaluate.published_cot" if settings.way in REASONED else "evaluate.published_direct"
    notes.append(f'<p class="hint">{t(key)}</p>')
    return f'<div class="facts">{"".join(f"<span>{each}</span>" for each in told)}</div>{"".join(notes)}'


def charts(evaluation: Evaluation, t: Translate) -> tuple[Figure, Figure, Figure | None]:
    """Return accuracy by category, letters chosen, and sureness against success where letters were weighed."""
    summary = summarize(evaluation)
    bars = [
        ShareBar(quizwords.category(category, t), each.value, *each.interval, each.count)
        for category, each in (*summary.by_category, (t("quiz.all"), summary.accuracy))
    ]
    fits = summary.calibration
    line = [SurenessLine(t("quiz.score_model"), [(b.sureness, b.right, b.count) for b in fits.bins])] if fits else []
    return (
        share_bars(bars, summary.chance, t),
        letter_counts(summary.letters, summary.golds, t),
        sureness_lines(line, t) if fits else None,
    )


def table(evaluation: Evaluation, only: str, t: Translate) -> str:
    """Return the questions, each with its answer and to be clicked; safe HTML."""
    rows = filtered(evaluation, only)
    if not rows:
        return f'<p class="hint">{t("evaluate.none")}</p>'
    keys = ("evaluate.col_question", "quiz.category", "evaluate.col_gold", "evaluate.col_model", "quiz.col_prob")
    head = "".join(f"<th>{escape(t(key))}</th>" for key in keys)
    body = "".join(_row(place, reply, t) for place, reply in enumerate(rows))
    hint = t("evaluate.open_hint", count=len(rows))
    return f'<p class="hint">{hint}</p><div class="tokens-table questions"><table><tr>{head}</tr>{body}</table></div>'


def opened(reply: Reply, t: Translate) -> str:
    """Return one question with its options and everything the model said; safe HTML."""
    question = reply.question
    options = "".join(
        f"<li>{_marks(letter, reply)} <b>{letter}</b>. {quizwords.option(question, letter)}"
        f"{_prob(letter, reply, t)}</li>"
        for letter in question.letters
    )
    said = quizwords.mass(reply, t) if reply.scores else quizwords.written(reply, t)
    return (
        f'<div class="opened"><p class="hint">{question.question_id} · '
        f"{escape(quizwords.category(question.category, t))}</p>"
        f'<p class="question" dir="{quizwords.direction(question.language)}">{escape(question.question)}</p>'
        f'<ul class="options">{options}</ul><p class="verdict">{quizwords.verdict(reply, t)}</p>{said}</div>'
    )


def _row(place: int, reply: Reply, t: Translate) -> str:
    question = reply.question
    text = question.question if len(question.question) <= CUT else question.question[: CUT - 1] + "…"
    letter = reply.letter or t("evaluate.no_letter")
    prob = escape(percent(max(reply.scores.probs), t)) if reply.scores else "—"
    return (
        f'<tr data-i="{place}"><td><button type="button" class="open" dir="{quizwords.direction(question.language)}">'
        f"{escape(text)}</button></td><td>{escape(quizwords.category(question.category, t))}</td>"
        f"<td>{question.answer}</td><td>{'✓' if reply.is_right else '✗'} {escape(letter)}</td><td>{prob}</td></tr>"
    )


def _marks(letter: str, reply: Reply) -> str:
    marks = ("✓" if letter == reply.question.answer else "") + ("▶" if letter == reply.letter else "")
    return marks or "·"


def _prob(letter: str, reply: Reply, t: Translate) -> str:
    if not reply.scores:
        return ""
    return f" — {escape(percent(reply.scores.probs[reply.scores.letters.index(letter)], t))}"
