"""What is wrong with a runbook, and where."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from planning.runbook.books import T, book, step, task
from rollway.planning.runbooks import Finding, Runbook, check
from rollway.planning.runbooks.network import ordered, rings


def errors(runbook: Runbook) -> list[Finding]:
    return [finding for finding in check(runbook) if finding.level == "error"]


def warnings(runbook: Runbook) -> list[str]:
    return [str(finding) for finding in check(runbook) if finding.level == "warning"]


def test_a_sound_runbook_gives_no_findings() -> None:
    """Nothing is found where nothing is wrong."""
    assert check(book(task("a", undo=("back",)), task("b", "a"), undo=(step("back"),))) == ()


def test_a_ring_is_named_in_full() -> None:
    """Every task of the ring is named, in the order of work, and those behind it are not."""
    found = errors(book(task("a", "c"), task("b", "a"), task("c", "b"), task("behind", "c"), task("free")))
    assert [finding.message for finding in found] == ["these tasks wait for each other: a -> b -> c -> a"]


def test_two_rings_are_both_named() -> None:
    """Rings that share no task are found in one go; a task that waits for itself is a ring too."""
    links = {"a": ["b"], "b": ["a"], "c": ["c"], "d": ["b", "c"]}
    assert [set(ring) for ring in rings(links)] == [{"a", "b"}, {"c"}]
    assert rings({"c": ["c"]}) == [("c", "c")]
    assert ordered(links) == []


def test_a_ring_of_thousands_does_not_exhaust_the_stack() -> None:
    """Length is no limit."""
    links = {str(n): [str((n + 1) % 5000)] for n in range(5000)}
    assert len(rings(links)[0]) == 5001


def test_an_unknown_predecessor_gets_a_suggestion() -> None:
    """The typing error and what was meant."""
    (found,) = errors(book(task("load-data"), task("b", "load-date")))
    assert (found.path, found.message) == ("tasks.b.after", "there is no task 'load-date'")
    assert found.hint == "did you mean 'load-data'?"


@pytest.mark.parametrize(
    ("fields", "column", "words"),
    [
        ({"gate": True}, "decider", "decided by nobody"),
        ({"reversible": False}, "decider", "nobody decides it"),
        ({"reversible": False, "decider": "ann", "undo": ("back",)}, "undo", "is to undo it"),
        ({"owner": "anne"}, "owner", "there is no person 'anne'"),
        ({"decider": "carl"}, "decider", "there is no person 'carl'"),
        ({"backup": "crew"}, "backup", "is the owner too"),
        ({"undo": ("bakc",)}, "undo", "there is no undo step 'bakc'"),
        ({"minutes": None}, "duration", "neither a duration nor a rehearsed time"),
        ({"at": -60.0}, "at", "cannot begin before T"),
    ],
)
def test_each_fault_of_a_task_is_an_error_at_its_column(
    fields: dict[str, Any], column: str, words: str
) -> None:
    """One fault, one error, at the column that mends it."""
    (found,) = errors(book(task("a", **fields), undo=(step("back"),)))
    assert found.path == f"tasks.a.{column}"
    assert words in found.message


def test_a_later_phase_is_never_waited_for() -> None:
    """What is done before the cutover cannot wait for what is done after it."""
    (found,) = errors(book(task("a"), task("b", "a", phase="before")))
    assert "comes later than 'before'" in found.message


def test_going_back_needs_somebody_who_may_say_so() -> None:
    """Undo steps without authority are an error."""
    (found,) = errors(book(task("a"), undo=(step("back"),), authority=()))
    assert found.path == "runbook.authority"


def test_a_window_closes_after_it_opens() -> None:
    """T lies inside the window."""
    (found,) = errors(book(task("a"), closes=T - timedelta(hours=1)))
    assert found.path == "runbook.closes"


def test_what_was_built_on_something_is_undone_first() -> None:
    """The order of the undo steps is held against the order of the tasks."""
    tasks = task("a", undo=("undo-a",)), task("b", "a", undo=("undo-b",))
    assert check(book(*tasks, undo=(step("undo-b"), step("undo-a")))) == ()
    (told,) = warnings(book(*tasks, undo=(step("undo-a"), step("undo-b"))))
    assert "'a' is undone before 'b'" in told


def test_the_point_of_no_return_wants_a_gate_before_it() -> None:
    """A warning without one, none with one anywhere before it."""
    final = {"reversible": False, "decider": "ann"}
    gate = task("gate", gate=True, decider="ann", criteria=("All is well",))
    kept = {"cannot_undo": ("What was sent",)}
    (told,) = warnings(book(task("a"), task("b", "a", **final), **kept))
    assert "without a go/no-go gate" in told
    assert warnings(book(gate, task("a", "gate"), task("b", "a", **final), **kept)) == []


def test_a_plan_below_its_rehearsals_is_told() -> None:
    """Hope is no plan."""
    (told,) = warnings(book(task("a", minutes=5, rehearsed=(600.0, 700.0, 660.0))))
    assert "planned for 5m, rehearsals took 11m" in told
