"""The lessons of the Decoding tab: one text continued in several ways."""

from dataclasses import dataclass

from llm_demo.lessons.lesson import Lesson
from llm_demo.sampling import Sampling


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
