"""`rollway plan --calendar`: the calendar goes into the plan, and `start` says what it means."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rollway.cli.main import cli
from rollway.errors import InputError

RELEASE = """\
release: {name: shop-2, version: "2", service: shop, prepared_by: mira}
done:
  tests: {rollback_tested: true, rollback_duration: 15s, recovery_tested: true, performance_tested: true}
architecture: {all_switch_together: true}
migration: {needed: false}
agreements: {operators: [jon], approvers: [ines], downtime_tolerated: long}
target: {type: flag, flag: new-shop, baseline: old, candidate: new}
rollout: {method: big_bang, because: one ledger%s}
"""


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, [*map(str, words)])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A release, and a calendar in which everything is frozen from yesterday to in a month."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROLLWAY_USER", "jon")
    today = datetime.now(UTC).date()
    first, last = today - timedelta(days=1), today + timedelta(days=30)
    (tmp_path / "release.yaml").write_text(RELEASE % "")
    (tmp_path / "org").mkdir()
    (tmp_path / "org" / "calendar.yaml").write_text(
        "calendar: {name: org, timezone: Europe/Zurich}\n"
        f"freezes: [{{name: year end, reason: books, first: {first}, last: {last}}}]\n"
        "releases: [{name: other, service: ledger, pinned: 2027-02-01 22:00}]\n"
    )
    return tmp_path


def test_the_plan_holds_what_concerns_the_release(folder: Path) -> None:
    """Its hash covers it, the calendar's other releases are not in it, and `plan show` says that it holds."""
    assert run("plan", "release.yaml", "-o", "plain.json").exit_code == 0
    done = run("plan", "release.yaml", "--calendar", "org/calendar.yaml", "--json")
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert [line["name"] for line in answer["plan"]["calendar"]["calendar"]["freezes"]] == ["year end"]
    assert "other" not in json.dumps(answer["plan"]["calendar"])
    shown = run("plan", "show", "plan.json").output
    assert "calendar 'org' holds while it runs: 1 freeze" in shown
    assert "open at any time" not in shown
    told = run("plan", "diff", "plain.json", "plan.json")
    assert told.exit_code == 1
    assert "calendar" in told.output


def test_a_release_may_wish_for_its_calendar(folder: Path) -> None:
    """By a path from the release file's own folder, whatever the folder one stands in; the option wins."""
    (folder / "deep").mkdir()
    (folder / "deep" / "release.yaml").write_text(RELEASE % ", calendar: ../org/calendar.yaml")
    assert run("plan", "deep/release.yaml").exit_code == 0
    plan = json.loads((folder / "plan.json").read_text())
    assert plan["calendar"]["calendar"]["calendar"]["name"] == "org"
    (folder / "mine.yaml").write_text("calendar: {name: mine, timezone: UTC}\n")
    assert run("plan", "deep/release.yaml", "--calendar", "mine.yaml").exit_code == 0
    assert (
        json.loads((folder / "plan.json").read_text())["calendar"]["calendar"]["calendar"]["name"] == "mine"
    )


def test_a_calendar_that_is_not_there_or_wrong_stops_the_plan(folder: Path) -> None:
    """With the file, and with line and column of what is wrong in it."""
    lost = run("plan", "release.yaml", "--calendar", "nowhere.yaml")
    assert isinstance(lost.exception, InputError)
    assert "nowhere.yaml: there is no such file" in str(lost.exception)
    (folder / "bad.yaml").write_text("calendar: {name: bad, timezone: Mars}\n")
    bad = run("plan", "release.yaml", "--calendar", "bad.yaml")
    assert isinstance(bad.exception, InputError)
    assert "bad.yaml:1:33" in str(bad.exception)


def test_start_says_for_what_it_waits(folder: Path) -> None:
    """The freeze of the calendar, and when it opens: what the machine and `calendar next` say, too."""
    assert run("plan", "release.yaml", "--calendar", "org/calendar.yaml").exit_code == 0
    assert run("approve", "plan.json", "--as", "ines").exit_code == 0
    started = run("start", "plan.json", "--as", "jon")
    assert started.exit_code == 0, started.output
    assert "it waits: freeze 'year end' (books) until" in started.output
    opens = started.output.partition("next opens ")[2].partition(".")[0]
    found = run("calendar", "next", "release.yaml", "--calendar", "org/calendar.yaml").output
    assert opens.split()[:4] == found.partition("  1 ")[2].split()[:4]


def test_the_documents_say_that_the_calendar_holds(folder: Path) -> None:
    """Nobody reads `no freezes` of a plan whose calendar has one."""
    run("plan", "release.yaml", "--calendar", "org/calendar.yaml")
    assert run("docs", "plan.json").exit_code == 0
    text = next(folder.rglob("rollout-plan.md")).read_text()
    assert "calendar 'org' holds" in text
    assert "No freezes" not in text
