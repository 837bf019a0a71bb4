"""Formulas: drawn as a browser's own MathML, or not at all."""

import random

import pytest
from latex2mathml import commands

from llm_demo.tabs.formulas import LONGEST, to_mathml


def test_a_fraction():
    assert to_mathml(r"\frac{a}{2}", display=False) == (
        '<math display="inline"><mrow><mfrac><mrow><mi>a</mi></mrow><mrow><mn>2</mn></mrow></mfrac></mrow></math>'
    )


@pytest.mark.parametrize(
    ("latex", "pieces"),
    [
        (r"e^{i\pi}", ["<msup><mi>e</mi>", "<mi>π</mi>"]),
        (r"\sqrt[3]{x}", ["<mroot>"]),
        (r"\binom{n}{k}", ['linethickness="0"']),
        (r"a < b \leq c", ["<mo>&lt;</mo>", "<mo>≤</mo>"]),
        (r"\begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix}", ["<mtable>", "<mtr><mtd><mn>1</mn></mtd>"]),
        (r"P(x \mid y)", ["<mo>∣</mo>"]),
        (r"x \in \mathbb{R}", ["ℝ"]),
    ],
)
def test_the_usual_signs(latex, pieces):
    assert [piece for piece in pieces if piece not in to_mathml(latex, display=False)] == []


def test_the_brackets_of_a_matrix_grow_with_it():
    drawn = to_mathml(r"A = \begin{pmatrix} 1 \\ 2 \end{pmatrix}", display=True)

    assert '<mo form="prefix">(</mo><mtable>' in drawn
    assert '</mtable><mo form="postfix">)</mo>' in drawn


def test_a_displayed_sum_has_its_bounds_above_and_below():
    assert "<munderover><mo>∑</mo>" in to_mathml(r"\sum_{i=1}^n i", display=True)


@pytest.mark.parametrize(
    "latex",
    [
        "",
        " ",
        r"\frac{",
        r"\frac{a",
        r"\frac{a}{",
        "x^{2",
        "{a}}",
        "x_1_2",
        r"\left(",
        r"\begin{matrix}",
        "{" * 900,
        "x" * 1_001,
    ],
)
def test_what_cannot_be_drawn_is_nothing(latex):
    assert to_mathml(latex, display=False) == ""


@pytest.mark.parametrize("command", ["href", "url", "style", "class", "def", "newcommand", "renewcommand"])
def test_commands_that_lead_away_or_define_others_are_refused(command):
    assert to_mathml(f"\\{command}{{a}}{{b}}", display=False) == ""
    assert to_mathml(f"x + \\{command} y", display=False) == ""


@pytest.mark.parametrize(
    ("latex", "attribute"),
    [
        (r"\color{red}{x}", "mathcolor"),
        (r"\colorbox{red}{x}", "mathbackground"),
        (r"\rule{900em}{900em}", "width"),
        (r"\rule{1em}{1em}", "height"),
        (r"\hspace{-900em}x", "width"),
        (r"\Huge x", "mathsize"),
    ],
)
def test_nothing_is_hidden_blown_up_or_laid_over_other_words(latex, attribute):
    assert f"{attribute}=" not in to_mathml(latex, display=False)


def test_a_nest_too_deep_for_a_browser_is_nothing():
    assert to_mathml("{" * 10 + "x" + "}" * 10, display=False)
    assert to_mathml("{" * 60 + "x" + "}" * 60, display=False) == ""


def test_no_row_of_commands_raises():
    """Whatever a model strings together is drawn or is not: three thousand random ones, the same each time."""
    rng = random.Random(0)
    pieces = [*commands.CONVERSION_MAP, *"{}[]()^_&ab1+=|,.<>%#~\\", r"\begin{array}{c|c}", r"\end{array}", r"\sqrt[3]"]

    for _ in range(3_000):
        latex = "".join(rng.choices(pieces, k=rng.randint(1, 12)))[:LONGEST]
        drawn = to_mathml(latex, display=bool(rng.getrandbits(1)))
        assert drawn == "" or (drawn.startswith("<math ") and drawn.endswith("</math>"))
