"""A runbook as a workbook for the people who work in one: a sheet a table, every cell text, no formula."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

from rollway.planning.runbooks.columns import HEAD, HEAD_NAME, STAGES, TABLES, Column
from rollway.planning.runbooks.model import Runbook
from rollway.planning.runbooks.values import LINES
from rollway.planning.runbooks.yaml_out import head_cells, row_cells

FORMULA_MARKS = ("=", "+", "-", "@", "\t")
"""A cell that begins like this is marked as text (quotePrefix), so that editing it makes no formula of it."""
_WIDE = {
    "title": 44,
    "instruction": 60,
    "criteria": 44,
    "expected": 36,
    "verification": 36,
    "command": 40,
    "how": 50,
}
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MODIFIED = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*")
_LINE_COLUMNS = {
    column.name
    for columns in (HEAD, *(table.columns for table in TABLES))
    for column in columns
    if column.kind is LINES
}

Lines = Iterator[Sequence[str]]


def write_xlsx(runbook: Runbook) -> bytes:
    """The workbook's bytes: the same runbook gives the same bytes."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    head = [("field", "value"), *((name, _text(name, value)) for name, value in head_cells(runbook))]
    _fill(book, HEAD_NAME, head, (16, 60))
    for table in TABLES:
        parts = getattr(runbook, table.name)
        if table is STAGES and not parts:
            continue
        names = _columns(table.columns, parts)
        widths = tuple(_WIDE.get(name, 14) for name in names)
        _fill(book, table.name, [names, *_rows(table.columns, names, parts)], widths)
    packed = io.BytesIO()
    book.save(packed)
    return _without_clock(packed.getvalue())


def _columns(columns: Sequence[Column], parts: Sequence[Any]) -> list[str]:
    """The known columns, and the users' own in the order in which they come up."""
    own = dict.fromkeys(name for part in parts for name, _ in part.extra)
    return [*(column.name for column in columns), *own]


def _rows(columns: Sequence[Column], names: Sequence[str], parts: Sequence[Any]) -> Lines:
    for part in parts:
        cells = dict(row_cells(columns, part))
        yield [_text(name, cells.get(name, "")) for name in names]


def _text(name: str, value: str | list[str]) -> str:
    """Lists of ids and durations share a line, lists of sentences have a line each."""
    if isinstance(value, str):
        return value
    return ("\n" if name in _LINE_COLUMNS else ", ").join(value)


def _fill(book: Any, title: str, rows: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for number, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(number)].width = width

    def cell(text: str, *, bold: bool) -> Any:
        made = WriteOnlyCell(sheet, value=_ESCAPE.sub("_x005F_", text))
        made.data_type = "s"
        made.number_format = "@"
        if bold:
            made.font = Font(bold=True)
        elif text.startswith(FORMULA_MARKS):
            made.quotePrefix = True
        elif "\n" in text:
            made.alignment = Alignment(wrap_text=True, vertical="top")
        return made

    for number, row in enumerate(rows):
        sheet.append([cell(text, bold=number == 0) if text else None for text in row])


def _without_clock(data: bytes) -> bytes:
    """The same archive with every date in it set to one that is always the same."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            content = old.read(part)
            if part.filename == "docProps/core.xml":
                content = _MODIFIED.sub(rb"\g<1>1980-01-01T00:00:00Z", content)
            info = zipfile.ZipInfo(part.filename, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, content)
    return packed.getvalue()
