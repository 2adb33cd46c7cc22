"""Loading: facts and their sources, `--set`, and what is read as a person means it."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from rollway.facts import Fact, Release, ReleaseFileError, load_release, parse_release, stated_facts

HEAD = "release: {name: reporting, version: 2.10}\n"


def told(text: str, **changes: str) -> list[str]:
    """The headlines of what is wrong with a text."""
    with pytest.raises(ReleaseFileError) as caught:
        parse_release(
            text, "r.yaml", changes={key.replace("__", "."): value for key, value in changes.items()}
        )
    return [problem.headline for problem in caught.value.problems]


def fact(written: str, **changes: str) -> Fact[Any]:
    text = f"{HEAD}architecture:\n  telemetry: {written}\n"
    return parse_release(text, "r.yaml", changes=changes).architecture.telemetry


@pytest.mark.parametrize(
    ("written", "state", "value", "note", "source"),
    [
        ("high", "known", "high", "", "r.yaml:3:14"),
        ("{value: high, source: Grafana}", "known", "high", "Grafana", "r.yaml:3:22"),
        ("{value: high}", "known", "high", "", "r.yaml:3:22"),
        ("{assume: low, because: as in 2.3}", "assumed", "low", "as in 2.3", "r.yaml:3:23"),
        ("{because: 12, assume: low}", "assumed", "low", "12", "r.yaml:3:36"),
        ("unknown", "unknown", None, "", "r.yaml:3:14"),
        ("{value: unknown, source: asked Jo}", "unknown", None, "asked Jo", "r.yaml:3:22"),
        ("", "unknown", None, "", "not stated"),
        ("null", "unknown", None, "", "not stated"),
    ],
)
def test_each_way_to_write_a_fact(
    written: str, state: str, value: str | None, note: str, source: str
) -> None:
    """A fact has its state, its value, the words of the person, and the place of the value as source."""
    read = fact(written)
    assert (read.state, read.value, read.note, read.source) == (state, value, note, source)


def test_an_absent_fact_is_unknown() -> None:
    """No line says nothing, and says so."""
    assert parse_release(HEAD, "r.yaml").architecture.telemetry == Fact()


def test_the_source_names_the_file_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative name stays relative; a BOM and CRLF do not move the place."""
    (tmp_path / "my release.yaml").write_bytes(
        b"\xef\xbb\xbfrelease: {name: x, version: 1, size: small}\r\ngoals:\r\n  urgency: high\r\n"
    )
    monkeypatch.chdir(tmp_path)
    release = load_release("my release.yaml")
    assert release.release.size.source == "my release.yaml:1:38"
    assert release.goals.urgency.source == "my release.yaml:3:12"


def test_values_are_read_as_they_are_meant() -> None:
    """Dates, durations, yes and no, numbers in texts: the models decide what a written value is."""
    release = parse_release(
        HEAD
        + """
goals: {deadline: 2026-11-05, deadline_fixed: yes, cost_matters: off, objective: 12}
backlog: {items: [{id: 007, title: x, accepted: unknown}]}
migration: {duration: 1h 30m, parallel_exit_rule: 2026-11-05}
stakeholders: {users: 3.0, sites: 0x10}
agreements: {windows: [{opens: 22:00, closes: 04:00}], approvers: [1]}
rollout: {hold_back: unknown}
""",
        "r.yaml",
    )
    assert release.release.version == "2.10"
    assert release.goals.deadline.value == date(2026, 11, 5)
    assert release.goals.deadline_fixed.is_true
    assert release.goals.cost_matters.is_false
    assert release.goals.objective == "12"
    assert release.backlog.items[0].id == "007"
    assert release.backlog.items[0].accepted is None
    assert release.migration.duration.value == timedelta(minutes=90)
    assert release.migration.parallel_exit_rule.value == "2026-11-05"
    assert release.stakeholders.users.value == 3
    assert release.stakeholders.sites.value == 16
    assert release.agreements.windows[0].opens == "22:00"
    assert release.agreements.approvers == ("1",)
    assert release.rollout.hold_back is None


