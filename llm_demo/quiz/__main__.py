"""Evaluate a model from a shell: `python -m llm_demo.quiz --language es --n 100 --seed 0 --mode direct`."""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from llm_demo.config import Config
from llm_demo.engine import Engine
from llm_demo.errors import DemoError
from llm_demo.quiz.dataset import LANGUAGES as QUIZ_LANGUAGES
from llm_demo.quiz.evaluation import Evaluation, Settings, Share, summarize
from llm_demo.quiz.export import to_csv, to_json
from llm_demo.quiz.quiz import Quiz
from llm_demo.quiz.reply import WAYS

ENDLESS = 10**6  # whoever has the shell sets no bound on their own questions


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask the questions, tell how far it is, and print what the answers add up to."""
    parser = argparse.ArgumentParser(prog="python -m llm_demo.quiz", description=__doc__.partition(":")[0])
    parser.add_argument("--language", default="es", choices=QUIZ_LANGUAGES, metavar="CODE")
    parser.add_argument("--category", action="append", default=[], help="may be given several times; all by default")
    parser.add_argument("--n", type=int, default=100, help="questions")
    parser.add_argument("--seed", type=int, default=0, help="of their order")
    parser.add_argument("--mode", default="direct", choices=WAYS)
    parser.add_argument("--model", default="", help="a key of the catalogue, a hub id or a folder")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything here")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write a line a question here")
    options = parser.parse_args(arguments)
    try:
        config = Config.from_env(os.environ)
        config = replace(config, max_quiz_questions=ENDLESS, max_quiz_written=ENDLESS)
        with closing(Engine.load(options.model, config)) as engine:
            quiz = Quiz(engine)
            settings = Settings(options.language, tuple(options.category), options.n, options.seed, options.mode)
            for evaluation in quiz.evaluate(quiz.begin(settings)):
                tell(evaluation)
    except DemoError as error:
        sys.exit(str(error))
    print("\n" + table(evaluation))
    if options.json:
        options.json.write_text(to_json(evaluation) + "\n", "utf-8")
    if options.csv:
        options.csv.write_text(to_csv(evaluation), "utf-8")


def tell(evaluation: Evaluation) -> None:
    """Write how far it is, on one line."""
    print(f"\r{len(evaluation.replies)} of {len(evaluation.questions)}", end="", file=sys.stderr, flush=True)


def table(evaluation: Evaluation) -> str:
    """Return the figures as the lines that a person reads."""
    summary, settings = summarize(evaluation), evaluation.settings
    origin, name = evaluation.source
    lines = [
        f"{evaluation.model} in {evaluation.number_format}, {settings.way}, {settings.language}, seed {settings.seed}",
        f"{len(evaluation.replies)} questions from {name} ({origin})",
        _line("accuracy", summary.accuracy),
        f"{'chance':20}{100 * summary.chance:7.1f} %",
        f"{'unparsed':20}{summary.unparsed:7}",
    ]
    if summary.strict:
        lines.append(_line("benchmark's pattern", summary.strict))
    if summary.calibration:
        lines.append(f"{'low letter mass':20}{summary.low_mass:7}")
        lines.append(f"{'calibration error':20}{summary.calibration.error:7.3f}")
    lines.append("letters chosen      " + "  ".join(f"{letter} {count}" for letter, count in summary.letters.items()))
    lines.append("letters right       " + "  ".join(f"{letter} {count}" for letter, count in summary.golds.items()))
    lines += [_line(f"  {name}", each) for name, each in summary.by_category]
    lines.append(f"{summary.per_second:.2f} questions a second")
    return "\n".join(lines)


def _line(name: str, share: Share) -> str:
    low, high = share.interval
    return f"{name:20}{100 * share.value:7.1f} %  [{100 * low:.1f}, {100 * high:.1f}]  {share.right} of {share.count}"


if __name__ == "__main__":
    main()
