"""What instructor and students read in a room: the question, the invitation, and what came of it. All safe HTML."""

import re
from html import escape

from llm_demo.charts import percent
from llm_demo.i18n import Translate
from llm_demo.poll import NextToken, Outcome, Question, Row, WhichLetter
from llm_demo.tabs import qr
from llm_demo.tabs.quizwords import direction
from llm_demo.tokens import visible

TEXT_SHOWN = 400  # the last characters of a prompt
WRITTEN_SHOWN = 4  # ways of writing a token
MOST_ROWS = 40
LOCAL = re.compile(r"https?://(localhost|127\.|\[::1\])")


def question(asked: Question, number: int, t: Translate, options: bool = False) -> str:
    """Return a question; with `options`, those of a letter too."""
    if isinstance(asked, NextToken):
        text = asked.text if len(asked.text) <= TEXT_SHOWN else "…" + asked.text[-TEXT_SHOWN:]
        heading = t("room.which_token", number=number)
        return f'<h3>{heading}</h3><div class="read" dir="auto">{escape(text)}<span class="gap">?</span></div>'
    lines = "".join(f"<li>{escape(choice(asked, letter))}</li>" for letter in asked.letters) if options else ""
    return (
        f'<h3>{t("room.which_letter", number=number)}</h3><div dir="{direction(asked.language)}">'
        f'<div class="question">{escape(asked.text)}</div><ul class="options">{lines}</ul></div>'
    )


def choice(asked: WhichLetter, letter: str) -> str:
    """Return an option as it is listed; plain text."""
    return f"{letter}. {asked.options[asked.letters.index(letter)]}"


def link(base: str, code: str) -> str:
    """Return the address of a room, on the page that a browser says it shows."""
    return f"{base}?room={code}"


def invitation(base: str, code: str, minutes: int, t: Translate) -> str:
    """Return what an instructor has to know before the class is told."""
    privacy = t("room.privacy", minutes=t.number(minutes))
    local = f'<p class="lookout">{t("room.local")}</p>' if LOCAL.match(base) else ""
    return f'<h3>{t("room.invitation", code=escape(code))}</h3><p class="hint">{privacy}</p>{local}'


def picture(address: str, unfolded: bool, t: Translate) -> str:
    """Return an address as a QR code that can be folded away."""
    code = qr.svg(address, t("room.qr_of", address=address))
    return f"<details{' open' if unfolded else ''}><summary>{t('room.qr')}</summary>{code}</details>"


def count(votes: int, t: Translate) -> str:
    """Return how many answers have arrived."""
    return f'<p class="count" role="status"><b>{t.number(votes)}</b> {t("room.answers")}</p>'


def hint(sentence: str) -> str:
    """Return a sentence that says where things stand."""
    return f'<p class="hint" role="status">{sentence}</p>'


def sent(guess: str, t: Translate) -> str:
    """Return that an answer has arrived."""
    return f'<p class="sent" role="status">{t("room.sent", guess=escape(guess))}</p>'


def told(outcome: Outcome, t: Translate) -> str:
    """Return what came of a question in words, with all that was written where it was about a token."""
    first, favourite = outcome.first, outcome.favourite
    key = "room.token_first" if first.token_id is not None else "room.letter_first"
    lines = [
        t(
            key,
            model=escape(outcome.model),
            name=_name(first),
            prob=escape(percent(first.prob, t)),
            votes=t.number(first.votes),
            of=t.number(outcome.votes),
        )
    ]
    if favourite is None:
        lines.append(t("room.nobody"))
    elif favourite == first:
        lines.append(t("room.agreed"))
    else:
        rank, prob = t.number(favourite.rank), escape(percent(favourite.prob, t))
        share = escape(percent(outcome.share(favourite), t))
        lines.append(t("room.favourite", name=_name(favourite), share=share, prob=prob, rank=rank))
    if outcome.gold:
        gold = next(row for row in outcome.rows if row.name == outcome.gold)
        lines.insert(0, t("room.gold", name=_name(gold), votes=t.number(gold.votes), of=t.number(outcome.votes)))
        lines.append(t("room.mass", mass=escape(percent(outcome.mass, t))))
    said = "".join(f"<p>{line}</p>" for line in lines)
    if first.token_id is None or favourite is None:
        return said
    return said + _table(outcome, t) + f'<p class="hint">{t("room.first_token")}</p>'


def _table(outcome: Outcome, t: Translate) -> str:
    columns = ("written", "token", "votes", "prob", "rank")
    head = "".join(f"<th>{t(f'room.col_{name}')}</th>" for name in columns)
    voted = sorted((row for row in outcome.rows if row.votes), key=lambda row: (-row.votes, row.rank))
    body = ""
    for row in voted[:MOST_ROWS]:
        written = ", ".join(f"«{text}»" for text in row.written[:WRITTEN_SHOWN])
        more = " …" if len(row.written) > WRITTEN_SHOWN else ""
        cells = (written + more, visible(row.name), t.number(row.votes), percent(row.prob, t), t.number(row.rank))
        body += "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
    return f'<div class="tokens-table wraps"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _name(row: Row) -> str:
    tag = "b" if row.token_id is None else "code"
    return f"<{tag}>{escape(visible(row.name))}</{tag}>"
