"""The length of the change window."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rollway.readiness.window import cite_window, fits_window, window_length
from support.releases import release_with

ALL_DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _hours(release: Any) -> float:
    length = window_length(release)
    assert length is not None
    return length / timedelta(hours=1)


@pytest.mark.parametrize(
    ("windows", "hours"),
    [
        pytest.param([{"days": ["sat"], "opens": "08:00", "closes": "18:00"}], 10, id="within a day"),
        pytest.param([{"days": ["sat"], "opens": "22:00", "closes": "06:00"}], 8, id="over midnight"),
        pytest.param([{"days": ["sat"], "opens": "08:00", "closes": "08:00"}], 24, id="round the clock"),
        pytest.param(
            [
                {"days": ["sun"], "opens": "22:00", "closes": "24:00"},
                {"days": ["mon"], "opens": "00:00", "closes": "05:00"},
            ],
            7,
            id="over the end of the week",
        ),
        pytest.param(
            [
                {"days": ["fri"], "opens": "20:00", "closes": "23:00"},
                {"days": ["fri"], "opens": "22:00", "closes": "02:00"},
            ],
            6,
            id="overlapping",
        ),
        pytest.param(
            [
                {"days": ["fri"], "opens": "20:00", "closes": "24:00", "timezone": "UTC"},
                {"days": ["sat"], "opens": "00:00", "closes": "03:00", "timezone": "Asia/Tokyo"},
            ],
            4,
            id="zones are not joined",
        ),
        pytest.param([{"days": ALL_DAYS, "opens": "00:00", "closes": "24:00"}], 168, id="always"),
    ],
)
def test_the_longest_open_stretch_is_found(windows: list[dict[str, Any]], hours: float) -> None:
    """Windows that adjoin or overlap count as one stretch, and crossing midnight or the week is no gap."""
    assert _hours(release_with(agreements={"windows": windows})) == hours


def test_a_stated_length_wins_over_the_windows() -> None:
    """What a person says of the window's length is taken as said."""
    windows = [{"opens": "22:00", "closes": "23:00"}]
    release = release_with(agreements={"windows": windows, "window_duration": "4h"})
    assert _hours(release) == 4


def test_without_windows_the_length_is_unknown() -> None:
    """No window and no stated length: nobody has said, and the fact to ask for is named."""
    release = release_with({"migration.duration": "1h"})
    assert window_length(release) is None
    assert fits_window(release, "migration.duration").facts == ("agreements.window_duration",)


@pytest.mark.parametrize(("took", "fits"), [("4h", True), ("241m", False)])
def test_a_duration_fits_up_to_the_last_minute(took: str, fits: bool) -> None:
    """Six hours hold one and a half times four hours, and not a minute more."""
    windows = [{"opens": "22:00", "closes": "04:00"}]
    release = release_with({"migration.duration": took}, agreements={"windows": windows})
    answer = fits_window(release, "migration.duration", factor=1.5)
    assert answer.holds is fits
    assert "change window: 6h (agreements.windows)" in answer.evidence
    assert cite_window(release) in answer.evidence
