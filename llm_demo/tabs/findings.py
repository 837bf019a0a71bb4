"""Findings: an experiment told as a verdict, a table of rates, texts beside each other, charts. Values in, HTML out."""

from collections.abc import Sequence
from html import escape

from llm_demo.ablation.differences import departure, differences
from llm_demo.ablation.experiment import Answer, Result
from llm_demo.ablation.grid import Column, Rate, contrasts
from llm_demo.ablation.run import Progress
from llm_demo.ablation.variants import Variant
from llm_demo.ablation.worth import noise, worths
from llm_demo.adherence import PATTERN_SECONDS, Check
from llm_demo.charts import Figure, WorthBar, first_bars, heat_map, percent, signed, worth_bars
from llm_demo.i18n import Translate
from llm_demo.sampling import Sampling
from llm_demo.tokens import visible

MOST_SENTENCES = 6  # about checks in a verdict
TAGS = {"same": "span", "new": "ins", "gone": "del"}


def name_of(variant: Variant, t: Translate) -> str:
    """Return what a variant is called; plain text."""
    return t(f"ablation.{variant.kind}", part=variant.part)


def check_name(check: Check, t: Translate) -> str:
    """Return what a check asks for, in a few words; plain text."""
    return t(f"check_short.{check.kind}", value=check.value)


def way(sampling: Sampling, t: Translate) -> str:
    """Return how an answer comes about, in a word or two; plain text."""
    return t("ablation.seed", seed=sampling.seed) if sampling.draws else t("ablation.greedy")


def going(picture: Progress, t: Translate) -> str:
    """Return safe HTML: how far a run is; empty at its end."""
    if picture.stage == "done":
        return ""
    words = t(f"ablation.stage_{picture.stage}", done=picture.done, of=picture.of)
    bar = f'<progress value="{picture.done}" max="{picture.of}"></progress>'
    return f'<div class="status" role="status">{words}{bar}</div>'


def verdict(result: Result, columns: Sequence[Column], t: Translate) -> str:
    """Return safe HTML: what the figures say, and nothing that they do not."""
    sentences = [*_obeyed(result, columns, t)[:MOST_SENTENCES], *_weighed(result, t)]
    return "".join(f'<p class="verdict">{sentence}</p>' for sentence in sentences)


def _obeyed(result: Result, columns: Sequence[Column], t: Translate) -> list[str]:
    found = [
        t(
            "ablation.told_check",
            part=_bold(contrast.check.part),
            check=_bold(check_name(contrast.check, t)),
            without=contrast.without.passed,
            without_of=contrast.without.of,
            passed=contrast.with_it.passed,
            of=contrast.with_it.of,
        )
        for contrast in contrasts(result, list(columns))
    ]
    if found:
        return found
    for column in columns:
        rates = [
            t("ablation.told_rate", variant=_bold(name_of(variant, t)), passed=rate.passed, of=rate.of)
            for variant, rate in zip(result.experiment.variants, column.rates, strict=True)
            if rate.of
        ]
        if rates:
            found.append(f"{_bold(check_name(column.check, t))}: {'; '.join(rates)}.")
    return found


def _weighed(result: Result, t: Translate) -> list[str]:
    parts = [worth for worth in worths(result) if worth.variant.kind == "without"]
    if not parts:
        return []
    most, band = max(parts, key=lambda worth: worth.nats), noise(result)
    if most.nats <= 0:
        return [t("ablation.no_effect")]
    told = [t("ablation.most", part=_bold(most.variant.part), nats=t.number(most.nats, 1))]
    if band is not None:
        lost = [worth.variant.part for worth in parts if abs(worth.nats) <= band]
        names = ", ".join(map(_bold, lost))
        words = t("ablation.in_noise", parts=names) if lost else t("ablation.above_noise")
        told.append(t("ablation.noise", nats=t.number(band, 1)) + " " + words)
    return told


def rates(result: Result, columns: Sequence[Column], t: Translate) -> str:
    """Return safe HTML: a row for each variant, with its rates, what it cost the answer, and its first token."""
    if not any(result.answers):
        return ""
    cost = {worth.variant.name: worth.nats for worth in worths(result)}
    heads = [f"<b>{escape(check_name(c.check, t))}</b><br>{escape(c.check.part)}" for c in columns]
    heads += [f"<b>{t('ablation.cost')}</b><br>nats", f"<b>{t('ablation.divergence')}</b><br>bits"]
    lines = []
    for number, variant in enumerate(result.experiment.variants):
        cells = [_rate(column.rates[number], t) for column in columns]
        cells.append(signed(-cost[variant.name], 1, t) if variant.name in cost else "–")
        cells.append(t.number(result.first[number].bits, 3) if number < len(result.first) else "–")
        lines.append(f"<tr><th>{escape(name_of(variant, t))}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    slow = [
        f'<p class="hint">{escape(t("errors.check_slow", value=c.check.value[:60], seconds=PATTERN_SECONDS))}</p>'
        for c in columns
        if c.slow
    ]
    return (
        f'<div class="wide" tabindex="0"><table class="rates"><thead><tr><th>{t("ablation.variant")}</th>'
        f"{''.join(f'<th>{head}</th>' for head in heads)}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
        f'<p class="hint">{t("ablation.rates_hint")}</p>{"".join(slow)}'
    )


