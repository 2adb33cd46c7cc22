"""Excel workbooks: sheets, cells of all kinds, and workbooks made to hurt."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest

from rollway.facts.importers import Imported

Read = Callable[..., Imported]
RISKS = (
    ("Ref", "Risk title", "Likelihood", "Impact"),
    ("R-1", "It is slow", 2, 5),
    ("R-2", "It is down", 1, 3),
)
SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{head}<sheetData>'
    '<row r="1"><c r="A1" t="inlineStr"><is><t>Title</t></is></c>'
    '<c r="B1" t="inlineStr"><is><t>Status</t></is></c></row>{rows}</sheetData></worksheet>'
)


def workbook(**sheets: Iterable[Iterable[Any]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, lines in sheets.items():
        sheet = book.create_sheet(name)
        for line in lines:
            sheet.append(list(line))
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def with_sheet(xml: str) -> bytes:
    """A workbook whose only sheet holds this XML."""
    return packed({**parts(workbook(Sheet=[("Title", "Status")])), "xl/worksheets/sheet1.xml": xml.encode()})


def parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def test_every_sheet_that_is_a_known_table_is_read(imported: Read) -> None:
    """Others are named as left out."""
    stories = (("Key", "Summary", "Status"), ("A-1", "Report page", "Done"))
    read = imported(workbook(Register=RISKS, Notes=[("nothing", "here")], Stories=stories))
    assert read.told == "sheet 'Register': 2 risks; sheet 'Stories': 1 story"
    assert {path: len(rows) for path, rows in read.rows.items()} == {"risks.items": 2, "backlog.items": 1}
    assert read.skipped[-1].told() == "1 skipped: sheets that are no table of a known kind ('Notes')"


def test_one_sheet_may_be_asked_for(imported: Read, refused: Callable[..., str]) -> None:
    """By name; a name that is not there is told with what may be meant."""
    book = workbook(Old=RISKS, New=RISKS[:2])
    assert imported(book, sheet="New").told == "sheet 'New': 1 risk"
    assert "there is no sheet 'Nev'; did you mean 'New'?" in refused(book, sheet="Nev")


def test_cells_of_every_kind_are_read_as_people_see_them(imported: Read) -> None:
    """Whole numbers without a point, dates as days, yes and no, empty rows skipped."""
    lines = (
        ("Story", "Nr", "Accepted", "Release note"),
        ("Report page", 311.0, True, datetime(2026, 11, 5, 9, 30)),  # noqa: DTZ001 - a spreadsheet knows no time zone
        (None, None, None, None),
        ("Filters", 3.5, False, date(2026, 11, 6)),
    )
    assert imported(workbook(Backlog=lines)).rows["backlog.items"] == (
        {"id": "311", "title": "Report page", "accepted": True, "note_for_users": "2026-11-05"},
        {"id": "3.5", "title": "Filters", "accepted": False, "note_for_users": "2026-11-06"},
    )


def test_a_formula_is_read_as_it_was_last_computed(imported: Read) -> None:
    """The value that the program stored counts; a formula that nobody computed is an empty cell."""
    row = (
        '<row r="2"><c r="A2" t="str"><f>"Report"&amp;" page"</f><v>Report page</v></c>'
        '<c r="B2" t="str"><f>B1</f></c></row>'
    )
    read = imported(with_sheet(SHEET.format(head="", rows=row)))
    assert read.rows["backlog.items"] == ({"id": "report-page", "title": "Report page"},)


def test_places_are_the_rows_of_the_sheet(imported: Read) -> None:
    """Row 4 is row 4 in Excel too, whatever is empty above it."""
    lines = (("Risk", "Likelihood", "Status"), (), (), ("It is slow", 2, "closed"))
    assert imported(workbook(R=lines)).skipped[0].places == ("row 4",)


def test_what_is_no_table_is_refused(refused: Callable[..., str]) -> None:
    """Each sheet with its columns, and how to go on."""
    assert "no table of risks" in refused(workbook(A=[("Fruit", "Colour")]))
    assert "no sheet is a table of a known kind" in refused(workbook(A=[("Fruit", "Colour")], B=[("x", "y")]))


def test_zip_bombs_are_not_unpacked(refused: Callable[..., str]) -> None:
    """A part of 300 MB packed into 300 kB, or thousands of parts."""
    bomb = packed({"xl/workbook.xml": b"<a/>", "xl/worksheets/sheet1.xml": bytes(300_000_000)})
    assert "this looks like a zip bomb: 300 MB in 2 parts" in refused(bomb)
    many = packed({"xl/workbook.xml": b"<a/>"} | {f"xl/{number}.xml": b"" for number in range(2_500)})
    assert "this looks like a zip bomb" in refused(many)


def test_xml_entities_are_not_expanded(refused: Callable[..., str]) -> None:
    """Nor is anything fetched that they name."""
    entity = '<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + SHEET.format(head="", rows="")
    assert "it declares XML entities" in refused(with_sheet(entity))


def test_a_sheet_that_lies_about_its_size_is_refused_in_seconds(refused: Callable[..., str]) -> None:
    """A dimension of a million rows costs nothing; a row with the number of a million is refused."""
    head = '<dimension ref="A1:XFD1048576"/>'
    far = '<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>x</t></is></c></row>'
    assert "more than 50,000 lines" in refused(with_sheet(SHEET.format(head=head, rows=far)))


@pytest.mark.parametrize("data", [b"PK\x03\x04 xl/workbook", b"PK\x03\x04" + b"xl/workbook" * 50])
def test_a_broken_archive_is_refused(refused: Callable[..., str], data: bytes) -> None:
    """It begins like a workbook and is none."""
    assert "this is no workbook" in refused(data)


def test_a_workbook_without_its_sheets_is_refused(refused: Callable[..., str]) -> None:
    """Whatever the reader trips over, a person gets one line."""
    files = parts(workbook(Register=RISKS))
    assert "this workbook cannot be read" in refused(packed({**files, "xl/workbook.xml": b"<workbook>"}))
