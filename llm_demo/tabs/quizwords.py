"""What the sections of the quiz say alike: names of languages, categories and ways, questions and replies as HTML."""

from collections.abc import Iterable, Sequence
from html import escape

from llm_demo.charts import LetterBar, percent
from llm_demo.i18n import Translate
from llm_demo.quiz.dataset import BUNDLED, Question, QuestionBank
from llm_demo.quiz.evaluation import Share
from llm_demo.quiz.quiz import Quiz
from llm_demo.quiz.reply import REASONED, WAYS, Reply
from llm_demo.tokens import visible

# What each language calls itself, which needs no translation.
AUTONYMS = {
    "af": "Afrikaans", "ar": "العربية", "bn": "বাংলা", "cs": "Čeština", "de": "Deutsch", "en": "English",
    "es": "Español", "fr": "Français", "hi": "हिन्दी", "hu": "Magyar", "id": "Bahasa Indonesia", "it": "Italiano",
    "ja": "日本語", "ko": "한국어", "mr": "मराठी", "ne": "नेपाली", "pt": "Português", "ru": "Русский",
    "sr": "Српски", "sw": "Kiswahili", "te": "తెలుగు", "th": "ไทย", "uk": "Українська", "ur": "اردو",
    "vi": "Tiếng Việt", "wo": "Wolof", "yo": "Yorùbá", "zh": "中文", "zu": "isiZulu",
}  # fmt: skip
RIGHT_TO_LEFT = frozenset({"ar", "ur"})
# The dataset's own names; any other is shown as it is.
CATEGORIES = frozenset(
    {"biology", "business", "chemistry", "computer science", "economics", "engineering", "health", "history", "law"}
    | {"math", "other", "philosophy", "physics", "psychology"}
)


def offered(quiz: Quiz, language: str) -> list[tuple[str, str]]:
    """Return the languages to choose from: all of MMLU-ProX's, or our own questions' two."""
    codes = BUNDLED if quiz.bank(language).origin == "bundled" else AUTONYMS
    return [(AUTONYMS[code], code) for code in codes]


def categories(bank: QuestionBank, t: Translate) -> list[tuple[str, str]]:
    """Return the categories to choose from, without that of all."""
    return [(category(name, t), name) for name in bank.categories]


def category(name: str, t: Translate) -> str:
    """Return a category's name."""
    return t(f"categories.{name.replace(' ', '_')}") if name in CATEGORIES else name


def way(name: str, t: Translate) -> str:
    """Return the name of a way of answering."""
    return t(f"quiz_ways.{name}")


def ways(t: Translate, names: Sequence[str] = tuple(WAYS)) -> list[tuple[str, str]]:
    """Return ways of answering to choose from."""
    return [(way(name, t), name) for name in names]


def direction(language: str) -> str:
    """Return `rtl` or `ltr`."""
    return "rtl" if language in RIGHT_TO_LEFT else "ltr"


def share(found: Share, t: Translate) -> str:
    """Return "7 of 20 (35 %, 18 to 57)" in words; safe HTML."""
    low, high = found.interval
    return t(
        "quiz.share",
        right=found.right,
        count=found.count,
        share=escape(percent(found.value, t)),
        low=t.number(100 * low, 0),
        high=t.number(100 * high, 0),
    )


def question_html(bank: QuestionBank, question: Question, t: Translate) -> str:
    """Return a question, where it comes from, and the rows that could not be one; safe HTML."""
    note = t(f"quiz.origin_{bank.origin}", count=t.number(len(bank.questions)), skipped=len(bank.skipped))
    reasons = "".join(
        f"<li>{skipped.row}: {escape(t(f'quiz_reasons.{skipped.reason}', field=skipped.field))}</li>"
        for skipped in bank.skipped[:20]
    )
    broken = f"<details><summary>{t('quiz.skipped')}</summary><ul>{reasons}</ul></details>" if reasons else ""
    return (
        f'<span class="badge">{escape(category(question.category, t))}</span> <span class="badge">{note}</span>'
        f'{broken}<p class="question" dir="{direction(question.language)}">{escape(question.question)}</p>'
    )


def choice(question: Question, letter: str) -> str:
    """Return an option after its letter; plain text, which a mark tells to run from the right where it should."""
    mark = "\u200f" if direction(question.language) == "rtl" else ""
    return f"{letter}. {mark}{question.options[question.letters.index(letter)]}"


def option(question: Question, letter: str) -> str:
    """Return the text of an option; safe HTML."""
    text = escape(question.options[question.letters.index(letter)])
    return f'<bdi dir="{direction(question.language)}">{text}</bdi>'


def bars(reply: Reply, guess: str | None) -> list[LetterBar]:
    """Return the letters of a reply whose letters were weighed, for a chart."""
    return [
        LetterBar(
            letter=letter,
            prob=prob,
            is_gold=letter == reply.question.answer,
            is_model=letter == reply.letter,
            is_visitor=letter == guess,
        )
        for letter, prob in zip(reply.scores.letters, reply.scores.probs, strict=True)
    ]


def mass(reply: Reply, t: Translate) -> str:
    """Return how much of the probability was on letters, flagged where it is little; safe HTML."""
    told = t("quiz.mass", mass=escape(percent(reply.scores.mass, t)))
    if not reply.scores.is_low:
        return f'<p class="hint">{told}</p>'
    others = [(text, prob) for text, prob in reply.likeliest if text.strip() not in reply.scores.letters]
    likeliest = ", ".join(
        f"<code>{escape(visible(text))}</code> {escape(percent(prob, t))}" for text, prob in others[:3]
    )
    return f'<p class="lookout">⚠ {told} {t("quiz.low_mass", likeliest=likeliest)}</p>'


def written(reply: Reply, t: Translate) -> str:
    """Return what a model wrote, the sentence that gave its letter marked, and how it ended; safe HTML."""
    start, end = reply.marked
    mark = f"<mark>{escape(reply.text[start:end])}</mark>" if end > start else ""
    text = escape(reply.text[:start]) + mark + escape(reply.text[end:])
    body = f'<div class="read" dir="auto">{text or "…"}</div>'
    if not reply.finish:
        return body + f'<p class="hint">{t("quiz.writing", count=reply.new_tokens)}</p>'
    lines = [verdict(reply, t), t(f"quiz_finish.{reply.finish}", count=t.number(reply.new_tokens))]
    if reply.way in REASONED:
        lines.append(t("quiz.strict", letter=reply.strict or "—"))
    return body + "".join(f"<p>{line}</p>" for line in lines)


def verdict(reply: Reply, t: Translate) -> str:
    """Return whether a reply is right, or that no letter can be read in it."""
    if reply.letter is None:
        return t("quiz.unparsed_one")
    return t("quiz.reply_right" if reply.is_right else "quiz.reply_wrong", letter=reply.letter)


def models(keys: Iterable[str], t: Translate) -> list[tuple[str, str]]:
    """Return the models to choose from: the loaded one, then those of the catalogue."""
    return [(t("quiz.loaded_model"), ""), *((key, key) for key in keys)]
