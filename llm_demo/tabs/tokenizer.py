"""Tokenizer tab: a text as the model reads it, what languages cost, and what a chat template makes of messages."""

import gradio as gr

from llm_demo.i18n import Translate
from llm_demo.lessons.lesson import Lesson, find
from llm_demo.lessons.tokenizer import LESSONS, TokenizerLesson
from llm_demo.tabs import background, card, costs, exercise, inside, link, pair, pause, split, template, tokenizer_link
from llm_demo.tabs.link import Sharing
from llm_demo.tabs.site import Site

INSIDE = "tokenizer-inside"
EXAMPLE = "Lista de colores: rojo, azul"


def build(site: Site) -> Sharing:
    """Add the tab to the enclosing `gr.Tabs`; returns how links fill it."""
    engine = site.engine

    def runs_on(lesson: Lesson) -> str:
        """Return whose tokenizer a lesson gets: the one it wants, or the loaded model's where that cannot be had."""
        can_be_had = lesson.model and not pair.trouble(engine, [lesson.model], site.t)
        return lesson.model if can_be_had else engine.loaded.card.key

    with site.add(gr.Tab, {"label": "tokenizer.title"}, id="tokenizer") as tab:
        site.add(gr.Markdown, {"value": "tokenizer.intro"}, elem_classes="intro")
        with gr.Row():
            text = site.add(
                gr.Textbox,
                {"label": "tokenizer.text", "placeholder": "tokenizer.placeholder"},
                value=EXAMPLE,
                lines=6,
                max_lines=6,  # a box that grows is measured anew at each key, which a long text makes slow
                scale=3,
                min_width=280,
                elem_id="tokenizer-text",
            )
            typed = pause.after_typing("tokenizer-text")
            with gr.Column(scale=2, min_width=280):
                chosen = pair.build(site)
        lesson = exercise.build(site, "tokenizer", LESSONS, runs_on)
        with gr.Tabs(elem_id="tokenizer-sections") as sections:
            with site.add(gr.Tab, {"label": "tokenizer.tokens"}, id="tokenizer-tokens"):
                tokens = split.build(site, text, typed, chosen)
            with site.add(gr.Tab, {"label": "costs.title"}, id="tokenizer-languages"):
                languages = costs.build(site, chosen)
            with site.add(gr.Tab, {"label": "turns.title"}, id="tokenizer-turns"):
                turns = template.build(site, chosen)
            with site.add(gr.Tab, {"label": "card.title"}, id="tokenizer-card"):
                sheet = card.build(site)
            with site.add(gr.Tab, {"label": "inside.title"}, id=INSIDE) as section:
                inner, reader = inside.build(site, section)
        background.build(site, "tokenizer")

    def open_lesson(t: Translate, lesson_id: str) -> dict:
        if not lesson_id:
            return dict(zip(lesson.outputs, lesson.opened(None, "", t), strict=True))
        wanted = find(lesson_id, LESSONS)
        mine = runs_on(wanted)
        other, missing = _other(wanted, mine, t)
        panel = lesson.opened(wanted, mine, t)
        looks_inside = wanted.section == INSIDE
        return {
            sections: gr.Tabs(selected=wanted.section),
            text: wanted.text if wanted.text and not looks_inside else gr.skip(),
            inner: wanted.text if looks_inside else gr.skip(),
            **dict(zip(lesson.outputs, panel, strict=True)),
            **dict(zip(chosen.outputs, chosen.chosen((mine, other), missing), strict=True)),
            **emptied(t),
        }

    def emptied(t: Translate, run: bool = False) -> dict:
        """Show nothing of either section, until it is asked for or because it just was."""
        uncut, uncounted = tokens.emptied(t, waiting=not run), languages.emptied(t, asked=run)
        return dict(zip([*tokens.outputs, *languages.outputs], [*uncut, *uncounted], strict=True))

    def _other(wanted: TokenizerLesson, mine: str, t: Translate) -> tuple[str, str]:
        """Return the second tokenizer of a lesson, or any other of this machine's, or none and the reason."""
        if not wanted.other:
            return pair.NONE, ""
        missing = pair.trouble(engine, [wanted.other], t)
        others = [wanted.other] if not missing else [key for key, card in engine.cards.items() if card.folder]
        return next(((key, "") for key in others if key != mine), (pair.NONE, missing))

    opened = [sections, text, inner, *lesson.outputs, *chosen.outputs, *tokens.outputs, *languages.outputs]
    lesson.wire(site, open_lesson, [], opened, queue=False, show_progress="hidden")
    # What to look for is told with the result, and with the answer where another section has the result.
    quick = {"queue": False, "show_progress": "hidden"}
    site.on(
        [tokens.run.click, text.submit, languages.run.click, lesson.answer.input],
        lambda t, lesson_id: lesson.looked(lesson_id, t),
        [lesson.lesson],
        [lesson.look],
        **quick,
    )
    site.reword(
        lambda t, lesson_id, look: lesson.looked(lesson_id, t) if look else "",
        [lesson.lesson, lesson.look],
        [lesson.look],
    )
    held = tokenizer_link.Held(
        chosen,
        {
            tokenizer_link.TOKENS: {"text": text, "special": tokens.special, "control": tokens.control},
            tokenizer_link.LANGUAGES: {},
            tokenizer_link.TURNS: turns,
            tokenizer_link.CARD: {"model": sheet.first, "beside": sheet.second},
            tokenizer_link.INSIDE: {"model": reader, "inside": inner},
        },
        sheet.show,
        sheet.table,
        emptied,
    )
    with tab:
        return link.build(site, tokenizer_link.form(site, sections, held, lesson, open_lesson, opened))
