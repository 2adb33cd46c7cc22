"""A runbook from a workbook: each cell with its place; formulas are refused, never computed."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

from rollway.facts.problems import closest
from rollway.planning.runbooks.columns import HEAD_NAME, TABLES
from rollway.planning.runbooks.model import Runbook
from rollway.planning.runbooks.reading import Raw, Written, make_runbook
from rollway.planning.runbooks.spots import Finding, RunbookError, Spot

MOST_BYTES = 200_000_000
MOST_PARTS = 2_000
MOST_RATIO = 200
SMALL_BYTES = 1_000_000
MOST_LINES = 20_000
MOST_COLUMNS = 200
_SHEETS = (HEAD_NAME, *(table.name for table in TABLES))

Line = tuple[int, list[tuple[int, Any]]]
"""A row's number and its cells that hold something: (column, openpyxl's cell)."""


def read_xlsx(data: bytes, name: str) -> tuple[Runbook, tuple[Finding, ...]]:
    """The runbook of a workbook and the warnings about it. Raises `RunbookError` with sheet and cell."""
    with warnings.catch_warnings():
        # openpyxl warns of what it leaves out, such as colours; what a cell says wrongly comes as its error.
        warnings.filterwarnings("ignore", module="openpyxl")
        book = _opened(data, name)
        try:
            raw = _raw(book, name)
        finally:
            book.close()
    return make_runbook(raw)


def _raw(book: Any, name: str) -> Raw:
    findings: list[Finding] = []
    sheets = {
        title.strip().lower(): book[title] for title in book.sheetnames if hasattr(book[title], "iter_rows")
    }
    if "tasks" not in sheets or HEAD_NAME not in sheets:
        missing = "tasks" if "tasks" not in sheets else HEAD_NAME
        near = closest(missing, sheets)
        hint = f"did you mean the sheet '{near}'?" if near else f"its sheets are {', '.join(sheets)}"
        raise RunbookError(name, [Finding("error", "", f"there is no sheet '{missing}'", hint, Spot(name))])
    for title in sheets:
        if title not in _SHEETS:
            told = "this sheet is no part of a runbook and was not read"
            findings.append(Finding("warning", "", told, spot=Spot(name, sheet=title)))
    head = _head(sheets[HEAD_NAME], Spot(name, sheet=HEAD_NAME), findings)
    tables = {
        table.name: _table(sheets[table.name], Spot(name, sheet=table.name), findings)
        for table in TABLES
        if table.name in sheets
    }
    return Raw(name, head, tables, tuple(findings))


def _head(sheet: Any, spot: Spot, findings: list[Finding]) -> Written:
    """The sheet of names and values: the first column is the field, the second what it says."""
    cells: dict[str, tuple[Any, Spot]] = {}
    for number, line in _lines(sheet, spot):
        filled = dict(line)
        name = _header(filled[1].value) if 1 in filled else ""
        if number == 1 and name == "field":
            continue
        for column, cell in line:
            at = _at(spot, number, column)
            if column > 2 or not name:
                findings.append(_error("only a field and its value belong on this sheet", at))
            elif column == 1 and name in cells:
                findings.append(_error(f"'{name}' stands twice on this sheet", at))
            elif column == 1:
                cells[name] = "", at
            else:
                cells[name] = _value(cell, at, findings), at
    return Written(cells, spot)


def _table(sheet: Any, spot: Spot, findings: list[Finding]) -> list[Written]:
    """The rows below the header, which is the first row that holds anything."""
    headers: dict[int, str] = {}
    rows: list[Written] = []
    for number, line in _lines(sheet, spot):
        if not headers:
            headers = _headers(line, number, spot, findings)
            continue
        cells: dict[str, tuple[Any, Spot]] = {}
        for column, cell in line:
            at = _at(spot, number, column)
            value = _value(cell, at, findings)
            if column not in headers:
                findings.append(_error("this cell has no column header above it", at))
            elif headers[column]:
                cells[headers[column]] = value, at
        rows.append(Written(cells, _at(spot, number, 1)))
    return rows


def _headers(line: list[tuple[int, Any]], number: int, spot: Spot, findings: list[Finding]) -> dict[int, str]:
    headers: dict[int, str] = {}
    for column, cell in line:
        name = _header(cell.value)
        if name in headers.values():
            findings.append(_error(f"the column '{name}' stands twice", _at(spot, number, column)))
            name = ""
        headers[column] = name
    return headers


def _header(value: Any) -> str:
    """`Rehearsed ` and `cannot undo` are the columns rehearsed and cannot_undo; own ones keep their case."""
    text = str(value or "").strip()
    return text if text.startswith("x-") else text.lower().replace(" ", "_")


def _value(cell: Any, spot: Spot, findings: list[Finding]) -> Any:
    if cell.data_type == "f":
        told = "this cell holds a formula, and formulas are never computed here"
        findings.append(_error(told, spot, "put its value in its place"))
        return ""
    if cell.data_type == "e":
        findings.append(_error(f"this cell holds the error {str(cell.value)[:20]}", spot))
        return ""
    return cell.value.replace("_x005F_", "_") if isinstance(cell.value, str) else cell.value


def _lines(sheet: Any, spot: Spot) -> Iterator[Line]:
    """The rows that hold something. Raises `RunbookError` for sheets that cannot be read or never end."""
    sheet.reset_dimensions()  # what the file claims about its size may be a lie of a million rows
    rows = sheet.iter_rows(max_col=MOST_COLUMNS)
    number = 0
    while True:
        try:
            row: Sequence[Any] = next(rows)
        except StopIteration:
            return
        except Exception as error:  # the reader lets KeyError, ValueError and XML errors of any kind through
            raise _unreadable(spot, f"this sheet cannot be read: {error}") from None
        number += 1
        if number > MOST_LINES:
            raise _unreadable(spot, f"this sheet has more than {MOST_LINES:,} rows")
        filled = [(column, cell) for column, cell in enumerate(row, 1) if cell.value not in (None, "")]
        if filled:
            yield number, filled


def _at(spot: Spot, number: int, column: int) -> Spot:
    from openpyxl.utils import get_column_letter

    return Spot(spot.file, sheet=spot.sheet, cell=f"{get_column_letter(column)}{number}")


def _error(message: str, spot: Spot, hint: str = "") -> Finding:
    return Finding("error", "", message, hint, spot)


def _unreadable(spot: Spot, message: str) -> RunbookError:
    return RunbookError(spot.file, [Finding("error", "", message[:200], spot=spot)])


def _opened(data: bytes, name: str) -> Any:
    import openpyxl

    _refuse_bombs(data, name)
    try:
        return openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
    except Exception as error:
        raise _unreadable(Spot(name), f"this workbook cannot be read: {error}") from None


def _refuse_bombs(data: bytes, name: str) -> None:
    try:
        parts = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise _unreadable(Spot(name), f"this is no workbook: {error}") from None
    size = sum(part.file_size for part in parts)
    packed = max(1, sum(part.compress_size for part in parts))
    if len(parts) > MOST_PARTS or size > MOST_BYTES or (size > SMALL_BYTES and size / packed > MOST_RATIO):
        raise _unreadable(
            Spot(name), f"this looks like a zip bomb of {size / 1e6:,.0f} MB; it is not unpacked"
        )
