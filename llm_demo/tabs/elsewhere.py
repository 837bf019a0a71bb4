"""Elsewhere: what is told of a model that a server runs, and of what that server does not tell."""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from html import escape

import gradio as gr

from llm_demo.engine import Engine
from llm_demo.errors import ModelError
from llm_demo.i18n import Translate
from llm_demo.offers import EVERYTHING, Offers
from llm_demo.tabs.site import Site


def build(site: Site, elem_id: str) -> None:
    """Add to the enclosing container what the server does not tell; nothing where the model runs here."""
    box = gr.HTML(elem_id=elem_id)

    def tell(t: Translate) -> str:
        return notice(site.engine, t)

    site.on_open(tell, [], [box])
    site.reword(tell, [], [box])


def notice(engine: Engine, t: Translate) -> str:
    """Return safe HTML: a sentence for each thing that a visitor will not find; empty where all is there."""
    offers = engine.offers
    if offers == EVERYTHING:
        return ""
    items = "".join(f"<li>{sentence}</li>" for sentence in _sentences(offers, t))
    summary, intro = t("elsewhere.summary"), t("elsewhere.intro")
    return f"<details class='hint'><summary>{summary}</summary>{intro}<ul>{items}</ul></details>"


def _sentences(offers: Offers, t: Translate) -> list[str]:
    missing = [t(f"strategy.{name}") for name in offers.lacking]
    sentences = [
        t("elsewhere.candidates", count=offers.candidates) if offers.candidates else t("elsewhere.all"),
        t("elsewhere.raw") if offers.raw else t("elsewhere.processed"),
        t("elsewhere.draw"),
        t("elsewhere.strategies", names=escape(", ".join(missing))),
    ]
    if not offers.whole:
        sentences.append(t("elsewhere.whole"))
    if offers.without:
        sentences.append(t("elsewhere.knobs", names=escape(", ".join(offers.without))))
    return [*sentences, t("elsewhere.inside")]


def offered(engine: Engine) -> Offers:
    """Return what may be asked of an engine, as far as that is known; everything, while it is still to be found out."""
    return engine.offers if engine.loading.stage == "ready" else EVERYTHING


def missing(offers: Offers, strategies: Collection[str], knobs: Collection[str], t: Translate) -> str:
    """Return safe HTML: which of some strategies and knobs the server does not have, and why; empty where it has all.

    Args:
        offers: the server's.
        strategies: of `sampling.STRATEGIES`, those that one could choose here.
        knobs: fields of `Sampling` that one could set here.
        t: the visitor's.
    """
    kinds = {
        "elsewhere.no_strategies": [t(f"strategy.{name}") for name in offers.lacking if name in strategies],
        "elsewhere.no_knobs": [t(f"knob.{name}") for name in offers.without if name in knobs],
    }
    said = " ".join(t(key, names=escape(", ".join(names))) for key, names in kinds.items() if names)
    return f"<p class='hint'>{said}</p>" if said else ""


def list_models(
    site: Site, models: gr.Dropdown, choices: Callable[[Iterable[str], Translate], Sequence[object]]
) -> None:
    """Let a list name the server's models when a page opens: the server may have been away when the page was built.

    Args:
        site: the page's.
        models: the list.
        choices: of it, by the keys of the catalogue.
    """
    engine = site.engine
    if not engine.config.endpoint:
        return

    def tell(t: Translate) -> object:
        with suppress(ModelError):  # what still is the matter is told at the top of the page
            _ = engine.loaded
        return gr.update(choices=choices(engine.cards, t))

    site.on_open(tell, [], [models])


def hearing(t: Translate) -> Callable[[int], None]:
    """Return what shows a visitor a place in the line, here or before a busy server."""
    return lambda place: gr.Info(t("elsewhere.waiting", place=place), duration=3)
