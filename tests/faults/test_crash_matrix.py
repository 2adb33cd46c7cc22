"""The crash matrix in small: ten kills, and a look whether its checks find what they are there for."""

from __future__ import annotations

import pytest

from rollway.judge import Counts, Reading
from support.servers import or_skipped
from tests.faults.crash_matrix import _broken_evidence, run_all

KILLS = 10


@pytest.mark.slow
def test_ten_kills_break_no_promise() -> None:
    """The engine dies ten times in rollouts on real servers; each ends as it should."""
    with or_skipped():
        runs = list(run_all(["blue_green_then_canary"], KILLS, seed=7))
    assert sum(run.kills for run in runs) == KILLS
    assert sum(run.kills_up for run in runs) > 0
    assert [run.faults for run in runs if run.faults] == []


def _reading(start: float, end: float) -> Reading:
    return Reading("errors", start, end, "10-percent", 0.1, Counts(1, 0), Counts(1, 0))


def test_an_interval_that_is_lost_or_counted_twice_is_found() -> None:
    """A gap is a loss, an overlap a double count; intervals that meet are neither."""
    assert list(_broken_evidence([_reading(0, 1), _reading(1, 2)])) == []
    assert list(_broken_evidence([_reading(0, 1), _reading(1.5, 2)])) == [
        "errors: 1 intervals lost, 0 counted twice"
    ]
    assert list(_broken_evidence([_reading(0, 1), _reading(0.5, 2)])) == [
        "errors: 0 intervals lost, 1 counted twice"
    ]
