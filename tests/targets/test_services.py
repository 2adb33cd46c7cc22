"""Several services move as one: in their order, all or none, and back in the reverse order."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.app.connectors import make_target
from rollway.errors import InputError, TemporaryError
from rollway.rollout.ports import Surroundings, parts_of
from rollway.store import SqlFlags, open_engine
from rollway.targets import services as room
from rollway.targets.services import ServicesTarget
from support.scripted import Cast

THREE = ("database", "api", "web")


@pytest.fixture
def cast(monkeypatch: pytest.MonkeyPatch) -> Cast:
    """Scripted services; nobody waits long for one that does not follow."""
    monkeypatch.setattr(room, "_FOLLOW_SECONDS", 0.05)
    monkeypatch.setattr(room, "_LOOK_SECONDS", 0.3)
    monkeypatch.setattr(room, "_TELL_SECONDS", 0.3)
    return Cast()


def release(
    cast: Cast, names: tuple[str, ...] = THREE, *, after: Any = None, **options: Any
) -> ServicesTarget:
    listed = [{"name": name, "target": {"type": "scripted", "name": name}} for name in names]
    for one in listed:
        if after and one["name"] in after:
            one["after"] = after[one["name"]]
    return ServicesTarget({"services": listed, **options}, cast.around())


def test_services_go_up_in_their_order_and_back_in_the_reverse(cast: Cast) -> None:
    """No service is ever served to more users than the ones it needs."""
    target = release(cast)
    target.apply(0.1, fence=1)
    assert target.observe().share == 0.1
    target.apply(0.0, fence=2)
    assert target.observe().share == 0.0
    assert cast.log == ["database=0.1", "api=0.1", "web=0.1", "web=0", "api=0", "database=0"]


def test_a_service_waits_for_the_one_before_it_to_be_read_back(cast: Cast) -> None:
    """The middle one hears and does nothing: the last is not told, and the stage is not reached."""
    target = release(cast)
    cast["api"].is_deaf = True
    target.apply(0.5, fence=1)
    served = target.observe()
    assert cast.log == ["database=0.5"]
    assert 0 < served.share < 0.5
    assert served.note == "not all serve the same: database at 0.5; api, web at 0"
    cast["api"].is_deaf = False
    target.apply(0.5, fence=2)
    assert target.observe().share == 0.5
    assert not target.observe().note


@pytest.mark.parametrize("far", [0, 1, 2, 3])
@pytest.mark.parametrize(("before", "wanted"), [(0.0, 0.1), (0.1, 0.5), (0.5, 1.0), (1.0, 0.0), (0.1, 0.0)])
def test_half_a_move_is_never_told_as_a_stage(cast: Cast, far: int, before: float, wanted: float) -> None:
    """Whoever looks, also after a restart: the share is that of the stage exactly when all are there."""
    for place, name in enumerate(THREE):
        cast[name].share = wanted if place < far else before
    told = release(cast).observe().share
    assert (told == wanted) == (far == 3)
    assert (told == before) == (far == 0)


def test_a_service_that_does_not_follow_is_named_once_patience_is_over(cast: Cast) -> None:
    """The rollout is held with its name; those that moved can be taken back, and the release goes back."""
    target = release(cast, patience=0.1)
    cast["api"].is_deaf = True
    target.apply(0.5, fence=1)
    assert not target.observe().refusal
    time.sleep(0.12)
    target.apply(0.5, fence=2)
    assert target.observe().refusal == "api serves 0 and not 0.5, after 0.1 s."
    target.apply(0.0, fence=3)
    assert (target.observe().share, target.observe().refusal) == (0.0, "")
    assert cast.log == ["database=0.5", "database=0"]


def test_patience_begins_anew_when_a_held_rollout_is_resumed(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody told it anything for a while: it gets its time again before it is refused."""
    monkeypatch.setattr(room, "_LEFT_ALONE_SECONDS", 0.2)
    target = release(cast, patience=0.15)
    cast["api"].is_deaf = True
    target.apply(0.5, fence=1)
    time.sleep(0.3)
    assert target.observe().refusal
    target.apply(0.5, fence=2)
    assert not target.observe().refusal


