"""MMLU-ProX quiz tab: answer and see the model's letters, put a model to many questions, compare two such runs."""

import gradio as gr

from llm_demo.quiz.quiz import Quiz
from llm_demo.tabs import background, contest, evaluate, game, link, quiz_link
from llm_demo.tabs.host import Host
from llm_demo.tabs.link import Sharing
from llm_demo.tabs.site import Site


def build(site: Site, quiz: Quiz, host: Host) -> Sharing:
    """Add the tab to the enclosing `gr.Tabs`; its question may be put to a class, through `host`.

    Returns:
        How links fill it.
    """
    with site.add(gr.Tab, {"label": "quiz.title"}, id="quiz"):
        site.add(gr.Markdown, {"value": "quiz.intro"}, elem_classes="intro")
        with gr.Tabs(elem_id="quiz-sections") as sections:
            with site.add(gr.Tab, {"label": "quiz.play"}, id="quiz-play"):
                play = game.build(site, quiz, host)
            with site.add(gr.Tab, {"label": "evaluate.title"}, id="quiz-evaluate"):
                runs = evaluate.build(site, quiz)
            with site.add(gr.Tab, {"label": "contest.title"}, id="quiz-contest"):
                contest.build(site, runs.kept)
        with site.add(gr.Accordion, {"label": "quiz.elsewhere"}, open=False, elem_id="quiz-elsewhere"):
            site.add(gr.Markdown, {"value": "quiz.links"})
        background.build(site, "quiz")
        return link.build(site, quiz_link.form(quiz, sections, play, runs.settings, runs.running))
