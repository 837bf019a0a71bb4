"""Harness: our letters beside those of lm-evaluation-harness, question by question: `bench --harness es,en`.

A development tool: it alone imports `lm_eval` (`pip install lm_eval`), which the app does not need. The questions come
from `LLM_DEMO_QUIZ_DATA` or the hub.
"""

import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from transformers import PreTrainedModel

from llm_demo.engine import Engine
from llm_demo.quiz.answering import answer
from llm_demo.quiz.prompts import direct_input
from llm_demo.quiz.quiz import Quiz
from llm_demo.quiz.reply import WAYS, Reply
from llm_demo.quiz.rows import Question
from llm_demo.quiz.scoring import SPELLINGS
from llm_demo.quiz.shots import Shots

if TYPE_CHECKING:
    from lm_eval.models.huggingface import HFLM

BLOCK = 2 * WAYS["direct"]  # questions that one answers before it is the other's turn


@dataclass(frozen=True, slots=True)
class Agreement:
    """The two on the same questions.

    Attributes:
        language: of the questions.
        questions: how many.
        same_letter: on how many they choose alike.
        furthest: the largest difference of a letter's log-probability, in nats.
        ours, theirs: seconds a question.
    """

    language: str
    questions: int
    same_letter: int
    furthest: float
    ours: float
    theirs: float


def agree(engine: Engine, plain: PreTrainedModel, language: str) -> Agreement:
    """Ask both all questions of a language, in blocks taken in turn.

    Args:
        engine: in float32.
        plain: the same model as transformers loads it.
        language: of the questions.
    """
    from lm_eval.models.huggingface import HFLM

    quiz = Quiz(engine)
    questions, runner = quiz.bank(language).questions, quiz.engine()
    harness = HFLM(pretrained=plain, tokenizer=engine.tokenizer, batch_size=1)
    seconds = [0.0, 0.0]
    same, furthest = 0, 0.0
    _ours(runner, questions[:1]), _theirs(engine, harness, questions[:1])  # a first time, for the caches
    for start in range(0, len(questions), BLOCK):
        block = questions[start : start + BLOCK]
        mine, spent = _ours(runner, block)
        seconds[0] += spent
        found, spent = _theirs(engine, harness, block)
        seconds[1] += spent
        for reply, nats in zip(mine, found, strict=True):
            same += reply.letter == reply.question.letters[nats.index(max(nats))]
            ours = [math.log(prob * reply.scores.mass) for prob in reply.scores.probs]
            furthest = max(furthest, *(abs(a - b) for a, b in zip(ours, nats, strict=True)))
    count = len(questions)
    return Agreement(language, count, same, furthest, seconds[0] / count, seconds[1] / count)


def told(agreements: Sequence[Agreement]) -> str:
    """Return a line a language."""
    lines = ["language  questions  same letter  furthest (nats)  ours s/question  harness s/question  ratio"]
    lines += [
        f"{each.language:8}{each.questions:11}{each.same_letter:13}{each.furthest:17.1e}{each.ours:17.3f}"
        f"{each.theirs:20.3f}{each.ours / each.theirs:7.2f}"
        for each in agreements
    ]
    return "\n".join(lines)


def _ours(engine: Engine, questions: Sequence[Question]) -> tuple[list[Reply], float]:
    begun = time.perf_counter()
    replies: list[Reply] = []
    for start in range(0, len(questions), WAYS["direct"]):
        job = dict(answer(engine, questions[start : start + WAYS["direct"]], "direct", Shots("", ())))
        replies += [job[place] for place in range(len(job))]
    return replies, time.perf_counter() - begun


def _theirs(engine: Engine, harness: "HFLM", questions: Sequence[Question]) -> tuple[list[list[float]], float]:
    """Return each letter's nats by a multiple-choice task of the harness's own, and the seconds of its scoring alone.

    Each spelling is a choice; what a letter's two spellings get is summed as we do. The harness counts white space at
    the end of a prompt, a chat template's new line, as part of every choice: what that got is taken off again.
    """
    from lm_eval.api.instance import Instance
    from lm_eval.api.task import ConfigurableTask

    with TemporaryDirectory() as folder:
        file = Path(folder) / "test.jsonl"
        docs = [
            {
                "prompt": direct_input(engine.tokenizer, question),
                "choices": [spelling.format(letter) for letter in question.letters for spelling in SPELLINGS],
                "gold": len(SPELLINGS) * question.letters.index(question.answer),
            }
            for question in questions
        ]
        file.write_text("\n".join(map(json.dumps, docs)), "utf-8")
        task = ConfigurableTask(
            config={
                "task": "letters",
                "dataset_path": "json",
                "dataset_kwargs": {"data_files": {"test": str(file)}, "cache_dir": folder},
                "test_split": "test",
                "output_type": "multiple_choice",
                "doc_to_text": "prompt",
                "doc_to_choice": "choices",
                "doc_to_target": "gold",
                "target_delimiter": "",
            }
        )
        task.build_all_requests()
    begun = time.perf_counter()
    scored = [nats for nats, _ in harness.loglikelihood(task.instances, disable_tqdm=True)]
    spent = time.perf_counter() - begun
    blank = [Instance("loglikelihood", doc, (doc["prompt"], ""), 0) for doc in docs if doc["prompt"][-1].isspace()]
    moved = iter([nats for nats, _ in harness.loglikelihood(blank, disable_tqdm=True)])
    letters: list[list[float]] = []
    for question, doc in zip(questions, docs, strict=True):
        white = next(moved) if doc["prompt"][-1].isspace() else 0.0
        mine, scored = scored[: 2 * len(question.letters)], scored[2 * len(question.letters) :]
        pairs = zip(mine[::2], mine[1::2], strict=True)
        letters.append([math.log(math.exp(one) + math.exp(other)) - white for one, other in pairs])
    return letters, spent