def test_a_section_without_lines_is_as_good_as_none() -> None:
    """A section whose lines are all commented out still loads."""
    assert parse_release(
        HEAD + "goals:\nkpis:\ntarget:\nrollout: {shares: , method: }\n", "r"
    ) == parse_release(HEAD, "r")


def test_free_keys_of_signals_and_targets_are_kept() -> None:
    """What belongs to the kind of signal or target is passed on as plain values."""
    text = HEAD + "target: {type: flag, deep: {list: [1, 2.5, no, null, 22:00]}}\n"
    target = parse_release(text, "r").target
    assert target is not None
    assert target.options() == {"deep": {"list": [1, 2.5, "no", None, "22:00"]}}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("goals: {deadline: 20261105}", "20261105 is not a date; write year-month-day"),
        ("goals: {deadline: tbd}", "write unknown for what is not known yet"),
        ("goals: {deadline_fixed: 1}", "1 is neither true nor false"),
        ("goals: {deadline_fixed: ture}", "did you mean 'true'?"),
        ("goals: {urgency: High}", "did you mean 'high'?"),
        ("goals: {urgency: {assume: unknown}}", "an assumption needs a value"),
        ("goals: {urgency: {value: }}", "this value is empty; write unknown, or leave the line out"),
        ("goals: {urgency: [high]}", "a list stands where one of low, medium, high belongs"),
        ("goals: {urgency: {state: known, value: high}}", "'state' does not go with 'value'"),
        ("goals: {objective: true}", 'true is a yes or no, not text; put it in quotes: "true"'),
        ("goals: {success: fast}", "'fast' stands where a list belongs; write [fast]"),
        ("goals: 3", "3 stands where keys such as objective, success, urgency belong"),
        ("risks: [{id: 1, title: x}]", "put the list under the key 'items'"),
        ("kpis: {errors: 1}", "a mapping stands where a list belongs; start each entry with '- '"),
        ("stakeholders: {users: 2.5}", "2.5 is not a whole number"),
        ("stakeholders: {users: '12'}", "write 12 without the quotes"),
        ("stakeholders: {users: 1'200}", "write 1200"),
        ("stakeholders: {users: true}", "true is not a whole number"),
        ("stakeholders: {users: 1e18}", None),
        ("stakeholders: {users: 1e19}", "1e19 is too large a number"),
        ("stakeholders: {users: -1}", "-1 is too small: the least is 0"),
        ("stakeholders: {groups: [{name: x}, ]}", None),
        ("stakeholders:\n  groups:\n    -\n", "this entry is empty"),
        ("architecture: {requests_per_second: '2,5'}", "write 2.5"),
        ("architecture: {requests_per_second: .nan}", "'.nan' is not a number"),
        ("migration: {duration: 99999999999w}", "longer than can be counted"),
        ("rollout: {false_rollback: 1}", "1 is too large: it must be less than 1"),
        ("rollout: {method: blue-green}", "did you mean 'blue_green'?"),
        ("rollout: {shares: [0]}", "0 is too small: it must be more than 0"),
        ("agreements: {windows: [{opens: 9:00, closes: 24:00}]}", "did you mean '09:00'?"),
        ("agreements: {windows: [{opens: 24:00, closes: 04:00}]}", "a window cannot open at 24:00"),
        ("agreements: {windows: [{days: [], opens: 20:00, closes: 21:00}]}", "this list is empty"),
        ("agreements: {windows: [{days: [monday], opens: 20:00, closes: 21:00}]}", "did you mean 'mon'?"),
        (
            "agreements: {freezes: [{first: 2026-01-01, last: 2026-01-01, timezone: zurich}]}",
            "'Europe/Zurich'",
        ),
        ("agreements: {approvers: [ann], approvals_required: 1}", None),
        ("agreements: {approvers: [ann, ann], approvals_required: 2}", "only 1 person may approve"),
        (
            "architecture: {third_parties: [{name: x, valid_from: 2027-01-01, valid_until: 2026-01-01}]}",
            "swap",
        ),
        ("feature-flags: true", "did you mean 'architecture.feature_flags'?"),
        ("reversible: true", "'reversible' belongs to risks or migration"),
        ("kpi: []", "did you mean 'kpis'?"),
        ("kpis: [{name: Error Rate, kind: rate, signal: {type: x}}]", "did you mean 'error-rate'?"),
    ],
)
def test_what_cannot_be_meant_is_told_with_what_may_be(line: str, words: str | None) -> None:
    """The message says in plain words what is wrong, and where possible what to write."""
    if words is None:
        assert isinstance(parse_release(HEAD + line, "r.yaml"), Release)
    else:
        (headline,) = told(HEAD + line)
        assert words in headline


