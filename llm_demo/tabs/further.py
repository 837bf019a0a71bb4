"""Further: the question just answered, asked in another language, in every order of its options, or in writing."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

import gradio as gr

from llm_demo.charts import letter_bars, percent
from llm_demo.i18n import Translate
from llm_demo.lessons.lesson import find
from llm_demo.lessons.quiz import LESSONS
from llm_demo.quiz.dataset import Question
from llm_demo.quiz.quiz import Quiz
from llm_demo.quiz.reply import Reply
from llm_demo.quiz.scoring import letter_shares
from llm_demo.tabs import elsewhere, quizwords
from llm_demo.tabs.score import Game
from llm_demo.tabs.site import Site

WRITTEN = ("two_tokens", "cot_0", "cot_5")


@dataclass(frozen=True, slots=True)
class Further:
    """The section, seen once the question is answered.

    Attributes:
        box: all of it.
        language, way: what to ask in, and how it is to write.
        translate, turn, write, stop: the buttons.
        translated, turned, written: what came of each.
        chart: of the average over all orders.
    """

    quiz: Quiz
    box: gr.Column
    language: gr.Dropdown
    way: gr.Dropdown
    translate: gr.Button
    turn: gr.Button
    write: gr.Button
    stop: gr.Button
    translated: gr.HTML
    turned: gr.HTML
    chart: gr.Plot
    written: gr.HTML

    @property
    def outputs(self) -> list[gr.components.Component]:
        """The components that `emptied`, `opened` and `reworded` have values for."""
        return [self.box, self.language, self.way, self.translated, self.turned, self.chart, self.written]

    def emptied(self) -> dict:
        """Hide the section."""
        return {
            self.box: gr.update(visible=False),
            self.translated: "",
            self.turned: "",
            self.chart: gr.update(visible=False),
            self.written: "",
        }

    def opened(self, question: Question, lesson_id: str, t: Translate) -> dict:
        """Show the section for a question, set as the lesson wants it."""
        lesson = find(lesson_id, LESSONS) if lesson_id else None
        choices = quizwords.offered(self.quiz, question.language)
        other = "en" if question.language == "es" else "es"
        return {
            self.box: gr.update(visible=True),
            self.language: gr.update(choices=choices, value=other),
            self.way: gr.update(choices=quizwords.ways(t, WRITTEN), value=lesson.way if lesson else "cot_0"),
        }

    def reworded(self, t: Translate) -> dict:
        """Say what can be said anew; results stay out until they are asked for again."""
        return {
            self.way: gr.update(choices=quizwords.ways(t, WRITTEN)),
            self.translated: "",
            self.turned: "",
            self.chart: gr.update(visible=False),
            self.written: "",
        }

    def wire(self, site: Site, game: gr.State, model: gr.Dropdown) -> None:
        """Let the buttons ask the question that `game` holds."""

        def heard(t: Translate) -> Quiz:
            return self.quiz.heard_by(elsewhere.hearing(t))

        def translate(t: Translate, state: Game, language: str, model: str, request: gr.Request) -> str:
            done = state.answered
            if done is None:
                return ""
            other = self.quiz.bank(language).find(done.question.question_id)
            *_, reply = heard(t).ask(other, "direct", model, request.session_hash)
            return _languages([done.reply, reply], t)

        def turn(t: Translate, state: Game, model: str, request: gr.Request) -> dict:
            done = state.answered
            if done is None:
                return {self.turned: ""}
            *_, reply = heard(t).ask(done.question, "rotated", model, request.session_hash)
            picture = letter_bars(quizwords.bars(reply, done.letter), t) if reply.scores else None
            return {
                self.turned: _orders(done.reply, reply, t) if reply.scores else _too_long(t),
                self.chart: gr.update(value=picture, visible=picture is not None),
            }

        def write(t: Translate, state: Game, way: str, model: str, request: gr.Request) -> Iterator[str]:
            done = state.answered
            if done is None or way not in WRITTEN:
                return
            yield f'<p class="hint">{t("quiz.thinking")}</p>'
            shots = self.quiz.shots(done.question.language, way)
            note = f'<p class="hint">{t("quiz.own_shots")}</p>' if shots.origin == "bundled" else ""
            for reply in heard(t).ask(done.question, way, model, request.session_hash):
                yield note + quizwords.written(reply, t)

        site.on([self.translate.click], translate, [game, self.language, model], [self.translated])
        site.on([self.turn.click], turn, [game, model], [self.turned, self.chart])
        running = site.on([self.write.click], write, [game, self.way, model], [self.written], show_progress="hidden")
        site.stop([self.stop.click], [running])


def build(site: Site, quiz: Quiz) -> Further:
    """Add the section to the enclosing container."""
    with gr.Column(visible=False, elem_id="quiz-further", elem_classes="further") as box:
        site.add(gr.Markdown, {"value": "quiz.further"})
        with gr.Row(elem_classes="ask"):
            language = site.add(
                gr.Dropdown, {"label": "quiz.other_language"}, choices=[], min_width=160, elem_id="quiz-other"
            )
            translate = site.add(gr.Button, {"value": "quiz.translate"}, min_width=160, elem_id="quiz-translate")
        translated = gr.HTML(elem_id="quiz-translated")
        turn = site.add(gr.Button, {"value": "quiz.turn"}, elem_id="quiz-turn")
        turned = gr.HTML(elem_id="quiz-turned")
        chart = gr.Plot(show_label=False, visible=False, elem_id="quiz-turned-chart")
        with gr.Row(elem_classes="ask"):
            way = site.add(gr.Dropdown, {"label": "quiz.way"}, choices=[], min_width=280, scale=2, elem_id="quiz-way")
            write = site.add(gr.Button, {"value": "quiz.write"}, min_width=120, elem_id="quiz-write")
            stop = site.add(gr.Button, {"value": "stop"}, min_width=80, elem_id="quiz-stop")
        written = gr.HTML(elem_id="quiz-written")
    return Further(quiz, box, language, way, translate, turn, write, stop, translated, turned, chart, written)


def _too_long(t: Translate) -> str:
    return f'<p class="hint">{t("quiz_finish.long", count=0)}</p>'


def _languages(replies: list[Reply], t: Translate) -> str:
    """Return the replies in both languages side by side, and whether the letter flipped."""
    first, second = replies
    if second.scores is None:
        return _too_long(t)
    flipped = first.letter != second.letter
    told = t("quiz.flipped" if flipped else "quiz.not_flipped", first=first.letter, second=second.letter)
    more = second.prompt_tokens / first.prompt_tokens
    head = "".join(f"<th>{escape(t(key))}</th>" for key in ("quiz.language", "quiz.col_letter", "quiz.col_prob"))
    head += f"<th>{escape(t('quiz.col_mass'))}</th><th>{escape(t('quiz.col_tokens'))}</th>"
    rows = "".join(
        f"<tr><td>{quizwords.AUTONYMS[reply.question.language]}</td>"
        f"<td>{reply.letter} {'✓' if reply.is_right else '✗'}</td>"
        f"<td>{escape(percent(max(reply.scores.probs), t))}</td><td>{escape(percent(reply.scores.mass, t))}</td>"
        f"<td>{t.number(reply.prompt_tokens)}</td></tr>"
        for reply in replies
    )
    cost = t("quiz.cost", ratio=t.number(more, 2), language=quizwords.AUTONYMS[second.question.language])
    return (
        f'<p class="verdict">{told}</p><div class="tokens-table wraps"><table><tr>{head}</tr>{rows}</table></div>'
        f'<p class="hint">{cost}</p>'
    )


def _orders(direct: Reply, reply: Reply, t: Translate) -> str:
    """Return what each order's letter was, the letter that the model loves, and the average's."""
    count = len(reply.orders)
    letters = reply.scores.letters
    best = [order.best for order in reply.orders]
    # The option that an order's letter stands for, by its letter in the question itself.
    options = [letters[(letters.index(letter) + by) % count] for by, letter in enumerate(best)]
    rows = "".join(
        f"<tr><td>{by + 1}</td><td>{letter}</td><td>{choice} {'✓' if choice == reply.question.answer else ''}</td>"
        f"<td>{escape(percent(max(order.probs), t))}</td></tr>"
        for by, (letter, choice, order) in enumerate(zip(best, options, reply.orders, strict=True))
    )
    heads = ("quiz.col_order", "quiz.col_letter", "quiz.col_option", "quiz.col_prob")
    head = "".join(f"<th>{escape(t(key))}</th>" for key in heads)
    shares = letter_shares(reply.orders)
    loved = letters[shares.index(max(shares))]
    lines = [
        t(
            "quiz.orders",
            count=count,
            letters=len(set(best)),
            options=len(set(options)),
        ),
        t(
            "quiz.loved",
            letter=loved,
            share=escape(percent(max(shares), t)),
            chance=escape(percent(1 / count, t)),
        ),
        t("quiz.averaged", letter=reply.letter, direct=direct.letter, verdict=quizwords.verdict(reply, t)),
    ]
    told = "".join(f"<p>{line}</p>" for line in lines)
    return f'{told}<div class="tokens-table wraps"><table><tr>{head}</tr>{rows}</table></div>'
