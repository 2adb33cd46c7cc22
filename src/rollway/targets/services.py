"""Several services in one release: a stage is reached by all of them, in their order, or not at all."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollway.errors import RollwayError, TemporaryError
from rollway.flags.rules import suggestion
from rollway.rollout.ports import Surroundings, Target, close_target, parts_of
from rollway.rollout.serving import Check, Served
from rollway.targets.fence import Fence
from rollway.targets.inner import inner_target, knows_groups, tell
from rollway.targets.options import Options
from rollway.targets.service_order import chain, circle, reverse
from rollway.targets.services_seen import SAME_SHARE, checks_of_all, seen_together
from rollway.targets.side_by_side import SideBySide

_OPTIONS = {"services": "[{name: api, target: {...}}, {name: web, target: {...}}]", "patience": "120"}
_SERVICE = {"name": "api", "target": "{type: haproxy, ...}", "after": "[database]"}
_LOOK_SECONDS = 15.0
_WORK_SECONDS = 20.0
_TELL_SECONDS = 5.0
_FOLLOW_SECONDS = 2.0
_LEFT_ALONE_SECONDS = 10.0
_PREFLIGHT_SECONDS = 300.0
_LONGEST_IDENTITY = 300


@dataclass(frozen=True, slots=True)
class Wanted:
    """What all services were told last. `share` is one that the coarsest of them can serve."""

    share: float
    mirrored: float
    groups: tuple[str, ...]
    fence: int

    def differs(self, other: Wanted) -> bool:
        return (self.share, self.mirrored, self.groups) != (other.share, other.mirrored, other.groups)


class ServicesTarget:
    """A release of several services, each with a target of its own.

    Options:

    - `services`: a list of `{name, target}`, where `target` is what it would be in a release of that service
      alone. On the way up each is told after the one before it was read back, on the way back in the reverse
      order; so no service is ever served to more users than those it needs;
    - a service may say `after: [names]`. Once one does, only these words count, and services that do not
      depend on each other move at the same time;
    - `patience`: for so many seconds a service may fail, be silent or not follow. Then the rollout is held,
      and on the way back the others go on without it.

    All are looked at side by side. After a restart each service serves what its own target makes of that, and
    what is read back decides how it goes on.
    """

    def __init__(self, options: Mapping[str, Any], surroundings: Surroundings) -> None:
        """Raises InputError, naming the option, for options that cannot be used."""
        given = Options(options, "services", _OPTIONS)
        specs = _specs(given)
        names = tuple(specs)
        self._targets = {
            name: inner_target(
                spec.raw("target"), f"target.services[{place}].target", surroundings, named=name
            )
            for place, (name, spec) in enumerate(specs.items())
        }
        said = any("after" in spec for spec in specs.values())
        self.after = {name: _after(specs[name], names) for name in names} if said else chain(names)
        if waiting := circle(self.after):
            raise given.error("services", f"{' after '.join(waiting)}: none of them could go first")
        self._before = reverse(self.after)
        self.patience = given.number("patience", 120.0)
        self.parts = _parts(given, self._targets)
        self.serves_groups = any(map(knows_groups, self._targets.values()))
        self._fence = Fence()
        self._wanted: Wanted | None = None
        self._told_at = 0.0
        self._last: dict[str, Served] = {}
        self._problems: dict[str, str] = {}
        self._since: dict[str, tuple[float, float]] = {}
        self._silent: dict[str, float] = {}
        self._looks = SideBySide(lambda name: self._targets[name].observe(), len(names))
        self._tells = SideBySide(self._tell, len(names), may_overlap=True)
        self._telling: dict[str, Wanted] = {}

    @property
    def identity(self) -> str:
        joined = "+".join(self.parts)
        if len(joined) > _LONGEST_IDENTITY:
            joined = hashlib.sha256(joined.encode()).hexdigest()
        return f"services:{joined}"

    def nearest(self, share: float) -> float:
        """The largest share that a service really serves when this one is asked for."""
        return self._served_at(self._common(share))

    def apply(self, share: float, *, mirrored: float = 0.0, groups: tuple[str, ...] = (), fence: int) -> None:
        """Move the services in their order, as far as they follow within some seconds; told again, go on.

        Raises nothing that a single service raises: `observe` tells it.
        """
        if self._fence.is_late(fence):
            return
        wanted = Wanted(self._common(share), mirrored, groups, fence)
        self._wanted = wanted
        if time.monotonic() - self._told_at > _LEFT_ALONE_SECONDS:
            self._since.clear()  # somebody held the rollout and resumes it: patience begins anew
        try:
            self._go(wanted, time.monotonic() + _WORK_SECONDS)
        finally:
            self._told_at = time.monotonic()

    def _go(self, wanted: Wanted, end: float) -> None:
        tried: set[str] = set()
        self._look(self._targets)
        while not self._fence.is_late(wanted.fence) and time.monotonic() < end:
            due = [name for name in self._targets if name not in tried and self._is_due(name, wanted)]
            if not due:
                return
            tried.update(due)
            self._move(due, wanted, end)

    def observe(self) -> Served:
        """What all serve: their common share, or one between the smallest and the largest while they differ.

        Raises TemporaryError where a service has not been read back even once.
        """
        silent = self._look(self._targets)
        never = [name for name in self._targets if name not in self._last]
        if never:
            told = "; ".join(f"{name}: {silent.get(name, 'no answer')}" for name in never[:3])
            more = f"; and {len(never) - 3} more services" if len(never) > 3 else ""
            raise TemporaryError(f"{told}{more}")
        served = [self._last[name].share for name in self._targets]
        return seen_together(
            {name: self._last[name] for name in self._targets},
            self._common_share(served),
            silent=silent,
            problems=self._problems,
            refusals=self._refusals(),
        )

    def close(self) -> None:
        """Ask nobody anything more."""
        for side_by_side in (self._looks, self._tells):
            side_by_side.close()
        for target in self._targets.values():
            close_target(target)

    def preflight(self) -> tuple[Check, ...]:
        """What each service's own target finds; what is well with all of them is said once."""
        asked = SideBySide(lambda name: self._targets[name].preflight(), len(self._targets))
        return checks_of_all(asked.ask(self._targets, _PREFLIGHT_SECONDS))

    # --- shares that all can serve ---------------------------------------------------------------------

    def _common(self, share: float) -> float:
        """What the coarsest service makes of a share; the others are told this one."""
        return max((one.nearest(share) for one in self._targets.values()), key=lambda near: abs(near - share))

    def _served_at(self, share: float) -> float:
        return max(one.nearest(share) for one in self._targets.values())

    def _common_share(self, served: Sequence[float]) -> float:
        """Halfway between the smallest and the largest where they differ: this is never the share of a stage
        that only some have reached, on the way up or back, whoever moved them and whoever looks."""
        told = [] if self._wanted is None else [self._wanted.share]
        for share in dict.fromkeys([*told, *served]):
            pairs = zip(self._targets.values(), served, strict=True)
            if all(abs(target.nearest(share) - has) < SAME_SHARE for target, has in pairs):
                return self._served_at(share)
        return (min(served) + max(served)) / 2

    # --- one after the other ---------------------------------------------------------------------------

    def _is_there(self, name: str, wanted: Wanted) -> bool:
        served = self._last.get(name)
        if served is None or name in self._silent:
            return False
        target = self._targets[name]
        has_groups = not knows_groups(target) or set(served.groups or ()) == set(wanted.groups)
        return has_groups and abs(served.share - target.nearest(wanted.share)) < SAME_SHARE

    def _is_due(self, name: str, wanted: Wanted) -> bool:
        served = self._last.get(name)
        if self._is_there(name, wanted):
            return served is not None and abs(served.mirrored - wanted.mirrored) >= SAME_SHARE
        rises = wanted.share > 0 if served is None else served.share < wanted.share
        if rises:
            return all(self._is_there(other, wanted) for other in self.after[name])
        later = self._before[name]
        return all(self._is_there(other, wanted) or self._is_overdue(other) for other in later)

    def _move(self, names: Sequence[str], wanted: Wanted, end: float) -> None:
        now = time.monotonic()
        for name in names:
            if self._since.get(name, (0.0, -1.0))[1] != wanted.share:
                self._since[name] = now, wanted.share
            if name in self._telling and self._telling[name].differs(wanted):
                self._tells.told(name)
            self._telling[name] = wanted
        self._told(names, self._tells.ask(names, min(_TELL_SECONDS, max(0.1, end - now))))
        follow = min(end, time.monotonic() + _FOLLOW_SECONDS)
        open_names = list(names)
        while open_names and not self._fence.is_late(wanted.fence):
            self._look(open_names)
            open_names = [name for name in open_names if not self._is_there(name, wanted)]
            if time.monotonic() > follow or all(name in self._problems for name in open_names):
                return
            time.sleep(0.02)

    def _tell(self, name: str) -> None:
        wanted = self._telling[name]
        if not self._fence.is_late(wanted.fence):
            copies, groups = wanted.mirrored, wanted.groups
            tell(self._targets[name], wanted.share, mirrored=copies, groups=groups, fence=wanted.fence)

    def _told(self, names: Iterable[str], answers: Mapping[str, object]) -> None:
        for name in names:
            self._looks.told(name)
            answer = answers[name]
            if isinstance(answer, Exception):
                self._problems[name] = _words(answer)
            else:
                self._problems.pop(name, None)

    # --- what is seen ----------------------------------------------------------------------------------

    def _look(self, names: Iterable[str]) -> dict[str, str]:
        """Look at these; returns why there is no answer of those that gave none."""
        silent = {}
        for name, answer in self._looks.ask(names, _LOOK_SECONDS).items():
            if isinstance(answer, Served):
                self._last[name] = answer
                self._silent.pop(name, None)
            else:
                silent[name] = "no answer in time" if answer is None else _words(answer)
                self._silent.setdefault(name, time.monotonic())
        for name in self._targets:
            if name in self._since and self._wanted is not None and self._is_there(name, self._wanted):
                self._since.pop(name, None)
                self._problems.pop(name, None)
        return silent

    def _is_overdue(self, name: str) -> bool:
        now = time.monotonic()
        since = min(self._silent.get(name, now), self._since.get(name, (now, 0.0))[0])
        return now - since > self.patience

    def _refusals(self) -> tuple[str, ...]:
        """Why the release cannot go on by itself: who is silent, fails, or does not follow."""
        seen = {name: self._last[name] for name in self._targets if name in self._last}
        told = [f"{name}: {one.refusal}" for name, one in seen.items() if one.refusal]
        for name in self._targets:
            if not self._is_overdue(name):
                continue
            if name in self._silent:
                told.append(f"{name} has not answered for more than {self.patience:g} s")
                continue
            at = self._since[name][1]
            why = f": {self._problems[name]}" if name in self._problems else ""
            has = seen[name].share
            told.append(f"{name} serves {has:.4g} and not {at:.4g}, after {self.patience:g} s{why}")
        return tuple(told)


