"""Charts: values in, Plotly figures out, as small as they can be.

No template and no fixed text colour: the page's own theme colours the words, in light and in dark. Blue and orange
are told apart by colour-blind eyes, and a mark, a pattern or a shape always says the same without colour.
"""

from plotly.graph_objects import Figure

from llm_demo.charts.beams import beam_tree
from llm_demo.charts.classes import class_bars
from llm_demo.charts.costs import cost_bars
from llm_demo.charts.crowd import crowd_chart
from llm_demo.charts.draws import draw_bar
from llm_demo.charts.inside import attention_map, attention_row, neighbour_bars
from llm_demo.charts.poll import poll_bars
from llm_demo.charts.quiz import (
    LetterBar,
    ShareBar,
    SurenessLine,
    letter_bars,
    letter_counts,
    share_bars,
    sureness_lines,
)
from llm_demo.charts.scores import score_axis
from llm_demo.charts.steps import contrast_bars, parting_bars, top_k_bars
from llm_demo.charts.style import CHOSEN, FILTERED, percent, signed
from llm_demo.charts.worth import WorthBar, first_bars, heat_map, worth_bars

__all__ = [
    "CHOSEN",
    "FILTERED",
    "Figure",
    "LetterBar",
    "ShareBar",
    "SurenessLine",
    "WorthBar",
    "attention_map",
    "attention_row",
    "beam_tree",
    "class_bars",
    "contrast_bars",
    "cost_bars",
    "crowd_chart",
    "draw_bar",
    "first_bars",
    "heat_map",
    "letter_bars",
    "letter_counts",
    "neighbour_bars",
    "parting_bars",
    "percent",
    "poll_bars",
    "score_axis",
    "share_bars",
    "signed",
    "sureness_lines",
    "top_k_bars",
    "worth_bars",
]
