"""What each part of a prompt was worth: to the whole answer, to each of its tokens, and to the first one's rivals."""

from collections.abc import Sequence
from dataclasses import dataclass

from plotly.graph_objects import Bar, Figure, Heatmap, Scatter

from llm_demo.charts.style import (
    AXIS,
    CHOSEN,
    FILTERED,
    GRID,
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
)
from llm_demo.i18n import Translate

NAME = 24  # characters of a part's name that fit beside its bar
COLUMN = 12  # and above a column of the heat map
CELL = 22  # pixels a token
SHOWN = 0.05  # nats below which a cell says nothing
# Less likely with the part in orange, likelier in blue; nothing in between lets the page through.
SCALE = [[0, CHOSEN], [0.5, "rgba(128,128,128,0.06)"], [1, FILTERED]]
NOISE = "rgba(128,128,128,0.22)"


@dataclass(frozen=True, slots=True)
class WorthBar:
    """What one part was worth.

    Attributes:
        name: of the part.
        nats: to the answer; positive where it made it likelier.
        others: to further answers.
    """

    name: str
    nats: float
    others: tuple[float, ...] = ()


def worth_bars(worth: Sequence[WorthBar], t: Translate, noise: float | None = None) -> Figure:
    """Show what each part was worth to the answer as bars, to further answers as dots beside them.

    Args:
        worth: one a row, the first on top.
        t: the visitor's language.
        noise: in nats; a grey band as far to both sides, within which a bar says nothing. None where it is not known.
    """
    rows = list(range(len(worth)))
    values = [bar.nats for bar in worth]
    dots = [(nats, row) for row, bar in enumerate(worth) for nats in bar.others]
    bars = Bar(
        x=values,
        y=rows,
        orientation="h",
        name=t("chart.worth_answer"),
        marker={"color": [FILTERED if nats >= 0 else CHOSEN for nats in values]},
        width=0.55,
        hovertemplate="%{x:.3f} nats<extra></extra>",
    )
    others = Scatter(
        x=[nats for nats, _ in dots],
        y=[row for _, row in dots],
        mode="markers",
        name=t("chart.worth_others"),
        marker={"symbol": "circle-open", "size": 8, "color": AXIS, "line": {"width": 1.5}},
        hovertemplate="%{x:.3f} nats<extra></extra>",
    )
    band = noise or 0.0
    low, high = min([*values, *(x for x, _ in dots), -band, 0]), max([*values, *(x for x, _ in dots), band, 0])
    margin = 0.06 * max(high - low, 1)
    figure = framed(
        [bars, others] if dots else [bars],
        {
            **layout(t, t("chart.worth"), height=150 + 44 * len(worth), top=44, bottom=96 if dots else 64),
            "showlegend": bool(dots),
            "legend": below(),
            "xaxis": {
                "title": {"text": t("chart.nats"), "font": {"size": 11}, "standoff": 6},
                "range": [low - margin, high + margin],
                "gridcolor": GRID,
                "zerolinecolor": AXIS,
                "zerolinewidth": 2,
                "nticks": 6,
                "fixedrange": True,
            },
            "yaxis": {
                **row_axis([f"{short(bar.name, NAME)}<br><b>{signed(bar.nats, 1, t)}</b>" for bar in worth]),
                "autorange": False,
                "range": [len(worth) - 0.5, -0.5],
                "zeroline": False,
            },
        },
    )
    if noise:
        figure.add_vrect(x0=-noise, x1=noise, fillcolor=NOISE, line_width=0, layer="below")
    return figure


def heat_map(pieces: Sequence[str], names: Sequence[str], nats: Sequence[Sequence[float]], t: Translate) -> Figure:
    """Show which tokens of an answer depended on which part: tokens down, parts across.

    Args:
        pieces: the answer's tokens, each decoded alone.
        names: of the parts.
        nats: for each part, what each token loses without it.
        t: the visitor's language.
    """
    cells = [list(row) for row in zip(*nats, strict=True)]
    most = max([abs(value) for row in cells for value in row] + [1.0])
    rows = list(range(len(pieces)))
    grid = Heatmap(
        z=cells,
        x=list(range(len(names))),
        y=rows,
        zmin=-most,
        zmax=most,
        colorscale=SCALE,
        showscale=False,
        xgap=2,
        ygap=1,
        text=[[signed(value, 1, t) if abs(value) >= SHOWN else "" for value in row] for row in cells],
        texttemplate="%{text}",
        textfont={"size": 10},
        hovertemplate="%{z:.3f} nats<extra></extra>",
    )
    across = {
        "side": "top",
        "tickvals": list(range(len(names))),
        "ticktext": [short(name, COLUMN) for name in names],
        "tickangle": -30,
        "showgrid": False,
        "zeroline": False,
        "automargin": True,
        "fixedrange": True,
    }
    down = {**row_axis([token(piece) for piece in pieces]), "showgrid": False, "zeroline": False}
    return framed(
        [grid],
        {
            **layout(t, t("chart.heat"), height=130 + CELL * len(rows), top=96, bottom=16),
            "xaxis": across,
            "yaxis": down,
        },
    )


def first_bars(
    texts: Sequence[str], reference: Sequence[float], other: Sequence[float], names: tuple[str, str], t: Translate
) -> Figure:
    """Show two next-token distributions side by side, a row for each token that is likely in either.

    Args:
        texts: the tokens, each decoded alone.
        reference, other: their probabilities in the two.
        names: of the two.
        t: the visitor's language.
    """
    rows = list(range(len(texts)))
    bars = [
        Bar(
            x=list(probs),
            y=rows,
            orientation="h",
            name=short(name, NAME),
            marker=marker,
            text=[percent(prob, t).replace("<", "&lt;") for prob in probs],
            textposition="outside",
            textfont={"size": 10},
            hovertemplate="%{x:.2%}<extra></extra>",
        )
        for probs, name, marker in zip((reference, other), names, ({"color": FILTERED}, hatched(CHOSEN)), strict=True)
    ]
    return framed(
        bars,
        {
            **layout(t, t("chart.first"), height=120 + ROW * len(rows), top=44, bottom=72),
            "barmode": "group",
            "bargap": 0.25,
            "bargroupgap": 0,
            "legend": below(),
            "xaxis": share_axis(max([*reference, *other, 0.05]) * 1.25),
            "yaxis": row_axis([token(text) for text in texts]),
        },
    )
