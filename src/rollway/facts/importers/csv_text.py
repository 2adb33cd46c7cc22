"""CSV as spreadsheets write it: any usual separator, quotes, encodings, and lines of any length refused."""

from __future__ import annotations

import csv
import io
from collections import Counter

from rollway.facts.importers.given import beginning, text_of
from rollway.facts.importers.model import Given, Imported, Importer, Options, UnreadableError
from rollway.facts.importers.registers import Line, import_table

LONGEST_CELL = 200_000
MAX_COLUMNS = 2_000
MAX_LINES = 200_000
_SEPARATORS = ",;\t|"


def read(given: Given, options: Options) -> Imported:
    """The entries of a risk register, a backlog or a list of groups."""
    lines, notes = csv_lines(given)
    imported = import_table(lines, options, given.name)
    return Imported(imported.told, (), imported.rows, imported.skipped, (*notes, *imported.notes))


def csv_lines(given: Given) -> tuple[list[Line], tuple[str, ...]]:
    """Every line with its cells, and what is worth telling about how it was read."""
    text, encoding = text_of(given)
    notes = [f"read as {encoding}"] if encoding == "Windows-1252" else []
    separator, text = _separator(text)
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    lines: list[Line] = []
    try:
        for cells in reader:
            if len(lines) >= MAX_LINES:
                raise UnreadableError(f"{given.name}: this has more than {MAX_LINES:,} lines")
            if len(cells) > MAX_COLUMNS:
                raise UnreadableError(f"{given.name}:{reader.line_num}: more than {MAX_COLUMNS:,} columns")
            lines.append(Line(tuple(cells), f"line {reader.line_num}"))
    except csv.Error as error:
        place = f"{given.name}:{reader.line_num}"
        told = (
            f"a cell has more than {LONGEST_CELL:,} characters"
            if "field larger" in str(error)
            else str(error)
        )
        raise UnreadableError(f"{place}: this is not CSV: {told}", hint="is a quote not closed?") from None
    return lines, tuple(notes)


def _separator(text: str) -> tuple[str, str]:
    """The separator and the text below Excel's `sep=;`, if it has one."""
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:
        return first.strip()[4], rest
    return _most_regular(text[:20_000]), text


def _most_regular(sample: str) -> str:
    """The separator that cuts most of the first lines into the same number of cells, and into most."""

    def regularity(separator: str) -> tuple[int, int]:
        try:
            lines = list(csv.reader(io.StringIO(sample, newline=""), delimiter=separator))[:30]
        except csv.Error:
            return 0, 0
        widths = Counter(len(cells) for cells in lines if len(cells) > 1)
        width, times = widths.most_common(1)[0] if widths else (0, 0)
        return times, width

    return max(_SEPARATORS, key=regularity)


def _recognises(given: Given) -> bool:
    head = beginning(given)
    first = next((line for line in head.splitlines() if line.strip()), "")
    return not given.folder and any(separator in first for separator in _SEPARATORS)


IMPORTER = Importer("csv", "CSV table", _recognises, read)
