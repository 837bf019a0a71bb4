"""The tree of beams: every line from a node to what it continues, and the way to the best text."""

import pytest

from llm_demo.charts import beam_tree
from llm_demo.i18n import translator
from llm_demo.sampling import Sampling
from llm_demo.trace import BeamNode, BeamStep

ES, EN = translator("es"), translator("en")
# Two beams. The second step's likeliest ends the text; its survivors continue the beams crosswise.
TREE = (
    BeamStep(
        (
            BeamNode(10, " a", 0, -0.5, -0.5, "survived", 0),
            BeamNode(11, " b", 0, -1.0, -1.0, "survived", 1),
            BeamNode(12, " c", 0, -2.0, -2.0, "pruned", None),
            BeamNode(13, " d", 0, -3.0, -3.0, "pruned", None),
        )
    ),
    BeamStep(
        (
            BeamNode(2, "<end>", 0, -0.25, -0.75, "finished", None),
            BeamNode(10, " a", 1, -0.5, -1.5, "survived", 0),
            BeamNode(10, " a", 0, -1.5, -2.0, "survived", 1),
            BeamNode(14, " e", 1, -2.0, -3.0, "pruned", None),
        )
    ),
    BeamStep(
        (
            BeamNode(15, " f", 1, -0.1, -2.1, "finished", None),
            BeamNode(15, " f", 0, -0.75, -2.25, "finished", None),
            BeamNode(16, " g", 0, -1.5, -3.0, "pruned", None),
            BeamNode(17, " h", 0, -1.6, -3.1, "pruned", None),
        )
    ),
)
WINNER = (11, 10, 15)


def lines(trace) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return the pieces of a trace of lines, each from (step, place) to (step, place)."""
    points = list(zip(trace.x, trace.y, strict=True))
    assert points[2::3] == [(None, None)] * (len(points) // 3)
    return list(zip(points[::3], points[1::3], strict=True))


def points(trace) -> list[tuple[int, int]]:
    return list(zip(trace.x, trace.y, strict=True))


def parts(figure) -> dict:
    names = ("pruned edges", "edges", "path", "prompt", "survived", "finished", "pruned")
    return dict(zip(names, figure.data, strict=True))


def test_nodes_stand_by_step_and_falling_total():
    tree = parts(beam_tree(TREE, WINNER, ES))

    assert points(tree["survived"]) == [(1, 0), (1, 1), (2, 1), (2, 2)]
    assert points(tree["finished"]) == [(2, 0), (3, 0), (3, 1)]
    assert points(tree["pruned"]) == [(1, 2), (1, 3), (2, 3), (3, 2), (3, 3)]
    assert len({tree[fate].marker.symbol for fate in ("survived", "finished", "pruned")}) == 3


def test_every_line_comes_from_the_beam_that_a_node_continues():
    tree = parts(beam_tree(TREE, WINNER, ES))

    assert lines(tree["edges"]) == [
        ((0, 0), (1, 0)),
        ((0, 0), (1, 1)),
        ((1, 1), (2, 1)),
        ((1, 0), (2, 2)),
        ((1, 0), (2, 0)),
        ((2, 2), (3, 0)),
        ((2, 1), (3, 1)),
    ]
    assert ((1, 1), (2, 3)) in lines(tree["pruned edges"])


@pytest.mark.parametrize(
    ("winner", "path"),
    [
        (WINNER, [(0, 0), (1, 1), (2, 1), (3, 1)]),  # the other text that ends in " a f" began with " a"
        ((10, 10, 15), [(0, 0), (1, 0), (2, 2), (3, 0)]),
        ((10, 2), [(0, 0), (1, 0), (2, 0)]),  # ended before the last step
        ((10, 99), [(0, 0), (1, 0)]),  # followed as far as the tree holds it
        ((), []),
    ],
)
def test_the_path_of_the_winner_runs_through_its_parents(winner, path):
    assert points(parts(beam_tree(TREE, winner, ES))["path"]) == path


def test_only_as_many_pruned_ones_are_shown_as_there_are_beams():
    step = BeamStep(
        (*TREE[0].nodes, *(BeamNode(20 + n, " x", 0, -4.0 - n, -4.0 - n, "pruned", None) for n in range(5)))
    )

    assert points(parts(beam_tree([step], (), ES))["pruned"]) == [(1, 2), (1, 3)]


@pytest.mark.parametrize(
    ("t", "title", "names", "hover"),
    [
        (
            ES,
            "El árbol de haces (beam search), paso a paso",
            {"Mejor texto", "Sigue", "Termina", "Podado"},
            "hasta aquí",
        ),
        (EN, "The tree of beam search, step by step", {"Best text", "Goes on", "Ends", "Pruned"}, "so far"),
    ],
)
def test_the_tree_is_told_in_both_languages(t, title, names, hover):
    figure = beam_tree(TREE, WINNER, t)

    assert figure.layout.title.text == title
    assert {trace.name for trace in figure.data if trace.showlegend is None} == names
    assert all(hover in trace.hovertemplate for trace in figure.data[-3:])


def test_words_are_short_and_safe_and_the_hover_has_the_numbers():
    ended = parts(beam_tree(TREE, WINNER, ES))["finished"]

    assert list(ended.text) == ["&lt;end&gt;", "·f", "·f"]
    assert next(map(list, ended.customdata)) == ["&lt;end&gt;", -0.25, -0.75]


def test_a_long_token_is_cut_before_it_is_escaped():
    step = BeamStep((BeamNode(1, "<" * 30, 0, -1.0, -1.0, "survived", 0),))

    assert list(parts(beam_tree([step], (), ES))["survived"].text) == ["&lt;" * 7 + "…"]


def test_the_figure_is_as_wide_as_it_has_steps():
    one, two = (beam_tree([*TREE[:2], *TREE[1:2] * n], (), ES).layout for n in (4, 16))

    assert two.width - one.width == 12 * 64
    assert two.height == one.height


def test_eight_beams_and_a_hundred_steps_fit_the_wire():
    kept = [BeamNode(n, f" palabra{n}", n, -1.23456, -123.45678 - n, "survived", n) for n in range(8)]
    cut = [BeamNode(50 + n, f" palabra{n}", n, -1.23456, -140.45678 - n, "pruned", None) for n in range(16)]
    first = BeamStep(tuple(BeamNode(n, " a", 0, -1.0, -1.0 - n, "survived", n) for n in range(8)))

    figure = beam_tree([first, *[BeamStep((*kept, *cut))] * 99], [0] * 100, ES)

    assert len(figure.to_json()) < 120_000


def test_no_steps_are_an_empty_tree():
    assert points(parts(beam_tree((), (), ES))["prompt"]) == [(0, 0)]


def test_the_path_of_a_real_winner_visits_its_tokens_and_ends_finished(engine):
    trace = engine.generate("The capital of France is", Sampling("beam", num_beams=3, max_new_tokens=6))
    best = trace.ranking[0].token_ids

    tree = parts(beam_tree(trace.beam_steps, best, EN))

    text = {}
    for kind in ("survived", "finished"):
        text |= dict(zip(points(tree[kind]), (data[0] for data in tree[kind].customdata), strict=True))
    path = points(tree["path"])[1:]
    shown = [text[point] for point in path]
    assert shown == [engine.tokenizer.decode([token_id]).replace(" ", "·").replace("\n", "↵") for token_id in best]
    assert path[-1] in points(tree["finished"])
    assert {*zip([(0, 0), *path], path, strict=False)} <= {*lines(tree["edges"])}
