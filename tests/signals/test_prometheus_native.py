"""Native histograms through a real Prometheus: each request is counted once, whatever the buckets do."""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rollway.judge import Histogram
from rollway.rollout.ports import Collected, Interval
from rollway.signals.prometheus import PrometheusSignal
from support.native import GAUGE_HISTOGRAM, Native, NativePage, native_page
from support.prometheus import Prometheus, prometheus
from support.versions import wait_until

Ask = Callable[..., Interval]
CLASSIC = (0.1, 0.25, 0.5, 1.0)
HALF = 2**0.5


class Shop:
    """A service whose durations have the test's name, the Prometheus that scrapes it, and who looks."""

    def __init__(self, name: str, page: NativePage, server: Prometheus, at: Ask) -> None:
        self.name, self.page, self.server, self._at = name, page, server, at
        self.cursor: Any = None
        self.signal = self.looking()

    def looking(self, **options: str) -> PrometheusSignal:
        given = {"arm_label": "version", "candidate": "v2", "baseline": "v1", "histogram": self.name}
        return PrometheusSignal("latency", "latency", {"url": self.server.url, **given, **options})

    def named(self, more: str) -> None:
        """Of several tests of one name each has series of its own."""
        self.name += f"_{more}"
        self.signal = self.looking()

    def add(self, version: str, histogram: Native | None = None, **labels: str) -> Native:
        return self.page.add(self.name, histogram, version=version, **labels)

    def look(self) -> Collected:
        collected = self.signal.collect(self.cursor, self._at(time.time()))
        self.cursor = collected.cursor
        return collected

    def begin(self) -> None:
        """Until both versions were seen."""
        self.cursor = None

        def is_seen() -> bool:
            collected = self.signal.collect(None, self._at(time.time()))
            self.cursor = collected.cursor
            return "at" in collected.cursor and bool(_held(collected.cursor)) and not collected.note

        wait_until(is_seen, within=15)

    def until(self, candidate: int, baseline: int = 0) -> list[Collected]:
        """Look until so many were counted of each version; no more, and no problem on the way."""
        found: list[Collected] = []

        def is_there() -> bool:
            found.append(self.look())
            told = found[-1].reading
            assert told is None or told.problem is None, found[-1].note
            sums = counted(found)
            assert sums[0] <= candidate, sums
            assert sums[1] <= baseline, sums
            return sums == (candidate, baseline)

        wait_until(is_there, within=15)
        return found

    def next_reading(self) -> Collected:
        """The next look that tells of an interval."""
        found: list[Collected] = []

        def is_there() -> bool:
            found.append(self.look())
            return found[-1].reading is not None

        wait_until(is_there, within=15)
        return found[-1]

    def until_told(self, word: str) -> Collected:
        """Look until a note has this word."""
        found: list[Collected] = []

        def is_there() -> bool:
            found.append(self.look())
            return word in found[-1].note

        wait_until(is_there, within=15)
        return found[-1]


def _held(cursor: Any) -> Any:
    return cursor.get("native") or cursor.get("counters")


def counted(found: list[Collected]) -> tuple[int, int]:
    readings = [one.reading for one in found if one.reading is not None]
    return (
        sum(sum(one.candidate.counts) for one in readings if isinstance(one.candidate, Histogram)),
        sum(sum(one.baseline.counts) for one in readings if isinstance(one.baseline, Histogram)),
    )


def up_to(found: list[Collected], bound: float, arm: str = "candidate") -> int:
    """How many durations of all readings were at most so long; the bound must be one of each."""
    total = 0
    for one in found:
        sample = getattr(one.reading, arm, None)
        if isinstance(sample, Histogram):
            total += sum(sample.counts[: sample.bounds.index(bound) + 1])
    return total


@pytest.fixture(scope="module")
def page() -> Iterator[NativePage]:
    with native_page() as page:
        yield page


