"""The flag target exposes a share through the flags that Rollway keeps, and reads it back from them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from rollway.errors import InputError, TemporaryError
from rollway.flags import FlagBook, evaluate
from rollway.rollout.ports import Surroundings
from rollway.store import SqlFlags, open_engine
from rollway.store.tables import flag, plan, rollout
from rollway.targets.flag import FlagTarget

NOW = datetime(2026, 11, 19, 20, 0, tzinfo=UTC)
OPTIONS = {"flag": "new-reporting", "candidate": "on", "baseline": "off"}


class Shop:
    """Flags in a database, with rollouts that may hold them."""

    def __init__(self, folder: Path) -> None:
        self.engine = open_engine(folder)
        self.flags = SqlFlags(self.engine, lambda: NOW)
        with self.engine.begin() as connection:
            connection.execute(
                sa.insert(plan).values(hash="p", name="r", version="1", body="{}", created_at=NOW)
            )
        for name in ("first", "second"):
            self.add_rollout(name)

    def add_rollout(self, name: str) -> None:
        row = {"id": name, "plan_hash": "p", "seq": 0, "phase": "running", "state": "{}", "judge": "{}"}
        with self.engine.begin() as connection:
            values = {**row, "cursors": "{}", "created_at": NOW, "moved_at": NOW}
            connection.execute(sa.insert(rollout).values(**values))

    def end(self, name: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.update(rollout).where(rollout.c.id == name).values(phase="rolled_back"))

    def target(self, name: str = "first", **changes: Any) -> FlagTarget:
        options = {key: value for key, value in {**OPTIONS, **changes}.items() if value is not ...}
        return FlagTarget(options, Surroundings(rollout=name, flags=self.flags))

    def users_exposed(self, count: int = 2000) -> set[str]:
        flags = FlagBook({"flags": self.flags.definitions()}).flag_set
        users = [f"user-{number}" for number in range(count)]
        answers = {
            u: evaluate(flags, "new-reporting", {"targetingKey": u}, timestamp=0).variant for u in users
        }
        return {user for user, variant in answers.items() if variant == "on"}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_nobody_is_exposed_by_a_flag_that_is_not_there(shop: Shop) -> None:
    """Before the first step the code's own default serves the old version."""
    assert shop.target().observe().share == 0.0


def test_the_share_that_was_set_is_read_back(shop: Shop) -> None:
    """Through the database, from nobody to everybody and back."""
    target = shop.target()
    for fence, share in enumerate((0.01, 0.1, 1 / 3, 1.0, 0.0)):
        target.apply(share, fence=fence)
        assert target.observe().share == pytest.approx(share, abs=1e-5)
    assert shop.users_exposed() == set()


def test_a_control_group_is_served_and_read_back(shop: Shop) -> None:
    """Another name for the old version, with its value; gone with the rollback."""
    target = shop.target()
    for fence, (share, control) in enumerate(((0.0, 0.1), (0.1, 0.1), (0.5, 0.5), (0.95, 0.05), (0.0, 0.0))):
        target.apply(share, control=control, fence=fence)
        served = target.observe()
        assert (served.share, served.control) == pytest.approx((share, control), abs=1e-5)
        stored = shop.flags.definitions()["new-reporting"]
        assert stored["variants"].get("control", False) is False
        assert ("control" in stored["variants"]) == bool(control)


def test_the_way_back_is_tried_with_the_control_group_that_is_there(shop: Shop) -> None:
    """Trying it takes nobody out of the group."""
    target = shop.target()
    target.apply(0.1, control=0.1, fence=1)
    checks = {check.name: check for check in target.preflight()}
    assert checks["way back"].state == "ok"
    assert target.observe().control == 0.1


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "control"),
        ({"control": "sampled"}, "sampled"),
        ({"candidate": "treatment", "baseline": "control"}, "control-group"),
        ({"variants": {"on": True, "off": False, "control": True}}, "control-group"),
        ({"variants": {"on": True, "off": False, "control": False}}, "control"),
        ({"candidate": "control", "baseline": "control-group"}, "control-2"),
    ],
)
def test_the_control_group_has_a_name_that_means_nothing_else(
    shop: Shop, changes: dict[str, Any], name: str
) -> None:
    """The one that is given, or the first that is free."""
    target = shop.target(**changes)
    target.apply(0.2, control=0.2, fence=1)
    assert shop.flags.definitions()["new-reporting"]["targeting"]["if"][1]["fractional"][-1][0] == name


@pytest.mark.parametrize(
    "changes",
    [{"control": "on"}, {"control": "off"}, {"control": "b", "variants": {"on": 1, "off": 2, "b": 3}}],
)
def test_a_control_group_that_is_not_the_old_version_is_refused(shop: Shop, changes: dict[str, Any]) -> None:
    """It would be compared with itself, or with a third version."""
    with pytest.raises(InputError, match=r"target\.control: .* is not what users of \"off\" get"):
        shop.target(**changes)


def test_setting_the_same_share_again_changes_nothing(shop: Shop) -> None:
    """A call that is repeated after a lost answer is harmless."""
    target = shop.target()
    target.apply(0.3, fence=1)
    before = shop.users_exposed()
    target.apply(0.3, fence=1)
    assert shop.users_exposed() == before


