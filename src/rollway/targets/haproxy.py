"""Exposes the new version through the weights of HAProxy's servers, over its runtime API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rollway.errors import TemporaryError
from rollway.rollout.ports import Surroundings
from rollway.rollout.serving import Check, Served
from rollway.targets.fence import Fence
from rollway.targets.files import put
from rollway.targets.haproxy_socket import Runtime
from rollway.targets.options import Options
from rollway.targets.preflight import tried
from rollway.targets.weights import share_by_weight, share_of, weights_for

_OPTIONS = {
    "socket": "/run/haproxy/admin.sock",
    "backend": "web",
    "candidate": "[new1, new2]",
    "baseline": "[old1, old2]",
    "at_zero": "maint",
    "state_file": "/var/lib/haproxy/server-state",
    "timeout": "5",
}
_MAINTENANCE = 0x01 | 0x02 | 0x04 | 0x20 | 0x40

Row = Mapping[str, str]


class HaproxyTarget:
    """A share of the requests to one backend goes to the servers of the new version.

    Options:

    - `socket`: the runtime API, a path or `host:port`, with `level admin`;
    - `backend`; `candidate`, `baseline`: the servers of the new and of the old version in it;
    - `at_zero`: what becomes of a new server at share 0. `weight` (as it is without it) gives it no new
      sessions, but users who stick to it stay; `maint` sends those to the old version too;
    - `state_file`: where the weights are written besides, so that they outlive a reload; the same file as
      `server-state-file` in HAProxy's own configuration;
    - `timeout`: seconds that one command may take.

    Weights are whole numbers up to 256, so small shares are coarse: `nearest` says what will be served.

    After a restart or reload of HAProxy the weights are those of the state file, or without one those of its
    configuration; there the new servers should have weight 0.
    """

    def __init__(self, options: Mapping[str, Any], surroundings: Surroundings) -> None:
        """Raises InputError, naming the option, for options that cannot be used."""
        given = Options(options, "haproxy", _OPTIONS)
        self.backend = given.text("backend")
        self.candidate, self.baseline = given.texts("candidate"), given.texts("baseline")
        if shared := set(self.candidate) & set(self.baseline):
            raise given.error("baseline", f"{min(shared)} is a server of the candidate too")
        self.at_zero = given.text("at_zero", "weight")
        if self.at_zero not in ("weight", "maint"):
            raise given.error("at_zero", f"{self.at_zero} is neither weight nor maint")
        self.state_file = Path(given.text("state_file")) if "state_file" in given else None
        self._runtime = Runtime(given.text("socket"), given.number("timeout", 5.0, at_most=60.0))
        self._fence = Fence()

    @property
    def identity(self) -> str:
        return f"haproxy:{self._runtime.address}:{self.backend}"

    def nearest(self, share: float) -> float:
        """The share that is really served when this one is asked for."""
        new, old = weights_for(share, len(self.candidate), len(self.baseline))
        return share_of(new, old, len(self.candidate), len(self.baseline))

    def apply(self, share: float, *, mirrored: float = 0.0, fence: int) -> None:
        """Set the weights. The side that gains is told first, so that there is always somebody to answer.

        Raises TemporaryError where HAProxy does not answer, refuses, or cannot mirror.
        """
        if mirrored:
            raise TemporaryError("HAProxy cannot send copies of requests to the new version")
        if self._fence.is_late(fence):
            return
        new, old = weights_for(share, len(self.candidate), len(self.baseline))
        steps = [(self.candidate, new, new == 0 and self.at_zero == "maint"), (self.baseline, old, False)]
        gains = share_by_weight(*self._weights(self._runtime.states(self.backend))) <= share
        for servers, weight, is_away in steps if gains else reversed(steps):
            for server in servers:
                self._tell(server, weight, is_away)
        self._keep()

    def observe(self) -> Served:
        """The share by the weights that HAProxy works with now, and which versions it finds alive.

        Raises TemporaryError where HAProxy does not answer, or a server is gone.
        """
        states = self._runtime.states(self.backend)
        stats = self._runtime.stats(self.backend)
        self._require(states)
        share = share_by_weight(*self._weights(states))
        new, old = (_is_ready([stats[one] for one in side]) for side in (self.candidate, self.baseline))
        down = [one for one in (*self.candidate, *self.baseline) if stats[one]["status"].startswith("DOWN")]
        notes = [f"down: {', '.join(down)}"] if down else []
        return Served(share, 0.0, new, old, "; ".join([*notes, *self._draining(share, stats)]))

    def preflight(self) -> tuple[Check, ...]:
        """Reachable, may set weights, all servers known, both versions alive, and the way back timed."""
        try:
            more = (self._outlives(), *self._strangers(self._runtime.states(self.backend)))
        except TemporaryError:
            more = ()  # what does not answer is told as not reachable
        hint = "add `check` to its servers, so that no traffic goes to a dead version"
        return tried(self, unchecked="HAProxy does not check its servers", hint=hint, more=more)

    def _require(self, states: Mapping[str, Row]) -> None:
        for server in (*self.candidate, *self.baseline):
            if server not in states:
                raise TemporaryError(
                    f"HAProxy's backend {self.backend} has no server {server}",
                    hint=f"it has {', '.join(states)}",
                )

    def _weights(self, states: Mapping[str, Row]) -> tuple[list[float], list[float]]:
        self._require(states)
        new, old = (
            [0.0 if _is_away(states[one]) else float(states[one]["srv_uweight"]) for one in side]
            for side in (self.candidate, self.baseline)
        )
        return new, old

    def _draining(self, share: float, stats: Mapping[str, Row]) -> list[str]:
        """Requests that are still answered by servers which get no new ones."""
        idle = {0.0: self.candidate, 1.0: self.baseline}.get(share, ())
        still = [f"{one} ({stats[one]['scur']} requests)" for one in idle if int(stats[one]["scur"] or 0)]
        return [f"draining: {', '.join(still)}"] if still else []

    def _tell(self, server: str, weight: int, is_away: bool) -> None:
        name = f"{self.backend}/{server}"
        self._runtime.tell(f"set server {name} weight {weight}")
        self._runtime.tell(f"set server {name} state {'maint' if is_away else 'ready'}")

    def _keep(self) -> None:
        """Write all servers' states beside the state file and put it in its place at once."""
        if self.state_file is None:
            return
        put(self.state_file, self._runtime.ask("show servers state") + "\n")

    def _outlives(self) -> Check:
        if self.state_file is None:
            told = (
                "a reload or a restart of HAProxy forgets the weights: nobody is served the new version "
                "then, and the rollout pauses until an operator resumes it"
            )
            hint = "name its server-state-file as target.state_file, and the weights outlive both"
            return Check("outlives a reload", "unknown", told, hint)
        return Check("outlives a reload", "ok", f"weights are kept in {self.state_file}")

    def _strangers(self, states: Mapping[str, Row]) -> list[Check]:
        known = {*self.candidate, *self.baseline}
        others = [name for name, row in states.items() if name not in known and float(row["srv_uweight"]) > 0]
        if not others:
            return []
        told = f"{', '.join(others)} of backend {self.backend} get traffic and are of neither version"
        return [Check("all servers named", "failed", told, "name them as candidate or baseline")]


def _is_away(row: Row) -> bool:
    return bool(int(row["srv_admin_state"]) & _MAINTENANCE)


def _is_ready(rows: Sequence[Row]) -> bool | None:
    """Alive, if at least one server is; None where none of them is checked, or all are in maintenance."""
    told = [row["status"].split()[0] for row in rows]
    if any(status in ("UP", "DRAIN") for status in told):
        return True
    return False if any(status in ("DOWN", "NOLB") for status in told) else None
