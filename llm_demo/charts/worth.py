"""What each part of a prompt was worth."""

from collections.abc import Sequence
from html import escape

from plotly.graph_objects import Bar, Figure

from llm_demo.charts.style import AXIS, CHOSEN, FILTERED, GRID, layout, row_axis, signed
from llm_demo.i18n import Translate


def worth_bars(worth: Sequence[tuple[str, float]], t: Translate) -> Figure:
    """Show what each part of a prompt was worth to the answer: (name, nats), positive where it helped."""
    values = [nats for _, nats in worth]
    figure = Figure(
        Bar(
            x=values,
            y=list(range(len(worth))),
            orientation="h",
            marker={"color": [FILTERED if nats >= 0 else CHOSEN for nats in values]},
            text=[signed(nats, 1, t) for nats in values],
            textposition="outside",
            hovertemplate="%{x:.3f} nats<extra></extra>",
        )
    )
    margin = 0.15 * max(max(values) - min([*values, 0]), 1)
    figure.update_layout(
        **layout(t, t("chart.worth"), height=120 + 40 * len(worth), bottom=48),
        xaxis={
            "title": {"text": t("chart.nats"), "font": {"size": 11}},
            "range": [min([*values, 0]) - margin * (min(values) < 0), max([*values, 0]) + margin],
            "gridcolor": GRID,
            "zerolinecolor": AXIS,
            "fixedrange": True,
        },
        yaxis=row_axis([escape(name[:24], quote=False) for name, _ in worth]),
    )
    return figure
