"""Charts: values in, Plotly figures out, as small as they can be.

No template and no fixed text colour: the page's own theme colours the words, in light and in dark.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from plotly.graph_objects import Bar, Figure

from llm_demo.i18n import Translate
from llm_demo.tokens import visible
from llm_demo.trace import Candidate, Step

# Blue and orange are told apart by colour-blind eyes; the marks in the labels say the same without colour.
RAW = "#8fb0d6"
FILTERED = "#1f5fa8"
CHOSEN = "#c8590b"
GRID = "rgba(128,128,128,0.25)"
ROW = 34  # pixels a candidate


@dataclass(frozen=True, slots=True)
class LetterBar:
    """One letter of a quiz question: its probability, in [0, 1], and who chose it."""

    letter: str
    prob: float
    is_gold: bool
    is_model: bool
    is_visitor: bool


def top_k_bars(step: Step, t: Translate, title: str = "") -> Figure:
    """Show a step's candidates: what the model gave them, and what was left after the filters.

    The chosen token is marked ▶ and kept in sight below the others where it is not among the top; a candidate
    that the filters removed is marked ✕.
    """
    shown = list(step.top)
    if step.chosen.token_id not in {candidate.token_id for candidate in shown}:
        shown.append(step.chosen)
    at = [candidate.token_id for candidate in shown].index(step.chosen.token_id)
    raw = [candidate.raw_prob for candidate in shown]
    left = [candidate.prob for candidate in shown]
    figure = Figure(
        [
            _bars(shown, dict(enumerate(raw)), t("chart.raw"), RAW, "model", t),
            _bars(shown, {i: p for i, p in enumerate(left) if i != at}, t("chart.filtered"), FILTERED, "left", t),
            _bars(shown, {at: left[at]}, t("chart.chosen"), CHOSEN, "left", t),
        ]
    )
    figure.update_layout(
        **_layout(t, title or t("chart.top_k", k=len(step.top)), height=136 + ROW * len(shown), top=44, bottom=88),
        barmode="group",
        bargap=0.25,
        bargroupgap=0,
        legend={
            "orientation": "h",
            "yref": "container",
            "y": 0,
            "yanchor": "bottom",
            "x": 0,
            "font": {"size": 11},
        },
        xaxis={
            "range": [0, max([*raw, *left, 0.05]) * 1.25],
            "tickformat": ".0%",
            "gridcolor": GRID,
            "nticks": 5,
            "fixedrange": True,
        },
        yaxis=_rows([_label(candidate, step.chosen) for candidate in shown]),
    )
    return figure


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
        **_layout(t, f"{t('chart.letters')}<br><sup>{t('chart.letter_marks')}</sup>", height=340, top=64),
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
        line={"dash": "dash", "width": 1.5, "color": "#808080"},
        annotation={"text": t("chart.chance", percent=percent(chance, t)), "font": {"size": 11}},
        annotation_position="top right",
    )
    return figure


def worth_bars(worth: Sequence[tuple[str, float]], t: Translate) -> Figure:
    """Show what each part of a prompt was worth to the answer: (name, nats), positive where it helped."""
    values = [nats for _, nats in worth]
    figure = Figure(
        Bar(
            x=values,
            y=list(range(len(worth))),
            orientation="h",
            marker={"color": [FILTERED if nats >= 0 else CHOSEN for nats in values]},
            text=[("+" if nats >= 0 else "−") + t.number(abs(nats), 1) for nats in values],
            textposition="outside",
            hovertemplate="%{x:.3f} nats<extra></extra>",
        )
    )
    margin = 0.15 * max(max(values) - min([*values, 0]), 1)
    figure.update_layout(
        **_layout(t, t("chart.worth"), height=120 + 40 * len(worth), bottom=48),
        xaxis={
            "title": {"text": t("chart.nats"), "font": {"size": 11}},
            "range": [min([*values, 0]) - margin * (min(values) < 0), max([*values, 0]) + margin],
            "gridcolor": GRID,
            "zerolinecolor": "#808080",
            "fixedrange": True,
        },
        yaxis=_rows([escape(name[:24], quote=False) for name, _ in worth]),
    )
    return figure


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


def percent(share: float, t: Translate) -> str:
    """Write a share of 1 as a percentage: 12.3 %, and 0 % apart from what is merely small."""
    if share == 0:
        return "0 %"
    if share < 0.0005:
        return f"<{t.number(0.1, 1)} %"
    return f"{t.number(share * 100, 1)} %"


def _label(candidate: Candidate, chosen: Candidate) -> str:
    text = visible(candidate.text)
    text = escape(text if len(text) <= 16 else text[:15] + "…", quote=False)
    if candidate.token_id == chosen.token_id:
        return f"▶ <b>{text}</b>"
    return f"✕ {text}" if candidate.prob == 0 else text


def _bars(
    shown: Sequence[Candidate], probs: Mapping[int, float], name: str, colour: str, group: str, t: Translate
) -> Bar:
    """Return the bars of one kind: place -> probability; kinds of one `group` share their half of a row."""
    return Bar(
        x=list(probs.values()),
        y=list(probs),
        orientation="h",
        name=name,
        offsetgroup=group,
        marker={"color": colour},
        text=[escape(percent(prob, t), quote=False) for prob in probs.values()],
        textposition="outside",
        textfont={"size": 10},
        customdata=[escape(visible(shown[place].text), quote=False) for place in probs],
        hovertemplate="%{customdata}: %{x:.2%}<extra>" + name + "</extra>",
    )


def _rows(labels: Sequence[str]) -> dict[str, object]:
    """Return an axis with one label a row, the first on top. Places are numbers: two tokens may look alike."""
    return {
        "tickvals": list(range(len(labels))),
        "ticktext": labels,
        "autorange": "reversed",
        "automargin": True,
        "fixedrange": True,
        "ticklabelstandoff": 6,
    }


def _layout(t: Translate, title: str, height: int, top: int = 64, bottom: int = 32) -> dict[str, object]:
    return {
        "template": None,
        "title": {
            "text": title,
            "x": 0,
            "xref": "container",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "font": {"size": 14},
            "pad": {"l": 12, "t": 14},
        },
        "height": height,
        "margin": {"l": 8, "r": 12, "t": top, "b": bottom},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "separators": ",." if t.language == "es" else ".,",
        "font": {"size": 12},
    }