def test_every_problem_is_told_at_once_in_the_order_of_the_file() -> None:
    """Misfits, ranges, missing keys and contradictions of several sections come in one go."""
    text = (
        "rollout: {shares: [0.5, 0.1]}\nrelease: {name: x}\nagreements: {approvals_required: 0}\n"
        "goals: {urgency: hihg, urgent: 1}\n"
    )
    assert [line.split(": ")[0] + " " + line.split(": ")[1] for line in told(text)] == [
        "r.yaml:1:25 rollout.shares.1",
        "r.yaml:2:1 release.version",
        "r.yaml:3:34 agreements.approvals_required",
        "r.yaml:4:18 goals.urgency",
        "r.yaml:4:24 goals.urgent",
    ]


def test_a_flood_of_problems_is_shortened_for_people_only() -> None:
    """The text names the first fifty; the structured problems are all there."""
    with pytest.raises(ReleaseFileError) as caught:
        parse_release(HEAD + "".join(f"k{number}: 1\n" for number in range(500)), "r.yaml")
    assert len(caught.value.problems) == 500
    assert len(caught.value.details) == 51
    assert caught.value.message == "r.yaml: 500 problems"
    assert caught.value.details[-1] == "… and 450 more"


def test_problems_are_there_for_programs() -> None:
    """Each problem is plain values with file, line, column, path, message and suggestion."""
    with pytest.raises(ReleaseFileError) as caught:
        parse_release(HEAD + "goals:\n  urgency: hihg\n", "r.yaml")
    assert caught.value.to_json() == [
        {
            "file": "r.yaml",
            "line": 3,
            "column": 12,
            "path": "goals.urgency",
            "message": "'hihg' is not one of low, medium, high",
            "suggestion": "did you mean 'high'?",
            "source_line": "  urgency: hihg",
        }
    ]
    assert caught.value.exit_code == 2


def test_a_value_cannot_write_to_the_terminal() -> None:
    """What a file holds is quoted in messages, and never obeyed by a terminal or broken into lines."""
    (headline,) = told(HEAD + 'goals: {urgency: "a\\nb\\u202e' + "x" * 500 + '"}\n')
    assert headline.isprintable()
    assert len(headline) < 200


# --- values from the command line -------------------------------------------------------------------

BASE = HEAD + (
    "architecture:\n  feature_flags: true\n  telemetry: {value: high, source: Jo}\n"
    "kpis:\n  - {name: errors, kind: rate, signal: {type: scrape, url: a}}\n"
    "stakeholders: {groups: [{name: Bern, users: 3}]}\n"
)


def changed(**changes: str) -> Release:
    return parse_release(
        BASE, "r.yaml", changes={key.replace("__", "."): value for key, value in changes.items()}
    )


def test_a_change_takes_the_place_of_the_fact_and_names_its_source() -> None:
    """A value given with --set is known from there; the others keep their places."""
    release = changed(architecture__feature_flags="false", migration__duration="3h")
    flags = release.architecture.feature_flags
    assert (flags.state, flags.value, flags.source) == ("known", False, "--set")
    assert release.migration.duration.source == "--set"
    assert release.architecture.telemetry.source == "r.yaml:4:22"


