"""Drawn choices are those that the judge makes of the same requests."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rollway.judge.kinds.latency import choose_cuts, safe_rows
from rollway.planning.chosen_cuts import DRAWN, MOST_CUTS, MOST_SEEN, above, choices, chosen, shown_safe
from rollway.planning.durations import USUAL_BOUNDS, usual_law

FINE = tuple(0.05 * 1.1**n for n in range(40))
BOUNDS = [USUAL_BOUNDS, FINE, (0.1, 0.3, 1.2), (0.1,)]


@pytest.mark.parametrize("bounds", BOUNDS)
@pytest.mark.parametrize("requests", [20, 700, 30_000])
def test_cuts_and_safety_are_chosen_as_the_judge_chooses(bounds: tuple[float, ...], requests: int) -> None:
    """Of the same counts, and of those in which more is known by the time safety is asked for."""
    rng, law = np.random.default_rng(requests), usual_law(bounds)
    known = rng.multinomial(requests, law, size=60).astype(np.float64)
    more = known + rng.multinomial(requests, law, size=60)
    picked = chosen(known)
    shown = shown_safe(more, picked)
    for row in range(60):
        cuts = choose_cuts(known[row])
        assert cuts == tuple(sorted(set(picked[row].tolist())))
        assert {cuts[place] for place in safe_rows(more[row], cuts)} == set(shown[row].tolist())


@pytest.mark.parametrize("bounds", BOUNDS)
def test_of_all_requests_there_is_one_choice(bounds: tuple[float, ...]) -> None:
    """It is that of the law itself, at the cuts that show a fault in the tail."""
    law = np.array(usual_law(bounds))
    found = choices(usual_law(bounds), math.inf)
    cuts = choose_cuts(1e5 * law)
    beyond = above(law)
    assert set(found.cuts) <= set(cuts)
    assert [cut for cut in cuts if beyond[cut] <= MOST_SEEN] in ([], list(found.cuts))
    assert found.places.tolist() == [list(range(len(found.cuts)))]
    assert found.number.tolist() == [len(cuts)]
    assert found.safe_places(10.0).shape == (1, 2)


def test_few_requests_choose_otherwise_and_more_turn_what_is_safe() -> None:
    """From 600 requests safety is often shown at other cuts than from all, and less often so once a hundred
    times as many are known; of many cuts few are told apart."""
    law = usual_law(FINE)
    few, all_of_it = choices(law, 600.0), choices(law, math.inf)
    assert len(few.cuts) == MOST_CUTS
    usual = all_of_it.cuts[int(all_of_it.safe[0, 0, 1])]

    def off(seen: float) -> float:
        return float(np.abs(np.array(few.cuts)[few.safe_places(seen)[:, 1]] - usual).mean())

    assert few.safe_places(600.0).shape == (DRAWN, 2)
    assert off(600.0) > 1.5 * off(60_000.0)
    assert (few.places < len(few.cuts)).all()
    assert (few.number >= (few.places >= 0).sum(axis=1)).all()
