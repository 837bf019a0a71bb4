"""Inside the model: who looks at whom, and which tokens are near."""

from collections.abc import Sequence

from plotly.graph_objects import Bar, Figure, Heatmap

from llm_demo.charts.style import AXIS, CHOSEN, FILTERED, GRID, ROW, framed, hatched, layout, percent, row_axis, short
from llm_demo.i18n import Translate

SCALE = ((0.0, "rgba(47,127,214,0.06)"), (1.0, "rgba(47,127,214,0.85)"))  # on either theme, more is stronger
CELL, SMALL_CELL = 30, 18  # pixels
WRITTEN = 14  # tokens up to which a cell has room for its number
LEAST = 0.1  # of a look: the end of the scale of colours is never below
LABEL = 12  # characters of a token
LOOKED_AT = 10  # bars of a row


def attention_map(
    weights: Sequence[Sequence[float]], labels: Sequence[str], row: int, title: str, t: Translate
) -> Figure:
    """Show how much each token looks at itself and at those before it; what comes after is left empty.

    The first token's share, often a multiple of all others', does not set the scale of colours.

    Args:
        weights: shape (n, n), a row sums to 1.
        labels: of the tokens.
        row: the token that is chosen, from 0.
        title: of the chart.
        t: the visitor's language.
    """
    n = len(labels)
    names = _named(labels)
    others = [share for place, shares in enumerate(weights) for share in shares[1 : place + 1]]
    end = max([LEAST, *others])
    shown = [[100 * share if j <= i else None for j, share in enumerate(shares)] for i, shares in enumerate(weights)]
    cell = CELL if n <= WRITTEN else SMALL_CELL
    heat = Heatmap(
        x=names,
        y=names,
        z=[[None if share is None else round(share, 2) for share in shares] for shares in shown],
        zmin=0,
        zmax=100 * end,
        colorscale=SCALE,
        xgap=1,
        ygap=1,
        hoverongaps=False,
        hovertemplate=t("inside.hover", looker="%{y}", looked_at="%{x}", share="%{z:.1f}") + "<extra></extra>",
        texttemplate="%{z:.0f}" if n <= WRITTEN else None,
        textfont={"size": 10},
        colorbar={
            "orientation": "h",
            "thickness": 10,
            "len": 0.6,
            "x": 0,
            "xanchor": "left",
            "yref": "container",
            "y": 0,
            "yanchor": "bottom",
            "ticksuffix": " %",
            "nticks": 4,
            "outlinewidth": 0,
        },
    )
    axis = {
        "type": "category",
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "dtick": 1,
        "automargin": True,
    }
    axis |= {"ticks": "", "tickfont": {"size": 12 if n <= WRITTEN else 10}}
    frame = layout(t, title, height=150 + cell * n, top=104, bottom=76)
    return framed(
        [heat],
        {
            **frame,
            **({} if n <= WRITTEN else {"width": 150 + cell * n}),
            "xaxis": {**axis, "side": "top", "tickangle": -55},
            "yaxis": {**axis, "autorange": "reversed"},
            "shapes": [
                {
                    "type": "rect",
                    "x0": -0.5,
                    "x1": row + 0.5,
                    "y0": row - 0.5,
                    "y1": row + 0.5,
                    "line": {"color": CHOSEN, "width": 2},
                }
            ],
            "annotations": [_note(t("inside.future"), n)] if n > 2 else [],
        },
    )


def attention_row(shares: Sequence[float], labels: Sequence[str], row: int, t: Translate) -> Figure:
    """Show the tokens that one token looks at most, the most first; the bar of the text's first token is hatched.

    Args:
        shares: what it gives to itself and to each token before it; sum to 1.
        labels: of all tokens.
        row: which token it is, from 0.
        t: the visitor's language.
    """
    names = _named(labels)
    order = sorted(range(row + 1), key=lambda place: (-shares[place], place))[:LOOKED_AT]
    notes = {0: t("inside.first_token"), row: t("inside.itself")}  # the first token can look at itself alone
    title = t("inside.row_title", token=short(labels[row], LABEL))
    return _bars(
        [100 * shares[place] for place in order],
        [f"{names[place]} {notes.get(place, '')}" for place in order],
        [percent(shares[place], t) for place in order],
        [hatched(FILTERED) if place == 0 else {"color": FILTERED} for place in order],
        {"range": [0, 118], "ticksuffix": " %"},
        title,
        t,
    )


def neighbour_bars(similarities: Sequence[float], labels: Sequence[str], of: str, t: Translate) -> Figure:
    """Show the cosine similarity, -1 to 1, of the tokens nearest to one, in the order given; `of` is its label."""
    return _bars(
        similarities,
        [short(label, LABEL) for label in labels],
        [t.number(similarity, 2) for similarity in similarities],
        [{"color": FILTERED}] * len(similarities),
        {"range": [min([0.0, *similarities]) * 1.18, 1.18], "tickvals": [0, 0.25, 0.5, 0.75, 1]},
        t("inside.near_title", token=short(of, LABEL)),
        t,
    )


def _bars(
    lengths: Sequence[float],
    labels: Sequence[str],
    written: Sequence[str],
    markers: Sequence[dict[str, object]],
    across: dict[str, object],
    title: str,
    t: Translate,
) -> Figure:
    bars = [
        Bar(
            x=[round(length, 4)],
            y=[place],
            orientation="h",
            marker=marker,
            text=[said.replace("<", "&lt;")],
            textposition="outside",
            cliponaxis=False,
            hoverinfo="skip",
        )
        for place, (length, said, marker) in enumerate(zip(lengths, written, markers, strict=True))
    ]
    return framed(
        bars,
        {
            **layout(t, title, height=84 + (ROW - 8) * len(bars), top=44, bottom=32),
            "showlegend": False,
            "xaxis": {**across, "gridcolor": GRID, "zerolinecolor": AXIS, "fixedrange": True},
            "yaxis": {**row_axis(labels), "showgrid": False, "zeroline": False},
        },
    )


def _named(labels: Sequence[str]) -> list[str]:
    """Return a name a token: with its number, no two are alike."""
    return [f"{place + 1} {short(label, LABEL)}" for place, label in enumerate(labels)]


def _note(words: str, n: int) -> dict[str, object]:
    """Return words in the empty half of a map."""
    return {
        "text": words,
        "x": n - 1,
        "y": 0,
        "xanchor": "right",
        "yanchor": "top",
        "showarrow": False,
        "font": {"size": 12},
    }