def test_a_service_whose_target_fails_is_told_with_its_own_words(cast: Cast) -> None:
    """One failure raises nothing, for the others must be seen; after the patience it is the refusal."""
    target = release(cast, patience=0.1)
    cast["web"].fails = True
    target.apply(1.0, fence=1)
    assert cast.log == ["database=1", "api=1"]
    assert target.observe().note.endswith("; web could not be told: web is locked")
    time.sleep(0.12)
    target.apply(1.0, fence=2)
    assert target.observe().refusal == "web serves 0 and not 1, after 0.1 s: web is locked."


def test_on_the_way_back_a_stuck_service_holds_the_others_for_its_patience_only(cast: Cast) -> None:
    """The last one cannot be taken back: the others wait for it, and then go without it."""
    target = release(cast, patience=0.15)
    target.apply(1.0, fence=1)
    cast["web"].fails = True
    target.apply(0.0, fence=2)
    assert (cast["database"].share, cast["api"].share) == (1.0, 1.0)
    time.sleep(0.2)
    target.apply(0.0, fence=3)
    assert (cast["database"].share, cast["api"].share, cast["web"].share) == (0.0, 0.0, 1.0)
    assert target.observe().share == 0.5
    assert "web is locked" in target.observe().refusal


def test_a_service_that_was_never_read_back_is_no_zero(cast: Cast) -> None:
    """Nothing can be said of the release, and it is said whose answer lacks."""
    cast["api"].is_silent = True
    with pytest.raises(TemporaryError, match="api: api hung up"):
        release(cast).observe()


def test_a_service_that_falls_silent_is_told_and_then_holds_the_release(cast: Cast) -> None:
    """What it served last stands for a while; after the patience the rollout is held."""
    target = release(cast, patience=0.1)
    target.apply(0.5, fence=1)
    cast["api"].is_silent = True
    served = target.observe()
    assert (served.share, served.note, served.refusal) == (0.5, "api does not answer: api hung up", "")
    time.sleep(0.12)
    assert target.observe().refusal == "api has not answered for more than 0.1 s."
    cast["api"].is_silent = False
    assert not target.observe().refusal


def test_a_silent_service_is_not_taken_as_read_back(cast: Cast) -> None:
    """It was told and cannot be seen: whoever comes after it stays where he is."""
    target = release(cast)
    target.observe()
    cast["api"].is_silent = True
    target.apply(0.5, fence=1)
    assert cast.log == ["database=0.5", "api=0.5"]


def test_a_delayed_call_does_not_undo_a_newer_one(cast: Cast) -> None:
    """The rollback of tick 8 stands, though the step of tick 7 comes after it; services hear the fence."""
    target = release(cast)
    target.apply(0.5, fence=6)
    target.apply(0.0, fence=8)
    target.apply(0.5, fence=7)
    assert target.observe().share == 0.0
    assert {fence for _, _, fence in cast["web"].told} == {6, 8}


def test_a_rollback_does_not_wait_for_a_step_that_hangs(cast: Cast) -> None:
    """A service hangs while it is told the next share; the others are back long before it answers."""
    target = release(cast, ("web", "api"), patience=0.2)
    target.apply(0.5, fence=1)
    cast["api"].hangs = threading.Event()
    step = threading.Thread(target=lambda: target.apply(1.0, fence=2))
    step.start()
    time.sleep(0.3)
    target.apply(0.0, fence=3)
    assert cast["web"].share == 0.0
    cast["api"].hangs.set()
    step.join(5)
    end = time.monotonic() + 10
    while target.observe().share > 0.0 and time.monotonic() < end:
        target.apply(0.0, fence=4)  # each tick tells it again: what hung may arrive after the first of these
    assert target.observe().share == 0.0


