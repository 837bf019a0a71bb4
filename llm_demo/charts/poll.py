"""A class beside the model: what share of the class gave an answer, and how likely the model finds it."""

from html import escape

from plotly.graph_objects import Bar, Figure

from llm_demo.charts.style import (
    CHOSEN,
    FILTERED,
    below,
    framed,
    hatched,
    layout,
    percent,
    row_axis,
    share_axis,
    token,
    two_lines,
)
from llm_demo.i18n import Translate
from llm_demo.poll import Outcome, Row

ROW = 40  # pixels an answer: two bars, and two lines of words
MOST_ROWS = 20


def poll_bars(outcome: Outcome, t: Translate) -> Figure:
    """Show the answers as rows, the class's share over the model's probability.

    The model's first is marked ▶, the right letter ✓. Of tokens, those that got a vote come before the others where
    there are more than `MOST_ROWS`; those beyond the model's likeliest have their rank under them.
    """
    rows = _shown(outcome)
    places = list(range(len(rows)))
    shares, probs = [outcome.share(row) for row in rows], [row.prob for row in rows]

    def bars(values: list[float], name: str, marker: dict[str, object], words: list[str]) -> Bar:
        return Bar(
            x=values,
            y=places,
            orientation="h",
            name=name,
            marker=marker,
            text=[escape(word, quote=False) for word in words],
            textposition="outside",
            textfont={"size": 10},
            customdata=[token(row.name, 40) for row in rows],
            hovertemplate="%{customdata}: %{x:.2%}<extra>" + name + "</extra>",
        )

    counted = [
        f"{percent(share, t)} ({t.number(row.votes)})" if row.votes else ""
        for share, row in zip(shares, rows, strict=True)
    ]
    votes = bars(shares, t("poll.the_class"), hatched(CHOSEN), counted)
    model = bars(probs, t("poll.the_model"), {"color": FILTERED}, [percent(prob, t) for prob in probs])
    frame = {
        **layout(t, t("poll.chart"), height=136 + ROW * len(rows), top=44, bottom=88),
        "barmode": "group",
        "bargap": 0.25,
        "bargroupgap": 0,
        "legend": below(),
        "xaxis": share_axis(max(0.05, *shares, *probs) * 1.3),
        "yaxis": row_axis([_label(row, outcome, t) for row in rows]),
    }
    return framed([votes, model], frame)


def _shown(outcome: Outcome) -> list[Row]:
    first = sorted(outcome.rows, key=lambda row: (row.rank > 1, -row.votes, row.rank))[:MOST_ROWS]
    return [row for row in outcome.rows if row in first]


def _label(row: Row, outcome: Outcome, t: Translate) -> str:
    marks = ("✓ " if row.name == outcome.gold else "") + ("▶ " if row == outcome.first else "")
    name = f"{marks}<b>{token(row.name)}</b>" if row.votes or marks else token(row.name)
    place = outcome.rows.index(row)
    if row.token_id is None or row.rank <= place + 1:
        return name
    return two_lines(name, t("poll.rank", rank=t.number(row.rank)))
