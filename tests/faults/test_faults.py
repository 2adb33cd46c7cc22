"""The fault matrix in small: six quick rows, and a look whether a wrong row is called wrong."""

from __future__ import annotations

import pytest

from support.servers import or_skipped
from tests.faults.fault_matrix import run
from tests.faults.report import document, line
from tests.faults.rows import Found, Row

QUICK = ("new-bad", "new-dies", "drift-up", "drift-down", "signal-slow-rollback", "balancer-forgets")


@pytest.mark.slow
def test_six_faults_end_as_they_should() -> None:
    """On real servers: taken back, set back, held or gone on with, each as its row says."""
    with or_skipped():
        founds = run(QUICK)
    assert [found.row.name for found in founds] == list(QUICK)
    assert [(found.row.name, found.wrong, found.did) for found in founds if found.wrong] == []
    assert all(found.word is not None for found in founds)


def _found(wrong: tuple[str, ...]) -> Found:
    row = Row("nan", "signal", "all is NaN", "blind", ".", "", lambda stand: None)
    return Found(row, "1.0 s blind / running", 1.0, None, None, 9.0, 3, 12, 60, 0, wrong)


def test_a_row_that_is_wrong_is_called_so() -> None:
    """On the terminal and on the page, with what is wrong."""
    assert "WRONG: 50 % was entered" in line(_found(("50 % was entered",)))
    page = document([_found(("50 % was entered",))], "A busy machine.")
    assert "0 rows are right, 1 wrong" in page
    assert "- `nan`: 50 % was entered" in page
    assert "| **wrong** |" in page


def test_a_row_that_is_right_tells_who_was_exposed() -> None:
    """Users, their part of the requests, and for how long that was watched."""
    page = document([_found(())], "A busy machine.")
    assert "All rows are right." in page
    assert "| 1.0 s | goes on | 3 users, 20% of the requests in 9 s | right |" in page
