"""How speed changes with the number of visitors."""

from collections.abc import Mapping, Sequence

from plotly.graph_objects import Figure

from llm_demo.charts.style import CHOSEN, FILTERED


def crowd_chart(
    curves: Mapping[str, Sequence[Mapping[str, float]]], title: str, visitors: str, speed: str, gap: str
) -> Figure:
    """Show how the throughput of all visitors, and what each waits between two tokens, grow with their number.

    Args:
        curves: name -> `n`, `tokens_per_second` and `gap_p95` (seconds) of each size of crowd.
        title: of the whole.
        visitors, speed, gap: of the axes; the gap is drawn in milliseconds.
    """
    figure = Figure()
    for (name, rows), colour in zip(curves.items(), (FILTERED, CHOSEN), strict=False):
        sizes = [row["n"] for row in rows]
        line = {"mode": "lines+markers", "name": name, "legendgroup": name, "line": {"color": colour}}
        figure.add_scatter(x=sizes, y=[row["tokens_per_second"] for row in rows], **line)
        gaps = [1_000 * row["gap_p95"] for row in rows]
        figure.add_scatter(x=sizes, y=gaps, xaxis="x2", yaxis="y2", showlegend=False, **line)
    across = {"title": {"text": visitors}, "tickvals": sizes}
    figure.update_layout(
        template="plotly_white",
        title=title,
        xaxis={**across, "domain": [0, 0.45]},
        yaxis={"title": {"text": speed}, "rangemode": "tozero"},
        xaxis2={**across, "domain": [0.55, 1], "anchor": "y2"},
        yaxis2={"title": {"text": gap}, "rangemode": "tozero", "anchor": "x2"},
    )
    return figure
