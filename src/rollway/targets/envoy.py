"""Exposes the new version through a runtime fraction of Envoy, kept in a file that Envoy watches."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rollway.asking import Asker
from rollway.errors import TemporaryError
from rollway.rollout.ports import Surroundings
from rollway.rollout.serving import Check, Served
from rollway.targets.envoy_routes import routes_from
from rollway.targets.fence import Fence
from rollway.targets.files import put
from rollway.targets.options import Options
from rollway.targets.preflight import tried
from rollway.targets.weights import steps_of

_OPTIONS = {
    "admin": "http://127.0.0.1:9901",
    "file": "/etc/envoy/rollway.json",
    "layer": "rollway",
    "key": "rollway.web",
    "candidate": "web-new",
    "baseline": "web-old",
    "routes": "{file: /etc/envoy/rollway-routes.json, name: web, header: x-version}",
    "timeout": "5",
}
_MILLION = 1_000_000
_TAKEN_UP_SECONDS = 2.0
_RESOURCE = "type.googleapis.com/envoy.service.runtime.v3.Runtime"


class EnvoyTarget:
    """A share of the requests that Envoy's routes give to the new version by a runtime fraction.

    Options:

    - `admin`: the address of Envoy's admin interface, for reading back;
    - `file`: a file that an `rtds_layer` of Envoy's `layered_runtime` reads (`path_config_source`); Rollway
      writes it as a whole, and Envoy takes it up within milliseconds and again after each restart;
    - `layer`: the name of that layer (`rollway`);
    - `key`: routes with `runtime_key: <key>.share` serve the share, `request_mirror_policies` with
      `runtime_key: <key>.mirrored` send copies. Resolution: one in a million;
    - `candidate`, `baseline`: the clusters of the two versions; with health checks, or outlier detection,
      they tell whether a version is ready;
    - `routes`: `{file, name, domains, header, cookie}`. Then Rollway writes the routes themselves, into a
      file that the `rds` named so reads: who sends the header, or the cookie, with the value `candidate` or
      `baseline` always gets that version; all others get it by share;
    - `timeout`: seconds that one question may take.

    After a restart Envoy serves what the file says. Where it cannot read it, it serves the `default_value` of
    the routes, which should be 0.
    """

    def __init__(self, options: Mapping[str, Any], surroundings: Surroundings) -> None:
        """Raises InputError, naming the option, for options that cannot be used."""
        given = Options(options, "envoy", _OPTIONS)
        self.admin = given.text("admin").rstrip("/")
        if not self.admin.startswith(("http://", "https://")):
            raise given.error("admin", f'"{self.admin}" is no address')
        self.file, self.layer = Path(given.text("file")), given.text("layer", "rollway")
        self.key = given.text("key")
        self.candidate, self.baseline = given.text("candidate"), given.text("baseline")
        if self.candidate == self.baseline:
            raise given.error("baseline", f"{self.baseline} is the candidate too")
        self._routes = (
            routes_from(given.raw("routes"), self.key, self.candidate, self.baseline)
            if "routes" in given
            else None
        )
        self._has_routed = False
        self._asker = Asker(given.number("timeout", 5.0, at_most=60.0))
        self._fence = Fence()

    @property
    def identity(self) -> str:
        return f"envoy:{self.admin}:{self.key}"

    def nearest(self, share: float) -> float:
        """The share that is really served when this one is asked for: a millionth is the smallest step."""
        return steps_of(share, _MILLION) / _MILLION

    def apply(self, share: float, *, mirrored: float = 0.0, fence: int) -> None:
        """Write the routes, if they are Rollway's, and the file; wait until Envoy works with them.

        Raises TemporaryError where a file cannot be written, or Envoy does not take it up.
        """
        if self._fence.is_late(fence):
            return
        self._route()
        self.set_fractions(share, mirrored)

    def set_fractions(self, share: float, mirrored: float) -> None:
        """Write the runtime layer, and wait until Envoy works with it. Raises TemporaryError."""
        wanted = steps_of(share, _MILLION), steps_of(mirrored, _MILLION)
        put(self.file, self._text(*wanted))
        self._until(
            lambda: self._told(self._runtime()) == wanted,
            self.file,
            f"its layered_runtime needs an rtds_layer {self.layer} with this path_config_source",
        )

    def _route(self) -> None:
        routes = self._routes
        if routes is None:
            return
        if not self._works_with_routes():
            put(routes.file, routes.text)
            hint = f"its connection manager needs an rds {routes.name} with this path_config_source"
            self._until(self._works_with_routes, routes.file, hint)
        self._has_routed = True

    def _until(self, is_so: Callable[[], bool | None], file: Path, hint: str) -> None:
        end = time.monotonic() + _TAKEN_UP_SECONDS
        while not is_so():
            if time.monotonic() > end:
                raise TemporaryError(f"Envoy at {self.admin} does not take up {file}", hint=hint)
            time.sleep(0.02)

    def _works_with_routes(self) -> bool | None:
        dump = self._asker.ask_json(f"{self.admin}/config_dump?resource=dynamic_route_configs")
        return None if self._routes is None else self._routes.known_to(dump)

    def observe(self) -> Served:
        """The fractions that Envoy works with now, whoever set them, and which clusters it finds alive.

        Raises TemporaryError where Envoy does not answer, or works with a value that is no fraction.
        """
        share, mirrored = self._fractions(self._runtime())
        health = self._health()
        new, old = (_is_ready(health.get(name)) for name in (self.candidate, self.baseline))
        served = Served(share, mirrored, new, old, _down(health))
        if self._routes is None or self._works_with_routes():
            return served
        told = f"Envoy works with other routes than those that Rollway writes to {self._routes.file}"
        note = "; ".join(part for part in (told, served.note) if part)
        return replace(served, note=note, refusal=f"{told}." if self._has_routed else "")

    def preflight(self) -> tuple[Check, ...]:
        """Reachable, both clusters known and alive, and the way back: what is served can be told again."""
        return tried(_Fractions(self), more=self._routes_checked())

    def _routes_checked(self) -> tuple[Check, ...]:
        if self._routes is None:
            return ()
        try:
            known = self._works_with_routes()
        except TemporaryError:
            return ()  # what does not answer is told as not reachable
        name = self._routes.name
        if known is None:
            hint = f"give its connection manager an rds {name} that reads {self._routes.file}"
            return (Check("routes", "failed", f"Envoy has no dynamic routes {name}", hint),)
        if known:
            return (Check("routes", "ok", f"Envoy works with the routes of {self._routes.file}"),)
        return (Check("routes", "unknown", "the first step replaces the routes that Envoy works with"),)

    # --- what Envoy works with ---------------------------------------------------------------------------

    def _runtime(self) -> Mapping[str, Any]:
        answer = self._asker.ask_json(f"{self.admin}/runtime?format=json")
        entries = answer.get("entries") if isinstance(answer, dict) else None
        if not isinstance(entries, dict):
            raise TemporaryError(f"{self.admin}/runtime does not answer as Envoy does")
        return entries

    def _told(self, entries: Mapping[str, Any]) -> tuple[int, int] | None:
        """What the file said when Envoy last read it, in millionths; None where it has not read it yet.

        Envoy shows a fraction only as text for people, so the same numbers stand beside it as plain ones.
        """
        values = [_number(entries.get(f"{self.key}.{part}.told", {}).get("final_value")) for part in _PARTS]
        return None if None in values else (int(values[0] or 0), int(values[1] or 0))

    def _fractions(self, entries: Mapping[str, Any]) -> tuple[float, float]:
        told = self._told(entries) or (0, 0)
        found = []
        for part, millionths in zip(_PARTS, told, strict=True):
            entry = entries.get(f"{self.key}.{part}")
            if entry is None:
                found.append(0.0)
                continue
            values = [value for value in entry.get("layer_values", ()) if value]
            if values and "numerator" in values[-1]:
                found.append(millionths / _MILLION)
                continue
            percent = _number(entry.get("final_value"))
            if percent is None:
                raise TemporaryError(
                    f"{self.key}.{part} is overridden in Envoy by a value that is no whole number",
                    hint="clear it with /runtime_modify, or restart Envoy",
                )
            found.append(min(1.0, max(0.0, percent / 100)))
        return found[0], found[1]

    def _health(self) -> dict[str, list[Mapping[str, Any]] | None]:
        answer = self._asker.ask_json(f"{self.admin}/clusters?format=json")
        known = {one["name"]: one.get("host_statuses", []) for one in answer.get("cluster_statuses", ())}
        return {name: known.get(name) for name in (self.candidate, self.baseline)}

    def _text(self, share: int, mirrored: int) -> str:
        layer: dict[str, Any] = {}
        for part, millionths in zip(_PARTS, (share, mirrored), strict=True):
            layer[f"{self.key}.{part}"] = {"numerator": millionths, "denominator": "MILLION"}
            layer[f"{self.key}.{part}.told"] = millionths
        resource = {"@type": _RESOURCE, "name": self.layer, "layer": layer}
        return json.dumps({"resources": [resource]}, indent=1) + "\n"


class _Fractions:
    """The part of an Envoy target that a preflight may try: routes that others wrote stay as they are."""

    def __init__(self, target: EnvoyTarget) -> None:
        self._target = target
        self.observe = target.observe

    def apply(self, share: float, *, mirrored: float = 0.0, fence: int) -> None:
        self._target.set_fractions(share, mirrored)


_PARTS = ("share", "mirrored")


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def _failing(host: Mapping[str, Any]) -> bool:
    health = host.get("health_status", {})
    return bool(
        health.get("failed_active_health_check")
        or health.get("failed_outlier_check")
        or health.get("eds_health_status") == "UNHEALTHY"
    )


def _is_ready(hosts: list[Mapping[str, Any]] | None) -> bool:
    """Alive, if at least one host is. A cluster that Envoy does not have cannot be."""
    return any(not _failing(host) for host in hosts or ())


def _down(health: Mapping[str, list[Mapping[str, Any]] | None]) -> str:
    def told() -> Iterator[str]:
        for cluster, hosts in health.items():
            failing = sum(map(_failing, hosts or ()))
            if hosts is None:
                yield f"{cluster} (Envoy has no such cluster)"
            elif failing or not hosts:
                yield f"{cluster} ({failing} of {len(hosts)} hosts)"

    words = ", ".join(told())
    return f"down: {words}" if words else ""
