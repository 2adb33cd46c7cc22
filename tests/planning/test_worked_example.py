"""The numbers of docs/planning.md are those that Rollway computes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollway.choice import choose
from rollway.facts import parse_release
from rollway.planning import Plan, describe, foresight, make_plan

PAGE = (Path(__file__).parents[2] / "docs" / "planning.md").read_text(encoding="utf-8")
USUAL_ROWS = foresight.ROWS


@pytest.fixture(scope="module")
def plan(few_courses: None) -> Iterator[Plan]:
    """The plan of the page's release file, computed as everybody's is."""
    found = re.search(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert found is not None
    release = parse_release(found[1], "release.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(foresight, "ROWS", USUAL_ROWS)
        yield make_plan(release, choose(release))


def test_its_stages_and_notes_are_the_plans(plan: Plan) -> None:
    """Each stage with its bake and margins, and each note that is quoted."""
    for stage in plan.stages:
        margins = ", ".join(f"×{margin:g}" for margin in stage.margins.values())
        bake = f"{stage.bake_seconds / 60:g} min" if stage.bake_seconds else ""
        assert f"| {stage.title} | {bake} | {margins} |" in PAGE
    quoted = re.findall(r"^> (.+)$", PAGE, flags=re.MULTILINE)
    assert len(quoted) == 3
    assert set(quoted) <= set(plan.notes)


def test_its_promises_are_the_plans(plan: Plan) -> None:
    """The block under "What it promises" is what `rollway plan` prints."""
    found = re.search(r"```text\n(Promises.*?)\n```", PAGE, flags=re.DOTALL)
    assert found is not None
    assert found[1] in describe(plan)
