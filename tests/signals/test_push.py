"""The push signal counts every row that was sent once, and takes silence for silence."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollway.errors import InputError
from rollway.judge import Assigned, Counts, Histogram, Moments, Sample
from rollway.rollout.ports import Collected, Cursor, Interval
from rollway.rollout.pushed import Sent, SentRow, Wanted
from rollway.signals.examined import Unmatched
from rollway.signals.push import PushSignal
from rollway.signals.push_rows import MOST_ROWS, sent_rows
from rollway.store import SqlPushed, open_engine

Ask = Callable[..., Interval]
NOW = 1_000_000.0
OPTIONS = {"source": "desk", "candidate": "new", "baseline": "old"}


class Desk:
    """A sender, with a shelf of its own in SQLite."""

    def __init__(self, folder: Path) -> None:
        self._engine = open_engine(folder)
        self.shelf = SqlPushed(self._engine, lambda: datetime.now(UTC))
        self._keys = itertools.count()

    def send(self, *rows: SentRow) -> None:
        self.shelf.take("desk", str(next(self._keys)), b"", rows)

    def close(self) -> None:
        self._engine.dispose()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def row(end: float, sample: Sample, arm: str = "new") -> SentRow:
    return SentRow("tickets", arm, end, end, sample)


def both(end: float, trials: int = 10) -> tuple[SentRow, SentRow]:
    return row(end, Counts(trials, 1)), row(end, Counts(9 * trials, 5), "old")


def signal(desk: Any, kind: str = "rate", **options: Any) -> PushSignal:
    return PushSignal("tickets", kind, {**OPTIONS, **options}, pushed=desk.shelf)


def told(collected: Collected) -> tuple[Sample | None, Sample | None]:
    assert collected.reading is not None
    return collected.reading.candidate, collected.reading.baseline


def test_rows_of_one_interval_are_added_up(desk: Desk, at: Ask) -> None:
    """What was sent before the first look is not of this rollout; then each row is counted once."""
    desk.send(*both(NOW - 20))
    one = signal(desk)
    begun = one.collect(None, at(NOW))
    assert begun.reading is None
    desk.send(*both(NOW + 1), *both(NOW + 2, trials=20), row(NOW + 2, Counts(99, 99), "other"))
    first = one.collect(begun.cursor, at(NOW + 15))
    assert told(first) == (Counts(30, 2), Counts(270, 10))
    assert first.reading is not None
    assert (first.reading.start, first.reading.end) == (NOW - 10, NOW + 5)
    assert one.collect(first.cursor, at(NOW + 30)).reading is None


def test_what_may_still_be_on_its_way_is_waited_for(desk: Desk, at: Ask) -> None:
    """Rows younger than `delay` are not read yet, and are read later."""
    one = signal(desk, delay="60s")
    begun = one.collect(None, at(NOW))
    desk.send(*both(NOW + 30))
    early = one.collect(begun.cursor, at(NOW + 60))
    assert early.reading is None
    assert told(one.collect(early.cursor, at(NOW + 90))) == (Counts(10, 1), Counts(90, 5))


def test_a_row_that_comes_late_is_counted_when_it_comes(desk: Desk, at: Ask) -> None:
    """It is not lost, not counted twice, and it is told."""
    one = signal(desk)
    begun = one.collect(None, at(NOW))
    desk.send(*both(NOW + 15))
    first = one.collect(begun.cursor, at(NOW + 30))
    desk.send(*both(NOW + 5, trials=70), *both(NOW + 25))
    second = one.collect(first.cursor, at(NOW + 60))
    assert told(second) == (Counts(80, 2), Counts(720, 10))
    assert "later than `delay`" in second.note
    quiet = one.collect(second.cursor, at(NOW + 90))
    assert (quiet.reading, quiet.note) == (None, second.note)
    desk.send(*both(NOW + 95))
    again = one.collect(second.cursor, at(NOW + 120))
    assert again.note == second.note  # the same words, so that the record has them once
    assert one.collect(again.cursor, at(NOW + 121, stage="second")).note == ""


def test_what_is_about_the_stage_before_is_not_counted_in_this_one(desk: Desk, at: Ask) -> None:
    """Rows of before the rollout, or of a stage with another share, come too late; the note says so."""
    one = signal(desk)
    begun = one.collect(None, at(NOW))
    desk.send(*both(NOW - 60), *both(NOW + 5))
    first = one.collect(begun.cursor, at(NOW + 30))
    assert told(first) == (Counts(10, 1), Counts(90, 5))
    assert "too late" in first.note
    widened = one.collect(first.cursor, at(NOW + 60, stage="second"))
    desk.send(*both(NOW + 10), *both(NOW + 65))
    second = one.collect(widened.cursor, at(NOW + 90, stage="second"))
    assert told(second) == (Counts(10, 1), Counts(90, 5))
    assert "too late" in second.note


def test_silence_is_no_reading_and_the_next_one_covers_it(desk: Desk, at: Ask) -> None:
    """A sender that is down is not taken for one without tickets; after five minutes it is told."""
    one = signal(desk)
    cursor = one.collect(None, at(NOW)).cursor
    quiet = one.collect(cursor, at(NOW + 60))
    assert (quiet.reading, quiet.note, quiet.cursor) == (None, "", cursor)
    assert "nothing for tickets for 5 minutes" in one.collect(cursor, at(NOW + 400)).note
    desk.send(*both(NOW + 100), *both(NOW + 390))
    reading = one.collect(cursor, at(NOW + 401)).reading
    assert reading is not None
    assert (reading.start, reading.end) == (NOW - 10, NOW + 391)


def test_a_version_of_which_nothing_was_sent_is_silent(desk: Desk, at: Ask) -> None:
    """None is not zero: whoever has no tickets sends a row that says 0."""
    one = signal(desk)
    begun = one.collect(None, at(NOW))
    desk.send(row(NOW, Counts(90, 5), "old"))
    lacking = one.collect(begun.cursor, at(NOW + 20))
    assert told(lacking) == (None, Counts(90, 5))
    assert 'nothing with arm "new"' in lacking.note
    desk.send(row(NOW + 15, Counts(90, 5), "old"), row(NOW + 15, Counts(0, 0)))
    assert told(one.collect(lacking.cursor, at(NOW + 40))) == (Counts(0, 0), Counts(90, 5))


def test_of_a_version_that_nobody_has_nothing_is_missed(desk: Desk, at: Ask) -> None:
    """Before the first share there is no figure of the new version, and of the old one none at the end."""
    one = signal(desk)
    begun = one.collect(None, at(NOW, share=0.0))
    desk.send(row(NOW, Counts(90, 5), "old"))
    before = one.collect(begun.cursor, at(NOW + 20, share=0.0))
    assert (told(before), before.note) == ((None, Counts(90, 5)), "")
    desk.send(row(NOW + 15, Counts(90, 5)))
    assert one.collect(before.cursor, at(NOW + 40, share=1.0)).note == ""


def test_a_sender_that_tells_of_others_is_told_from_a_silent_one(desk: Desk, at: Ask) -> None:
    """Whoever misspelt a version is shown what there is; of a silent sender nothing can be said."""
    one = signal(desk)
    assert one.examine(at(NOW)).unmatched is None
    desk.send(row(NOW - 20, Counts(90, 5), "old"), row(NOW - 20, Counts(9, 0), "neu"))
    (lacking,) = one.examine(at(NOW)).unmatched or ()
    assert lacking == Unmatched("candidate", 'desk sends tickets with no arm "new"; there are: neu, old')
    assert one.examine(at(NOW + 400)).unmatched is None
    begun = one.collect(None, at(NOW))
    desk.send(row(NOW + 5, Counts(9, 0), "neu"))
    assert "of either version; there are: neu" in one.collect(begun.cursor, at(NOW + 400)).note


@pytest.mark.parametrize(
    ("kind", "first", "second", "whole"),
    [
        ("check", Counts(3, 1), Counts(4, 0), Counts(7, 1)),
        ("assignment", Assigned(3), Assigned(4), Assigned(7)),
        ("mean", Moments(2, 3.0, 5.0), Moments(1, 4.0, 16.0), Moments(3, 7.0, 21.0)),
        (
            "latency",
            Histogram((0.1, 0.2, 0.5), (1, 2, 3, 4)),
            Histogram((0.1, 0.5), (10, 20, 30)),
            Histogram((0.1, 0.5), (11, 25, 34)),
        ),
    ],
)
def test_every_kind_of_kpi_can_be_sent(
    desk: Desk, at: Ask, kind: str, first: Sample, second: Sample, whole: Sample
) -> None:
    """Rows are added up; histograms over the bounds that all of them have."""
    one = signal(desk, kind)
    begun = one.collect(None, at(NOW))
    desk.send(row(NOW, first), row(NOW, second), row(NOW, whole, "old"))
    assert told(one.collect(begun.cursor, at(NOW + 20))) == (whole, whole)


@pytest.mark.parametrize(
    ("kind", "rows", "problem"),
    [
        ("rate", [Assigned(3)], "hold no trials and bad"),
        ("latency", [Histogram((0.1,), (1, 2)), Histogram((0.2,), (1, 2))], "share no bound"),
    ],
)
def test_figures_of_another_kind_are_no_evidence(
    desk: Desk, at: Ask, kind: str, rows: list[Sample], problem: str
) -> None:
    """They are told as implausible and left behind, so that better ones can follow."""
    one = signal(desk, kind)
    begun = one.collect(None, at(NOW))
    desk.send(*(row(NOW, sample) for sample in rows))
    doubted = one.collect(begun.cursor, at(NOW + 20))
    assert doubted.reading is not None
    assert doubted.reading.problem == "implausible"
    assert problem in doubted.note
    assert one.collect(doubted.cursor, at(NOW + 40)).reading is None


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"source": ""}, r"signal\.source"),
        ({"source": "a b"}, r"signal\.source: 'a b' is no name"),
        ({"delay": "6m"}, r"signal\.delay: must be at most 5m"),
        ({"baseline": "new"}, r"signal\.candidate: the same"),
        ({"url": "http://a"}, r"signal\.url: a push signal has no such option"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(desk: Desk, options: dict[str, str], problem: str) -> None:
    """A slip in the release file is told when the signal is made."""
    with pytest.raises(InputError, match=problem):
        signal(desk, **options)


class Memory:
    """A shelf as simple as can be: rows in the order in which they came."""

    def __init__(self) -> None:
        self.rows: list[SentRow] = []

    def newest(self, source: str) -> int:
        return len(self.rows)

    def sent(self, source: str, series: str, wanted: Wanted) -> Sent:
        found = [
            row
            for number, row in enumerate(self.rows[: wanted.newest], start=1)
            if row.end <= wanted.end
            and (row.end > wanted.start or (row.end > wanted.begun and number > wanted.seen))
        ]
        return Sent(tuple(found))

    def counters(self, source: str, metrics: Any) -> tuple[()]:
        return ()


@given(
    st.lists(st.tuples(st.lists(st.floats(0, 300), max_size=4), st.floats(0, 30)), min_size=1, max_size=12)
)
def test_every_row_is_counted_exactly_once(rounds: list[tuple[list[float], float]]) -> None:
    """However late rows come, and whenever it is looked: in the end all of them are counted, once each."""
    memory = Memory()
    one = PushSignal("tickets", "rate", OPTIONS, pushed=memory)
    now, counted = 0.0, 0
    cursor: Cursor | None = one.collect(None, Interval("first", 0.1, now)).cursor
    for ends, passed in [*rounds, ([], 400.0)]:
        memory.rows += [row(end, Counts(1, 0)) for end in ends]
        now += passed
        collected = one.collect(cursor, Interval("first", 0.1, now))
        cursor = collected.cursor
        if collected.reading is not None:
            assert isinstance(collected.reading.candidate, Counts)
            counted += collected.reading.candidate.trials
    assert counted == len(memory.rows)


# --- what senders write ---------------------------------------------------------------------------

GOOD = {"series": "tickets", "arm": "new", "time": NOW, "trials": 5, "bad": 1}


def without(*names: str, **more: Any) -> dict[str, Any]:
    return {**{name: value for name, value in GOOD.items() if name not in names}, **more}


def test_times_are_unix_seconds_or_iso_with_offset() -> None:
    """Both name the same moment."""
    told = "1970-01-12T14:46:40+01:00"
    assert sent_rows([GOOD], source="desk", now=NOW) == sent_rows(
        [without(time=told)], source="desk", now=NOW
    )


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (7, "not an object"),
        (without(bads=1), "bads: there is no such field"),
        (without(source="survey"), "source: the token is for 'desk', not for 'survey'"),
        (without("series"), "series: missing"),
        (without(series="../x y"), "series: '../x y' is no name"),
        (without("arm"), "arm: missing"),
        (without(arm="a\nb"), "arm: no text"),
        (without("time"), "start: missing; give time, or start and end"),
        (without(start=NOW), "time: give either time, or start and end"),
        (without("time", start=NOW, end=NOW), "end: not later than start"),
        (without("time", start=NOW - 8 * 86400, end=NOW), "start: more than 7 days before end"),
        (without(time=NOW + 100), "time: 100 s from now; the sender's clock is wrong"),
        (without(time=NOW - 50 * 3600), "time: 50.0 hours ago; nothing older than 48 hours is taken"),
        (without(time="2027-03-01T09:00:00"), "time: 2027-03-01T09:00:00 has no offset"),
        (without(time="yesterday"), "time: 'yesterday' is no time"),
        (without(time=float("nan")), "time: 'nan' is no number"),
        (without(time=True), "time: 'True' is no number"),
        (without("trials", "bad"), "it has no figures; give one of: trials and bad; units and total"),
        (without("bad"), "it has trials; give one of"),
        (without(units=3), "it has bad, trials, units; give one of"),
        (without(bad=6), "bad: 6 bad ones among 5 trials"),
        (without(trials=-1), "trials: -1 is no count"),
        (without(trials=1.5), "trials: 1.5 is no count"),
        (without(trials="5"), "trials: '5' is no number"),
        (without(trials=10**400), "trials"),
        (without("trials", "bad", units=2, total=4, squares=7), "squares: 2 figures that add up to 4"),
        (without("trials", "bad", units=0, total=0, squares=1), "squares: 0 figures"),
        (without("trials", "bad", bounds=[1, 2], counts=[1, 2]), "counts: for 2 bounds"),
        (without("trials", "bad", bounds=[2, 1], counts=[1, 2, 3]), "bounds: they do not rise"),
        (without("trials", "bad", bounds=[0, 1], counts=[1, 2, 3]), "bounds: they do not rise from above 0"),
        (without("trials", "bad", bounds="ab", counts=[1, 2, 3]), "bounds: give two lists"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_taken(raw: Any, problem: str) -> None:
    """The error says which row, which field and what is wrong; the good row beside it is not taken either."""
    with pytest.raises(InputError) as caught:
        sent_rows([GOOD, raw], source="desk", now=NOW)
    assert caught.value.message == "1 of 2 rows cannot be used, so none was taken"
    (told,) = caught.value.details
    assert told.startswith("row 2: ")
    assert problem in told


def test_many_bad_rows_are_not_all_told() -> None:
    """A person reads twenty; the number of the others is told."""
    with pytest.raises(InputError) as caught:
        sent_rows([{}] * 50, source="desk", now=NOW)
    assert len(caught.value.details) == 21
    assert caught.value.details[-1] == "and 30 more"


@pytest.mark.parametrize("body", [{}, [], "x", None, [GOOD] * (MOST_ROWS + 1)])
def test_a_body_that_is_no_list_of_at_most_1000_rows_is_refused(body: Any) -> None:
    """Neither nothing nor too much."""
    with pytest.raises(InputError):
        sent_rows(body, source="desk", now=NOW)
