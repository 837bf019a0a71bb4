"""One step's candidates as rows: before and after the filters, of two strategies, of contrastive search."""

from collections.abc import Mapping, Sequence
from html import escape

from plotly.graph_objects import Bar, Figure, Scatter

from llm_demo.charts.style import (
    AXIS,
    CHOSEN,
    FILTERED,
    GRID,
    HATCH,
    RAW,
    REMOVED,
    ROW,
    below,
    framed,
    hatched,
    layout,
    percent,
    row_axis,
    share_axis,
    short,
    signed,
    token,
    two_lines,
)
from llm_demo.i18n import Translate
from llm_demo.tokens import visible
from llm_demo.trace import Candidate, Step

MOST_ROWS = 12  # of two strategies side by side


def top_k_bars(step: Step, t: Translate, title: str = "") -> Figure:
    """Show a step's candidates: what the model gave them, and what was left after the filters.

    The chosen token is marked ▶ and kept in sight below the others where it is not among the top; a candidate
    that the filters removed is marked ✕, and what the model gave it is grey and hatched.
    """
    shown = list(step.top)
    if step.chosen.token_id not in {candidate.token_id for candidate in shown}:
        shown.append(step.chosen)
    at = [candidate.token_id for candidate in shown].index(step.chosen.token_id)
    raw = [candidate.raw_prob for candidate in shown]
    left = [candidate.prob for candidate in shown]
    given = _bars(shown, dict(enumerate(raw)), t("chart.raw"), RAW, "model", t)
    if 0 in left:
        given.marker.color = [REMOVED if prob == 0 else RAW for prob in left]
        given.marker.pattern = {**HATCH, "shape": ["/" if prob == 0 else "" for prob in left]}
    bars = [
        given,
        _bars(shown, {i: p for i, p in enumerate(left) if i != at}, t("chart.filtered"), FILTERED, "left", t),
        _bars(shown, {at: left[at]}, t("chart.chosen"), CHOSEN, "left", t),
    ]
    labels = [_label(candidate, step.chosen) for candidate in shown]
    longest = max(prob or 0.0 for prob in (*raw, *left))
    return framed(bars, _frame(title or t("chart.top_k", k=len(step.top)), labels, longest, t))


def parting_bars(a: Step, b: Step, names: tuple[str, str], t: Translate) -> Figure:
    """Show the step at which two strategies first choose different tokens: `prob` under each, side by side.

    The rows are the candidates of both, the likeliest to the model first, at most `MOST_ROWS`, among them always
    the two that were chosen, marked `A ▶` and `B ▶`. A candidate that one of them removed is marked ✕ there, one
    that it did not record –.

    Args:
        a, b: after the same tokens.
        names: of the strategies, as the visitor knows them.
    """
    steps = {"A": a, "B": b}
    known = {letter: {c.token_id: c for c in (*step.top, step.chosen)} for letter, step in steps.items()}
    falling = sorted({**known["B"], **known["A"]}.values(), key=lambda c: (-(c.raw_prob or c.prob or 0.0), c.token_id))
    chosen = {a.chosen.token_id, b.chosen.token_id}
    others = [c for c in falling if c.token_id not in chosen][: MOST_ROWS - len(chosen)]
    shown = [c for c in falling if c.token_id in chosen or c in others]
    both: list[Bar] = []
    for (letter, of), name, marker in zip(known.items(), names, ({"color": FILTERED}, hatched(CHOSEN)), strict=True):
        probs = {place: of[c.token_id].prob if c.token_id in of else None for place, c in enumerate(shown)}
        drawn = {place: prob or 0.0 for place, prob in probs.items()}
        bars = _bars(shown, drawn, f"{letter}: {short(name, 24)}", FILTERED, letter, t)
        bars.text = [bars.text[i] if prob else "–" if prob is None else "✕" for i, prob in probs.items()]
        bars.marker = marker
        both.append(bars)
    longest = max(c.prob or 0.0 for of in known.values() for c in of.values())
    labels = []
    for candidate in shown:
        marks = [f"{letter} ▶ " for letter, step in steps.items() if step.chosen.token_id == candidate.token_id]
        text = token(candidate.text)
        labels.append("".join(marks) + (f"<b>{text}</b>" if marks else text))
    return framed(both, _frame(t("chart.parting"), labels, longest, t))


