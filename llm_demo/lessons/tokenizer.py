"""The lessons of the Tokenizer tab: a text as the model reads it."""

from dataclasses import dataclass

from llm_demo.lessons.lesson import Lesson


@dataclass(frozen=True, slots=True)
class TokenizerLesson(Lesson):
    """One text, in one section of the tab.

    Attributes:
        section: the id of the section that it opens.
        text: what is put into the text box; empty where the section reads none.
        other: the catalogue's key of the tokenizer to compare with; empty for none.
    """

    section: str
    text: str
    other: str = ""


LESSONS = (
    TokenizerLesson("T1", "Qwen3-0.6B", 1, "tokenizer-tokens", "Lista de colores: rojo, azul"),
    TokenizerLesson("T2", "Qwen2.5-0.5B-Instruct", 2, "tokenizer-tokens", "Hola modelito, hablas español?"),
    TokenizerLesson("T3", "", 0, "tokenizer-card", ""),
    TokenizerLesson("T4", "", 2, "tokenizer-languages", "", other="Qwen3-0.6B"),
    TokenizerLesson("T5", "", 1, "tokenizer-tokens", "😀 ñ 𓂀"),
    TokenizerLesson("T6", "", 0, "tokenizer-inside", "El perro que vi ayer ladra"),
)
