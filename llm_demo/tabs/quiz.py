"""MMLU-ProX quiz tab: the visitor answers, then the model, letter by letter."""

from dataclasses import dataclass, replace
from html import escape

import gradio as gr

from llm_demo.charts import LetterBar, letter_bars, percent
from llm_demo.i18n import Translate
from llm_demo.quiz.dataset import BUNDLED, Question, QuestionBank
from llm_demo.quiz.quiz import Answered, Quiz
from llm_demo.tabs.site import Site

# What each language calls itself, which needs no translation.
AUTONYMS = {
    "af": "Afrikaans", "ar": "العربية", "bn": "বাংলা", "cs": "Čeština", "de": "Deutsch", "en": "English",
    "es": "Español", "fr": "Français", "hi": "हिन्दी", "hu": "Magyar", "id": "Bahasa Indonesia", "it": "Italiano",
    "ja": "日本語", "ko": "한국어", "mr": "मराठी", "ne": "नेपाली", "pt": "Português", "ru": "Русский",
    "sr": "Српски", "sw": "Kiswahili", "te": "తెలుగు", "th": "ไทย", "uk": "Українська", "ur": "اردو",
    "vi": "Tiếng Việt", "wo": "Wolof", "yo": "Yorùbá", "zh": "中文", "zu": "isiZulu",
}  # fmt: skip
# The dataset's own names; any other is shown as it is.
CATEGORIES = frozenset(
    {"biology", "business", "chemistry", "computer science", "economics", "engineering", "health", "history", "law"}
    | {"math", "other", "philosophy", "physics", "psychology"}
)
LOW_MASS = 0.5  # below it the model was about to write something else than a letter


@dataclass(frozen=True, slots=True)
class Game:
    """Where one visitor stands. Kept on the server: the gold letter never travels before the guess.

    Attributes:
        question: on the screen; None before the first.
        answered: its answers, once they are in.
        seen: ids of the questions shown.
        visitor, model, played: right answers of both, and how many questions.
    """

    question: Question | None = None
    answered: Answered | None = None
    seen: frozenset[int] = frozenset()
    visitor: int = 0
    model: int = 0
    played: int = 0