@pytest.fixture(scope="module")
def scraping(page: NativePage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("prometheus")
    with prometheus(folder, page.url, features=("native-histograms",)) as server:
        yield server


@pytest.fixture
def shop(page: NativePage, scraping: Prometheus, request: pytest.FixtureRequest, at: Ask) -> Shop:
    return Shop(request.node.name.partition("[")[0], page, scraping, at)


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


# --- classic and native at once -------------------------------------------------------------------


def test_of_both_forms_one_is_counted(shop: Shop) -> None:
    """The native one, where all have it, though each request is in both."""
    old, new = (shop.add(version, Native(3, CLASSIC)) for version in ("v1", "v2"))
    shop.begin()
    for one in (old, new):
        with shop.page.at_once():
            one.observe(0.2, 10)
    found = shop.until(10, 10)
    assert up_to(found, 0.125) == 0
    assert up_to(found, 0.25) == 10
    assert shop.cursor["counters"] == {}


def test_a_version_without_the_native_form_is_compared_in_the_classic_one(shop: Shop) -> None:
    """The old one has both, the new one has its own buckets only: classic ones are alike in both."""
    old, new = shop.add("v1", Native(3, CLASSIC)), shop.add("v2", Native(3, CLASSIC, is_native=False))
    shop.begin()
    assert "native" not in shop.cursor
    for one in (old, new):
        with shop.page.at_once():
            one.observe(0.2, 10)
    found = shop.until(10, 10)
    assert found[-1].reading.candidate.bounds == CLASSIC  # type: ignore[union-attr]


def test_a_form_is_kept_when_the_other_one_comes(shop: Shop) -> None:
    """Prometheus begins to scrape native histograms beside the classic ones: nothing is seen of it."""
    old, new = (shop.add(version, Native(3, CLASSIC, is_native=False)) for version in ("v1", "v2"))
    for one in (old, new):
        one.observe(0.2, 100)
    shop.begin()
    old.is_native = new.is_native = True
    time.sleep(0.5)
    old.observe(0.2, 5)
    new.observe(0.2, 6)
    shop.until(6, 5)
    assert "native" not in shop.cursor


@pytest.mark.parametrize("has_been_classic", [True, False])
def test_a_change_of_form_costs_an_interval_and_nothing_is_counted_twice(
    shop: Shop, has_been_classic: bool
) -> None:
    """A thousand requests were counted in the one form; the other one, which knows of all of them, is no
    burst. Then all that comes is counted."""
    kinds: dict[bool, Any] = {
        True: {"classic": CLASSIC, "is_native": False},
        False: {"classic": (), "is_native": True},
    }
    shop.named("from_classic" if has_been_classic else "from_native")
    arms = [shop.add(version, Native(3, **kinds[has_been_classic])) for version in ("v1", "v2")]
    with shop.page.at_once():
        for one in arms:
            for bound in CLASSIC:
                one.below[bound] = 0
            one.observe(0.2, 1000)
    shop.begin()
    with shop.page.at_once():
        for one in arms:
            for bound in CLASSIC:
                one.below[bound] = 1000 if bound >= 0.2 else 0
            one.classic, one.is_native = kinds[not has_been_classic].values()
    form = "native" if has_been_classic else "classic"
    told = shop.until_told(f"is a {form} histogram now")
    assert told.reading is not None
    assert told.reading.problem == "implausible"
    for one in arms:
        one.observe(0.2, 5)
    shop.until(5, 5)
    assert bool(shop.cursor.get("native")) == has_been_classic
    assert bool(shop.cursor["counters"]) != has_been_classic


def test_scrapes_that_fail_change_no_form(shop: Shop) -> None:
    """All series end with a scrape that fails, the classic ones to be seen for five minutes yet; nothing is
    switched by that, and all that was served meanwhile is counted once it goes on."""
    old, new = (shop.add(version, Native(3, CLASSIC)) for version in ("v1", "v2"))
    for one in (old, new):
        one.observe(0.2, 1000)
    shop.begin()
    found: list[Collected] = []
    for _ in range(3):
        with shop.page.at_once():
            new.observe(0.3, 2)
        time.sleep(0.3)
        shop.page.is_down = True
        for _ in range(4):
            time.sleep(0.15)
            found.append(shop.look())
        shop.page.is_down = False
        time.sleep(0.3)
        found.append(shop.look())
    some = counted(found)[0]
    found += shop.until(6 - some)
    assert all(one.reading is None or one.reading.problem is None for one in found)
    assert counted(found) == (6, 0)
    assert shop.cursor["counters"] == {}


def test_an_instance_of_both_forms_that_ended_changes_no_form(shop: Shop) -> None:
    """Its classic buckets stay to be seen for longer than its native form is asked for."""
    shop.add("v1", Native(3, CLASSIC))
    shop.add("v2", Native(3, CLASSIC))
    shop.add("v2", Native(3, CLASSIC), instance_="b").observe(0.2, 100)
    shop.begin()
    shop.page.remove(shop.name, version="v2", instance_="b")
    for _ in range(8):
        time.sleep(0.25)
        told = shop.look().reading
        assert told is None or told.problem is None
    assert shop.cursor["counters"] == {}
    assert "native_absent" in shop.cursor


def test_versions_in_different_forms_are_compared_where_both_have_bounds(shop: Shop) -> None:
    """A classic old version and a native new one share a quarter, a half and a whole second."""
    old, new = shop.add("v1", Native(3, CLASSIC, is_native=False)), shop.add("v2")
    shop.begin()
    for one in (old, new):
        with shop.page.at_once():
            one.observe(0.3, 10)
    found = shop.until(10, 10)
    assert found[-1].reading.candidate.bounds == (0.25, 0.5, 1.0)  # type: ignore[union-attr]
    assert up_to(found, 0.25) == 0
    assert up_to(found, 0.5) == 10


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
