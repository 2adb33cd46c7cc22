"""The csv signal reads what people write down, adds it up, and names the line it cannot read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rollway.errors import InputError
from rollway.judge import Counts, Moments
from rollway.rollout.ports import Interval
from rollway.signals.csv_rows import CsvSignal

Ask = Callable[..., Interval]
ARMS = {"candidate": "new", "baseline": "old"}


def signal(file: Path, kind: str = "rate", **options: Any) -> CsvSignal:
    return CsvSignal("tickets", kind, {"file": str(file), **ARMS, **options})


def test_rows_of_an_interval_are_added_up(tmp_path: Path, at: Ask) -> None:
    """Unix seconds and times with an offset; other versions are none of ours."""
    file = tmp_path / "tickets.csv"
    file.write_text(
        "time,arm,trials,bad\n"
        "100,new,9,9\n"
        "101,new,10,1\n"
        "1970-01-01T02:01:45+02:00,new,5,0\n"
        "110,old,80,4\n"
        "110,other,7,7\n"
        "110.5,old,1,1\n"
    )
    first = signal(file).collect({"until": 100.0}, at(110.0))
    assert first.reading is not None
    assert (first.reading.candidate, first.reading.baseline) == (Counts(15, 1), Counts(80, 4))
    with file.open("a") as more:
        more.write("115,new,2,2\n")
    second = signal(file).collect(first.cursor, at(120.0))
    assert second.reading is not None
    assert (second.reading.candidate, second.reading.baseline) == (Counts(2, 2), Counts(1, 1))


def test_scores_are_read(tmp_path: Path, at: Ask) -> None:
    """A survey's answers: how many, their sum, the sum of their squares."""
    (tmp_path / "s.csv").write_text("time,arm,units,total,squares\n105,new,2,9.5,45.25\n")
    told = signal(tmp_path / "s.csv", "mean").collect({"until": 100.0}, at(110.0)).reading
    assert told is not None
    assert told.candidate == Moments(2, 9.5, 45.25)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (None, "cannot be read"),
        ("", "line 1: it has no column time"),
        ("time,arm,trials\n", "line 1: it has no column bad"),
        ("time,arm,trials,bad\n105,new,ten,1\n", "line 2: could not convert"),
        ("time,arm,trials,bad\n105,new,10\n", "line 2"),
        ("time,arm,trials,bad\n2027-03-01T09:00:00,new,10,1\n", "has no offset"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_source_that_is_down(
    tmp_path: Path, at: Ask, text: str | None, note: str
) -> None:
    """The line is named, nothing is counted, and the time is read again."""
    if text is not None:
        (tmp_path / "t.csv").write_text(text)
    collected = signal(tmp_path / "t.csv").collect({"until": 100.0}, at(110.0))
    assert collected.reading is not None
    assert collected.reading.problem == "source_down"
    assert note in collected.note
    assert collected.cursor == {"until": 100.0}


def test_more_bad_ones_than_there_were_is_implausible(tmp_path: Path, at: Ask) -> None:
    """A typing error is no evidence."""
    (tmp_path / "t.csv").write_text("time,arm,trials,bad\n105,new,10,100\n")
    told = signal(tmp_path / "t.csv").collect({"until": 100.0}, at(110.0)).reading
    assert told is not None
    assert told.problem == "implausible"


def test_an_option_that_cannot_be_used_is_named() -> None:
    """A slip in the release file is told when the signal is made."""
    with pytest.raises(InputError, match=r"signal\.path"):
        CsvSignal("tickets", "rate", {"path": "x", **ARMS})
