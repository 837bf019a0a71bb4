"""What the screen says of a model that a server runs."""

import pytest

from llm_demo.charts import percent, top_k_bars
from llm_demo.i18n import translator
from llm_demo.offers import EVERYTHING, Offers
from llm_demo.tabs.elsewhere import notice
from llm_demo.tabs.step import explain, summarize
from llm_demo.trace import Candidate, Step, Trace

ONE, OTHER = Candidate(1, " uno", 0.5, None), Candidate(2, " dos", 0.25, None)
STEP = Step(ONE, (ONE, OTHER), None, None, -0.69)
BLANK = Candidate(1, " uno", None, 0.5)


class Told:
    """An engine of which only the offers are asked."""

    def __init__(self, offers: Offers) -> None:
        self.offers = offers


@pytest.mark.parametrize("language", ["es", "en"])
def test_what_is_not_told_is_marked_and_not_shown_as_zero(language):
    t = translator(language)
    said = explain(STEP, 0, t, "sample")
    bars = top_k_bars(STEP, t).data

    assert percent(None, t) == t("elsewhere.not_told") in said
    assert t("step.elsewhere") in said
    assert t("step.few", outside=percent(0.25, t)) in said
    assert [list(bar.text) for bar in bars] == [
        [percent(0.5, t), percent(0.25, t)],
        [percent(None, t)],
        [percent(None, t)],
    ]


def test_a_step_without_the_models_own_probabilities_says_so():
    t = translator("es")
    step = Step(BLANK, (BLANK,), None, None, None)
    trace = Trace((1,), (1,), (step,), " uno", "length", None, 0, 0.1)

    assert t("step.blank") in explain(step, 0, t, "sample")
    assert t("elsewhere.not_told") in summarize(trace, t)


def test_an_engine_that_offers_everything_needs_no_words():
    assert notice(Told(EVERYTHING), translator("es")) == ""


def test_each_thing_that_is_missing_is_named():
    t = translator("es")
    offers = Offers(("greedy", "sample"), ("typical_p",), 20, whole=False, logits=False, inside=False, raw=False)
    said = notice(Told(offers), t)

    assert t("elsewhere.candidates", count=20) in said
    assert t("elsewhere.processed") in said
    assert t("strategy.beam") in said
    assert t("elsewhere.whole") in said
    assert "typical_p" in said
