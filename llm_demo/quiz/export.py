"""An evaluation as a file: JSON with all there is to know, or CSV with a line a question."""

import csv
import io
import json
from dataclasses import asdict

from llm_demo.quiz.evaluation import Evaluation, Share, summarize
from llm_demo.quiz.reply import Reply

COLUMNS = ("question_id", "category", "options", "gold", "letter", "right", "prob", "mass", "strict", "finish", "text")
# A spreadsheet takes a cell that begins so for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def to_json(evaluation: Evaluation) -> str:
    """Return settings, figures and every reply; the questions' own texts stay with the data set."""
    return json.dumps({**figures(evaluation), "replies": [_reply(reply) for reply in evaluation.replies]}, indent=1)


def figures(evaluation: Evaluation) -> dict[str, object]:
    """Return settings and figures as plain JSON."""
    summary = summarize(evaluation)
    return {
        "settings": asdict(evaluation.settings),
        "model": evaluation.model,
        "source": dict(zip(("origin", "name"), evaluation.source, strict=True)),
        "worked_examples": evaluation.shots,
        "number_format": evaluation.number_format,
        "questions": len(evaluation.questions),
        "answered": len(evaluation.replies),
        "accuracy": summary.accuracy.value,
        "interval": list(summary.accuracy.interval),
        "chance": summary.chance,
        "by_category": {name: _share(each) for name, each in summary.by_category},
        "letters": summary.letters,
        "gold_letters": summary.golds,
        "unparsed": summary.unparsed,
        "low_mass": summary.low_mass,
        "benchmark_pattern": _share(summary.strict) if summary.strict else None,
        "calibration": asdict(summary.calibration) if summary.calibration else None,
        "questions_per_second": summary.per_second,
    }


def to_csv(evaluation: Evaluation) -> str:
    """Return one line a reply, under a line of names."""
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    for reply in evaluation.replies:
        row = _reply(reply)
        text = str(row["text"])
        writer.writerow({**row, "text": f"'{text}" if text.startswith(FORMULA) else text})
    return file.getvalue()


def _share(share: Share) -> dict[str, object]:
    return {"right": share.right, "n": share.count, "accuracy": share.value, "interval": list(share.interval)}


def _reply(reply: Reply) -> dict[str, object]:
    question, scores = reply.question, reply.scores
    return {
        "question_id": question.question_id,
        "category": question.category,
        "options": len(question.options),
        "gold": question.answer,
        "letter": reply.letter,
        "right": reply.is_right,
        "prob": scores.probs[scores.letters.index(reply.letter)] if scores else None,
        "mass": scores.mass if scores else None,
        "letter_probs": dict(zip(scores.letters, scores.probs, strict=True)) if scores else None,
        "strict": reply.strict,
        "finish": reply.finish,
        "text": reply.text,
        "prompt_tokens": reply.prompt_tokens,
        "new_tokens": reply.new_tokens,
    }