def test_services_that_do_not_depend_on_each_other_move_together(cast: Cast) -> None:
    """With `after` only these words count: two of them wait for the database, the third for both."""
    after = {"api": ["database"], "jobs": ["database"], "web": ["api", "jobs"]}
    target = release(cast, ("web", "jobs", "api", "database"), after=after)
    cast["jobs"].is_deaf = True
    target.apply(0.5, fence=1)
    assert cast.log == ["database=0.5", "api=0.5"]
    cast["jobs"].is_deaf = False
    target.apply(0.5, fence=2)
    assert cast.log[2:] == ["jobs=0.5", "web=0.5"]


def test_all_are_ready_or_the_release_is_not(cast: Cast) -> None:
    """One dead service is enough; one that cannot know leaves it open; notes carry names."""
    target = release(cast)
    assert target.observe().candidate_ready is True
    cast["api"].candidate_ready = None
    assert target.observe().candidate_ready is None
    cast["web"].candidate_ready, cast["web"].note = False, "down: new2"
    served = target.observe()
    assert (served.candidate_ready, served.baseline_ready) == (False, True)
    assert served.note == "web: down: new2"


def test_what_a_service_refuses_holds_the_release(cast: Cast) -> None:
    """Its own words are passed on at once."""
    cast["api"].refusal = "the smoke test failed"
    assert release(cast).observe().refusal == "api: the smoke test failed."


def test_copies_are_asked_of_all_and_read_back(cast: Cast) -> None:
    """Half the services that copy are no half of the copies: the middle is told until all do."""
    target = release(cast)
    target.apply(0.0, mirrored=0.5, fence=1)
    assert target.observe().mirrored == 0.5
    cast["web"].mirrored = 0.0
    assert target.observe().mirrored == 0.25


@settings(max_examples=60, deadline=None)
@given(
    # Shares are multiples of a hundred-thousandth, as plans have them.
    share=st.integers(0, 100_000).map(lambda share: share / 100_000),
    steps=st.lists(st.sampled_from([0, 3, 10, 256, 10_000]), min_size=2, max_size=4),
)
def test_a_share_all_can_serve_is_found_again_after_a_restart(share: float, steps: list[int]) -> None:
    """Coarse and fine services: what is read back is what was said to be the nearest, by an instance that was
    never told anything too."""
    cast = Cast()
    names = tuple(f"s{place}" for place in range(len(steps)))
    for name, one in zip(names, steps, strict=True):
        cast[name].steps = one
    target = release(cast, names)
    target.apply(share, fence=1)
    near = target.nearest(share)
    assert target.observe().share == pytest.approx(near, abs=1e-9)
    assert release(cast, names).observe().share == pytest.approx(near, abs=1e-9)


def test_hundreds_of_services_are_looked_at_side_by_side(cast: Cast) -> None:
    """Three hundred services, three of them hang: the others are seen and moved in the meantime."""
    names = tuple(f"s{number}" for number in range(300))
    target = release(cast, names, after={name: ["s0"] for name in names[1:]})
    target.observe()
    hung = [cast[name] for name in ("s7", "s70", "s170")]
    for one in hung:
        one.hangs = threading.Event()
    target.apply(0.5, fence=1)
    served = target.observe()
    assert sum(one.share == 0.5 for one in cast.all.values()) == 297
    assert "s7 does not answer: no answer in time" in served.note
    for one in hung:
        assert one.hangs is not None
        one.hangs.set()
    time.sleep(0.05)
    target.apply(0.5, fence=2)
    assert target.observe().share == 0.5


