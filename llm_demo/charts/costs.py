"""What the same words cost in each language."""

from collections.abc import Sequence

from plotly.graph_objects import Bar, Figure

from llm_demo.charts.style import CHOSEN, FILTERED, GRID, ROW, below, framed, hatched, layout, row_axis, short
from llm_demo.i18n import Translate

ISOLATE = "\u2068{}\u2069"  # a name written from the right does not turn around what stands beside it


def cost_bars(rows: Sequence[tuple[str, Sequence[int]]], names: Sequence[str], t: Translate) -> Figure:
    """Show how many tokens each language takes, a bar for each tokenizer.

    Args:
        rows: the language's name and its tokens, one number a tokenizer; drawn in this order, from the top.
        names: of the one or two tokenizers.
        t: the visitor's language.
    """
    looks = ({"color": FILTERED}, hatched(CHOSEN))
    bars = [
        Bar(
            name=short(name, 28),
            x=[counts[number] for _, counts in rows],
            y=list(range(len(rows))),
            orientation="h",
            marker=look,
            text=[t.number(counts[number]) for _, counts in rows],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{x}<extra></extra>",
        )
        for number, (name, look) in enumerate(zip(names, looks, strict=False))
    ]
    longest = max((count for _, counts in rows for count in counts), default=1)
    frame = {
        **layout(t, t("chart.costs"), height=110 + (ROW if len(names) == 1 else 46) * len(rows), top=44, bottom=68),
        "barmode": "group",
        "bargap": 0.3,
        "showlegend": True,
        "legend": below(),
        "xaxis": {
            "title": {"text": t("chart.costs_axis"), "font": {"size": 11}},
            "range": [0, longest * 1.12],
            "gridcolor": GRID,
            "fixedrange": True,
        },
        "yaxis": row_axis([ISOLATE.format(short(name)) for name, _ in rows]),
    }
    return framed(bars, frame)
