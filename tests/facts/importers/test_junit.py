"""JUnit XML in the dialects of its writers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rollway.facts.importers import Imported

Read = Callable[..., Imported]


def counts(read: Imported) -> tuple[int, int]:
    """Passed and failed."""
    found = {fact.path: fact.value for fact in read.facts}
    return int(found["done.tests.passed"]), int(found["done.tests.failed"])


@pytest.mark.parametrize(
    ("name", "passed", "failed", "told"),
    [
        ("pytest.xml", 4, 2, "8 tests, 2 failed, 2 skipped, run on 2026-11-03"),
        ("surefire.xml", 3, 1, "5 tests, 1 failed, 1 skipped"),
        ("jest.xml", 5, 0, "6 tests, 0 failed, 1 skipped, run on 2026-11-03"),
        ("nested.xml", 5, 1, "7 tests, 1 failed, 1 skipped"),
    ],
)
def test_each_dialect_is_counted(sample: Read, name: str, passed: int, failed: int, told: str) -> None:
    """Failures and errors fail, what was not run counts for nothing, and the source quotes the file."""
    read = sample(name)
    assert counts(read) == (passed, failed)
    assert read.told == told
    assert {fact.told for fact in read.facts} == {told}


def test_failed_and_skipped_tests_are_named(sample: Read) -> None:
    """A person can find each of them."""
    read = sample("pytest.xml")
    assert "tests.test_report.test_chart_has_a_title" in read.notes[0]
    (skipped,) = read.skipped
    assert (skipped.count, skipped.places[0]) == (2, "tests.test_filters.test_filter_on_windows")


def test_a_test_that_passed_when_run_again_passed_and_is_told(sample: Read) -> None:
    """Surefire's flakyFailure is no failure, and no secret."""
    assert "1 test passed only when run again" in sample("surefire.xml").notes


def test_what_the_suites_claim_is_no_evidence(imported: Read) -> None:
    """The cases that are there count; a suite that claims more is told."""
    read = imported('<testsuite name="x" tests="412" failures="0"><testcase name="a"/></testsuite>')
    assert counts(read) == (1, 0)
    assert "its suites claim 412 tests, and it holds 1" in read.notes[0]


def test_no_test_is_no_evidence(imported: Read) -> None:
    """An empty report states nothing: 0 failures of 0 tests would look like success."""
    for text in ("<testsuites/>", '<testsuite tests="0" failures="0"/>'):
        read = imported(text)
        assert read.facts == ()
        assert "holds no test" in read.notes[0]