# --- reading the options ---------------------------------------------------------------------------


def _specs(given: Options) -> dict[str, Options]:
    raw = given.raw("services")
    if not isinstance(raw, list | tuple) or not raw:
        raise given.error("services", "is missing" if raw is None else "is no list of services")
    specs: dict[str, Options] = {}
    for place, one in enumerate(raw):
        if not isinstance(one, Mapping):
            raise given.error("services", f"[{place}] is no mapping")
        spec = Options(one, "a service", _SERVICE, at=f"target.services[{place}]")
        name = spec.text("name")
        if name in specs:
            raise spec.error("name", f"there are two services {name}")
        specs[name] = spec
    return specs


def _after(spec: Options, names: Sequence[str]) -> tuple[str, ...]:
    if "after" not in spec:
        return ()
    after = spec.texts("after")
    for name in after:
        if name not in names:
            raise spec.error("after", f"there is no service {name}", f"{suggestion(name, tuple(names))} ")
    return after


def _parts(given: Options, targets: Mapping[str, Target]) -> tuple[str, ...]:
    owner: dict[str, str] = {}
    for name, target in targets.items():
        for part in parts_of(target):
            if part in owner:
                raise given.error("services", f"{owner[part]} and {name} switch the same thing ({part})")
            owner[part] = name
    return tuple(sorted(owner))


def _words(error: Exception) -> str:
    return error.message if isinstance(error, RollwayError) else f"{type(error).__name__}: {error}"
