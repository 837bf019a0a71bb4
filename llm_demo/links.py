"""Links: what a tab holds as the query string of an address or as a small file, and either read again.

Whoever sends a link may have written anything into it: what is unknown, out of range or broken is left out and counted.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlencode

from llm_demo.ablation.parts import MAX_NAME
from llm_demo.ablation.variants import SCHEMES
from llm_demo.adherence import KINDS, MAX_VALUE
from llm_demo.config import Config
from llm_demo.errors import InputError
from llm_demo.fields import Choice, Kind, Number, Several, Strategy, Switch, Text, Value
from llm_demo.i18n import LANGUAGES
from llm_demo.lessons.chat import BESIDE
from llm_demo.lessons.course import COURSE, home_of
from llm_demo.quiz.reply import WAYS
from llm_demo.quiz.rows import LANGUAGES as QUIZ_LANGUAGES
from llm_demo.strict_json import parse

VERSION = 1  # of the file
MAX_BYTES = 2_000  # of an address: what messengers, mail programs and QR codes all bear
MAX_TURNS = 20  # messages of a conversation
LETTERS = tuple("ABCDEFGHIJ")
TABS = tuple(COURSE)
SECTIONS = {
    "tokenizer": tuple(f"tokenizer-{name}" for name in ("tokens", "languages", "turns", "card", "inside")),
    "decoding": ("decoding-race", "decoding-microscope"),
    "quiz": ("quiz-play", "quiz-evaluate", "quiz-contest"),
}
# What others add to an address, and what other parts of the page read there, is no mistake of a link's.
FOREIGN = re.compile(r"__.*|utm_.*|fbclid|gclid|logs|room")


@dataclass(frozen=True, slots=True)
class Link:
    """What one tab holds.

    Attributes:
        tab: one of `TABS`.
        language: of the page; empty for the reader's own.
        model: key of the model that it was made with; empty for the loaded one.
        lesson: id of one of the tab's; empty for none.
        run: whether it is to be run when it is opened.
        values: by the names in `kinds`.
    """

    tab: str
    language: str = ""
    model: str = ""
    lesson: str = ""
    run: bool = False
    values: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))


def kinds(tab: str, config: Config, models: Collection[str]) -> dict[str, Kind]:
    """Return what the link of a tab can hold: name in the query -> kind.

    Args:
        tab: one of `TABS`.
        config: its bounds hold.
        models: keys of the catalogue.
    """
    prompt, model = Text(config.max_prompt_chars), Choice(models)
    section = {"at": Choice(SECTIONS[tab])} if tab in SECTIONS else {}
    if tab == "tokenizer":
        texts = dict.fromkeys(("system", "first", "reply", "second"), prompt)
        return section | {
            "text": Text(config.max_tokenized_chars),
            "special": Switch(),
            "control": Switch(),
            "other": model,
            **texts,
            "thinking": Switch(),
            "beside": model,
            "inside": prompt,
        }
    if tab == "chat":
        beside = Choice([*BESIDE, *(f"model:{key}" for key in models)])
        said = {f"h{number}": prompt for number in range(1, MAX_TURNS + 1)}
        return {
            **said,
            "text": prompt,
            "system": prompt,
            "beside": beside,
            "count": Number(1, config.max_answers),
            "thinking": Switch(),
            "s": Strategy(),
        }
    if tab == "decoding":
        strategies = {f"s{number}": Strategy() for number in range(1, config.max_compared + 1)}
        return section | {
            "text": prompt,
            "control": Switch(),
            **strategies,
            "s": Strategy(),
            "shown": Number(1, config.max_top_k),
        }
    if tab == "ablation":
        parts: dict[str, Kind] = {}
        for number in range(1, config.max_parts + 1):
            parts |= {f"n{number}": Text(MAX_NAME), f"p{number}": prompt, f"on{number}": Switch()}
            parts |= {f"c{number}": Choice(KINDS), f"v{number}": Text(MAX_VALUE)}
        return {
            "case": Number(0, 100),
            **parts,
            "schemes": Several(SCHEMES),
            "by": Text(500),
            "samples": Number(0, config.max_samples),
            "greedy": Switch(),
            "s": Strategy(),
        }
    return section | {
        "in": Choice(QUIZ_LANGUAGES),
        "category": Text(100),
        "q": Number(0, 2**53 - 1),
        "letter": Choice(LETTERS),
        "sure": Number(0, 100),
        "seed": Number(-(2**53), 2**53),
        "way": Choice(tuple(WAYS)),
        "count": Number(1, max(config.max_quiz_questions, config.max_quiz_written)),
        "categories": Several(),
    }


def to_pairs(link: Link, config: Config, models: Collection[str]) -> list[tuple[str, str]]:
    """Return a link as names and texts; a value that could not be read again is left out."""
    pairs = [("tab", link.tab)]
    for name, kind in kinds(link.tab, config, models).items():
        written = kind.write(link.values[name]) if name in link.values else None
        if written is not None and kind.read(written) is not None:
            pairs.append((name, written))
    own = {
        "lesson": link.lesson if link.lesson and home_of(link.lesson) == link.tab else "",
        "model": link.model if link.model in models else "",
        "run": "1" if link.run else "",
        "lang": link.language,
    }
    return [*pairs, *((name, text) for name, text in own.items() if text)]


def from_pairs(pairs: Iterable[tuple[str, str]], config: Config, models: Collection[str]) -> tuple[Link | None, int]:
    """Read a link.

    Args:
        pairs: names and texts of a query string, as a stranger may have written them.
        config: its bounds hold.
        models: keys of the catalogue.

    Returns:
        The link, None where it names neither a tab nor a lesson that there is; and how many values were left out.
    """
    given: dict[str, str] = {}
    ignored = 0
    for name, text in pairs:
        if name in given:
            ignored += 1
        elif not FOREIGN.fullmatch(name):
            given[name] = text
    lesson, tab = given.pop("lesson", ""), given.pop("tab", "")
    home = home_of(lesson)
    if tab and tab not in TABS:
        tab, ignored = "", ignored + 1
    if lesson and (not home or tab not in ("", home)):
        lesson, ignored = "", ignored + 1
    tab = tab or (home if lesson else "")
    if not tab:
        return None, ignored + len(given)
    own = {"lang": Choice(LANGUAGES), "model": Choice(models), "run": Switch()}
    known = own | kinds(tab, config, models)
    values: dict[str, Value] = {}
    for name, text in given.items():
        value = known[name].read(text) if name in known else None
        if value is None:
            ignored += 1
        else:
            values[name] = value
    language, model, run = (values.pop(name, "") for name in own)
    return Link(tab, language, model, lesson, bool(run), MappingProxyType(values)), ignored


def to_query(link: Link, config: Config, models: Collection[str]) -> str:
    """Return the query string of a link, without its question mark."""
    return urlencode(to_pairs(link, config, models), safe=",:/")


def to_json(link: Link, config: Config, models: Collection[str]) -> str:
    """Write a file that `from_json` reads: what an address has no room for."""
    document = {"version": VERSION, "link": dict(to_pairs(link, config, models))}
    return json.dumps(document, ensure_ascii=False, indent=1)


def from_json(text: str | bytes, config: Config, models: Collection[str]) -> tuple[Link | None, int]:
    """Read what `to_json` wrote, as `from_pairs` reads a query string.

    Raises:
        InputError: it is no such file.
    """
    data = parse(text, config.max_upload_mb)
    link = data.get("link") if isinstance(data, dict) and data.get("version") == VERSION else None
    if not isinstance(link, dict):
        raise InputError("link_file")
    texts = [(name, value) for name, value in link.items() if isinstance(value, str)]
    found, ignored = from_pairs(texts, config, models)
    return found, ignored + len(link) - len(texts)
