"""What is said of one step: its chart, and the sentence that tells why this token."""

from collections.abc import Sequence
from html import escape

from llm_demo.charts import percent
from llm_demo.i18n import Translate, keys
from llm_demo.tokens import visible
from llm_demo.trace import Step, Trace


def explain(step: Step, place: int, t: Translate, strategy: str = "greedy") -> str:
    """Return safe HTML: what was chosen at this step (from 0), how, and how sure the model was.

    Args:
        step: the decision.
        place: its number, from 0.
        t: the visitor's language.
        strategy: of `sampling.STRATEGIES`; what a token that was not drawn was chosen by. `forced` for one that the
            visitor put there, `kept` for what stood before it.
    """
    chosen = f"<b>{escape(visible(step.chosen.text))}</b>"
    raw, left = percent(step.chosen.raw_prob, t), percent(step.chosen.prob, t)
    if step.draw:
        how = t(
            "step.drawn",
            number=t.number(step.draw.number, 3),
            low=t.number(step.draw.low, 3),
            high=t.number(step.draw.high, 3),
        )
    elif strategy == "sample":
        how = t("step.elsewhere")
    else:
        own = f"step.{strategy}"
        how = t(own if own in keys(t.language) else "step.greedy")  # sampling without a choice is greedy
    removed = sum(candidate.prob == 0 for candidate in step.top)
    sentences = [
        t("step.chosen", place=place + 1, token=chosen, raw=escape(raw), left=escape(left)),
        how,
        _sureness(step, t),
    ]
    if removed:
        sentences.append(t("step.removed", count=removed, k=len(step.top)))
    return f"<p class='hint'>{' '.join(sentences)}</p>"


def _sureness(step: Step, t: Translate) -> str:
    """Say how the probability is spread, as far as it is known."""
    shown = [candidate.raw_prob for candidate in step.top]
    if None in shown:
        return t("step.blank")
    outside = escape(percent(max(0.0, 1 - sum(shown)), t))
    if step.entropy is None:
        return t("step.few", outside=outside)
    return t("step.entropy", bits=t.number(step.entropy, 2), outside=outside)


def summarize(trace: Trace, t: Translate) -> str:
    """Return safe HTML: how long a continuation is, how likely, and why it ended."""
    count = len(trace.token_ids)
    facts = [
        t("trace.tokens", count=t.number(count)),
        t("trace.log_prob", nats=told_number(trace.log_prob, 1, t)),
        t(f"trace.{trace.finish_reason}"),
    ]
    return in_a_row(facts)


def told_number(value: float | None, digits: int, t: Translate) -> str:
    """Write a number, or that it is not available."""
    return t("elsewhere.not_told") if value is None else t.number(value, digits)


def in_a_row(facts: Sequence[str]) -> str:
    """Return safe HTML of facts that are."""
    return '<div class="facts">' + "".join(f"<span>{fact}</span>" for fact in facts) + "</div>"
