"""Runbooks as workbooks: nothing lost, nothing computed, and each error with its sheet and cell."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from datetime import time as clock_time
from typing import Any

import pytest
from hypothesis import given, settings
from openpyxl import Workbook, load_workbook

from planning.runbook.books import book, large_yaml, task
from planning.runbook.strategies import runbooks
from rollway.planning.runbooks import Finding, Runbook, RunbookError, make_schedule, read_yaml, write_yaml
from rollway.planning.runbooks.xlsx_in import read_xlsx
from rollway.planning.runbooks.xlsx_out import write_xlsx

PLAIN = book(task("a"), task("b", "a"))


def changed(change: Callable[[Workbook], Any], runbook: Runbook = PLAIN) -> bytes:
    """The runbook's workbook after somebody worked on it and saved it anew."""
    workbook = load_workbook(io.BytesIO(write_xlsx(runbook)))
    change(workbook)
    saved = io.BytesIO()
    workbook.save(saved)
    return saved.getvalue()


def cell(name: str, value: Any, sheet: str = "tasks") -> Callable[[Workbook], None]:
    return lambda workbook: workbook[sheet].__setitem__(name, value)


def column(workbook: Workbook, name: str) -> str:
    return next(one.column_letter for one in workbook["tasks"][1] if one.value == name)


def faults(data: bytes) -> tuple[Finding, ...]:
    with pytest.raises(RunbookError) as caught:
        read_xlsx(data, "night.xlsx")
    return caught.value.findings


@settings(max_examples=60, deadline=None)
@given(runbooks())
def test_a_workbook_loses_nothing(runbook: Runbook) -> None:
    """The same runbook comes back, the same YAML, and the same bytes again."""
    data = write_xlsx(runbook)
    again, _ = read_xlsx(data, "x.xlsx")
    assert again == runbook
    assert write_yaml(again) == write_yaml(runbook)
    assert write_xlsx(again) == data


@settings(max_examples=40, deadline=None)
@given(runbooks())
def test_no_cell_is_a_formula(runbook: Runbook) -> None:
    """Every cell is text; one that begins like a formula is marked, so that editing makes none of it."""
    for sheet in load_workbook(io.BytesIO(write_xlsx(runbook))):
        for row in sheet.iter_rows():
            for one in row:
                assert one.data_type in ("s", "n")
                assert one.value is None or isinstance(one.value, str)
                if str(one.value or "").startswith(("=", "+", "-", "@")) and one.row > 1:
                    assert one.quotePrefix


def test_a_saved_workbook_is_still_the_same_runbook() -> None:
    """Another program that saves it anew changes nothing."""
    runbook = book(task("a", command="=cmd|' /C calc'!A0", note="-1", instruction="one\n\n two"))
    assert read_xlsx(changed(lambda workbook: None, runbook), "x")[0] == runbook


def test_a_formula_is_refused_and_never_computed() -> None:
    """What looks like a value in the sheet is told to be none."""
    (found,) = faults(changed(cell("D2", "=1+1")))
    assert str(found.spot) == "night.xlsx: sheet 'tasks' cell D2"
    assert "formula" in found.message


def test_a_date_that_is_none_is_told_with_its_cell() -> None:
    """A number far beyond every calendar, shown as a date, is an error of its cell, and no warning."""

    def far(workbook: Workbook) -> None:
        workbook["tasks"]["C2"] = 1e10
        workbook["tasks"]["C2"].number_format = "yyyy-mm-dd"

    (found,) = faults(changed(far))
    assert found.spot is not None
    assert (found.spot.cell, "#VALUE!" in found.message) == ("C2", True)


def test_times_of_the_spreadsheet_are_taken() -> None:
    """A cell of 01:30 is an hour and a half; a bare number has no unit."""
    data = changed(lambda workbook: cell(f"{column(workbook, 'duration')}2", clock_time(1, 30))(workbook))
    assert read_xlsx(data, "x")[0].tasks[0].duration == 5400
    (found,) = faults(changed(lambda workbook: cell(f"{column(workbook, 'duration')}2", 15)(workbook)))
    assert "write the unit too" in found.message


def test_errors_name_sheet_and_cell() -> None:
    """An unknown predecessor is told where it is written."""
    (found,) = faults(changed(lambda workbook: cell(f"{column(workbook, 'after')}3", "c")(workbook)))
    assert found.path == "tasks.b.after"
    assert found.spot is not None
    assert found.spot.cell.endswith("3")


def test_an_unknown_column_is_refused_with_a_suggestion() -> None:
    """A slip in a header does not lose the column; a column of one's own is kept."""
    (found, *_) = faults(changed(lambda workbook: cell(f"{column(workbook, 'title')}1", "titel")(workbook)))
    assert "did you mean 'title'?" in found.message
    own = changed(lambda workbook: [cell("AZ1", "x-Cost")(workbook), cell("AZ2", 12)(workbook)])
    assert read_xlsx(own, "x")[0].tasks[0].extra == (("x-Cost", "12"),)


def test_headers_are_read_as_people_write_them() -> None:
    """Capitals and spaces do not matter, and neither does the order of the sheets."""
    data = changed(lambda workbook: [cell("A1", " ID ")(workbook), workbook.move_sheet("tasks", 3)])
    assert read_xlsx(data, "x")[0] == PLAIN


def test_a_sheet_of_ones_own_is_told_and_left() -> None:
    """It is no error, and nobody believes that it was read."""
    _, findings = read_xlsx(changed(lambda workbook: workbook.create_sheet("Notes")), "x")
    assert "was not read" in findings[0].message


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"PK\x03\x04" + b"x" * 500, b"hello"])
def test_what_is_no_workbook_is_refused(data: bytes) -> None:
    """Any bytes end in an error, never in a traceback."""
    assert faults(data)


def test_a_workbook_without_tasks_is_refused() -> None:
    """The sheet that is missing is named."""
    (found,) = faults(changed(lambda workbook: setattr(workbook["tasks"], "title", "task list")))
    assert "there is no sheet 'tasks'" in found.message


def test_a_thousand_rows_are_read_checked_and_timed_in_a_second() -> None:
    """In CPU time, and the quickest of three runs, so that a busy neighbour does not decide."""
    data, runs = write_xlsx(read_yaml(large_yaml(), "x")[0]), []
    for _ in range(3):
        begun = time.process_time()
        runbook, _ = read_xlsx(data, "x")
        make_schedule(runbook)
        runs.append(time.process_time() - begun)
    assert len(runbook.tasks) == 1000
    assert min(runs) < 1.0
