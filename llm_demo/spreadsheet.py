"""Spreadsheet: rows as CSV in which no cell is taken for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

# What makes a spreadsheet take a cell for a formula: https://owasp.org/www-community/attacks/CSV_Injection
# The quote that guards is guarded too, so that taking one away always gives the text back.
GUARDED = tuple("=+-@＝＋－＠\t\r\n\0'")

Cell = str | int | float


def guard(text: str) -> str:
    """Return a text with a `'` before it where a spreadsheet would take it for a formula, or where it begins so."""
    return f"'{text}" if text.startswith(GUARDED) else text


def table(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return a row with the names of the columns and those that follow; texts are guarded, rows end as in RFC 4180."""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(columns)
    writer.writerows([guard(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return lines.getvalue()
