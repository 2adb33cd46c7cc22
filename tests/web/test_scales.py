"""Where things lie on the small drawings."""

from __future__ import annotations

import math

from hypothesis import example, given
from hypothesis import strategies as st

from rollway.web.scales import evidence_scale, on_log_scale, ratio_scale

RATIOS = st.one_of(st.none(), st.floats(min_value=1e-4, max_value=1e4))


def test_a_log_scale_puts_equal_factors_at_equal_distances() -> None:
    """From 1 to 10 is as far as from 10 to 100, and the ends are the ends."""
    assert [on_log_scale(value, 1, 100) for value in (1, 10, 100)] == [0, 50, 100]
    assert on_log_scale(0, 1, 100) == 0
    assert on_log_scale(1e9, 1, 100) == 100


@given(st.floats(min_value=-1e4, max_value=1e4), st.floats(min_value=2, max_value=1e5))
@example(0.0, 10_001.0)
def test_evidence_stays_on_its_scale(log_e: float, threshold: float) -> None:
    """Whatever the evidence, its bar lies between the ends and tells whether the threshold is reached."""
    scale = evidence_scale(log_e, threshold)
    assert 0 <= scale["start"] <= scale["start"] + scale["length"] <= 100.01
    assert 0 < scale["zero"] < scale["threshold"] < 100
    assert scale["reached"] == (log_e >= math.log(threshold))
    assert all(0 < tick["at"] < scale["threshold"] for tick in scale["ticks"])


def test_no_evidence_is_a_bar_of_no_length() -> None:
    """An e-value of 1 says nothing, and shows nothing."""
    assert evidence_scale(0.0, 100)["length"] == 0


@given(RATIOS, RATIOS, RATIOS, st.lists(st.floats(min_value=1, max_value=20), max_size=2))
def test_a_ratio_and_its_marks_stay_on_their_scale(
    ratio: float | None, low: float | None, high: float | None, marks: list[float]
) -> None:
    """Equality is in the middle, and nothing is drawn outside."""
    scale = ratio_scale(ratio, low, high, marks)
    assert scale["one"] == 50
    places = [scale["start"], *scale["marks"], *([] if scale["at"] is None else [scale["at"]])]
    assert all(0 <= place <= 100 for place in places)
    assert scale["is_known"] == (low is not None or high is not None)


def test_a_band_without_an_upper_end_reaches_the_end_of_the_scale() -> None:
    """What the data leave open is drawn as open."""
    scale = ratio_scale(1.1, 0.9, None, [1.25])
    assert scale["is_open"]
    assert round(scale["start"] + scale["length"]) == 100
