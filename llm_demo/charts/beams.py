"""Beam search as a tree: what went on, what ended, what was left behind, and the way to the best text."""

from collections.abc import Sequence
from dataclasses import dataclass

from plotly.graph_objects import Figure, Scatter

from llm_demo.charts.style import CHOSEN, FILTERED, RAW, REMOVED, below, layout, token
from llm_demo.i18n import Translate
from llm_demo.trace import BeamNode, BeamStep

STEP = 64  # pixels
PLACE = 36  # pixels, the word above the marker included
WORD = 8  # characters that fit between two steps
NARROWEST = 360  # pixels, of the title and the legend


@dataclass(frozen=True, slots=True)
class _Dot:
    """A node on the page: its step from 1, its place from 0, and the place of what it continues."""

    node: BeamNode
    step: int
    place: int
    parent_place: int


def beam_tree(steps: Sequence[BeamStep], winner: Sequence[int], t: Translate) -> Figure:
    """Show every step of beam search from left to right, the likeliest continuations of each on top.

    The figure is `STEP` pixels a step wide, so that what holds it has to scroll. Of the pruned ones a step shows
    as many as there are beams, the likeliest.

    Args:
        steps: the tree, from the first step.
        winner: the token ids of the best text, whose path is traced as far as the tree holds it; may be empty.
    """
    dots = _dots(steps)
    survived, finished, pruned = (
        [dot for dot in dots if dot.node.fate == fate] for fate in ("survived", "finished", "pruned")
    )
    path = _path(dots, winner)
    cross = {"symbol": "x-thin", "size": 6, "line": {"width": 1.5, "color": REMOVED}}
    figure = Figure(
        [
            _edges(pruned, REMOVED, 0.5),
            _edges([*survived, *finished], RAW, 1.5),
            Scatter(
                x=[0, *(dot.step for dot in path)] if path else [],
                y=[0, *(dot.place for dot in path)] if path else [],
                mode="lines+markers",
                name=t("chart.beam_best"),
                line={"color": CHOSEN, "width": 4},
                marker={"symbol": "circle-open", "size": 16, "color": CHOSEN, "line": {"width": 2}},
                hoverinfo="skip",
            ),
            Scatter(
                x=[0],
                y=[0],
                mode="markers+text",
                marker={"symbol": "diamond", "size": 11, "color": FILTERED},
                text=t("chart.beam_prompt"),
                textposition="top center",
                textfont={"size": 10},
                showlegend=False,
                hoverinfo="skip",
            ),
            _markers(survived, t("chart.beam_survived"), {"size": 11, "color": FILTERED}, t, words=True),
            _markers(
                finished, t("chart.beam_finished"), {"symbol": "square", "size": 11, "color": FILTERED}, t, words=True
            ),
            _markers(pruned, t("chart.beam_pruned"), cross, t, words=False),
        ]
    )
    places = 1 + max((dot.place for dot in dots), default=0)
    figure.update_layout(
        **layout(t, t("chart.beams"), height=120 + PLACE * places, top=44, bottom=76),
        width=max(NARROWEST, STEP * (len(steps) + 1) + 20),
        legend=below(),
        xaxis={
            "title": {"text": t("chart.beam_step"), "font": {"size": 11}},
            "range": [-0.5, len(steps) + 0.5],
            "tickvals": list(range(1, len(steps) + 1)),
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
        yaxis={"range": [places - 0.6, -0.8], "visible": False, "fixedrange": True},
    )
    return figure


def _dots(steps: Sequence[BeamStep]) -> list[_Dot]:
    """Return the nodes to show, step by step, each step's by falling total."""
    beams = max((_count(step, fate) for step in steps for fate in ("survived", "finished")), default=0)
    dots: list[_Dot] = []
    places = {0: 0}  # beam -> place, of the survivors of the step before; at first the prompt's
    for number, step in enumerate(steps, 1):
        kept = [node for node in step.nodes if node.fate != "pruned"]
        pruned = [node for node in step.nodes if node.fate == "pruned"]
        shown = sorted([*kept, *pruned[:beams]], key=lambda node: -node.total)
        dots += [_Dot(node, number, place, places[node.parent]) for place, node in enumerate(shown)]
        places = {node.beam: place for place, node in enumerate(shown) if node.beam is not None}
    return dots


def _count(step: BeamStep, fate: str) -> int:
    return sum(node.fate == fate for node in step.nodes)


def _path(dots: Sequence[_Dot], winner: Sequence[int]) -> list[_Dot]:
    """Return the nodes of a text, from the first: in a step no two share both what they continue and their token."""
    found = {(dot.step, dot.node.parent, dot.node.token_id): dot for dot in dots}
    path: list[_Dot] = []
    beam: int | None = 0
    for number, token_id in enumerate(winner, 1):
        dot = found.get((number, beam, token_id))
        if dot is None:
            break
        path.append(dot)
        beam = dot.node.beam
    return path


def _edges(dots: Sequence[_Dot], colour: str, width: float) -> Scatter:
    """Return all lines to these from what they continue, as one trace."""
    return Scatter(
        x=[x for dot in dots for x in (dot.step - 1, dot.step, None)],
        y=[y for dot in dots for y in (dot.parent_place, dot.place, None)],
        mode="lines",
        line={"color": colour, "width": width},
        showlegend=False,
        hoverinfo="skip",
    )


def _markers(dots: Sequence[_Dot], name: str, marker: dict[str, object], t: Translate, words: bool) -> Scatter:
    said = t("chart.beam_hover", token="%{customdata[0]}", own="%{customdata[1]:.2f}", total="%{customdata[2]:.2f}")
    return Scatter(
        x=[dot.step for dot in dots],
        y=[dot.place for dot in dots],
        mode="markers+text" if words else "markers",
        name=name,
        marker=marker,
        text=[token(dot.node.text, WORD) for dot in dots] if words else None,
        textposition="top center",
        textfont={"size": 10},
        cliponaxis=False,
        customdata=[[token(dot.node.text), round(dot.node.log_prob, 2), round(dot.node.total, 2)] for dot in dots],
        hovertemplate=f"{said}<extra>{name}</extra>",
    )