def contrast_bars(step: Step, t: Translate) -> Figure:
    """Show the candidates of contrastive search: confidence to the right, likeness to what came before to the left.

    Likeness is taken away, so it is drawn and written with its sign turned. The score, a weighted sum of the two,
    is a diamond between them and a number under the token; the chosen one, which has the largest, is marked ▶.
    """
    places = list(range(len(step.contrast)))
    confidence = [candidate.confidence for candidate in step.contrast]
    penalty = [-candidate.penalty for candidate in step.contrast]
    score = [candidate.score for candidate in step.contrast]
    tokens = [token(candidate.text) for candidate in step.contrast]

    def bars(values: Sequence[float], name: str, marker: dict[str, object]) -> Bar:
        return Bar(
            x=values,
            y=places,
            orientation="h",
            name=name,
            marker=marker,
            text=[signed(value, 2, t) for value in values],
            textposition="outside",
            textfont={"size": 10},
            customdata=tokens,
            hovertemplate="%{customdata}: %{x:+.3f}<extra>" + name + "</extra>",
        )

    figure = Figure(
        [
            bars(confidence, t("chart.confidence"), {"color": FILTERED}),
            bars(penalty, t("chart.likeness"), hatched(CHOSEN)),
            Scatter(
                x=score,
                y=places,
                mode="markers",
                name=t("chart.score"),
                marker={"symbol": "diamond", "size": 10, "color": AXIS, "line": {"color": "#ffffff", "width": 1}},
                customdata=tokens,
                hovertemplate="%{customdata}: %{x:+.3f}<extra>" + t("chart.score") + "</extra>",
            ),
        ]
    )
    marked = [
        f"▶ <b>{text}</b>" if candidate.token_id == step.chosen.token_id else text
        for text, candidate in zip(tokens, step.contrast, strict=True)
    ]
    scored = [t("chart.scored", score=signed(value, 3, t)) for value in score]
    figure.update_layout(
        **layout(t, t("chart.contrast"), height=136 + 44 * len(places), top=44, bottom=88),
        barmode="group",
        bargap=0.25,
        bargroupgap=0,
        legend=below(),
        xaxis={
            "range": [min([*penalty, 0]) - 0.3, max([*confidence, *penalty, 0]) + 0.3],
            "gridcolor": GRID,
            "zerolinecolor": AXIS,
            "nticks": 5,
            "fixedrange": True,
        },
        yaxis=row_axis([two_lines(text, line) for text, line in zip(marked, scored, strict=True)]),
    )
    return figure


def _frame(title: str, labels: Sequence[str], longest: float, t: Translate) -> dict[str, object]:
    """Return the layout of a chart with one row a label."""
    return {
        **layout(t, title, height=136 + ROW * len(labels), top=44, bottom=88),
        "barmode": "group",
        "bargap": 0.25,
        "bargroupgap": 0,
        "legend": below(),
        "xaxis": share_axis(max(longest, 0.05) * 1.25),
        "yaxis": row_axis(labels),
    }


def _label(candidate: Candidate, chosen: Candidate) -> str:
    text = token(candidate.text)
    if candidate.token_id == chosen.token_id:
        return f"▶ <b>{text}</b>"
    return f"✕ {text}" if candidate.prob == 0 else text


def _bars(
    shown: Sequence[Candidate], probs: Mapping[int, float | None], name: str, colour: str, group: str, t: Translate
) -> Bar:
    """Return the bars of one kind; kinds of one `group` share their half of a row.

    Args:
        shown: all rows.
        probs: place -> probability, None where it is not known.
        name, colour, group: of the kind.
        t: the visitor's language.
    """
    return Bar(
        x=[prob or 0.0 for prob in probs.values()],
        y=list(probs),
        orientation="h",
        name=name,
        offsetgroup=group,
        marker={"color": colour},
        text=[escape(percent(prob, t), quote=False) for prob in probs.values()],
        textposition="outside",
        textfont={"size": 10},
        customdata=[escape(visible(shown[place].text), quote=False) for place in probs],
        hovertemplate="%{customdata}: %{x:.2%}<extra>" + name + "</extra>",
    )
