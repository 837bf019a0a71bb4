"""Game: a question, the visitor's guess, then the right letter and the model's, and both scores."""

from dataclasses import replace

import gradio as gr

from llm_demo.charts import letter_bars
from llm_demo.errors import InputError
from llm_demo.i18n import Translate
from llm_demo.lessons.lesson import find
from llm_demo.lessons.quiz import LESSONS
from llm_demo.poll import WhichLetter
from llm_demo.quiz.dataset import Question
from llm_demo.quiz.quiz import Answered, Quiz
from llm_demo.tabs import elsewhere, exercise, further, quizwords, score
from llm_demo.tabs.host import Host
from llm_demo.tabs.quiz_link import Play
from llm_demo.tabs.score import Game, Played
from llm_demo.tabs.site import Site
from llm_demo.tally import which_letter

SURENESS = (20, 40, 60, 80, 100)  # percent


def build(site: Site, quiz: Quiz, host: Host) -> Play:
    """Add the section to the enclosing container; its question may be put to a class, through `host`.

    Returns:
        How a link fills it.
    """
    engine = site.engine
    lesson = exercise.build(site, "quiz-exercise", LESSONS)
    with gr.Row():
        language = site.add(
            gr.Dropdown,
            {"label": "quiz.language"},
            choices=[(name, code) for code, name in quizwords.AUTONYMS.items()],
            value=engine.config.language,
            min_width=160,
            elem_id="quiz-language",
        )
        category = site.add(
            gr.Dropdown,
            {"label": "quiz.category"},
            choices=[("—", "")],
            value="",
            min_width=160,
            elem_id="quiz-category",
        )
    shown = gr.HTML(elem_id="quiz-question")
    options = site.add(gr.Radio, {"label": "quiz.options"}, choices=[], visible=False, elem_id="quiz-options")
    sure = site.add(
        gr.Radio,
        {"label": "quiz.sure", "info": "quiz.sure_info"},
        choices=_sureness(site.t),
        visible=False,
        elem_id="quiz-sure",
    )
    with gr.Row():
        answer = site.add(gr.Button, {"value": "quiz.answer"}, variant="primary", visible=False, elem_id="quiz-answer")
        ask = site.add(gr.Button, {"value": "quiz.skip"}, elem_id="quiz-next")
        ask_class = host.button("quiz")
    verdict = gr.HTML(elem_id="quiz-verdict")
    chart = gr.Plot(show_label=False, visible=False, elem_id="quiz-chart")
    points = gr.HTML(elem_id="quiz-score")
    more = further.build(site, quiz)
    fits = gr.Plot(show_label=False, visible=False, elem_id="quiz-calibration")
    with site.add(gr.Accordion, {"label": "settings"}, open=False), gr.Row():
        seed = site.add(gr.Number, {"label": "quiz.seed"}, value=0, precision=0, min_width=120, elem_id="quiz-seed")
        model = site.add(
            gr.Dropdown,
            {"label": "quiz.model"},
            choices=quizwords.models(engine.cards, site.t),
            value="",
            min_width=200,
            elem_id="quiz-model",
        )
    game = gr.State(Game())
    host.offer(ask_class, _for_class, [game, model, category, seed])

    def ask_next(t: Translate, language: str, category: str, seed: float, state: Game) -> dict:
        bank = quiz.bank(language)
        chosen = category if category in bank.categories else ""
        drawn = quiz.draw(language, chosen, int(seed or 0), state.seen)
        return {category_box: _categories(language, chosen, t), **put(drawn, replace(state, category=chosen), t)}

    def other_category(t: Translate, language: str, category: str, seed: float, state: Game) -> dict:
        if state.question and category == state.category:  # the tab key passed by, which a dropdown takes for a choice
            return {verdict: gr.skip()}
        return ask_next(t, language, category, seed, state)

    def put(drawn: Question, state: Game, t: Translate) -> dict:
        """Show a question that is still to be answered."""
        fresh = replace(state, question=drawn, answered=None, seen=state.seen | {drawn.question_id})
        choices = [(quizwords.choice(drawn, letter), letter) for letter in drawn.letters]
        return {
            game: fresh,
            shown: quizwords.question_html(quiz.bank(drawn.language), drawn, t),
            options: gr.update(
                choices=choices, value=None, visible=True, elem_classes=quizwords.direction(drawn.language)
            ),
            sure: gr.update(value=None, visible=True),
            answer: gr.update(visible=True, interactive=True),
            ask: t("quiz.skip"),
            **results(fresh, t),
            **more.emptied(),
        }

    def other_language(t: Translate, language: str, category: str, seed: float, state: Game) -> dict:
        """Show the same question, as long as nobody has answered it."""
        if state.question and language == state.question.language:
            return {verdict: gr.skip()}
        if state.question is None or state.answered:
            return ask_next(t, language, category, seed, state)
        same = [q for q in quiz.bank(language).questions if q.question_id == state.question.question_id]
        if not same:
            return ask_next(t, language, category, seed, state)
        return {category_box: _categories(language, category, t), **put(same[0], state, t)}

    def check(
        t: Translate,
        letter: str | None,
        sureness: int | None,
        model: str,
        lesson_id: str,
        state: Game,
        request: gr.Request,
    ) -> dict:
        if state.question is None or state.answered:
            return {verdict: gr.skip()}
        done = quiz.heard_by(elsewhere.hearing(t)).answer(state.question, letter, model, request.session_hash)
        played = Played(
            language=state.question.language,
            category=state.question.category,
            visitor=done.visitor_is_right,
            model=done.model_is_right,
            sureness=sureness / 100 if sureness in SURENESS else None,
            model_sureness=max(done.scores.probs),
        )
        fresh = replace(state, answered=done, played=(*state.played, played))
        return {
            game: fresh,
            answer: gr.update(interactive=False),
            ask: t("quiz.next"),
            **results(fresh, t),
            **more.opened(done.question, lesson_id, t),
            lesson.look: lesson.looked(lesson_id, t),
        }

    def results(state: Game, t: Translate) -> dict:
        picture = score.chart(state.played, t)
        told = {
            points: score.facts(state.played, t),
            fits: gr.update(value=picture, visible=picture is not None),
        }
        if state.answered is None:
            return {**told, verdict: "", chart: gr.update(visible=False)}
        done = state.answered
        picture = letter_bars(quizwords.bars(done.reply, done.letter), t)
        return {**told, verdict: _verdict(done, t), chart: gr.update(value=picture, visible=True)}

    def _categories(language: str, chosen: str, t: Translate) -> dict:
        named = quizwords.categories(quiz.bank(language), t)
        return gr.update(choices=[(t("quiz.all"), ""), *named], value=chosen)

    def begin(t: Translate) -> dict:
        language_update = gr.update(choices=quizwords.offered(quiz, t.language), value=t.language)
        return {**ask_next(t, t.language, "", 0, Game()), language: language_update}

    def reword(t: Translate, state: Game, category: str, lesson_id: str) -> dict:
        named = {
            sure: gr.update(choices=_sureness(t)),
            model: gr.update(choices=quizwords.models(engine.cards, t)),
        }
        if not state.played and lesson_id == exercise.NONE:  # nothing to lose: the questions follow the page
            return {**begin(t), **named, sure: gr.update(choices=_sureness(t), value=None, visible=True)}
        question = state.question
        return {
            **named,
            **results(state, t),
            **more.reworded(t),
            ask: t("quiz.next" if state.answered else "quiz.skip"),
            shown: quizwords.question_html(quiz.bank(question.language), question, t),
            category_box: _categories(question.language, category, t),
            lesson.look: lesson.looked(lesson_id, t) if state.answered else "",
        }

    def open_lesson(t: Translate, lesson_id: str, state: Game) -> dict:
        chosen = find(lesson_id, LESSONS) if lesson_id else None
        panel = dict(zip(lesson.outputs, lesson.opened(chosen, engine.loaded.card.key, t), strict=True))
        if chosen is None:
            return panel
        bank = quiz.bank(chosen.language)
        drawn = bank.find(chosen.question_in({question.question_id for question in bank.questions}))
        named = {language: chosen.language, category_box: _categories(chosen.language, "", t)}
        return {**panel, **named, **put(drawn, replace(state, category=""), t)}

    category_box = category
    asked = [game, category, shown, options, sure, answer, ask, verdict, chart, points, fits, *more.outputs]
    site.on([ask.click], ask_next, [language, category, seed, game], asked)
    site.on([category.input], other_category, [language, category, seed, game], asked)
    site.on([language.input], other_language, [language, category, seed, game], asked)
    site.on(
        [answer.click],
        check,
        [options, sure, model, lesson.lesson, game],
        [game, answer, ask, verdict, chart, points, fits, *more.outputs, lesson.look],
    )
    lesson.wire(site, open_lesson, [game], [*asked, language, *lesson.outputs])
    more.wire(site, game, model)
    opened = [*asked, language]
    site.on_open(begin, [], opened)
    elsewhere.list_models(site, model, quizwords.models)
    site.reword(reword, [game, category, lesson.lesson], [*opened, model, lesson.look])
    filled = [*asked, language, seed, model, *lesson.outputs]
    chosen = (game, language, category, options, sure, seed, model)
    return Play(lesson, *chosen, filled, open_lesson, put, _categories)


def _for_class(state: Game, model: str, category: str, seed: float) -> WhichLetter:
    if state.question is None:
        raise InputError("room_no_question")
    return which_letter(state.question, model, category, int(seed or 0))


def _sureness(t: Translate) -> list[tuple[str, int]]:
    return [(t(f"quiz.sure_{percent}"), percent) for percent in SURENESS]


def _verdict(done: Answered, t: Translate) -> str:
    gold = done.question.answer
    lines = [
        t("quiz.right" if done.visitor_is_right else "quiz.wrong", letter=done.letter),
        t("quiz.gold", letter=gold, text=quizwords.option(done.question, gold)),
        t("quiz.model_right" if done.model_is_right else "quiz.model_wrong", letter=done.scores.best),
    ]
    return "".join(f'<p class="verdict">{line}</p>' for line in lines) + quizwords.mass(done.reply, t)
