"""Requests by hour: how many come when, and how long so many take."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollway.facts.model import Release
from rollway.planning.flow import Flow, flow_of

MakeRelease = Callable[..., Release]
HOUR = 3600.0
flows = st.builds(
    Flow,
    st.one_of(*(st.lists(st.floats(0.0, 100.0), min_size=size, max_size=size) for size in (1, 24, 168))).map(
        tuple
    ),
    st.floats(0.0, 24 * HOUR),
)


def test_requests_are_added_up_hour_by_hour() -> None:
    """Half an hour of one and half an hour of the next, around midnight too."""
    flow = Flow((*[1.0] * 23, 5.0), entered_at=22.5 * HOUR)
    assert flow.between(0.0, HOUR) == pytest.approx(1800 * 1 + 1800 * 5)
    assert flow.between(0.0, 2 * HOUR) == pytest.approx(1800 + 3600 * 5 + 1800)
    assert flow.between(HOUR, 25 * HOUR) == pytest.approx(flow.per_second * 24 * HOUR)


@given(flows, st.floats(0.0, 50 * HOUR), st.floats(0.01, 1e7))
def test_waiting_for_requests_is_counting_them_backwards(flow: Flow, start: float, requests: float) -> None:
    """After as long as they take, so many have come; where none come at all, it never ends."""
    seconds = flow.until(start, requests)
    if seconds == inf:
        assert flow.per_second * 1e6 * len(flow.hours) * HOUR <= requests * (1 + 1e-6) or not sum(flow.hours)
    else:
        assert flow.between(start, start + seconds) == pytest.approx(requests, rel=1e-6, abs=1e-3)


def test_without_figures_by_hour_the_flow_is_even(release_of: MakeRelease) -> None:
    """The number per second alone, or nothing at all."""
    assert flow_of(release_of()) == Flow((200.0,))
    assert flow_of(release_of(architecture={"requests_per_second": "unknown"})) is None
    assert flow_of(release_of(architecture={"requests_per_second": 0})) is None


def test_figures_by_hour_are_scaled_to_the_number_per_second(release_of: MakeRelease) -> None:
    """A profile may be in any unit where the average is stated; without it the figures count as they are."""
    hours = [1] * 12 + [3] * 12
    scaled = flow_of(release_of(architecture={"requests_by_hour": hours}))
    plain = flow_of(release_of(architecture={"requests_by_hour": hours, "requests_per_second": "unknown"}))
    assert scaled is not None
    assert plain is not None
    assert (scaled.per_second, plain.per_second) == (200.0, 2.0)
    assert max(scaled.hours) / min(scaled.hours) == 3


def test_the_entry_is_the_quietest_that_the_windows_allow(release_of: MakeRelease) -> None:
    """At night, in the profile's own time zone; by the week the window's days count too."""
    day = [float(hour) for hour in range(24)]
    windows = [
        {"opens": "22:00", "closes": "23:00", "timezone": "UTC"},
        {"opens": "05:00", "closes": "06:00", "timezone": "UTC"},
    ]
    flow = flow_of(release_of(architecture={"requests_by_hour": day}, agreements={"windows": windows}))
    assert flow is not None
    assert flow.entered_at == 5 * HOUR
    there = {"requests_by_hour": day, "requests_timezone": "Asia/Tokyo"}
    tokyo = flow_of(release_of(architecture=there, agreements={"windows": windows}))
    assert tokyo is not None
    assert tokyo.entered_at == 7 * HOUR  # 22:00 in London is 07:00 in Tokyo, 05:00 is 14:00
    week = [5.0] * 144 + [1.0] * 24
    sundays = [{"days": ["sat", "sun"], "opens": "10:00", "closes": "12:00"}]
    found = flow_of(release_of(architecture={"requests_by_hour": week}, agreements={"windows": sundays}))
    assert found is not None
    assert found.entered_at == (6 * 24 + 10) * HOUR
