"""Contest: two evaluations side by side, on the questions that they have in common."""

from html import escape

import gradio as gr

from llm_demo.errors import InputError
from llm_demo.i18n import Translate
from llm_demo.quiz.evaluation import Evaluation, compare, share
from llm_demo.tabs import quizwords, report
from llm_demo.tabs.site import Site

LIKELY = 0.05  # a p-value from which nobody calls a difference shown


def build(site: Site, runs: gr.State) -> None:
    """Add the section to the enclosing container.

    Args:
        site: what the tabs share.
        runs: the visitor's finished evaluations.
    """
    site.add(gr.Markdown, {"value": "contest.intro"})
    with gr.Row():
        first = site.add(
            gr.Dropdown, {"label": "contest.first"}, choices=[], value=None, min_width=260, elem_id="contest-first"
        )
        second = site.add(
            gr.Dropdown, {"label": "contest.second"}, choices=[], value=None, min_width=260, elem_id="contest-second"
        )
    run = site.add(gr.Button, {"value": "contest.run"}, variant="primary", elem_id="contest-run")
    told = gr.HTML(elem_id="contest-told")
    asked = gr.State(None)

    def offer(t: Translate, finished: tuple[Evaluation, ...]) -> list[dict]:
        choices = [(f"{place + 1} · {report.name(each, t)}", place) for place, each in enumerate(finished)]
        last = len(choices) - 1
        values = (last - 1 if last >= 1 else None, last if last >= 0 else None)
        return [gr.update(choices=choices, value=value) for value in values]

    def match(t: Translate, finished: tuple, one: int | None, other: int | None) -> list[object]:
        pair = [finished[place] for place in (one, other) if isinstance(place, int) and 0 <= place < len(finished)]
        if len(pair) < 2 or one == other:
            raise InputError("quiz_two_runs")
        return [_told(*pair, t), tuple(pair)]

    def reword(t: Translate, finished: tuple, pair: tuple | None) -> list[object]:
        return [*offer(t, finished), _told(*pair, t) if pair else ""]

    quick = {"queue": False, "show_progress": "hidden"}
    site.on([runs.change], offer, [runs], [first, second], **quick)
    site.on([run.click], match, [runs, first, second], [told, asked], preprocess=False, **quick)
    site.reword(reword, [runs, asked], [first, second, told])


def _told(first: Evaluation, second: Evaluation, t: Translate) -> str:
    """Return both scores on the common questions, the test, and the questions on which they differ; safe HTML."""
    paired = compare(first.replies, second.replies)
    names = [escape(report.name(each, t)) for each in (first, second)]
    mine, others = zip(*paired.pairs, strict=True)
    rows = "".join(
        f"<tr><td>{name}</td><td>{quizwords.share(share(replies), t)}</td></tr>"
        for name, replies in zip(names, (mine, others), strict=True)
    )
    counts = t(
        "contest.counts",
        count=len(paired.pairs),
        both=paired.both,
        first=paired.only_first,
        second=paired.only_second,
        neither=paired.neither,
    )
    p_value = f"<{t.number(0.001, 3)}" if paired.p_value < 0.001 else t.number(paired.p_value, 3)
    finding = "contest.differ" if paired.p_value < LIKELY else "contest.may_be_chance"
    if first.settings.way != second.settings.way:
        counts += " " + t("contest.other_way")
    return (
        f'<div class="tokens-table wraps"><table>{rows}</table></div><p>{counts}</p>'
        f'<p class="verdict">{t(finding, p=escape(p_value))}</p>{_flips(paired.pairs, t)}'
    )


def _flips(pairs: tuple, t: Translate) -> str:
    flips = [(one, other) for one, other in pairs if one.letter != other.letter]
    if not flips:
        return f'<p class="hint">{t("contest.no_flips")}</p>'
    heads = ("evaluate.col_question", "evaluate.col_gold", "contest.first", "contest.second")
    head = "".join(f"<th>{escape(t(key))}</th>" for key in heads)
    body = "".join(
        f'<tr><td dir="auto">{escape(one.question.question[: report.CUT])}</td><td>{one.question.answer}</td>'
        + "".join(f"<td>{reply.letter or '—'} {'✓' if reply.is_right else '✗'}</td>" for reply in (one, other))
        + "</tr>"
        for one, other in flips
    )
    told = t("contest.flips", count=len(flips))
    return f'<p>{told}</p><div class="tokens-table questions"><table><tr>{head}</tr>{body}</table></div>'