def test_a_preflight_names_what_is_amiss_and_counts_what_is_well(cast: Cast) -> None:
    """Eight services: the one that is dead and the one that is gone stand by themselves."""
    names = tuple(f"s{number}" for number in range(8))
    target = release(cast, names)
    cast["s3"].candidate_ready = False
    cast["s5"].is_silent = True
    checks = target.preflight()
    failed = [(check.name, check.told) for check in checks if check.state == "failed"]
    assert failed == [("reachable", "s5: s5 hung up"), ("candidate ready", "s3: it is not alive")]
    well = next(check for check in checks if check.name == "way back" and check.state == "ok")
    assert well.told.startswith("s0: the present share can be set again")
    assert well.told.endswith("and 4 more services")
    assert not cast["s0"].told or {share for share, _, _ in cast["s0"].told} == {0.0}


def test_the_identity_is_made_of_all_parts_and_stays_short(cast: Cast) -> None:
    """In whatever order they are listed; hundreds still fit into one column of the database."""
    target, other = release(cast), release(cast, ("web", "api", "database"))
    assert target.identity == other.identity == "services:scripted:api+scripted:database+scripted:web"
    assert parts_of(target) == ("scripted:api", "scripted:database", "scripted:web")
    many = release(cast, tuple(f"service-{number}" for number in range(300)))
    assert len(many.identity) < 100
    assert len(parts_of(many)) == 300


def test_real_flags_of_three_services_move_in_order(tmp_path: Path) -> None:
    """Through the entry points, on a real database: three flags, one release."""
    flags = SqlFlags(open_engine(tmp_path), lambda: datetime.now(UTC))
    around = Surroundings(rollout="r-1", flags=flags, make=make_target)
    listed = [
        {"name": name, "target": {"type": "flag", "flag": name, "candidate": "on", "baseline": "off"}}
        for name in THREE
    ]
    target = make_target("services", {"services": listed}, around)
    target.apply(0.25, fence=1)
    assert target.observe().share == pytest.approx(0.25, abs=1e-5)
    target.apply(0.0, fence=2)
    assert target.observe().share == 0.0
    assert all(flags.read(name) for name in THREE)


def _listed(*services: dict[str, Any]) -> dict[str, Any]:
    return {"services": list(services)}


API = {"name": "api", "target": {"type": "scripted", "name": "api"}}
WEB = {"name": "web", "target": {"type": "scripted", "name": "web"}}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({}, "target.services: is missing"),
        ({"services": []}, "target.services: is no list"),
        (_listed({"name": "api"}), r"target.services\[0\].target: is missing"),
        (_listed({"name": "api", "target": {"socket": "x"}}), r"services\[0\].target: has no type"),
        (_listed(API, {**API, "target": WEB["target"]}), r"services\[1\].name: there are two services api"),
        (_listed(API, {**WEB, "target": API["target"]}), "api and web switch the same thing"),
        (_listed(API, {**WEB, "after": ["apy"]}), r"services\[1\].after: there is no service apy"),
        (
            _listed({**API, "after": "web"}, {**WEB, "after": "api"}),
            "after .* after .*none of them could go first",
        ),
        (_listed({**API, "aftr": "web"}), r"target.services\[0\].aftr: a service has no such option"),
        ({**_listed(API), "patience": 0}, "target.patience"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(options: dict[str, Any], problem: str) -> None:
    """A slip in the release file is told when the target is made, with its place in the list."""
    with pytest.raises(InputError, match=problem):
        ServicesTarget(options, Cast().around())


def test_what_is_wrong_inside_a_service_is_told_with_its_whole_path(tmp_path: Path) -> None:
    """The option of an inner target, and a type that nobody has installed."""
    around = Surroundings(rollout="r", flags=None, make=make_target)  # type: ignore[arg-type]
    inner = {"type": "envoy", "admin": "9901", "file": "f", "key": "k", "candidate": "a", "baseline": "b"}
    with pytest.raises(InputError, match=r"^target.services\[0\].target.admin: "):
        ServicesTarget(_listed({"name": "api", "target": inner}), around)
    with pytest.raises(InputError, match=r"^target.services\[0\].target: the target is of type 'mesh'"):
        ServicesTarget(_listed({"name": "api", "target": {"type": "mesh"}}), around)
