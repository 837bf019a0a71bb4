"""A sentence sorted: how probable each class is."""

from collections.abc import Sequence

from plotly.graph_objects import Bar, Figure

from llm_demo.charts.style import FILTERED, RAW, below, framed, layout, percent, row_axis, share_axis, short
from llm_demo.i18n import Translate

ROW = 48  # pixels a class


def class_bars(
    names: Sequence[str], shares: Sequence[float], t: Translate, title: str, raw: Sequence[float] = ()
) -> Figure:
    """Show the share of each class, in [0, 1]; the largest is marked ▶.

    Args:
        names: of the classes, the first on top.
        shares: they sum to 1.
        title: of the chart.
        raw: what they were before they were made to sum to 1; drawn beside the shares where given.
    """
    best = shares.index(max(shares))
    labels = [f"▶ <b>{short(name)}</b>" if place == best else short(name) for place, name in enumerate(names)]
    kinds = [(t("chart.class_raw"), raw, RAW)] if raw else []
    kinds.append((t("chart.class_shares"), shares, FILTERED))
    bars = [
        Bar(
            x=list(values),
            y=list(range(len(names))),
            orientation="h",
            name=name,
            marker={"color": colour},
            text=[percent(value, t) for value in values],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{x:.3%}<extra></extra>",
        )
        for name, values, colour in kinds
    ]
    frame = layout(t, title, height=110 + ROW * len(names), bottom=48)
    frame |= {
        "xaxis": share_axis(1.2),
        "yaxis": row_axis(labels),
        "showlegend": bool(raw),
        "legend": below(),
        "bargap": 0.3,
    }
    return framed(bars, frame)
