"""The prior over when a fault begins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollway.judge.onset import AT_START, Interval, Onset, move, spent

steps = st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1e6)), max_size=40)


@given(steps=steps, planned=st.floats(0, 1e6))
def test_mass_is_spent_once(steps: list[tuple[str, float]], planned: float) -> None:
    """However many stages and however long an exposure, what is spent adds up and never passes 1."""
    onset, total = Onset(), 0.0
    for stage, seconds in steps:
        onset, mass = move(onset, Interval(stage, 0.0, seconds, planned))
        assert mass >= 0
        total += mass
    assert total == pytest.approx(spent(onset, planned))
    assert total <= 1 + 1e-12


def test_a_start_a_stage_change_and_time_each_get_their_part() -> None:
    """Most of the mass is for faults of the first minute, some for every ramp, some for every minute."""
    onset, first = move(Onset(), Interval("one", 0, 0, 600))
    onset, waited = move(onset, Interval("one", 0, 60, 600))
    onset, ramped = move(onset, Interval("ten", 60, 0, 600))
    assert first == AT_START
    assert waited == pytest.approx(0.031)
    assert ramped == pytest.approx(0.05)
