"""Blue-green: warm up, switch, keep the old one warm."""

from __future__ import annotations

from collections.abc import Callable

from rollway.facts.model import Release
from rollway.planning.methods.blue_green import build
from rollway.planning.stages import DAY, HOUR

MakeRelease = Callable[..., Release]


def test_the_old_environment_stays_warm_for_a_set_time(release_of: MakeRelease) -> None:
    """A day by default, or as long as was wished; nobody has to say so."""
    warm_up, switch, keep = build(release_of())
    assert [stage.exposure.share for stage in (warm_up, switch, keep)] == [0.0, 1.0, 1.0]
    assert (keep.advance, keep.bake_seconds) == ("time", DAY)
    assert build(release_of(rollout={"bake": "4h"}))[-1].bake_seconds == 4 * HOUR


def test_a_person_confirms_the_smoke_tests(release_of: MakeRelease) -> None:
    """No figure shows that an environment without users works."""
    assert build(release_of())[0].advance == "person"


def test_only_the_switch_needs_a_window(release_of: MakeRelease) -> None:
    """Warming up and keeping warm change nothing for users."""
    assert [stage.in_window for stage in build(release_of())] == [False, True, False]
