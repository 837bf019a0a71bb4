"""Reading: what the models really read, its signs marked, and how much of the context it takes."""

from collections.abc import Sequence
from html import escape

from transformers import PreTrainedTokenizerBase

from llm_demo.conversation import Answer
from llm_demo.engine import Engine
from llm_demo.i18n import Translate
from llm_demo.prompt import controls
from llm_demo.tabs.voices import names_of


def render(answers: Sequence[Answer], engine: Engine, t: Translate) -> str:
    """Return safe HTML of every prompt that differs, the names of who read it above it."""
    names = names_of([answer.voice for answer in answers], t)
    readers: dict[tuple[str, str], list[int]] = {}
    for number, answer in enumerate(answers):
        readers.setdefault((answer.voice.model, answer.prompt), []).append(number)
    blocks = []
    for (model, prompt), numbers in readers.items():
        who = ", ".join(names[number] for number in numbers)
        title = f"<h4>{escape(who)}</h4>" if len(readers) > 1 else ""
        runner = engine.of(model)
        first = answers[numbers[0]]
        blocks.append(
            f"<div>{title}{_meter(first, runner, t)}"
            f'<div class="read" tabindex="0">{_marked(prompt, runner.tokenizer)}</div></div>'
        )
    return f'<div class="readings">{"".join(blocks)}</div>' if blocks else ""


def _meter(answer: Answer, engine: Engine, t: Translate) -> str:
    read, new, context = len(answer.trace.prompt_ids), answer.voice.sampling.max_new_tokens, engine.loaded.context
    note = t("chat.context", count=t.number(read), context=t.number(context), new=t.number(new))
    return (
        f'<p class="hint">{note}</p><div class="meter" role="img" aria-label="{escape(note)}">'
        f'<i style="width:{100 * read / context:.2f}%"></i><i style="width:{100 * new / context:.2f}%"></i></div>'
    )


def _marked(prompt: str, tokenizer: PreTrainedTokenizerBase) -> str:
    """Return safe HTML of a prompt in which the tokenizer's signs are told from what was typed."""
    pieces, end = [], 0
    for start, after in controls(tokenizer, prompt):
        pieces += [escape(prompt[end:start]), f"<mark>{escape(prompt[start:after])}</mark>"]
        end = after
    return "".join([*pieces, escape(prompt[end:])])
