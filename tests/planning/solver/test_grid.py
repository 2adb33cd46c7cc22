"""The grid: as coarse as it can be without losing a start, and nights that follow the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollway.planning.calendar.solver.grid import (
    Grid,
    common,
    first_from,
    fitting_step,
    lacking,
    merged,
    night_of,
    nights,
)

ZURICH = ZoneInfo("Europe/Zurich")
START = datetime(2027, 3, 27, 12, tzinfo=UTC)
stretches = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6).map(merged)


@pytest.mark.parametrize(
    ("minutes", "lengths", "step"),
    [([0, 60], [120], 30), ([0, 45], [60], 15), ([30], [50], 10), ([7], [60], 1), ([], [0], 30)],
)
def test_the_step_fits_windows_and_durations(minutes: list[int], lengths: list[int], step: int) -> None:
    """Half an hour where it fits, finer where an edge or a duration needs it."""
    moments = [START + timedelta(minutes=one) for one in minutes]
    assert fitting_step(START, moments, [timedelta(minutes=one) for one in lengths]) == timedelta(
        minutes=step
    )


def test_a_night_lasts_from_noon_to_noon() -> None:
    """01:30 belongs to the night before, noon begins the next."""
    assert night_of(datetime(2027, 3, 28, 1, 30, tzinfo=ZURICH), ZURICH) == date(2027, 3, 27)
    assert night_of(datetime(2027, 3, 28, 12, tzinfo=ZURICH), ZURICH) == date(2027, 3, 28)


def test_the_night_in_which_the_clocks_change_is_shorter() -> None:
    """Every step belongs to the night that its moment has; the spring night has two half hours less."""
    grid = Grid(START, timedelta(minutes=30))
    found = nights(grid, ZURICH, 0, 200)
    for day, low, high in found[:-1]:
        assert {night_of(grid.moment(step), ZURICH) for step in range(low, high + 1)} == {day}
    lengths = {day: high - low + 1 for day, low, high in found}
    assert lengths[date(2027, 3, 28)] == 48
    assert lengths[date(2027, 3, 27)] == 44  # from 13:00 by the clock, and an hour is skipped


@given(stretches, stretches, st.integers(-2, 45))
def test_stretches_are_sets_of_steps(
    one: tuple[tuple[int, int], ...], other: tuple[tuple[int, int], ...], at: int
) -> None:
    """Common, lacking and first agree with sets of numbers."""
    ones, others = ({step for low, high in some for step in range(low, high + 1)} for some in (one, other))
    assert {s for low, high in common(one, other) for s in range(low, high + 1)} == ones & others
    assert {s for low, high in lacking(one, other) for s in range(low, high + 1)} == ones - others
    assert first_from(one, at) == min((step for step in ones if step >= at), default=None)