def build(site: Site, quiz: Quiz) -> None:
    """Add the tab to the enclosing `gr.Tabs`."""
    with site.add(gr.Tab, {"label": "quiz.title"}, id="quiz"):
        site.add(gr.Markdown, {"value": "quiz.intro"}, elem_classes="intro")
        with gr.Row():
            language = site.add(
                gr.Dropdown,
                {"label": "quiz.language"},
                choices=[(AUTONYMS[code], code) for code in BUNDLED],
                value=site.engine.config.language,
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
            seed = site.add(gr.Number, {"label": "knob.seed"}, value=0, precision=0, min_width=120)
        shown = gr.HTML(elem_id="quiz-question")
        options = site.add(gr.Radio, {"label": "quiz.options"}, choices=[], visible=False, elem_id="quiz-options")
        with gr.Row():
            answer = site.add(
                gr.Button, {"value": "quiz.answer"}, variant="primary", visible=False, elem_id="quiz-answer"
            )
            ask = site.add(gr.Button, {"value": "quiz.next"}, elem_id="quiz-next")
        verdict = gr.HTML(elem_id="quiz-verdict")
        chart = gr.Plot(show_label=False, visible=False, elem_id="quiz-chart")
        score = gr.HTML(elem_id="quiz-score")
        game = gr.State(Game())

    def ask_next(t: Translate, language: str, category: str, seed: float, game: Game) -> dict:
        bank = quiz.bank(language)
        chosen = category if category in bank.categories else ""
        drawn = quiz.draw(language, chosen, int(seed or 0), game.seen)
        fresh = replace(game, question=drawn, answered=None, seen=game.seen | {drawn.question_id})
        return {
            game_state: fresh,
            category_box: gr.update(choices=_categories(bank, t), value=chosen),
            **_question(bank, drawn, t),
            answer: gr.update(visible=True, interactive=True),
            verdict: "",
            chart: gr.update(visible=False),
            score: _score(fresh, t),
        }

    def _question(bank: QuestionBank, drawn: Question, t: Translate) -> dict:
        choices = [(f"{letter}. {text}", letter) for letter, text in zip(drawn.letters, drawn.options, strict=True)]
        return {shown: _shown(bank, drawn, t), options: gr.update(choices=choices, value=None, visible=True)}

    def check(t: Translate, letter: str | None, game: Game) -> dict:
        if game.question is None or game.answered:
            return {verdict: gr.skip()}
        done = quiz.answer(game.question, letter)
        fresh = replace(
            game,
            answered=done,
            visitor=game.visitor + done.visitor_is_right,
            model=game.model + done.model_is_right,
            played=game.played + 1,
        )
        return {game_state: fresh, answer: gr.update(interactive=False), **_result(fresh, t)}

    def _result(game: Game, t: Translate) -> dict:
        if game.answered is None:
            return {verdict: "", chart: gr.update(visible=False), score: _score(game, t)}
        return {
            verdict: _verdict(game.answered, t),
            chart: gr.update(value=letter_bars(_bars(game.answered), t), visible=True),
            score: _score(game, t),
        }

    def begin(t: Translate) -> dict:
        offered = BUNDLED if quiz.bank(t.language).origin == "bundled" else AUTONYMS
        choices = [(AUTONYMS[code], code) for code in offered]
        language_update = gr.update(choices=choices, value=t.language)
        return {**ask_next(t, t.language, "", 0, Game()), language: language_update}

    def reword(t: Translate, game: Game) -> dict:
        if not game.played:  # nothing to lose: the questions follow the page
            return begin(t)
        update = {
            **_result(game, t),
            category_box: gr.update(choices=_categories(quiz.bank(game.question.language), t)),
        }
        if game.question:
            update[shown] = _shown(quiz.bank(game.question.language), game.question, t)
        return update

    game_state, category_box = game, category
    asked = [game, category, shown, options, answer, verdict, chart, score]
    site.on([ask.click, language.input, category.input], ask_next, [language, category, seed, game], asked)
    site.on([answer.click], check, [options, game], [game, answer, verdict, chart, score])

    opened = [*asked, language]
    site.on_open(begin, [], opened)
    site.on([site.language.change], reword, [game], opened, show_progress="hidden")


def _shown(bank: QuestionBank, question: Question, t: Translate) -> str:
    note = t(f"quiz.origin_{bank.origin}", count=t.number(len(bank.questions)), skipped=len(bank.skipped))
    badge = f'<span class="badge">{escape(_category(question.category, t))}</span> <span class="badge">{note}</span>'
    reasons = "".join(
        f"<li>{skipped.row}: {escape(t(f'quiz_reasons.{skipped.reason}', field=skipped.field))}</li>"
        for skipped in bank.skipped[:20]
    )
    broken = f"<details><summary>{t('quiz.skipped')}</summary><ul>{reasons}</ul></details>" if reasons else ""
    return f'{badge}{broken}<p class="question" dir="auto">{escape(question.question)}</p>'


def _categories(bank: QuestionBank, t: Translate) -> list[tuple[str, str]]:
    return [(t("quiz.all"), ""), *((_category(name, t), name) for name in bank.categories)]


def _category(name: str, t: Translate) -> str:
    return t(f"categories.{name.replace(' ', '_')}") if name in CATEGORIES else name


def _verdict(done: Answered, t: Translate) -> str:
    gold = done.question.answer
    right = done.question.options[done.question.letters.index(gold)]
    lines = [
        t("quiz.right" if done.visitor_is_right else "quiz.wrong", letter=done.letter),
        t("quiz.gold", letter=gold, text=escape(right)),
        t("quiz.model_right" if done.model_is_right else "quiz.model_wrong", letter=done.scores.best),
        t("quiz.mass", mass=escape(percent(done.scores.mass, t))),
    ]
    if done.scores.mass < LOW_MASS:
        lines.append(t("quiz.low_mass"))
    return "".join(f'<p class="verdict" dir="auto">{line}</p>' for line in lines)


def _bars(done: Answered) -> list[LetterBar]:
    return [
        LetterBar(
            letter=letter,
            prob=prob,
            is_gold=letter == done.question.answer,
            is_model=letter == done.scores.best,
            is_visitor=letter == done.letter,
        )
        for letter, prob in zip(done.scores.letters, done.scores.probs, strict=True)
    ]


def _score(game: Game, t: Translate) -> str:
    if not game.played:
        return f'<p class="hint">{t("quiz.no_score")}</p>'
    sentence = t("quiz.score", visitor=game.visitor, model=game.model, played=game.played)
    return f'<div class="facts"><span>{sentence}</span></div>'