def test_a_change_may_be_any_way_to_write_a_fact() -> None:
    """unknown, nothing, and an assumption can be set too."""
    assert not changed(architecture__feature_flags="unknown").architecture.feature_flags.is_stated
    assert not changed(architecture__feature_flags="").architecture.feature_flags.is_stated
    assumed = changed(architecture__telemetry="{assume: low, because: as in 2.3}").architecture.telemetry
    assert (assumed.state, assumed.value, assumed.note, assumed.source) == (
        "assumed",
        "low",
        "as in 2.3",
        "--set",
    )


def test_a_change_reaches_into_lists_by_index_and_by_name() -> None:
    """An entry of a list is named by its number, its name or its id; free keys can be set."""
    by_name = changed(kpis__errors__tolerance="2", stakeholders__groups__Bern__users="5")
    assert by_name.kpis[0].tolerance == 2
    assert by_name.stakeholders.groups[0].users == 5
    assert changed(kpis__0__signal__url="b").kpis[0].signal.options() == {"url": "b"}
    assert changed(agreements__approvers="[ann, bob]").agreements.approvers == ("ann", "bob")
    assert changed(release__version="3.10").release.version == "3.10"


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("architecture.feature_flag", "1", "did you mean 'architecture.feature_flags'?"),
        ("feature_flags", "true", "did you mean 'architecture.feature_flags'?"),
        ("architecture.feature_flags", "flase", "did you mean 'false'?"),
        ("architecture.feature_flags.value", "true", "is one fact and is set as a whole"),
        ("kpis.erors.tolerance", "2", "did you mean 'errors'?"),
        ("kpis.7.tolerance", "2", "this list has no entry '7'; its entries are 'errors'"),
        ("agreements.approvers.0", "ann", "this list has no entry '0'; it has 0 entries"),
        ("goals", "{urgency: high", "this '{' has no '}'"),
        ("goals", "{urgency: high, urgency: low}", "the key 'urgency' stands twice in this mapping; keep"),
        ("release.version", "", "has no value"),
        ("rollout.shares", "[0.5, 0.1]", "write the shares in rising order"),
        ("", "1", "there is no such key"),
    ],
)
def test_a_change_that_cannot_be_made_is_told(path: str, value: str, words: str) -> None:
    """An unknown path or a misfit names --set and the path, and suggests what may be meant."""
    with pytest.raises(ReleaseFileError) as caught:
        parse_release(BASE, "r.yaml", changes={path: value})
    (problem,) = caught.value.problems
    assert problem.headline.startswith(f"--set: {path}"[:20])
    assert words in problem.headline
    assert (problem.file, problem.line) == ("--set", 0)
    assert problem.snippet == ""


def test_a_change_does_not_hide_what_is_wrong_in_the_file() -> None:
    """Problems of both are told together, and a wrong file value is mended by a change."""
    text = BASE + "goals: 3\n"
    assert [line[:16] for line in told(text, goals__urgency="low", kpi="1")] == [
        "--set: goals.urg",
        "--set: kpi: ther",
        "r.yaml:8:8: goal",
    ]
    assert parse_release(text, "r.yaml", changes={"goals": "{urgency: low}"}).goals.urgency.value == "low"


def test_loading_changes_nothing_that_was_given() -> None:
    """The same text and changes give the same release, again and again."""
    changes = {"architecture.telemetry": "low"}
    first, second = (parse_release(BASE, "r.yaml", changes=changes) for _ in range(2))
    assert first == second
    assert changes == {"architecture.telemetry": "low"}
    assert [path for path, _ in stated_facts(first)] == [
        "architecture.telemetry",
        "architecture.feature_flags",
    ]


def test_the_parser_is_imported_only_when_a_file_is_read() -> None:
    """Whoever needs no file does not pay for ruamel."""
    code = "import sys, rollway.facts; print(any(name.startswith('ruamel') for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
