"""A runbook in the words of a plan."""

from __future__ import annotations

from planning.runbook.books import book, step, task
from rollway.planning.runbooks import DataPart, Person
from rollway.planning.runbooks.plan_parts import plan_rollback, plan_tasks

PEOPLE = (Person("ann", "Ann Lee"), Person("bob"), Person("crew"))


def test_a_task_keeps_what_a_plan_has_no_field_for() -> None:
    """Offset, command, decider and finality are told in the instruction; people by their names."""
    final = task("a", owner="ann", at=7200.0, command="go --now", reversible=False, decider="ann")
    (made,) = plan_tasks(book(final, people=PEOPLE), "cutover")
    assert (made.id, made.stage, made.phase, made.owner) == ("a", "cutover", "during", "Ann Lee")
    assert made.instruction.split("\n") == [
        "Do it.",
        "Not before T+2h",
        "Run: go --now",
        "Decides: Ann Lee",
        "Cannot be taken back.",
    ]


def test_the_rollback_is_tested_when_every_step_is() -> None:
    """Its steps are in order, data after them; its time is the sum of the longest known ones."""
    steps = step("two", rehearsed=(400.0,)), step("one")
    data = (DataPart("d", "New orders", "replay", "ann"),)
    night = book(task("a"), undo=steps, data=data, people=PEOPLE, cannot_undo=("Letters",))
    made = plan_rollback(night)
    assert made.steps == ("Two (Ann Lee)", "One (Ann Lee)", "Replay into the old version: New orders")
    assert (made.tested, made.expected_seconds, made.authority) == (True, 700.0, ("Ann Lee",))
    assert made.cannot_undo == ("Letters",)
    assert not plan_rollback(book(task("a"), undo=(step("one", tested=""),))).tested
