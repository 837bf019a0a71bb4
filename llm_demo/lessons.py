"""Lessons: the exercises of the course as presets, one per thing to be seen; their words stand in the locales."""

from dataclasses import dataclass

from llm_demo.errors import InputError
from llm_demo.i18n import Translate, keys
from llm_demo.sampling import Sampling

MAX_CHOICES = 4


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the exercises of every tab have in common.

    Attributes:
        id: `D1` and so on; the key of its texts.
        model: the catalogue's key of the model that shows it best; empty where any does.
        right: which of `choices` is the answer, from 0.
    """

    id: str
    model: str
    right: int

    def title(self, t: Translate) -> str:
        """Return its name in a list."""
        return t(f"lesson.{self.id}.title")

    def predict(self, t: Translate) -> str:
        """Return the question to be answered before anything runs."""
        return t(f"lesson.{self.id}.predict")

    def choices(self, t: Translate) -> list[str]:
        """Return the 2 to 4 answers to choose from."""
        names = [f"lesson.{self.id}.choice_{number}" for number in range(1, MAX_CHOICES + 1)]
        return [t(name) for name in names if name in keys(t.language)]

    def do(self, t: Translate) -> str:
        """Return what to press."""
        return t(f"lesson.{self.id}.do")

    def look(self, t: Translate) -> str:
        """Return what to look for in the result."""
        return t(f"lesson.{self.id}.look")


@dataclass(frozen=True, slots=True)
class DecodingLesson(Lesson):
    """One prompt, continued in several ways side by side.

    Attributes:
        prompt: plain text, sent as it is.
        samplings: in the order of their columns; at most 8.
        draft: the catalogue's key of the model that drafts for `model`; empty where none is needed.
    """

    prompt: str
    samplings: tuple[Sampling, ...]
    draft: str = ""


COLOURS = "Lista de colores: rojo, azul"
FUTURE = "In a distant future, humans and AI"
TALE = "Once upon a time"
WATER = "Water boils at"
RIDDLE = "Q: Why don't scientists trust atoms?\nA:"
RECIPE = (
    "The recipe says: Mix two cups of flour with one cup of warm water, add a pinch of salt, "
    "and let the dough rest for thirty minutes.\n"
    "Repeat the recipe word for word.\n"
    "The recipe says: Mix two cups of"
)

LESSONS = (
    DecodingLesson(
        "D1", "Qwen3-0.6B", 1, COLOURS, (Sampling("greedy"), Sampling("sample"), Sampling("beam", num_beams=2))
    ),
    DecodingLesson(
        # The second column is what Qwen3 publishes in its generation_config.
        "D2",
        "Qwen3-0.6B",
        1,
        COLOURS,
        (Sampling("greedy"), Sampling(temperature=0.6, top_k=20, top_p=0.95)),
    ),
    DecodingLesson(
        "D3",
        "",
        1,
        FUTURE,
        (
            Sampling("greedy", max_new_tokens=80, repetition_penalty=1.1),
            Sampling(max_new_tokens=80, temperature=1.0, top_k=50, repetition_penalty=1.1),
            Sampling(max_new_tokens=80, temperature=0.3, top_p=0.9, repetition_penalty=1.1),
        ),
    ),
    DecodingLesson(
        "D4", "", 0, FUTURE, tuple(Sampling(max_new_tokens=80, temperature=value) for value in (0.1, 0.7, 1.5))
    ),
    DecodingLesson("D5", "", 2, FUTURE, (Sampling(top_k=2), Sampling(top_p=0.5))),
    DecodingLesson("D6", "", 0, FUTURE, (Sampling("greedy"), Sampling(top_k=1), Sampling(temperature=0.001))),
    DecodingLesson(
        "D7", "", 0, FUTURE, (Sampling(top_k=5, top_p=0.9), Sampling(top_k=5, top_p=1.0), Sampling(top_p=0.9))
    ),
    DecodingLesson(
        "D8",
        "",
        2,
        TALE,
        tuple(Sampling("greedy", max_new_tokens=100, repetition_penalty=value) for value in (1.0, 1.1, 1.3, 1.5)),
    ),
    DecodingLesson(
        "D9",
        "",
        1,
        RIDDLE,
        (Sampling("greedy", max_new_tokens=40), Sampling("beam", max_new_tokens=40, num_beams=5)),
    ),
    DecodingLesson(
        "D10",
        "",
        0,
        TALE,
        (
            Sampling("greedy", max_new_tokens=100),
            Sampling("contrastive", max_new_tokens=100, penalty_alpha=0.6, top_k=4),
        ),
    ),
    DecodingLesson(
        "D11",
        "",
        2,
        RECIPE,
        (Sampling("greedy", max_new_tokens=60), Sampling("prompt_lookup", max_new_tokens=60)),
    ),
    DecodingLesson(
        "D12",
        "SmolLM2-360M-Instruct",
        1,
        FUTURE,
        (Sampling("greedy"), Sampling("speculative")),
        draft="SmolLM2-135M-Instruct",
    ),
    DecodingLesson("D13", "", 1, WATER, tuple(Sampling("greedy", max_new_tokens=count) for count in (10, 30, 100))),
)


def find(lesson_id: str) -> DecodingLesson:
    """Return the lesson of an id; InputError where there is none."""
    for lesson in LESSONS:
        if lesson.id == lesson_id:
            return lesson
    raise InputError("unknown_lesson", name=str(lesson_id)[:20], known=", ".join(lesson.id for lesson in LESSONS))
