"""Versus: what is shown of several continuations of one prompt, side by side and together. Values in, HTML out."""

from collections.abc import Mapping, Sequence
from html import escape

from llm_demo.charts import Figure, contrast_bars, percent, top_k_bars
from llm_demo.comparison import Facts, Parting, drafted, facts
from llm_demo.i18n import Translate
from llm_demo.sampling import DRAFTING, PENALTIES, Sampling
from llm_demo.tabs import strip
from llm_demo.tabs.step import explain, in_a_row, told_number
from llm_demo.tokens import Token, visible
from llm_demo.trace import Step, Trace

Partings = Mapping[tuple[int, int], Parting | None]


def chips(trace: Trace, notes: Mapping[int, str]) -> list[strip.Chip]:
    """Return a continuation's tokens from the trace alone, which may have been written by another model.

    Args:
        trace: whole or partial.
        notes: place -> what is to be said of the token there.
    """
    tokens = [
        Token(place, step.chosen.token_id, step.chosen.text, step.chosen.text, (), special=False)
        for place, step in enumerate(trace.steps)
    ]
    return strip.chips(tokens, trace.steps, notes)


def parting_notes(number: int, found: Partings, t: Translate) -> dict[int, str]:
    """Return place -> which other columns part from this one there: `2, 3`."""
    others: dict[int, list[int]] = {}
    for (left, right), parting in found.items():
        if parting and number in (left, right):
            others.setdefault(parting.place, []).append(right if number == left else left)
    return {
        place: t("versus.parts", others=", ".join(str(n + 1) for n in numbers)) for place, numbers in others.items()
    }


def fact_list(trace: Trace, t: Translate) -> str:
    """Return safe HTML: a continuation in numbers."""
    found = facts(trace)
    rows = [t(f"trace.{found.finish_reason}"), t("trace.tokens", count=t.number(found.tokens))]
    rows += _likelihood(found, t)
    rows += [
        t("versus.repetition", share=escape(percent(found.repetition, t))),
        t("versus.distinct", count=t.number(found.distinct)),
        t("versus.passes", count=told_number(found.forward_passes or None, 0, t)),
    ]
    if found.tokens_per_second:
        rows.append(t("versus.speed", speed=t.number(found.tokens_per_second, 1)))
    return in_a_row(rows)


def _likelihood(found: Facts, t: Translate) -> list[str]:
    if found.mean_log_prob is None:
        return [] if found.log_prob is not None else [t("trace.log_prob", nats=told_number(None, 1, t))]
    return [
        t("trace.log_prob", nats=t.number(found.log_prob, 1)),
        t("versus.mean", nats=t.number(found.mean_log_prob, 2)),
        t("versus.perplexity", value=t.number(found.perplexity, 1)),
    ]


def picture(step: Step, t: Translate) -> Figure:
    """Return the chart of one decision: contrastive search has one of its own."""
    return contrast_bars(step, t) if step.contrast else top_k_bars(step, t)


def sentence(trace: Trace, place: int, sampling: Sampling, t: Translate) -> str:
    """Return safe HTML: why this token, or that the text had ended before it."""
    if place < len(trace.steps):
        return explain(trace.steps[place], place, t, sampling.strategy)
    return f'<p class="hint">{t("decoding.ended", count=len(trace.steps))}</p>'


def guesses(trace: Trace, sampling: Sampling, twin: Trace | None, t: Translate) -> str:
    """Return safe HTML: which tokens were guessed, and what that saved; empty where nothing is ever guessed.

    Args:
        trace: to be told of.
        sampling: what made it.
        twin: the greedy text that it must be equal to, where there is one.
        t: the visitor's language.
    """
    if sampling.strategy not in DRAFTING:
        return ""
    found = drafted(trace)
    rejected = {guess.place: guess.texts for guess in found.rejected}
    marks = []
    for place, step in enumerate(trace.steps):
        marks += [_mark("no", text, t) for text in rejected.get(place, ())]
        marks.append(_mark("yes" if found.origins[place] == "draft" else "own", step.chosen.text, t))
    marks += [_mark("no", text, t) for text in rejected.get(len(trace.steps), ())]
    summary = t(
        "versus.guessed",
        drafted=t.number(found.drafted),
        accepted=t.number(found.accepted),
        saved=t.number(found.passes_saved),
    )
    return f'<p class="hint">{summary} {_same(trace, sampling, twin, t)}</p><div class="guesses">{"".join(marks)}</div>'


def _same(trace: Trace, sampling: Sampling, twin: Trace | None, t: Translate) -> str:
    if sampling.do_sample:
        return t("versus.same_distribution")
    if twin is None:
        return t("versus.no_twin")
    shared = min(len(trace.token_ids), len(twin.token_ids))
    same = trace.token_ids[:shared] == twin.token_ids[:shared] and shared > 0
    return t("versus.same") if same else t("versus.not_same")


def _mark(kind: str, text: str, t: Translate) -> str:
    sign = {"yes": "✓", "no": "✕", "own": ""}[kind]
    title = escape(t(f"versus.guess_{kind}"))
    return f'<span class="guess {kind}" title="{title}">{sign}{escape(visible(text))}</span>'


def parting_list(found: Partings, traces: Sequence[Trace], t: Translate) -> str:
    """Return safe HTML: for every pair of columns, whether they are equal and where they part."""
    rows = []
    for (left, right), parting in found.items():
        pair = {"left": left + 1, "right": right + 1}
        if parting is None:
            rows.append(t("versus.equal", count=len(traces[left].token_ids), **pair))
            continue
        ones = [f"<b>{escape(visible(one.text))}</b>" if one else t("versus.over") for one in parting.chosen]
        rows.append(t("versus.parting", place=parting.place + 1, one=ones[0], other=ones[1], **pair))
    return '<ul class="partings">' + "".join(f"<li>{row}</li>" for row in rows) + "</ul>"


def parting_choices(found: Partings, t: Translate) -> list[tuple[str, str]]:
    """Return the pairs whose parting can be drawn: both chose a token there."""
    return [
        (t("versus.pair", left=left + 1, right=right + 1, place=parting.place + 1), f"{left}-{right}")
        for (left, right), parting in found.items()
        if parting and all(parting.chosen)
    ]


def twin_of(number: int, samplings: Sequence[Sampling], traces: Sequence[Trace]) -> Trace | None:
    """Return the greedy continuation with the penalties of one that guessed ahead, where there is one."""
    mine = samplings[number]
    for sampling, trace in zip(samplings, traces, strict=True):
        same_penalties = all(getattr(sampling, name) == getattr(mine, name) for name in PENALTIES)
        if sampling.strategy == "greedy" and same_penalties:
            return trace
    return None
