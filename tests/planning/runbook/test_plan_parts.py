"""The runbook of a plan as one that can be shown, timed and exchanged."""

from __future__ import annotations

from rollway.planning import Exposure, Plan, RollbackPlan, Stage
from rollway.planning.parts import Night
from rollway.planning.runbooks import Person, Task
from rollway.planning.runbooks.model import ROLE_SEATS
from rollway.planning.runbooks.plan_parts import runbook_of, unnamed


def stage(name: str, share: float, bake: float) -> Stage:
    return Stage(
        id=name,
        title=name.title(),
        purpose="",
        method="big_bang",
        exposure=Exposure(share=share),
        advance="person",
        bake_seconds=bake,
        patience_seconds=60,
        undo="Back.",
    )


PLAN = Plan(
    name="n",
    version="1",
    method="big_bang",
    sequence=("big_bang",),
    facts_hash="0",
    stages=(stage("first", 0, 60), stage("second", 1, 120), stage("third", 1, 0)),
    runbook=(
        Task("a", "A", "before", "Operations", stage="first", at=-600),
        Task("b", "B", "during", "Ann Lee", stage="second", backup="Operations", duration=30),
        Task("c", "C", "during", "bob", stage="third", after=("b",), at=10.0),
    ),
    people=(Person("bob", "Bob", timezone="Asia/Kolkata"),),
    night=Night(stage="second", title="N", timezone="Europe/Berlin", window_seconds=3600),
    rollback=RollbackPlan(steps=("Back.",), authority=("Ann Lee",)),
)


def test_stages_are_entered_as_their_bakes_allow() -> None:
    """T is the entering of the night's stage; what was before has a time before it."""
    book = runbook_of(PLAN)
    assert book.entered == {"first": -60, "second": 0, "third": 120}
    assert (book.night, book.dated, book.window_seconds) == ("second", False, 3600)


def test_whoever_is_named_gets_a_row() -> None:
    """Roles as many as are needed, people as one; those in the table stay as they are."""
    people = runbook_of(PLAN).person
    assert people["operations"] == Person("operations", "Operations", seats=ROLE_SEATS)
    assert people["ann-lee"] == Person("ann-lee", "Ann Lee")
    assert people["bob"].timezone == "Asia/Kolkata"
    assert unnamed(runbook_of(PLAN)) == {"operations": "Operations", "ann-lee": "Ann Lee"}


def test_a_task_keeps_all_that_it_says() -> None:
    """Only names become ids; a task without a time is a mark."""
    first, second, third = runbook_of(PLAN).tasks
    assert (first.owner, first.at, first.duration) == ("operations", -600, 0.0)
    assert (second.owner, second.backup, second.duration) == ("ann-lee", "operations", 30)
    assert (third.after, third.at) == (("b",), 10.0)
