"""Decoding Strategies tab: one prompt, up to eight ways of continuing it, and every step of each under the lens."""

from functools import partial

import gradio as gr

from llm_demo.i18n import Translate
from llm_demo.lessons.decoding import LESSONS
from llm_demo.lessons.lesson import find
from llm_demo.sampling import Sampling
from llm_demo.tabs import background, decoding_link, elsewhere, exercise, link, microscope, plan, race
from llm_demo.tabs.host import Host
from llm_demo.tabs.link import Sharing
from llm_demo.tabs.site import Site
from llm_demo.tally import next_token

EXAMPLE = "Lista de colores: rojo, azul"
FIRST = (
    Sampling("greedy", max_new_tokens=30),
    Sampling(temperature=0.7, top_k=5, top_p=0.9, max_new_tokens=30),
    Sampling(temperature=1.3, max_new_tokens=30),
)


def build(site: Site, host: Host) -> Sharing:
    """Add the tab to the enclosing `gr.Tabs`; its prompt may be put to a class, through `host`.

    Returns:
        How links fill it.
    """
    with site.add(gr.Tab, {"label": "decoding.title"}, id="decoding"):
        site.add(gr.Markdown, {"value": "decoding.intro"}, elem_classes="intro")
        prompt = site.add(
            gr.Textbox, {"label": "prompt"}, value=EXAMPLE, lines=2, max_lines=8, elem_id="decoding-prompt"
        )
        control = site.add(
            gr.Checkbox, {"label": "decoding.control", "info": "decoding.control_info"}, elem_id="decoding-control"
        )
        host.offer(host.button("decoding"), partial(next_token, site.engine), [prompt, control])
        with gr.Tabs(elem_id="decoding-sections") as sections:
            with site.add(gr.Tab, {"label": "decoding.side_by_side"}, id="decoding-race"):
                elsewhere.build(site, "decoding-elsewhere")
                lesson = exercise.build(site, "decoding", LESSONS)
                strategies = plan.build(site, FIRST)
                running = race.build(site, prompt, control, strategies, lesson)
            with site.add(gr.Tab, {"label": "microscope.title"}, id="decoding-microscope"):
                lens = microscope.build(site, prompt, control)
        background.build(site, "decoding")

        def open_lesson(t: Translate, lesson_id: str) -> dict:
            chosen = find(lesson_id, LESSONS) if lesson_id else None
            panel = lesson.opened(chosen, site.engine.loaded.card.key, t)
            opened = dict(zip(lesson.outputs, panel, strict=True))
            if chosen is None:
                return opened
            limit = site.engine.config.max_compared
            shown = strategies.shown(chosen.samplings[:limit], 0, limit, t)
            return {**opened, prompt: chosen.prompt, **dict(zip(strategies.outputs, shown, strict=True))}

        lesson.wire(
            site,
            open_lesson,
            [],
            [prompt, *lesson.outputs, *strategies.outputs],
            [running],
            queue=False,
            show_progress="hidden",
        )
        form = decoding_link.form(site, sections, prompt, control, strategies, lens, lesson, open_lesson, running)
        return link.build(site, form)
