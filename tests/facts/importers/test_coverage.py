"""Coverage reports: Cobertura and JaCoCo."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rollway.facts.importers import Imported, combined

Read = Callable[..., Imported]


@pytest.mark.parametrize(
    ("name", "share", "told"),
    [
        ("coverage_py.xml", 0.871, "2,012 of 2,310 lines covered (87.1%)"),
        ("cobertura_lines.xml", 0.6, "3 of 5 lines covered (60.0%)"),
        ("jacoco.xml", 0.9, "1,710 of 1,900 lines covered (90.0%)"),
    ],
)
def test_lines_are_what_counts(sample: Read, name: str, share: float, told: str) -> None:
    """The report's own count, else its lines one by one (a method's are its class's), never its branches."""
    read = sample(name)
    (fact,) = read.facts
    assert (fact.path, fact.value, read.told) == ("done.tests.coverage", share, told)


def test_instructions_stand_in_where_there_are_no_lines(imported: Read) -> None:
    """Classes compiled without line numbers still have instructions."""
    text = '<report name="jacoco"><counter type="INSTRUCTION" missed="1" covered="3"/></report>'
    assert imported(text).told == "3 of 4 instructions covered (75.0%)"


def test_a_rate_without_lines_is_taken_and_told(imported: Read) -> None:
    """Some writers state a rate alone."""
    read = imported('<coverage line-rate="0.84" version="1.9"><packages/></coverage>')
    assert read.facts[0].value == 0.84
    assert "a rate without a number of lines" in read.notes[0]


@pytest.mark.parametrize(
    "text",
    [
        '<coverage lines-valid="0" lines-covered="0" line-rate="1"/>',
        '<report name="jacoco"><counter type="LINE" missed="0" covered="0"/></report>',
    ],
)
def test_no_line_is_no_coverage(imported: Read, text: str) -> None:
    """A report about nothing states nothing, though its rate be 1."""
    assert imported(text).facts == ()


def test_another_tools_coverage_is_refused(refused: Callable[..., str]) -> None:
    """Clover has the same root and says other things."""
    assert "neither lines nor a rate; is it Clover?" in refused(
        '<coverage generated="1"><project/></coverage>'
    )
    assert "has no counters" in refused('<report name="jacoco"/>')


def test_reports_of_several_parts_are_weighed_by_their_lines(sample: Read) -> None:
    """A small module does not count as much as a large one."""
    files = [("py.xml", sample("coverage_py.xml")), ("java.xml", sample("jacoco.xml"))]
    fact = combined(files).facts["done"]["tests"]["coverage"]
    assert fact["value"] == pytest.approx((2012 + 1710) / (2310 + 1900), abs=1e-4)
    assert fact["source"] == ("py.xml: 2,012 of 2,310 lines covered; java.xml: 1,710 of 1,900 lines covered")
