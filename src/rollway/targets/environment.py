"""Blue-green: two environments behind a switch. The new one is warmed up and smoke tested before any user
meets it; the old one is drained, and kept warm for the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rollway.errors import TemporaryError
from rollway.rollout.ports import Surroundings, close_target, parts_of
from rollway.rollout.serving import Check, Served
from rollway.targets.drain import Draining, drain_from
from rollway.targets.fence import Fence
from rollway.targets.inner import inner_target, knows_groups, tell
from rollway.targets.options import Options
from rollway.targets.probes import Probe, probe_from
from rollway.targets.trial import Course, Trial, probes_from, warm_up_from

_OPTIONS = {
    "switch": "{type: haproxy, socket: /run/haproxy/admin.sock, ...}",
    "warm_up": '{ask: ["http://10.0.0.7:8080/"], faster_than: 0.3, in_a_row: 3, within: 300}',
    "smoke": '[{get: "http://10.0.0.7:8080/login", expect: 200, contains: Welcome}, [./smoke-test.sh]]',
    "smoke_valid": "3600",
    "again": "15",
    "patience": "3600",
    "drain": '{get: "http://10.0.0.6:8080/open", within: 300}',
    "keep_warm": '"http://10.0.0.6:8080/health"',
}
SAME_SHARE = 1e-5


class EnvironmentTarget:
    """A new environment beside the old one, and a switch between them.

    Options:

    - `switch`: what moves users, any other target `{type: ..., ...}`; shares between 0 and 1 are passed on;
    - `warm_up`: what is asked of the new environment again and again, until `in_a_row` rounds were answered
      well and each answer came within `faster_than` seconds; an address, a program, or `{ask: [...], ...}`;
    - `smoke`: checks that must all pass: `{get, expect, contains, headers, timeout}`, or a program that ends
      with 0. One that fails is tried `again` after so many seconds, for `patience` seconds;
    - `smoke_valid`: seconds for which passed tests count; then they are run again before more users come;
    - `drain`: seconds, or `{get | run, within}` telling how many connections the old environment has open;
    - `keep_warm`: a check of the old environment while it is kept for the way back.

    Told share 0 it begins to warm up and test the new environment in the background; `observe` tells how that
    goes, and the new version is not ready before all has passed. Going back is never held up by any of this.

    After a restart the switch's own read-back says who is served; what was tested before counts no more, and
    is tested again before more users come.
    """

    def __init__(self, options: Mapping[str, Any], surroundings: Surroundings) -> None:
        """Raises InputError, naming the option, for options that cannot be used."""
        given = Options(options, "environment", _OPTIONS)
        self._switch = inner_target(given.raw("switch"), "target.switch", surroundings)
        smoke = probes_from(given.raw("smoke"), "target.smoke") if "smoke" in given else ()
        warm_up = warm_up_from(given.raw("warm_up"), "target.warm_up")
        self._smoke = smoke
        self._trial: Trial | None = None
        if smoke or warm_up.probes:
            course = Course(
                warm_up,
                smoke,
                valid=given.number("smoke_valid", 3600.0),
                again=given.number("again", 15.0),
                patience=given.number("patience", 3600.0),
            )
            self._trial = Trial(course)
        self._draining = Draining(drain_from(given))
        self._keep_warm = (
            probe_from(given.raw("keep_warm"), "target.keep_warm") if "keep_warm" in given else None
        )
        self.serves_groups = knows_groups(self._switch)
        self.parts = parts_of(self._switch)
        self._fence = Fence()

    @property
    def identity(self) -> str:
        """That of the switch: a rollout that uses the switch alone would fight with this one."""
        return self._switch.identity

    def nearest(self, share: float) -> float:
        """What the switch makes of it."""
        return self._switch.nearest(share)

    def apply(self, share: float, *, mirrored: float = 0.0, groups: tuple[str, ...] = (), fence: int) -> None:
        """Switch. At share 0, and where nobody was served before, begin to try the new environment.

        Raises TemporaryError where more users would come to an environment that has not passed; it is tried
        then, so that a later call may find it passed.
        """
        if self._fence.is_late(fence):
            return
        if self._trial is not None:
            self._prepare(self._trial, share, groups)
        tell(self._switch, share, mirrored=mirrored, groups=groups, fence=fence)

    def observe(self) -> Served:
        """What the switch serves, with how far the trial of the new environment and the drain of the old are.

        Raises TemporaryError where the switch cannot be read back.
        """
        served = self._switch.observe()
        candidate, trial_note = self._candidate(served)
        baseline, warm_note = self._baseline(served)
        if served.share > 1 - SAME_SHARE:
            self._draining.begin()
        else:
            self._draining.stop()
        notes = [trial_note, self._draining.told(), warm_note, served.note]
        return replace(
            served,
            candidate_ready=candidate,
            baseline_ready=baseline,
            note="; ".join(note for note in notes if note),
        )

    def close(self) -> None:
        """Test nothing more."""
        if self._trial is not None:
            self._trial.stop()
        close_target(self._switch)

    def preflight(self) -> tuple[Check, ...]:
        """What the switch finds, the smoke tests once, and a look at the old environment."""
        checks = list(self._switch.preflight())
        checks += [_checked("smoke test", probe) for probe in self._smoke]
        if self._keep_warm is not None:
            checks.append(_checked("old environment", self._keep_warm))
        return tuple(checks)

    # --- before more users come -----------------------------------------------------------------------

    def _prepare(self, trial: Trial, share: float, groups: tuple[str, ...]) -> None:
        try:
            served = self._switch.observe()
        except TemporaryError:
            if share == 0 and not groups:
                return  # a switch that cannot be seen may still be told to go back
            raise
        if share > served.share + SAME_SHARE or set(groups) - set(served.groups or ()):
            self._require_passed(trial)
        elif share < served.share - SAME_SHARE:
            trial.stop()
        elif share == 0:
            trial.begin_anew()

    def _require_passed(self, trial: Trial) -> None:
        said = trial.said()
        if said.state == "passed":
            return
        trial.begin_anew()
        told = said.told if said.state == "failed" else "it is being tried"
        raise TemporaryError(
            f"nobody else is sent to the new environment before it has passed: {told}",
            hint="mend what the test found; it is tried again by itself",
        )

    # --- what is seen ---------------------------------------------------------------------------------

    def _candidate(self, served: Served) -> tuple[bool | None, str]:
        """Whether the new environment is ready, and what its trial says.

        Users who are on it already are not taken away because a trial goes on; they are if it failed.
        """
        if self._trial is None:
            return served.candidate_ready, ""
        said = self._trial.said()
        if said.state == "failed":
            return False, said.told
        if said.state == "trying":
            return (False if served.share == 0 else served.candidate_ready), said.told
        if said.state == "untried":
            return served.candidate_ready, f"the new environment: {said.told}" if served.share < 1 else ""
        return served.candidate_ready is not False, said.told if served.share < 1 else ""

    def _baseline(self, served: Served) -> tuple[bool | None, str]:
        if self._keep_warm is None:
            return served.baseline_ready, ""
        answer = self._keep_warm.ask()
        if not answer.is_well:
            return False, f"the old environment is not ready: {answer.told}"
        return served.baseline_ready is not False, ""


def _checked(name: str, probe: Probe) -> Check:
    answer = probe.ask()
    seconds = round(answer.seconds, 3)
    if answer.is_well:
        return Check(name, "ok", answer.told, "", seconds)
    return Check(name, "failed", answer.told, "mend it, or correct what is expected", seconds)
