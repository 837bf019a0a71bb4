"""Whole texts beside each other: how likely each is."""

from collections.abc import Sequence

from plotly.graph_objects import Figure, Scatter

from llm_demo.charts.style import AXIS, FILTERED, GRID, ROW, layout, row_axis, short, signed, two_lines
from llm_demo.i18n import Translate

NAME = 24  # characters of a strategy's name that fit beside its line


def score_axis(rows: Sequence[tuple[str, float, int]], t: Translate) -> Figure:
    """Show the log-probability of several continuations on one axis, a line each from 0 to its dot.

    Args:
        rows: name, total log-probability in nats (at most 0), number of tokens; drawn in this order, from the top.
    """
    totals = [total for _, total, _ in rows]
    figure = Figure(
        [
            Scatter(
                x=[x for total in totals for x in (total, 0, None)],
                y=[y for place in range(len(rows)) for y in (place, place, None)],
                mode="lines",
                line={"color": FILTERED, "width": 1.5},
                hoverinfo="skip",
            ),
            Scatter(
                x=totals,
                y=list(range(len(rows))),
                mode="markers+text",
                marker={"color": FILTERED, "size": 11},
                text=[f"<b>{signed(total, 1, t) if total else t.number(0, 1)}</b>" for total in totals],
                textposition="middle left",
                textfont={"size": 11},
                cliponaxis=False,
                customdata=[
                    t("chart.nats_a_token", nats=signed(total / max(count, 1), 2, t)) for _, total, count in rows
                ],
                hovertemplate="%{x:.2f} nats<br>%{customdata}<extra></extra>",
            ),
        ]
    )
    lowest = min([*totals, -1.0])
    counts = [t("chart.one_token") if count == 1 else t("chart.tokens", count=t.number(count)) for *_, count in rows]
    figure.update_layout(
        **layout(t, t("chart.likelier"), height=100 + (ROW + 6) * len(rows), top=44, bottom=56),
        showlegend=False,
        xaxis={
            "title": {"text": t("chart.nats_axis"), "font": {"size": 11}},
            "range": [lowest * 1.4, -lowest * 0.04],
            "gridcolor": GRID,
            "zerolinecolor": AXIS,
            "nticks": 5,
            "fixedrange": True,
        },
        yaxis={
            **row_axis([two_lines(short(name, NAME), count) for (name, *_), count in zip(rows, counts, strict=True)]),
            "autorange": False,
            "range": [len(rows) - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
        },
    )
    return figure
