"""One row as a plain number says what a table of one row says."""

from __future__ import annotations

import numpy as np
import pytest

from rollway.judge import difference, rows
from rollway.judge.difference import Asked, Difference, Method, Null
from rollway.judge.dispersion import Dispersion
from rollway.judge.kinds import mean, quotient, total
from rollway.judge.model import Moments
from rollway.judge.moments import Units, plain_units_of, units_of
from rollway.judge.onset import Interval

VALUES = (-2.0, 0.0, 0.5, 3.0, float("nan"))


@pytest.mark.parametrize("one", VALUES)
@pytest.mark.parametrize("other", VALUES[:-1])
def test_helpers_agree(one: float, other: float) -> None:
    """Of plain numbers and of tables with one row the same comes out, also of NaN."""
    table, beside = np.array([one]), np.array([other])
    for helper in (rows.larger, rows.smaller):
        np.testing.assert_array_equal(helper(table, beside)[0], helper(one, other))
    np.testing.assert_array_equal(
        rows.either(table > beside, table, beside)[0], rows.either(one > other, one, other)
    )
    assert rows.is_number(table)[0] == rows.is_number(one)
    assert rows.all_of(table, 2.0)[0] == rows.all_of(one, 2.0) == 2.0
    assert rows.column(table).shape == (1, 1)
    assert not rows.is_plain(table)
    assert rows.is_plain(other)
    assert rows.root(np.array([4.0]))[0] == rows.root(4.0) == 2.0


METHODS = {
    "mean": Method(mean.views, bound=1.0, needs=(0.0, 30)),
    "total": total.METHOD,
    "quotient": quotient.METHOD,
}
NULLS = {
    "ratios": Asked(Null(1.0, 1.1, 0.0), Null(-1.0, 1.5, 0.0), Dispersion(1.2, 0.04, 600.0)),
    "differences": Asked(Null(-1.0, 1.0, 0.02), Null(1.0, 1.0, -0.1)),
}


def _draw(rng: np.random.Generator, size: int) -> Moments:
    figures = rng.beta(2, 5, size)
    others = figures * rng.lognormal(0.0, 0.5, size)
    return Moments(
        size,
        float(figures.sum()),
        float(figures @ figures),
        float(others.sum()),
        float(others @ others),
        float(figures @ others),
    )


@pytest.mark.parametrize("nulls", NULLS)
@pytest.mark.parametrize("name", METHODS)
def test_a_course_is_judged_alike(name: str, nulls: str) -> None:
    """Interval by interval, with silent versions between, both ways lead to the same evidence."""
    rng = np.random.default_rng(3)
    quick = slow = difference.start(1)
    for step in range(40):
        samples = [_draw(rng, size) if step % 7 else None for size in (30, 200)]
        if step % 11 == 0:
            samples[0] = None
        interval = Interval("one" if step < 20 else "ten", 10.0 * step, 10.0, 300.0)
        quick, slow = (
            _compared(known, tuple(read(each) for each in samples), interval, METHODS[name], NULLS[nulls])
            for known, read in ((quick, plain_units_of), (slow, units_of))
        )
        _assert_alike(quick, slow)
    assert quick.whole.weight[0, 0] > 0


def _compared(
    known: Difference, arms: tuple[Units, ...], interval: Interval, method: Method, asked: Asked
) -> Difference:
    return difference.compare(known, (arms[0], arms[1]), interval, method, asked)


def _assert_alike(one: object, other: object) -> None:
    if isinstance(one, np.ndarray):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
    elif hasattr(one, "__slots__"):
        for name in one.__slots__:
            _assert_alike(getattr(one, name), getattr(other, name))
    else:
        assert one == other