def _rate(rate: Rate, t: Translate) -> str:
    if not rate.of:
        return "–"
    ends = escape(t("ablation.interval", low=percent(rate.low, t), high=percent(rate.high, t)))
    share = rate.passed / rate.of
    return (
        f"<b>{t('ablation.of', passed=rate.passed, of=rate.of)}</b>"
        f'<span class="interval" style="--low:{rate.low:.3f};--high:{rate.high:.3f};--at:{share:.3f}"></span>'
        f"<small>{ends}</small>"
    )


def texts(result: Result, columns: Sequence[Column], number: int, t: Translate) -> str:
    """Return safe HTML: one answer of every variant, beside that of the first one word by word.

    Args:
        result: whole or partial.
        columns: its checks; none while it runs.
        number: which answer of each.
        t: the visitor's language.
    """
    reference = _answer(result, 0, number)
    cards = []
    for place, variant in enumerate(result.experiment.variants):
        answer = _answer(result, place, number)
        body = f'<p class="hint">{t("ablation.not_yet")}</p>'
        if answer and reference:
            body = _marks(columns, place, number, t) + _compared(reference, answer, place, t)
        again = t("ablation.again") if answer and answer.sampling.draws else t("ablation.again_greedy")
        cards.append(
            f'<section class="answer" id="ablation-card-{place}"><h3>{escape(name_of(variant, t))}</h3>{body}'
            f"<details><summary>{t('ablation.sent')}</summary>"
            f"<div class='read'>{escape(variant.prompt)}</div></details>"
            f'<button type="button" class="again" data-i="{place}"{"" if answer else " disabled"}>↻ {again}</button>'
            "</section>"
        )
    return f'<div class="answers-side">{"".join(cards)}</div>'


def _answer(result: Result, place: int, number: int) -> Answer | None:
    answers = result.answers[place]
    return answers[number] if 0 <= number < len(answers) else None


def _marks(columns: Sequence[Column], place: int, number: int, t: Translate) -> str:
    marks = []
    for column in columns:
        mark = column.marks[place][number] if number < len(column.marks[place]) else None
        if mark is not None:
            sign, kind = ("✓", "yes") if mark else ("✕", "no")
            marks.append(f'<span class="mark {kind}">{sign} {escape(check_name(column.check, t))}</span>')
    return f'<p class="marks">{" ".join(marks)}</p>' if marks else ""


def _compared(reference: Answer, answer: Answer, place: int, t: Translate) -> str:
    if not place:
        words = f"<span>{escape(answer.text)}</span>"
        told = f"{way(answer.sampling, t)} · {t(f'trace.{answer.finish_reason}')}"
    else:
        pieces = differences(reference.text, answer.text)
        words = "".join(f"<{TAGS[piece.kind]}>{escape(piece.text)}</{TAGS[piece.kind]}>" for piece in pieces)
        told = f"{way(answer.sampling, t)} · {t(f'trace.{answer.finish_reason}')} · {_parts(reference, answer, t)}"
    return f'<div class="said" tabindex="0">{words}</div><p class="hint">{told}</p>'


def _parts(reference: Answer, answer: Answer, t: Translate) -> str:
    place = departure(reference.token_ids, answer.token_ids)
    if place is None:
        return t("ablation.same_text")
    pieces = [one.pieces[place] if place < len(one.pieces) else None for one in (answer, reference)]
    mine, its = (t("versus.over") if piece is None else f"<b>{escape(visible(piece))}</b>" for piece in pieces)
    return t("ablation.departs", place=place + 1, mine=mine, its=its)


def worth_chart(result: Result, t: Translate) -> Figure | None:
    """Return what each part was worth; of an experiment without parts left out, what each other variant costs."""
    found = worths(result)
    parts = [worth for worth in found if worth.variant.kind == "without"]
    bars = [
        WorthBar(worth.variant.part if parts else name_of(worth.variant, t), worth.nats, worth.others)
        for worth in parts or found
    ]
    return worth_bars(bars, t, noise(result)) if bars else None


def heat_chart(result: Result, t: Translate) -> Figure | None:
    """Return which token of the first answer depended on which part."""
    found = worths(result)
    parts = [worth for worth in found if worth.variant.kind == "without"]
    shown = parts or found
    names = [worth.variant.part if parts else name_of(worth.variant, t) for worth in shown]
    pieces = result.answers[0][0].pieces if result.answers[0] else ()
    return heat_map(pieces, names, [worth.by_token for worth in shown], t) if shown and pieces else None


def first_chart(result: Result, number: int, t: Translate) -> Figure | None:
    """Return the next-token distributions of the first variant and of another one."""
    if not 0 < number < len(result.first):
        return None
    rivals = result.first[number].rivals
    names = [name_of(result.experiment.variants[place], t) for place in (0, number)]
    columns = [rival.text for rival in rivals], [r.reference for r in rivals], [r.variant for r in rivals]
    return first_bars(*columns, (names[0], names[1]), t)


def _bold(text: str) -> str:
    return f"<b>{escape(text)}</b>"
