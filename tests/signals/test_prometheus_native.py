"""Native histograms through a real Prometheus: each request is counted once, whatever the buckets do."""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable

import pytest

from rollway.judge import Histogram
from rollway.rollout.ports import Collected, Interval
from support.native import GAUGE_HISTOGRAM, Native
from support.native_shop import Shop, counted, up_to
from support.versions import wait_until

Ask = Callable[..., Interval]
HALF = 2**0.5


def test_every_request_is_counted_once_where_it_belongs(shop: Shop) -> None:
    """Over many looks, of two instances of each version: all that was observed, and at half octaves exactly
    what was at most so long. What came before the first look is not counted."""
    arms = {version: [shop.add(version, instance_=one) for one in "ab"] for version in ("v1", "v2")}
    for one in (*arms["v1"], *arms["v2"]):
        one.observe(0.2, 1000)
    shop.begin()
    drawn = random.Random(5)
    seen: dict[str, list[float]] = {"v1": [], "v2": []}
    found: list[Collected] = []
    for _ in range(20):
        for version, instances in arms.items():
            for one in instances:
                seconds = drawn.lognormvariate(-2, 1.5)
                with shop.page.at_once():
                    one.observe(seconds)
                seen[version].append(seconds)
        time.sleep(0.03)
        found.append(shop.look())
    some = counted(found)
    found += shop.until(40 - some[0], 40 - some[1])
    for version, arm in (("v1", "baseline"), ("v2", "candidate")):
        for bound in (2.0**-6, 2.0**-3.5, 0.125, 0.125 * HALF, 0.25, 0.5, 1.0, 4.0):
            exact = min((b for b in _bounds(found) if math.isclose(b, bound)), default=None)
            assert exact is not None
            assert up_to(found, exact, arm) == sum(seconds <= bound for seconds in seen[version])


def _bounds(found: list[Collected]) -> tuple[float, ...]:
    return next(
        one.reading.candidate.bounds
        for one in found
        if one.reading is not None and isinstance(one.reading.candidate, Histogram)
    )


def test_a_cursor_is_plain_json_and_has_one_entry_for_each_histogram(shop: Shop) -> None:
    """It may go through a database, and does not grow with the buckets of a fine schema."""
    fine = Native(8)
    shop.add("v1")
    shop.add("v2", fine)
    for number in range(2000):
        fine.observe(0.0001 * 1.01**number)
    shop.begin()
    assert json.loads(json.dumps(shop.cursor)) == shop.cursor
    assert len(shop.cursor["native"]) == 2
    assert len(json.dumps(shop.cursor)) < 2000


def test_a_gap_is_covered_once_prometheus_is_back(shop: Shop) -> None:
    """While the server is down the source is down; afterwards nothing that was counted is lost."""
    old, new = shop.add("v1"), shop.add("v2")
    shop.begin()
    shop.server.stop()
    old.observe(0.2, 70)
    new.observe(0.4, 8)
    down = shop.look()
    assert down.reading is not None
    assert down.reading.problem == "source_down"
    shop.server.start()
    shop.until(8, 70)


def test_a_process_that_begins_again_costs_an_interval_and_is_counted_on(shop: Shop) -> None:
    """The fall is told with the histogram's name; what comes after it counts, and nothing twice."""
    shop.add("v1").observe(0.2, 50)
    new = shop.add("v2")
    new.observe(0.2, 50)
    shop.begin()
    with shop.page.at_once():
        new.reset()
        new.observe(0.3, 3)
    fallen = shop.until_told("fell from 50 to 3")
    assert fallen.reading is not None
    assert fallen.reading.problem == "implausible"
    new.observe(0.3, 4)
    shop.until(4)


def test_a_reset_that_no_fall_shows_is_seen_by_its_buckets(shop: Shop) -> None:
    """More durations than before, but fewer short ones than came in all: two lives are not subtracted."""
    shop.add("v1").observe(0.2, 50)
    new = shop.add("v2")
    new.observe(1.5, 50)
    shop.begin()
    with shop.page.at_once():
        new.reset()
        new.observe(0.2, 60)
    shop.until_told("lost durations of some lengths")
    new.observe(0.3, 4)
    shop.until(4)


def test_an_instance_that_ended_is_counted_to_its_end_and_may_come_back(shop: Shop) -> None:
    """What it did between the last look and its end counts; when it is back, what it did meanwhile too."""
    shop.add("v1").observe(0.2, 50)
    new = shop.add("v2", instance_="a")
    shop.add("v2", instance_="b")
    new.observe(0.2, 50)
    shop.begin()
    new.observe(0.2, 7)
    time.sleep(0.5)
    shop.page.remove(shop.name, version="v2", instance_="a")
    time.sleep(0.5)
    shop.until(7)
    wait_until(lambda: (shop.look(), shop.cursor.get("native_absent"))[1], within=15)
    new.observe(0.2, 5)
    shop.add("v2", new, instance_="a")
    shop.until(5)


