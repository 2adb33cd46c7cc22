"""Routes of Envoy that Rollway writes as a whole: testers by header or cookie first, then all by share."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rollway.targets.options import Options

_OPTIONS = {
    "file": "/etc/envoy/rollway-routes.json",
    "name": "web",
    "domains": '["*"]',
    "header": "x-version",
    "cookie": "version",
}
_ROUTES = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
CANDIDATE, BASELINE = "candidate", "baseline"


@dataclass(frozen=True, slots=True)
class Routes:
    """The file that an `rds` of Envoy reads, and what is in it. `version` names its content."""

    file: Path
    name: str
    text: str
    version: str

    def known_to(self, dump: Mapping[str, Any]) -> bool | None:
        """Whether Envoy works with exactly these, by its `/config_dump`; None where it has no such."""
        for one in dump.get("configs", ()):
            if one.get("route_config", {}).get("name") == self.name:
                return bool(one.get("version_info") == self.version)
        return None


def routes_from(value: object, key: str, candidate: str, baseline: str) -> Routes:
    """Routes by the option `routes`, for the runtime keys of the target. Raises InputError."""
    given = Options(value if isinstance(value, Mapping) else {}, "routes", _OPTIONS, at="target.routes")
    name, file = given.text("name"), Path(given.text("file"))
    matches = [
        ({"name": "cookie", "string_match": {"safe_regex": {"regex": _cookie(given, side)}}}, cluster)
        for side, cluster in ((CANDIDATE, candidate), (BASELINE, baseline))
        if "cookie" in given
    ]
    matches[:0] = [
        ({"name": _token(given, "header"), "string_match": {"exact": side}}, cluster)
        for side, cluster in ((CANDIDATE, candidate), (BASELINE, baseline))
        if "header" in given
    ]
    testers = [
        {"match": {"prefix": "/", "headers": [match]}, "route": {"cluster": cluster}}
        for match, cluster in matches
    ]
    share = {"default_value": _NOBODY, "runtime_key": f"{key}.share"}
    copies = {
        "cluster": candidate,
        "runtime_fraction": {"default_value": _NOBODY, "runtime_key": f"{key}.mirrored"},
    }
    users = [
        {"match": {"prefix": "/", "runtime_fraction": share}, "route": {"cluster": candidate}},
        {"match": {"prefix": "/"}, "route": {"cluster": baseline, "request_mirror_policies": [copies]}},
    ]
    hosts = [{"name": name, "domains": list(given.texts("domains", ("*",))), "routes": [*testers, *users]}]
    content = {"@type": _ROUTES, "name": name, "virtual_hosts": hosts}
    version = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
    text = json.dumps({"version_info": version, "resources": [content]}, indent=1) + "\n"
    return Routes(file, name, text, version)


_NOBODY = {"numerator": 0, "denominator": "MILLION"}


def _token(given: Options, name: str) -> str:
    value = given.text(name)
    if not _NAME.fullmatch(value):
        raise given.error(name, f'"{value}" is no name of a {name}')
    return value


def _cookie(given: Options, side: str) -> str:
    return f"(?:.*; ?)?{re.escape(_token(given, 'cookie'))}={side}(?:;.*)?"
