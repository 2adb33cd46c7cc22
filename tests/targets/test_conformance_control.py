"""A target that samples control groups keeps its promises of them; one that does not is told none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rollway.app.connectors import make_target
from rollway.errors import TemporaryError
from rollway.rollout import Surroundings
from rollway.rollout.serving import Check, Served
from rollway.targets.fence import Fence
from rollway.targets.preflight import tried
from rollway.testing import FlagsInMemory, target_promises
from support.file_target import Good, promises_of


class TellsAGroup(Good):
    """Samples nobody, and tells a control group."""

    def observe(self) -> Served:
        return replace(super().observe(), control=0.01)


class SaysItSamples(Good):
    """Says that it samples, and is not made for it."""

    samples_control = True


class Samples(Good):
    """A share and a control group in a file, with every promise kept."""

    samples_control = True

    def apply(self, share: float, *, mirrored: float = 0.0, control: float = 0.0, fence: int) -> None:
        if not self.fences.setdefault(str(self.file), Fence()).is_late(fence):
            self.sample(share, control)

    def sample(self, share: float, control: float) -> None:
        self.file.write_text(f"{share!r} {control!r}")

    def observe(self) -> Served:
        try:
            share, *sampled = map(float, self.file.read_text().split())
        except (OSError, ValueError) as error:
            raise TemporaryError(f"{self.file} tells no share") from error
        return Served(share, control=sum(sampled))


class TellsNone(Samples):
    """Takes a control group, and never serves it."""

    def sample(self, share: float, control: float) -> None:
        super().sample(share, 0.0)


class TooCoarse(Samples):
    """Samples in hundredths of a percent."""

    def sample(self, share: float, control: float) -> None:
        super().sample(share, round(control, 4))


class BelievesOfTheGroup(Samples):
    """Tells the control group that it was told, and not the one that is."""

    told = 0.0

    def sample(self, share: float, control: float) -> None:
        super().sample(share, 0.0)
        self.told = control

    def observe(self) -> Served:
        return replace(super().observe(), control=self.told)


class DropsItInPreflight(Samples):
    """Tries the way back with the share alone."""

    def preflight(self) -> tuple[Check, ...]:
        self.sample(self.observe().share, 0.0)
        return tried(self)


class ForgetsOfTheGroup(Samples):
    """Has a fence for the share, and none for the control group."""

    def apply(self, share: float, *, mirrored: float = 0.0, control: float = 0.0, fence: int) -> None:
        is_late = self.fences.setdefault(str(self.file), Fence()).is_late(fence)
        self.sample(self.observe().share if is_late else share, control)


class DrawsAnew(Samples):
    """Each change begins with no control group, which is then drawn anew."""

    def sample(self, share: float, control: float) -> None:
        super().sample(share, control if self.observe().share == share else 0.0)


class KeepsTheGroup(Samples):
    """Takes no control group for none that is spoken of."""

    def sample(self, share: float, control: float) -> None:
        super().sample(share, control or self.observe().control)


@pytest.mark.parametrize(
    ("target", "promise", "told"),
    [
        (
            TellsAGroup,
            "control is told truly",
            "does not say samples_control, and tells a control group of 1%",
        ),
        (SaysItSamples, "control is read back", "unexpected keyword argument 'control'"),
        (TellsNone, "control is read back", "told a control group of 1.237%, it tells 0% after 0.3 s"),
        (TooCoarse, "control is read back", "it tells 1.24% after 0.3 s; it is compared with what was asked"),
        (BelievesOfTheGroup, "a restart keeps control", "a new instance tells 0%, not 0% beside a control"),
        (DropsItInPreflight, "preflight keeps control", "a control group of 1.237% before and 0% after"),
        (ForgetsOfTheGroup, "late calls keep control", "of 1.237% into 0% beside a control group of 50%"),
        (DrawsAnew, "groups only grow", "while it grew, 0% beside a control group of 1.237% fell to 10%"),
        (KeepsTheGroup, "control 0 is read back", "told a control group of 0%, it tells 25%"),
    ],
)
def test_a_target_that_breaks_a_promise_of_control_groups_is_found(
    target: type[Good], promise: str, told: str, tmp_path: Path
) -> None:
    """Each check of control groups can fail, and says how."""
    found = {one.name: one for one in promises_of(target, tmp_path)}[promise]
    assert (found.state, told in found.told) == ("broken", True), found


def test_a_good_target_with_a_control_group_has_it_again_in_the_end(tmp_path: Path) -> None:
    """Its promises of control groups are tried, none is broken, and the group of before is there again."""
    promises = promises_of(Samples, tmp_path, "0.25 0.125")
    assert {promise.state for promise in promises} == {"kept"}
    assert "control is read back" in {promise.name for promise in promises}
    assert promises[-1].told.startswith("25% beside a control group of 12.5% again")
    assert Samples({"file": str(tmp_path / "share")}, _around()).observe() == Served(0.25, control=0.125)


def test_a_target_that_samples_nobody_is_told_no_control_group(tmp_path: Path) -> None:
    """It would not know the word; the check says why it was told none."""

    class Watched(Good):
        def apply(self, share: float, *, mirrored: float = 0.0, fence: int, **more: object) -> None:
            assert not more
            super().apply(share, mirrored=mirrored, fence=fence)

    found = {one.name: one for one in promises_of(Watched, tmp_path)}
    assert {one.state for one in found.values()} == {"kept"}
    assert "does not say that it samples" in found["control is told truly"].told
    assert "control is read back" not in found


def test_the_flags_control_group_is_tried_and_put_back() -> None:
    """Six promises of the real flag target; the group that somebody had before has its users again."""
    around, options = _around(), {"flag": "new-checkout", "candidate": "on", "baseline": "off"}
    make_target("flag", options, around).apply(0.1, control=0.1, fence=1)  # type: ignore[call-arg]
    before = around.flags.read("new-checkout")
    found = {one.name: one for one in target_promises(_make, options, around=around)}
    names = [name for name in found if "control" in name or name == "groups only grow"]
    assert [found[name].state for name in names] == ["kept"] * 6
    assert found["groups only grow"].told == "to 50% beside a control group of 50%, and at no look less"
    assert around.flags.read("new-checkout") == before


def test_the_usual_preflight_sets_the_control_group_again_with_the_share(tmp_path: Path) -> None:
    """Else whoever tries the way back of a target that samples would send its control group away."""
    (tmp_path / "share").write_text("0.25 0.125")
    target = Samples({"file": str(tmp_path / "share")}, _around())
    assert tried(target)[-1].state == "ok"
    assert target.observe() == Served(0.25, control=0.125)


def _make(options: Mapping[str, Any], around: Surroundings) -> Any:
    return make_target("flag", options, around)


def _around() -> Surroundings:
    return Surroundings(rollout="promises", flags=FlagsInMemory(), make=make_target)
