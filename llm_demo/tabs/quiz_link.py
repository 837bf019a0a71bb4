"""Quiz link: the question on the screen, or the settings of a run over many."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import gradio as gr

from llm_demo.errors import InputError
from llm_demo.i18n import Translate
from llm_demo.links import Link
from llm_demo.quiz.dataset import Question
from llm_demo.quiz.quiz import Quiz
from llm_demo.tabs import quizwords
from llm_demo.tabs.exercise import Exercise
from llm_demo.tabs.link import Filled, Form
from llm_demo.tabs.score import Game

PLAY, EVALUATE = "quiz-play", "quiz-evaluate"


@dataclass(frozen=True, slots=True)
class Play:
    """The section of one question, as a link fills it.

    Attributes:
        game: state, the question on the screen and the score.
        language, category, options, sure, seed, model: what the visitor chooses.
        outputs: what `open_lesson` and `put` may change.
        open_lesson: language, id and game -> what it changes.
        put: question, game and language -> a question that is still to be answered.
        categories: language of the questions, the chosen one and the visitor's language -> the list of categories.
    """

    lesson: Exercise
    game: gr.State
    language: gr.Dropdown
    category: gr.Dropdown
    options: gr.Radio
    sure: gr.Radio
    seed: gr.Number
    model: gr.Dropdown
    outputs: Sequence[gr.components.Component]
    open_lesson: Callable[[Translate, str, Game], dict]
    put: Callable[[Question, Game, Translate], dict]
    categories: Callable[[str, str, Translate], dict]


def form(
    quiz: Quiz,
    sections: gr.Tabs,
    play: Play,
    many: Mapping[str, gr.components.Component],
    running: Sequence[gr.events.Dependency],
) -> Form:
    """Return what the tab's link holds.

    Args:
        quiz: the questions.
        sections: to be selected.
        play: the section of one question.
        many: the settings of a run over many, by their names in a link; `model` is whose the link is.
        running: what a link breaks off.
    """

    def read(
        t: Translate,
        run: bool,
        section: str,
        lesson_id: str,
        game: Game,
        letter: object,
        sure: object,
        category: object,
        seed: object,
        model: object,
        *held: object,
    ) -> Link:
        values: dict[str, object] = {"at": section}
        if section == EVALUATE:
            values |= dict(zip(many, held, strict=True))
            model = values.pop("model")
        elif section == PLAY and game.question:
            values |= {"in": game.question.language, "q": game.question.question_id, "category": category, "seed": seed}
            if run:  # what a reader is only to be asked is not answered for them
                values |= {"letter": letter, "sure": sure}
        given = {name: value for name, value in values.items() if value not in ("", None)}
        return Link("quiz", t.language, model if isinstance(model, str) else "", lesson_id or "", run, given)

    def fill(t: Translate, link: Link) -> Filled:
        values, section = link.values, link.values.get("at", PLAY)
        updates = {**play.open_lesson(t, link.lesson, Game()), sections: gr.Tabs(selected=section)}
        ignored, filled = many_filled(t, link) if section == EVALUATE else one_filled(t, link)
        button = {PLAY: "quiz-answer", EVALUATE: "evaluate-run"}.get(section, "")
        if section == PLAY and "letter" not in values:
            button = ""
        return Filled({**updates, **filled}, button, ignored)

    def one_filled(t: Translate, link: Link) -> tuple[int, dict]:
        values, ignored = link.values, 0
        updates = {play.model: link.model} if link.model else {}
        if "seed" in values:
            updates[play.seed] = values["seed"]
        if "q" not in values and "in" not in values:
            return ignored, updates
        language = values.get("in", t.language)
        offered = [code for _, code in quizwords.offered(quiz, t.language)]
        if language not in offered:
            return len(values), updates
        bank = quiz.bank(language)
        category = values.get("category", "")
        if category and category not in bank.categories:
            category, ignored = "", ignored + 1
        try:
            question = bank.find(values["q"]) if "q" in values else bank.pick(category or None, values.get("seed", 0))
        except InputError:
            return ignored + 1, updates
        shown = play.put(question, Game(), t)
        if values.get("letter") in question.letters:
            shown[play.options] = {**shown[play.options], "value": values["letter"]}
            shown[play.sure] = {**shown[play.sure], "value": values.get("sure")}
        elif "letter" in values:
            ignored += 1
        named = {play.language: language, play.category: play.categories(language, category, t)}
        return ignored, {**updates, **shown, **named}

    def many_filled(t: Translate, link: Link) -> tuple[int, dict]:
        values, ignored = dict(link.values), 0
        language = values.get("in", t.language)
        if language not in [code for _, code in quizwords.offered(quiz, t.language)]:
            return len(values), {}
        bank = quiz.bank(language)
        known = [name for name in values.get("categories", ()) if name in bank.categories]
        ignored += len(values.get("categories", ())) - len(known)
        updates = {part: values[name] for name, part in many.items() if name in values}
        updates[many["categories"]] = gr.update(choices=quizwords.categories(bank, t), value=known)
        if link.model:
            updates[many["model"]] = link.model
        return ignored, updates

    inputs = [play.lesson.lesson, play.game, play.options, play.sure, play.category, play.seed, play.model]
    outputs = [sections, *play.outputs, *many.values()]
    return Form("quiz", [*inputs, *many.values()], read, list(dict.fromkeys(outputs)), fill, running)