def test_a_schema_that_is_coarsened_midway_neither_counts_falsely_nor_breaks(shop: Shop) -> None:
    """A client halves its resolution when it has too many buckets: the bounds that are left stay exact."""
    shop.add("v1", Native(0)).observe(0.2, 50)
    new = shop.add("v2", Native(3))
    for seconds in (0.01, 0.03, 0.11, 0.3, 0.9):
        new.observe(seconds, 20)
    shop.begin()
    new.observe(0.3, 5)
    found = shop.until(5)
    with shop.page.at_once():
        new.coarsen(0)
        new.observe(0.3, 6)
        new.observe(0.6, 1)
    found += shop.until(7)
    with shop.page.at_once():
        new.coarsen(-1)
        new.observe(0.2, 3)
    found += shop.until(3)
    assert up_to(found, 0.25) == 3
    assert up_to(found, 1.0) == 15


def test_versions_of_other_schemas_are_compared_where_both_have_bounds(shop: Shop) -> None:
    """A factor of 4 and one of 1.09: what is left are powers of 4, in both arms."""
    old, new = shop.add("v1", Native(-1)), shop.add("v2", Native(3))
    old.observe(0.2, 2)
    shop.begin()
    old.observe(0.3, 4)
    new.observe(0.3, 4)
    (told,) = (one for one in shop.until(4, 4) if one.reading and counted([one]) == (4, 4))
    assert told.reading is not None
    new_one, old_one = told.reading.candidate, told.reading.baseline
    assert isinstance(new_one, Histogram)
    assert isinstance(old_one, Histogram)
    assert (
        new_one.bounds
        == old_one.bounds
        == (2.0**-12, 2.0**-10, 2.0**-8, 2.0**-6, 2.0**-4, 0.25, 1, 4, 16, 64, 256)
    )
    assert new_one.counts == old_one.counts


def test_a_wide_zero_bucket_costs_the_bounds_inside_it(shop: Shop) -> None:
    """What it holds is short, but nobody knows how short; above it nothing is lost."""
    shop.add("v1").observe(0.2)
    new = shop.add("v2", Native(3, zero_threshold=2.0**-7))
    shop.begin()
    new.observe(0.001, 9)
    new.observe(0.1, 2)
    found = shop.until(11)
    assert up_to(found, 2.0**-7) == 9
    assert up_to(found, 0.125) == 11
    assert 2.0**-8 not in found[-1].reading.candidate.bounds  # type: ignore[union-attr]


@pytest.mark.parametrize("impossible", [-0.5, math.nan])
def test_what_no_duration_can_be_is_implausible_and_then_over(shop: Shop, impossible: float) -> None:
    """Below zero, or not a number: that interval is not counted, and the note says why."""
    shop.named(f"{impossible:g}".replace("-0.5", "below"))
    shop.add("v1").observe(0.2)
    new = shop.add("v2")
    new.observe(impossible)
    shop.begin()
    new.observe(0.2, 2)
    shop.until(2)
    with shop.page.at_once():
        new.observe(impossible, 3)
        new.observe(0.2, 9)
    told = shop.until_told("has 3 that no duration can be")
    assert told.reading is not None
    assert told.reading.problem == "implausible"
    new.observe(0.2, 4)
    shop.until(4)


def test_float_histograms_are_counted_in_whole_requests(shop: Shop) -> None:
    """Their fractions add up over looks, and are not rounded away."""
    shop.add("v1").observe(0.2)
    new = shop.add("v2", Native(3, is_float=True))
    new.observe(0.2, 0.5)
    shop.begin()
    found: list[Collected] = []
    for _ in range(4):
        new.observe(0.3, 0.5)
        time.sleep(0.3)
        found.append(shop.look())
    assert counted(found)[0] + counted(shop.until(2 - counted(found)[0]))[0] == 2


def test_a_gauge_histogram_is_told_as_one_that_falls(shop: Shop) -> None:
    """What goes down is no count of requests; nothing is made of it."""
    shop.add("v1").observe(0.2)
    new = shop.add("v2", Native(3, type=GAUGE_HISTOGRAM))
    new.observe(0.2, 9)
    shop.begin()
    with shop.page.at_once():
        new.reset()
        new.observe(0.2, 4)
    assert shop.until_told("fell from 9 to 4").reading.problem == "implausible"  # type: ignore[union-attr]


# --- before a rollout -------------------------------------------------------------------------------


def test_preflight_knows_native_series(shop: Shop, at: Ask) -> None:
    """They have no `_bucket`, and are found all the same; what matches nothing is named."""
    shop.add("v1", route="/a").observe(0.2, 30)
    shop.add("v2", route="/a")
    shop.begin()

    def told(**options: str) -> list[tuple[str, str]]:
        unmatched = shop.looking(**options).examine(at(time.time())).unmatched
        return [(one.option, one.told) for one in unmatched or ()]

    assert told() == []
    assert told(candidate="v3") == [("candidate", 'no series has version="v3" yet; there are: v1, v2')]
    slip = f'no series of {shop.name} has route="/b"; there are: /a'
    assert told(histogram=shop.name + '{route="/b"}') == [("histogram", slip)]
    assert told(histogram="nothing_seconds") == [("histogram", "no metric is called nothing_seconds")]
    so_far = shop.signal.examine(at(time.time())).so_far
    assert so_far is not None
    assert isinstance(so_far.baseline, Histogram)
    assert sum(so_far.baseline.counts) == 30
