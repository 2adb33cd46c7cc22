"""A single row in plain numbers is judged as a table of one row is."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from rollway.judge import difference, single
from rollway.judge.codec import decode, encode
from rollway.judge.difference import Asked, Difference, Method, Null
from rollway.judge.dispersion import Dispersion
from rollway.judge.kinds import mean, quotient, total
from rollway.judge.model import Counts, Moments
from rollway.judge.moments import Units, tables, units_of
from rollway.judge.onset import Interval

METHODS = {
    "mean": Method(mean.views, bound=1.0, needs=(0.0, 30), is_alike=True),
    "mean, bound far off": Method(mean.views, bound=40.0, needs=(0.0, 30), is_alike=True),
    "total": total.METHOD,
    "quotient": quotient.METHOD,
}
NULLS = {
    "ratios": Asked(Null(1.0, 1.1, 0.0), Null(-1.0, 1.5, 0.0), Dispersion(1.2, 0.04, 600.0)),
    "ratios, less is worse": Asked(Null(-1.0, 1 / 1.1, 0.0), Null(1.0, 0.6, 0.0)),
    "differences": Asked(Null(1.0, 1.0, 0.02), Null(-1.0, 1.0, -0.1)),
    "differences, less is worse": Asked(Null(-1.0, 1.0, 0.02), Null(1.0, 1.0, -0.1)),
    "no margin": Asked(Null(1.0, 1.0, 0.0)),
}


def _draw(rng: np.random.Generator, size: int, *, has_other: bool) -> Moments:
    figures = rng.beta(2, 5, size)
    others = figures * rng.lognormal(0.0, 0.5, size) * has_other
    sums = figures.sum(), figures @ figures, others.sum(), others @ others, figures @ others
    return Moments(size, *map(float, sums))


@pytest.mark.parametrize("has_other", [True, False])
@pytest.mark.parametrize("nulls", NULLS)
@pytest.mark.parametrize("name", METHODS)
def test_a_course_is_judged_alike(name: str, nulls: str, has_other: bool) -> None:
    """Interval by interval, with silent versions between, both ways lead to the same evidence."""
    rng = np.random.default_rng(3)
    quick, slow = single.begin(), difference.start(1)
    for step in range(40):
        samples = [_draw(rng, size, has_other=has_other) if step % 7 else None for size in (30, 200)]
        if step % 11 == 0:
            samples[0] = None
        interval = Interval("one" if step < 20 else "ten", 10.0 * step, 10.0, 300.0)
        arms, asked = (units_of(samples[0]), units_of(samples[1])), NULLS[nulls]
        quick = single.compare(quick, arms, interval, METHODS[name], asked)
        slow = difference.compare(slow, (tables(arms[0]), tables(arms[1])), interval, METHODS[name], asked)
        _assert_alike(quick, slow)
    assert (quick.whole.weight > 0) == (name != "quotient" or has_other)


@pytest.mark.parametrize("figures", [(0, 1), (1, 1), (0, 0), (40, 40)])
def test_figures_at_the_ends_of_their_range_are_judged_alike(figures: tuple[int, int]) -> None:
    """Where all of an arm's figures are 0, or all are the bound, no bet is ruined in either way."""
    quick, slow = single.begin(), difference.start(1)
    for step in range(12):
        arms = units_of(Counts(40, figures[0])), units_of(Counts(40, figures[1]))
        interval = Interval("one", 10.0 * step, 10.0, 100.0)
        quick = single.compare(quick, arms, interval, METHODS["mean"], NULLS["differences"])
        as_tables = tables(arms[0]), tables(arms[1])
        slow = difference.compare(slow, as_tables, interval, METHODS["mean"], NULLS["differences"])
        _assert_alike(quick, slow)
    assert np.isfinite(quick.wager.harm).all()


def test_before_exposure_only_the_old_version_is_learned_of() -> None:
    """Both ways know the same after intervals without exposure, and nothing of the new version."""
    arms = units_of(Moments(50, 20.0, 11.0)), units_of(Moments(400, 150.0, 90.0, 3.0, 2.0, 1.0))
    quick, slow = single.begin(), difference.start(1)
    for units in (arms[1], arms[0], arms[1]):
        quick, slow = single.warm(quick, units), difference.warm(slow, tables(units))
    _assert_alike(quick, slow)
    assert quick.baseline.units == 850
    assert quick.candidate == single.begin().candidate


def test_both_are_written_alike_and_read_as_plain_numbers() -> None:
    """A table of one row has the text of a plain number, and what is read goes on bit for bit."""
    assert encode(single.begin()) == encode(difference.start(1))
    arms = units_of(Counts(40, 7)), units_of(Counts(300, 40))
    interval, asked = Interval("one", 0.0, 10.0, 100.0), NULLS["ratios"]
    known = single.warm(single.begin(), arms[1])
    for _ in range(3):
        known = single.compare(known, arms, interval, METHODS["mean"], asked)
    text = json.dumps(encode(known), allow_nan=False)
    again = decode(Difference, json.loads(text))
    assert type(again.whole.weight) is type(again.candidate.mean) is float
    kept, read = (single.compare(each, arms, interval, METHODS["mean"], asked) for each in (known, again))
    assert json.dumps(encode(kept)) == json.dumps(encode(read))
    wide = encode(Units(*np.arange(12.0).reshape(6, 2)))
    assert decode(Units, wide).products.tolist() == [10.0, 11.0]


def _assert_alike(one: object, other: object) -> None:
    if isinstance(one, float | np.ndarray):
        np.testing.assert_allclose(np.ravel(one), np.ravel(other), rtol=1e-12, atol=1e-12)
    elif is_dataclass(one):
        for field in fields(one):
            _assert_alike(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, tuple) and isinstance(other, tuple):
        for own, others in zip(one, other, strict=True):
            _assert_alike(own, others)
    else:
        assert one == other
