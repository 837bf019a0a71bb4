"""The quiz: how likely a question's letters are, and what many questions add up to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plotly.graph_objects import Bar, Figure, Scatter

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
)
from llm_demo.i18n import Translate


@dataclass(frozen=True, slots=True)
class LetterBar:
    """One letter of a quiz question: its probability, in [0, 1], and who chose it."""

    letter: str
    prob: float
    is_gold: bool
    is_model: bool
    is_visitor: bool


def letter_bars(bars: Sequence[LetterBar], t: Translate) -> Figure:
    """Show how a model spreads its probability over the letters of a question, with the line of chance."""
    marks = [
        (" ✓" if bar.is_gold else "") + (" ▶" if bar.is_model else "") + (" ●" if bar.is_visitor else "")
        for bar in bars
    ]
    chance = 1 / len(bars)
    figure = Figure(
        Bar(
            x=[bar.letter + mark for bar, mark in zip(bars, marks, strict=True)],
            y=[bar.prob for bar in bars],
            marker={"color": [CHOSEN if bar.is_model else FILTERED for bar in bars]},
            text=[percent(bar.prob, t) for bar in bars],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{x}: %{y:.2%}<extra></extra>",
        )
    )
    figure.update_layout(
        **layout(t, f"{t('chart.letters')}<br><sup>{t('chart.letter_marks')}</sup>", height=340, top=64),
        xaxis={"fixedrange": True, "type": "category"},
        yaxis={**share_axis(max(*(bar.prob for bar in bars), chance) * 1.2), "automargin": True},
    )
    figure.add_hline(
        y=chance,
        line={"dash": "dash", "width": 1.5, "color": AXIS},
        annotation={"text": t("chart.chance", percent=percent(chance, t)), "font": {"size": 11}},
        annotation_position="top right",
    )
    return figure


@dataclass(frozen=True, slots=True)
class ShareBar:
    """A share of right answers, in [0, 1], with the ends of its interval, and how many answers it is of."""

    name: str
    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class SurenessLine:
    """How often somebody was right, by how sure: (mean sureness, share right, answers), least sure first."""

    name: str
    points: Sequence[tuple[float, float, int]]


def share_bars(bars: Sequence[ShareBar], chance: float, t: Translate) -> Figure:
    """Show shares of right answers with their intervals, and the line of chance."""
    figure = Figure(
        Bar(
            x=[bar.value for bar in bars],
            y=list(range(len(bars))),
            orientation="h",
            marker={"color": FILTERED},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [bar.high - bar.value for bar in bars],
                "arrayminus": [bar.value - bar.low for bar in bars],
                "color": AXIS,
                "thickness": 1.5,
                "width": 4,
            },
            customdata=[bar.count for bar in bars],
            hovertemplate="%{x:.1%} (n = %{customdata})<extra></extra>",
        )
    )
    figure.update_layout(
        **layout(t, t("quiz_chart.by_category"), height=110 + ROW * len(bars), bottom=40),
        xaxis=share_axis(1),
        yaxis=row_axis([f"{short(bar.name, 22)} ({bar.count})" for bar in bars]),
    )
    figure.add_vline(
        x=chance,
        line={"dash": "dash", "width": 1.5, "color": CHOSEN},
        annotation={"text": t("chart.chance", percent=percent(chance, t)), "font": {"size": 11}},
        annotation_position="top right",
    )
    return figure


def letter_counts(chosen: Mapping[str, int], golds: Mapping[str, int], t: Translate) -> Figure:
    """Show how often a model chose each letter, beside how often it was right."""
    letters = list(chosen)
    traces = [
        Bar(name=t("quiz_chart.chosen"), x=letters, y=list(chosen.values()), marker={"color": CHOSEN}),
        Bar(name=t("quiz_chart.gold"), x=letters, y=[golds[letter] for letter in letters], marker=hatched(FILTERED)),
    ]
    figure = framed(
        traces,
        {
            **layout(t, t("quiz_chart.letters"), height=300, bottom=56),
            "barmode": "group",
            "xaxis": {"fixedrange": True, "type": "category"},
            "yaxis": {"gridcolor": GRID, "fixedrange": True, "automargin": True, "rangemode": "tozero"},
            "legend": below(),
        },
    )
    figure.update_traces(hovertemplate="%{x}: %{y}<extra></extra>")
    return figure


def sureness_lines(lines: Sequence[SurenessLine], t: Translate) -> Figure:
    """Show how often somebody was right against how sure they were; on the diagonal sureness fits success."""
    diagonal = Scatter(
        name=t("quiz_chart.fits"),
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"dash": "dash", "color": AXIS, "width": 1.5},
        hoverinfo="skip",
    )
    colours, symbols = (CHOSEN, FILTERED), ("circle", "diamond")
    drawn = [
        Scatter(
            name=short(line.name, 24),
            x=[sureness for sureness, _, _ in line.points],
            y=[right for _, right, _ in line.points],
            customdata=[count for *_, count in line.points],
            mode="lines+markers",
            line={"color": colours[place % 2]},
            marker={"size": 9, "symbol": symbols[place % 2]},
            hovertemplate="%{x:.0%} → %{y:.0%} (n = %{customdata})<extra></extra>",
        )
        for place, line in enumerate(lines)
    ]
    axis = {**share_axis(1), "range": [-0.02, 1.05], "automargin": True}
    titles = ("quiz_chart.sureness", "quiz_chart.right")
    x_title, y_title = ({"text": t(key), "font": {"size": 11}} for key in titles)
    return framed(
        [diagonal, *drawn],
        {
            **layout(t, t("quiz_chart.calibration"), height=360, bottom=84),
            "xaxis": {**axis, "title": x_title},
            "yaxis": {**axis, "title": y_title},
            "legend": below(),
        },
    )
