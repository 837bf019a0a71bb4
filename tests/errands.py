"""Errands: what a visitor of the soak does in each tab and asks of each endpoint, and what is compared."""

import json
import re
from dataclasses import dataclass, field

import httpx

from llm_demo.i18n import LANGUAGES as KNOWN
from llm_demo.i18n import translator
from tests.window import API, Layout, TroubleError, Values, Window

LANGUAGES = tuple(KNOWN)
SERVED = "es"  # the language of the labels as the page is served
# A word that one visitor alone writes, and every token of a strip with its probability.
NAME = re.compile(r"Person(\d{3})")
TOKEN = re.compile(r'class="token[^"]*" data-i="\d+"[^>]*?(?:--p:([\d.]+)")?>(.*?)</button>')

Told = dict[int, tuple[str, ...]]  # a component's id -> what it told


@dataclass(frozen=True, slots=True)
class Errand:
    """Something that a visitor does in a tab.

    Attributes:
        name: of the errand.
        run: `elem_id` of the button that does it.
        fields: `elem_id` -> what is typed there; `{name}` and `{seed}` stand for the visitor's own.
        mark: what is found in every value that is compared.
        stop: `elem_id` of the button that ends it; empty where it is quick.
        grows: whether what is compared grows token by token.
        knobs: key of the locale -> value of the control that it names.
        before: `elem_id` of the button to be pressed before anything else.
    """

    name: str
    run: str
    fields: dict[str, object]
    mark: str
    stop: str = ""
    grows: bool = False
    knobs: dict[str, object] = field(default_factory=dict)
    before: str = ""

    async def prepare(self, window: Window, layout: Layout, number: int, language: str) -> None:
        """Write what this visitor writes."""
        if self.before:
            if "quiz-seed" in self.fields:
                window.values[layout.id("quiz-seed")] = number
            await window.settle(layout.events(self.before, "click"))
        for name, value in self.fields.items():
            window.values[layout.id(name)] = _own(value, number)
        for key, value in self.knobs.items():
            label = translator(SERVED)(key)
            window.values[layout.labelled(label, layout.events(self.run, "click"))] = value


def _own(value: object, number: int) -> object:
    if value == "{seed}":
        return number
    return value.format(name=f"Person{number:03d}") if isinstance(value, str) else value


ERRANDS = (
    Errand("tokenizer", "tokenizer-run", {"tokenizer-text": "¿Qué dice {name}? Rojo, azul."}, 'class="linked'),
    Errand(
        "chat",
        "chat-send",
        {"chat-message": "I am {name}. Tell me about the sea.", "chat-seed": "{seed}"},
        'class="strip"',
        "chat-stop",
        grows=True,
        knobs={"knob.max_new_tokens": 20},
        before="chat-clear",
    ),
    Errand(
        "decoding",
        "decoding-run",
        {"decoding-prompt": "{name} went to the market and bought"},
        'class="strip"',
        "decoding-stop",
        grows=True,
    ),
    Errand(
        "ablation",
        "ablation-run",
        {"ablation-text-2": "What does {name} do all day?", "ablation-schemes": ["only"]},
        'class="answers-side"',
        "ablation-stop",
        knobs={"ablation.samples": 1, "knob.max_new_tokens": 8},
    ),
    Errand("quiz", "quiz-answer", {"quiz-options": "A", "quiz-seed": "{seed}"}, "plotly", before="quiz-next"),
    Errand(
        "evaluation",
        "evaluate-run",
        {"evaluate-count": 2, "evaluate-seed": "{seed}"},
        'class="tokens-table',
        "evaluate-stop",
    ),
)


def told(answer: Values, errand: Errand) -> Told:
    """Return what an answer tells, the words of the interface left out where there are tokens."""
    found: Told = {}
    for number, value in answer.items():
        text = value if isinstance(value, str) else json.dumps(value) if isinstance(value, dict) else ""
        if errand.mark in text:
            found[number] = tuple(f"{prob} {token}" for prob, token in TOKEN.findall(text)) or (text,)
    return found


def is_beginning_of(part: Told, whole: Told) -> bool:
    """Tell whether everything in `part` is what `whole` begins with."""
    return all(whole.get(number, ())[: len(tokens)] == tokens for number, tokens in part.items())


def foreign(answer: Values, number: int) -> str:
    """Return another visitor's name found in an answer; empty where there is none."""
    names = NAME.findall(json.dumps(list(answer.values())))
    return next((name for name in names if int(name) != number), "")


SHORT = {"strategy": "greedy", "max_new_tokens": 12}


def call_of(number: int) -> tuple[str, list]:
    """Return the endpoint that a visitor asks, and with what."""
    name = f"Person{number:03d}"
    drawn = {"max_new_tokens": 12, "seed": number}
    parts = [{"name": "tone", "text": "Be brief."}, {"name": "topic", "text": f"Who is {name}?"}]
    question = 1 + number % 40
    calls = (
        ("tokenize", [f"{name} ✓", None]),
        ("next_token", [f"{name} is", None, drawn, 10]),
        ("generate", [f"{name} is", None, drawn, 10]),
        ("compare", [f"{name} is", None, [SHORT, drawn], 5]),
        ("chat", [[{"role": "user", "content": f"I am {name}."}], None, drawn, "", False]),
        ("ablate", [parts, None, drawn, 1]),
        ("quiz_question", ["es", None, number]),
        ("quiz_answer", [question, "en", "A", None]),
        ("quiz_evaluate", ["en", None, 2, number, "direct", None]),
    )
    return calls[number % len(calls)]


async def ask(client: httpx.AsyncClient, name: str, values: list) -> object:
    """Ask a named endpoint; returns its answer without the seconds that it took.

    Raises:
        TroubleError: it answered with trouble.
    """
    begun = await client.post(f"{API}/call/{name}", json={"data": values})
    if begun.is_error:
        raise TroubleError(f"/{name} {begun.status_code}: {begun.text[:200]}")
    answer = await client.get(f"{API}/call/{name}/{begun.json()['event_id']}")
    event, _, rest = answer.text.rpartition("event: ")[2].partition("\n")
    data = json.loads(rest.partition("data: ")[2] or "null")
    if event != "complete":
        raise TroubleError(f"/{name}: {event} {data}")
    return _without_time(data)


def _without_time(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_time(one) for key, one in value.items() if key != "seconds"}
    return [_without_time(one) for one in value] if isinstance(value, list) else value


def tokens_in(answer: object) -> int:
    """Return how many generated tokens the traces of an answer hold."""
    if isinstance(answer, dict):
        return len(answer.get("steps", ())) or sum(map(tokens_in, answer.values()))
    return sum(map(tokens_in, answer)) if isinstance(answer, list) else 0
