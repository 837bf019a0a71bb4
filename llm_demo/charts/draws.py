"""How a token was drawn: a number between 0 and 1 falls into an interval."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from plotly.graph_objects import Bar, Figure, Scatter

from llm_demo.charts.style import (
    AXIS,
    BLUE_TINT,
    CHOSEN,
    FILTERED,
    ORANGE_TINT,
    REMOVED,
    below,
    framed,
    layout,
    percent,
    token,
)
from llm_demo.i18n import Translate
from llm_demo.trace import Candidate, Step

Kind = Literal["candidate", "chosen", "others"]
UNSEEN = 1e-4  # less than this share of the bar is a rounding error, and no pixel
DIGITS = 5  # far below a pixel
ABOVE = 0.8  # where the bar, at most 1 high, has 0 in its middle


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of the bar from `low` to `high`; `token` is its text, empty for the others."""

    kind: Kind
    token: str
    low: float
    high: float


def draw_bar(step: Step, t: Translate) -> Figure:
    """Show inverse transform sampling: the distribution after the filters laid end to end, and the number drawn.

    The candidates stand by falling `prob`, ties by token id, as `llm_demo.sampling.draw` orders them. The chosen
    one, the tallest, stands where it stood when it was drawn. The probability of tokens that were not recorded is
    "the others": after the last, and before the chosen one where some of them are likelier. Where nothing was
    drawn there is no number.
    """
    parts = list(_parts(step))
    traces: list[Bar | Scatter] = [
        _bar("candidate", parts, t("chart.candidates"), {"color": BLUE_TINT, "line": _edge(FILTERED)}, t),
        _bar("chosen", parts, t("chart.chosen"), {"color": ORANGE_TINT, "line": _edge(CHOSEN, 2)}, t),
        _bar(
            "others",
            parts,
            t("chart.others"),
            {"color": REMOVED, "line": _edge(REMOVED), "pattern": {"shape": "/", "solidity": 0.15}},
            t,
        ),
    ]
    said = token(step.chosen.text)
    if step.draw:
        number = t.number(step.draw.number, 3)
        title = t("chart.draw", number=number)
        traces.append(_line(step.draw.number))
        traces.append(_words(step.draw.number, f"<b>{number}</b> → {said}"))
    else:
        title = t("chart.no_draw")
        traces += [_words((p.low + p.high) / 2, f"<b>{said}</b>") for p in parts if p.kind == "chosen"]
    return framed(traces, _frame(title, t))


def _frame(title: str, t: Translate) -> dict[str, object]:
    frame = layout(t, title, height=158, top=40, bottom=54)
    return {
        **frame,
        "margin": {**frame["margin"], "l": 20, "r": 20},  # room for half a number at either end
        "barmode": "overlay",
        "legend": below(),
        "uniformtext": {"minsize": 10, "mode": "hide"},
        "xaxis": {
            "range": [0, 1],
            "tickformat": ".1f",
            "nticks": 6,
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
        "yaxis": {"range": [-0.55, 1.1], "visible": False, "fixedrange": True},
    }


def _parts(step: Step) -> Iterator[_Part]:
    """Yield the pieces of the bar from 0 to 1."""
    candidates = {candidate.token_id: candidate for candidate in (*step.top, step.chosen)}
    end = 0.0
    for candidate in sorted(candidates.values(), key=_order):
        if candidate.prob == 0:
            break
        is_chosen = candidate.token_id == step.chosen.token_id
        low, high = end, end + candidate.prob
        if is_chosen and step.draw:
            low, high = step.draw.low, step.draw.high
        if low - end > UNSEEN:
            yield _Part("others", "", end, low)
        yield _Part("chosen" if is_chosen else "candidate", token(candidate.text), low, high)
        end = high
    if 1 - end > UNSEEN:
        yield _Part("others", "", end, 1.0)


def _order(candidate: Candidate) -> tuple[float, int]:
    return -candidate.prob, candidate.token_id


def _edge(colour: str, width: int = 1) -> dict[str, object]:
    return {"color": colour, "width": width}


def _bar(kind: Kind, parts: list[_Part], name: str, marker: dict[str, object], t: Translate) -> Bar:
    """Return the pieces of one kind; a word that its piece is too narrow for is left out by the page."""
    mine = [part for part in parts if part.kind == kind]
    is_chosen = kind == "chosen"
    return Bar(
        x=[round(part.high - part.low, DIGITS) for part in mine],
        base=[round(part.low, DIGITS) for part in mine],
        y=[0] * len(mine),
        width=1.0 if is_chosen else 0.8,
        orientation="h",
        name=name,
        marker=marker,
        text=["▶" if is_chosen else part.token or name for part in mine],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        textfont={"size": 11},
        customdata=[
            f"{part.token or name}: {percent(part.high - part.low, t).replace('<', '&lt;')}"
            f"<br>{t.number(part.low, 3)} – {t.number(part.high, 3)}"
            for part in mine
        ],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _line(number: float) -> Scatter:
    """Return the number drawn, as a line across the bar."""
    return Scatter(
        x=[number, number],
        y=[ABOVE, -0.5],
        mode="lines",
        line={"color": AXIS, "width": 2},
        showlegend=False,
        hoverinfo="skip",
    )


def _words(at: float, words: str) -> Scatter:
    """Return words above the bar, beside a marker that points down, on the side where there is room for them."""
    return Scatter(
        x=[at],
        y=[ABOVE],
        mode="markers+text",
        marker={"symbol": "triangle-down", "size": 12, "color": AXIS},
        text=[words],
        textposition="middle right" if at < 0.5 else "middle left",
        textfont={"size": 12},
        cliponaxis=False,
        showlegend=False,
        hoverinfo="skip",
    )
