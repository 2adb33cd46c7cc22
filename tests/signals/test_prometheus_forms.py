"""A histogram that a real Prometheus has in two forms, classic and native, is counted in one of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from rollway.rollout.ports import Collected, Interval
from support.native import Native
from support.native_shop import Shop, counted, up_to
from support.versions import wait_until

Ask = Callable[..., Interval]
CLASSIC = (0.1, 0.25, 0.5, 1.0)


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


def test_the_only_native_one_is_counted_to_its_end(shop: Shop) -> None:
    """Beside a classic old version the new one has a single instance, and that ends: what it did last is
    asked for although nothing native is alive any more."""
    shop.add("v1", Native(3, CLASSIC, is_native=False))
    new = shop.add("v2")
    shop.begin()
    new.observe(0.3, 7)
    time.sleep(0.5)
    shop.page.remove(shop.name, version="v2")
    time.sleep(0.5)
    shop.until(7)
    wait_until(lambda: (shop.look(), shop.cursor.get("native_absent"))[1], within=15)


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
