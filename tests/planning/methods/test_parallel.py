"""Parallel: both run, one counts, then the other; the old one is kept."""

from __future__ import annotations

from collections.abc import Callable

from rollway.facts.model import Release
from rollway.planning.methods.parallel import build

MakeRelease = Callable[..., Release]


def test_nobody_is_served_by_the_new_version_before_the_cutover(release_of: MakeRelease) -> None:
    """In the parallel run its results are compared and do not count; a person ends it."""
    both, cutover, kept = build(release_of())
    assert (both.exposure.share, both.exposure.mode, both.advance) == (0.0, "dual", "person")
    assert (cutover.exposure.share, cutover.exposure.mode) == (1.0, "live")
    assert (kept.exposure.share, kept.in_window) == (1.0, False)


def test_where_double_entry_is_not_feasible_it_works_on_copies(release_of: MakeRelease) -> None:
    """Only a known no makes a shadow of it."""
    exposure = build(release_of(migration={"dual_run_feasible": False}))[0].exposure
    assert (exposure.mode, exposure.live, exposure.mirrored) == ("shadow", 0.0, 1.0)


def test_the_exit_rule_is_written_into_the_plan(release_of: MakeRelease) -> None:
    """A parallel run without an end hides poor testing."""
    rule = "two month-ends without an unexplained difference"
    entry = build(release_of(migration={"parallel_exit_rule": rule}))[0].entry
    assert f"The exit rule is fixed: {rule}." in entry
    assert any("by time or by workload" in line for line in build(release_of())[0].entry)
