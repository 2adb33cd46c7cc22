"""Excel workbooks: every sheet that is a table of a known kind; formulas are read as last computed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from rollway.facts.importers.model import Given, Imported, Importer, Options, Skips, UnreadableError
from rollway.facts.importers.registers import MAX_ROWS, Line, import_table
from rollway.facts.problems import closest

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

MAX_UNPACKED = 200_000_000
MAX_RATIO = 200  # office files are packed ten to twenty times; bombs some hundred times or more
SMALL = 1_000_000
MAX_PARTS = 2_000
MAX_LINES = 50_000
MAX_COLUMNS = 500


def read(given: Given, options: Options) -> Imported:
    """The entries of all sheets together. Raises `UnreadableError` where no sheet is a known table."""
    _refuse_bombs(given)
    workbook = _opened(given)
    try:
        return _sheets(workbook, given, options)
    finally:
        workbook.close()


def _sheets(workbook: Workbook, given: Given, options: Options) -> Imported:
    found: dict[str, Imported] = {}
    skips, refusals = Skips(), list[UnreadableError]()
    for name in _names(workbook, given, options):
        where = f"{given.name}, sheet {name!r}"
        try:
            found[name] = import_table(list(_lines(workbook[name], where)), options, where)
        except UnreadableError as refusal:
            refusals.append(refusal)
            skips.add("sheets that are no table of a known kind", repr(name))
    if not found:
        raise refusals[0] if len(refusals) == 1 else _no_table(given, refusals)
    rows: dict[str, Any] = {}
    for imported in found.values():
        for path, entries in imported.rows.items():
            rows[path] = (*rows.get(path, ()), *entries)
    told = "; ".join(f"sheet {name!r}: {imported.told}" for name, imported in found.items())
    skipped = [one for imported in found.values() for one in imported.skipped]
    notes = tuple(note for imported in found.values() for note in imported.notes)
    return Imported(told, (), rows, (*skipped, *skips.result()), notes)


def _names(workbook: Workbook, given: Given, options: Options) -> list[str]:
    names = list(workbook.sheetnames)
    if not options.sheet:
        return [name for name in names if hasattr(workbook[name], "iter_rows")]
    if options.sheet in names:
        return [options.sheet]
    near = closest(options.sheet, names)
    hint = f"did you mean {near!r}?" if near else f"its sheets are {', '.join(map(repr, names))}"
    raise UnreadableError(f"{given.name}: there is no sheet {options.sheet!r}", hint=hint)


def _no_table(given: Given, refusals: list[UnreadableError]) -> UnreadableError:
    details = tuple(f"  {refusal.message}" for refusal in refusals)
    hint = next((refusal.hint for refusal in refusals if refusal.hint), "")
    return UnreadableError(f"{given.name}: no sheet is a table of a known kind", details=details, hint=hint)


def _lines(sheet: Any, where: str) -> Iterator[Line]:
    sheet.reset_dimensions()  # what the file claims about its size may be a lie of a million rows
    filled = 0
    rows = sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS)
    for number, cells in enumerate(_guarded(rows, where), start=1):
        texts = tuple(map(_text, cells))
        if number > MAX_LINES or filled > MAX_ROWS * 2:
            raise UnreadableError(f"{where}: more than {MAX_LINES:,} lines")
        if any(texts):
            filled += 1
            yield Line(texts, f"row {number}")


def _guarded(rows: Iterator[Any], where: str) -> Iterator[Any]:
    """The rows; whatever the reader trips over becomes a plain refusal."""
    while True:
        try:
            yield next(rows)
        except StopIteration:
            return
        except Exception as error:
            raise UnreadableError(f"{where}: this sheet cannot be read: {_cause(error)}") from None


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float):
        return f"{cell:g}" if not cell.is_integer() or abs(cell) > 1e15 else str(int(cell))
    return str(cell).strip()


def _opened(given: Given) -> Workbook:
    import openpyxl

    try:
        return openpyxl.load_workbook(
            io.BytesIO(given.data), read_only=True, data_only=True, keep_links=False
        )
    except Exception as error:  # the reader lets KeyError, ValueError and XML errors of any kind through
        raise UnreadableError(f"{given.name}: this workbook cannot be read: {_cause(error)}") from None


def _cause(error: BaseException) -> str:
    """What lies at the bottom of an error, in one line."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    if type(error).__module__.startswith("defusedxml"):
        return "it declares XML entities"
    return " ".join(str(error).split())[:120] or type(error).__name__


def _refuse_bombs(given: Given) -> None:
    try:
        parts = zipfile.ZipFile(io.BytesIO(given.data)).infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise UnreadableError(f"{given.name}: this is no workbook: {error}") from None
    size = sum(part.file_size for part in parts)
    packed = max(sum(part.compress_size for part in parts), 1)
    if len(parts) > MAX_PARTS or size > MAX_UNPACKED or (size > SMALL and size / packed > MAX_RATIO):
        told = f"{size / 1e6:,.0f} MB in {len(parts):,} parts, packed into {packed / 1e6:.1f} MB"
        raise UnreadableError(f"{given.name}: this looks like a zip bomb: {told}; it is not unpacked")


def _recognises(given: Given) -> bool:
    return given.data.startswith(b"PK\x03\x04") and b"xl/workbook" in given.data


IMPORTER = Importer("xlsx", "Excel workbook", _recognises, read)
