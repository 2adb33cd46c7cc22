"""JUnit XML, as pytest, Surefire, jest-junit, Gradle, GoogleTest and many others write it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rollway.facts.importers.given import clean
from rollway.facts.importers.model import (
    SHOWN_PLACES,
    Found,
    Given,
    Imported,
    Importer,
    Options,
    Skips,
    counted,
)
from rollway.facts.importers.xml import elements, root_tag

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


@dataclass(slots=True)
class _Suite:
    cases: int = 0
    has_suites: bool = False


@dataclass(slots=True)
class _Run:
    """What was counted so far: passed, failed, skipped and flaky cases, and what the suites claim."""

    count: Counter[str] = field(default_factory=Counter)
    claimed: int = 0
    day: str = ""
    failing: list[str] = field(default_factory=list)
    skips: Skips = field(default_factory=Skips)

    def case(self, element: Element) -> None:
        fate = _fate(element)
        self.count[fate] += 1
        self.count["flaky"] += (
            element.find("flakyFailure") is not None or element.find("flakyError") is not None
        )
        if fate == "failed":
            self.failing.append(_name(element))
        if fate == "skipped":
            self.skips.add("the run left these tests out", _name(element))

    def suite(self, element: Element, suite: _Suite) -> None:
        """The end of a suite. One that lists no case is taken at its attributes' word."""
        self.day = max(self.day, _day(element.get("timestamp", "")))
        stated = _number(element, "tests")
        if suite.has_suites or suite.cases:
            self.claimed += suite.cases if suite.has_suites else stated or suite.cases
            return
        failed = _number(element, "failures") + _number(element, "errors")
        skipped = _number(element, "skipped") + _number(element, "disabled")
        self.claimed += stated
        self.count.update(passed=max(stated - failed - skipped, 0), failed=failed, skipped=skipped)


def read(given: Given, options: Options) -> Imported:
    """Counts the test cases themselves, not what a suite claims about them."""
    run, suites = _Run(), list[_Suite]()
    for event, element, _ in elements(given, "testcase"):
        if element.tag == "testcase" and event == "end":
            run.case(element)
            if suites:
                suites[-1].cases += 1
        elif element.tag == "testsuite" and event == "start":
            if suites:
                suites[-1].has_suites = True
            suites.append(_Suite())
        elif element.tag == "testsuite":
            run.suite(element, suites.pop())
    return _imported(run)


def _imported(run: _Run) -> Imported:
    passed, failed, skipped = (run.count[fate] for fate in ("passed", "failed", "skipped"))
    total = passed + failed + skipped
    if not total:
        return Imported("no test", notes=("it holds no test, so it says nothing about the release",))
    told = f"{counted(total, 'test')}, {failed:,} failed"
    told += f", {skipped:,} skipped" if skipped else ""
    told += f", run on {run.day}" if run.day else ""
    named = ", ".join(run.failing[:SHOWN_PLACES]) + (", …" if len(run.failing) > SHOWN_PLACES else "")
    notes = [f"failed: {named}"] if named else []
    if run.count["flaky"]:
        notes.append(f"{counted(run.count['flaky'], 'test')} passed only when run again")
    if run.claimed != total:
        notes.append(f"its suites claim {run.claimed:,} tests, and it holds {total:,}; those it holds count")
    facts = (
        Found("done.tests.passed", passed, told, joins="sum"),
        Found("done.tests.failed", failed, told, joins="sum"),
    )
    return Imported(told, facts, skipped=run.skips.result(), notes=tuple(notes))


def _fate(case: Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    not_run = case.get("status") in ("notrun", "disabled", "skipped") or case.get("result") == "suppressed"
    return "skipped" if not_run or case.find("skipped") is not None else "passed"


def _name(case: Element) -> str:
    return clean(".".join(filter(None, (case.get("classname"), case.get("name")))) or "a test", 80)


def _number(element: Element, name: str) -> int:
    text = element.get(name, "").replace(",", "")
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0


def _day(timestamp: str) -> str:
    return timestamp[:10] if re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ]|$)", timestamp) else ""


def _recognises(given: Given) -> bool:
    return root_tag(given) in ("testsuites", "testsuite")


IMPORTER = Importer("junit", "JUnit XML", _recognises, read)
