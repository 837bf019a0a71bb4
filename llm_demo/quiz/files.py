"""An operator's own questions: a file or a folder -> the rows in it, as they are.

Text formats are read here rather than by `datasets`, whose readers guess one type a column: one broken line
loses them the whole file, and an option "1.50" comes back as the number 1.5.
"""

import csv
import io
import json
from pathlib import Path

from llm_demo.errors import QuizDataError
from llm_demo.quiz.rows import LANGUAGES

SUFFIXES = (".jsonl", ".json", ".csv", ".parquet")


def read_source(path: Path, language: str, split: str = "test") -> tuple[str, list[object]]:
    """Read the rows that a file or folder has for a language.

    A file holds questions of one language and serves them to whoever asks, in the language that its name ends
    with (`mine_es.csv`) or else in the one asked for. A folder has a file or more for each language, named
    `…_es.jsonl` or `es.jsonl`, or `es/test….parquet` as in a copy of the hub's; other files are let be. Worked
    examples, the split "validation", are in a folder's files whose names begin so: `validation_es.jsonl`.

    Returns:
        The language of the rows, and the rows.

    Raises:
        QuizDataError: nothing there, of another format, unreadable, or no file in the language.
    """
    try:
        if not path.exists():
            raise QuizDataError("quiz_file_missing", file=path.name)
        if not path.is_dir():
            return _named_language(path) or language, _rows(path)
        return language, [row for file in _files(path, language, split) for row in _rows(file)]
    except (OSError, ValueError, csv.Error) as error:
        raise QuizDataError("quiz_file_unreadable", file=path.name) from error


def json_rows(text: str) -> list[object]:
    """Read a JSON list, or JSON lines: a line that is no JSON stays a string, for `parse_rows` to report.

    Raises:
        ValueError: a list that does not end, or is no JSON otherwise.
    """
    if text.lstrip().startswith("["):
        return json.loads(text)
    return [_line(line) for line in text.split("\n") if line.strip()]


def _line(line: str) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return line


def _rows(file: Path) -> list[object]:
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise QuizDataError("quiz_file_format", file=file.name, formats=", ".join(SUFFIXES))
    if suffix == ".parquet":
        return _parquet_rows(file)
    text = file.read_text("utf-8-sig")  # spreadsheets write the mark
    return _csv_rows(text) if suffix == ".csv" else json_rows(text)


def _parquet_rows(file: Path) -> list[object]:
    from pyarrow import ArrowException, parquet  # slow to import; comes with datasets

    try:
        return parquet.read_table(file).to_pylist()
    except ArrowException as error:
        raise ValueError(str(error)) from error


def _csv_rows(text: str) -> list[object]:
    rows: list[object] = []
    for cells in csv.DictReader(io.StringIO(text, newline="")):
        row: dict[str, object] = {name: cell for name, cell in cells.items() if name and cell}
        for name in ("question_id", "answer_index"):
            cell = cells.get(name) or ""
            if cell.isascii() and cell.isdigit():
                row[name] = int(cell)
        rows.append(row)
    return rows


def _files(folder: Path, language: str, split: str) -> list[Path]:
    files = [file for file in sorted(folder.rglob("*")) if file.suffix.lower() in SUFFIXES and file.is_file()]
    by_language: dict[str, list[Path]] = {}
    for file in files:
        if file.name.startswith("validation") != (split == "validation"):
            continue
        named = _named_language(file)
        if named is None and file.name.startswith(split):
            named = file.parent.name  # the hub's layout
        if named in LANGUAGES:
            by_language.setdefault(named, []).append(file)
    if language not in by_language:
        available = ", ".join(sorted(by_language)) or "—"
        raise QuizDataError("quiz_file_language", file=folder.name, language=language, available=available)
    return by_language[language]


def _named_language(file: Path) -> str | None:
    ending = file.stem.lower().rpartition("_")[2]
    return ending if ending in LANGUAGES else None
