"""A question of the quiz: how likely its letters are."""

from collections.abc import Sequence
from dataclasses import dataclass

from plotly.graph_objects import Bar, Figure

from llm_demo.charts.style import AXIS, CHOSEN, FILTERED, GRID, layout, percent
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
        yaxis={
            "tickformat": ".0%",
            "gridcolor": GRID,
            "fixedrange": True,
            "automargin": True,
            "range": [0, max(*(bar.prob for bar in bars), chance) * 1.2],
        },
    )
    figure.add_hline(
        y=chance,
        line={"dash": "dash", "width": 1.5, "color": AXIS},
        annotation={"text": t("chart.chance", percent=percent(chance, t)), "font": {"size": 11}},
        annotation_position="top right",
    )
    return figure
