"""The picture shows how far the runs come, and when."""

from __future__ import annotations

from xml.etree import ElementTree

from rollway.planning import Plan
from rollway.rehearsal import Fault, Rehearsal, Scenario, World, rehearse
from rollway.rehearsal.picture import characters, svg
from tests.rehearsal.conftest import MONDAY


def test_the_ladder_is_climbed_stage_by_stage(plan: Plan, world: World) -> None:
    """Five minutes each: the first third 10%, the second 50%, the last everyone; and in plain characters."""
    result = rehearse(plan, Scenario("healthy", "all well", world), runs=3, start=MONDAY)
    lines = characters(plan, result, width=69, plain=True)
    rows = {line[:8].strip("| "): line[9:] for line in lines[:3]}
    assert [rows[name].count("#") for name in ("10%", "50%", "100%")] == [60, 40, 20]
    assert rows["100%"].startswith(" ")
    assert "".join(lines).isascii()
    assert max(map(len, lines)) <= 80


def test_the_drawing_is_one_sound_document(plan: Plan, world: World) -> None:
    """With every story by name, whatever characters it has, and nothing dark above where a fault came."""
    stories = (
        Scenario("healthy", "all < well", world),
        Scenario("a fault", "x10", world, fault=Fault(10.0, "ten")),
    )
    results = tuple(rehearse(plan, story, runs=2, start=MONDAY) for story in stories)
    root = ElementTree.fromstring(svg(Rehearsal(plan, 0, results, ())))
    texts = [element.text or "" for element in root.iter() if element.tag.endswith("text")]
    assert "healthy: all < well" in texts
    assert "a fault: x10" in texts
    drawn = [element.get("class") for element in root.iter() if element.tag.endswith("rect")]
    assert drawn.count("good") == 3
    assert drawn.count("bad") == 1