def test_a_second_try_starts_with_the_same_users(shop: Shop) -> None:
    """Who has met the new version already is not mixed with people who have not."""
    shop.target("first").apply(0.1, fence=1)
    before = shop.users_exposed()
    shop.end("first")
    shop.target("second").apply(0.1, fence=0)
    assert shop.users_exposed() == before
    shop.target("second", salt="2026-12").apply(0.1, fence=1)
    assert len(shop.users_exposed() & before) < 0.3 * len(before)


def test_a_flag_that_another_rollout_holds_is_left_alone(shop: Shop) -> None:
    """The error says whose step failed and what may hold the flag; it may pass with time."""
    shop.target("first").apply(0.5, fence=1)
    with pytest.raises(TemporaryError) as caught:
        shop.target("second").apply(0.1, fence=9)
    text = str(caught.value)
    assert 'flag "new-reporting"' in text
    assert "rollout second" in text
    assert "another rollout that still runs holds it" in text
    assert shop.target("second").observe().share == 0.5
    shop.end("first")
    shop.target("second").apply(0.1, fence=9)
    assert shop.target("second").observe().share == 0.1


def test_a_late_call_does_not_undo_a_newer_one(shop: Shop) -> None:
    """After the rollback of step 7 a delayed step 6 changes nothing, and is no failure of the rollout."""
    target = shop.target()
    target.apply(0.5, fence=6)
    target.apply(0.0, fence=7)
    target.apply(0.5, fence=6)
    assert target.observe().share == 0.0


@pytest.mark.parametrize(
    "stored",
    [
        "{oops",
        '"text"',
        "{}",
        '{"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "grey"}',
    ],
)
def test_what_cannot_be_served_is_never_read_back(shop: Shop, stored: str) -> None:
    """Users have the last good definition then, so the stored one says nothing; the next step mends it."""
    target = shop.target()
    target.apply(0.1, fence=1)
    with shop.engine.begin() as connection:
        connection.execute(sa.update(flag).values(definition=stored))
    with pytest.raises(TemporaryError) as caught:
        target.observe()
    assert 'flag "new-reporting"' in caught.value.message
    assert caught.value.hint
    target.apply(0.0, fence=2)
    assert target.observe().share == 0.0


def test_a_foreign_hand_on_the_flag_is_seen(shop: Shop) -> None:
    """What is observed is what users are served, not what was asked for."""
    target = shop.target()
    target.apply(0.1, fence=1)
    definition: dict[str, Any] = dict(shop.flags.read("new-reporting") or {})
    definition["targeting"] = {"fractional": [["on", 80], ["off", 20]]}
    shop.flags.write("new-reporting", definition, owner="first", fence=2)
    assert target.observe().share == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize(
    ("changes", "values"),
    [
        ({}, {"on": True, "off": False}),
        ({"candidate": "off", "baseline": "on"}, {"on": True, "off": False}),
        ({"candidate": "v2", "baseline": "v1"}, {"v2": "v2", "v1": "v1"}),
        ({"candidate": "on", "baseline": "old"}, {"on": "on", "old": "old"}),
        ({"variants": {"on": 2, "off": 1, "spare": 3}}, {"on": 2, "off": 1, "spare": 3}),
    ],
)
def test_variants_have_the_values_that_were_given_or_meant(
    shop: Shop, changes: dict[str, Any], values: Mapping[str, Any]
) -> None:
    """on and off are true and false; other names stand for themselves; given values are taken."""
    shop.target(**changes).apply(0.5, fence=1)
    stored = shop.flags.read("new-reporting")
    assert stored is not None
    assert stored["variants"] == values


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"flag": ...}, "target.flag: is missing"),
        ({"flag": 7}, "target.flag: 7 is no text"),
        (
            {"candidate": True},
            'target.candidate: true is no text\nhint: write it as text, such as candidate: "on"',
        ),
        ({"baseline": " "}, 'target.baseline: " " says nothing'),
        ({"baseline": "on"}, 'target.baseline: "on" is the candidate too'),
        (
            {"variant": {}},
            'target.variant: the flag target has no such option\nhint: did you mean "variants"?',
        ),
        ({"variants": ["on"]}, 'target.variants: ["on"] is no mapping'),
        ({"variants": {"on": True}}, 'target.variants: there is no value for "off"'),
        (
            {"variants": {"on": True, "off": 0}},
            '$.flags["new-reporting"].variants: the values are of several types',
        ),
        ({"variants": {"on": True, "off": None}}, ".variants.off: null is no value"),
        ({"salt": ""}, 'target.salt: "" says nothing'),
    ],
)
def test_options_that_cannot_be_used_are_told_at_once(shop: Shop, changes: dict[str, Any], part: str) -> None:
    """Before anything is planned or run, by the name of the option."""
    with pytest.raises(InputError) as caught:
        shop.target(**changes)
    assert part in str(caught.value)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_out_of_range_is_never_written(shop: Shop, share: float) -> None:
    """The flag stays as it was."""
    target = shop.target()
    target.apply(0.2, fence=1)
    with pytest.raises(InputError):
        target.apply(share, fence=2)
    assert target.observe().share == 0.2
