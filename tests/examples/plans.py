"""The example releases, and what is written down beside them: their plans, and the rehearsals of these."""

from __future__ import annotations

from pathlib import Path

from rollway.choice import choose
from rollway.facts import load_release
from rollway.planning import Plan, make_plan

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "plans"
OUTPUT = FOLDER / "output"
RELEASES = {
    "canary": ROOT / "examples" / "reporting" / "release.yaml",
    **{path.stem: path for path in sorted(FOLDER.glob("*.yaml"))},
}
RUNS = 100


def plan_of(name: str) -> Plan:
    """The plan that Rollway makes of an example today."""
    release = load_release(RELEASES[name].relative_to(ROOT))
    return make_plan(release, choose(release))
