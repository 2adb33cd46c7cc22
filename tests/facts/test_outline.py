"""The list of everything a release says, and of what it leaves open."""

from __future__ import annotations

from pathlib import Path

from rollway.facts import all_facts
from rollway.facts.extends import parse_written
from rollway.facts.load import load_written
from rollway.facts.outline import Line, outline
from rollway.facts.problems import SourceText

TEXT = """\
release: {name: x, version: 2.10, size: small}
backlog:
  items:
    - {id: A-1, title: Report page, accepted: true, touches: [ui]}
    - {id: A-2, title: Filters}
    - {id: A-3, title: Totals, accepted: unknown}
migration: {duration: 90m, needed: {assume: true, because: as in 2.3}}
agreements:
  approvers: [ines]
  freezes: [{first: 2026-12-18, last: 2027-01-04}]
rollout: {bake: 30m}
"""


def lines(text: str = TEXT) -> dict[str, Line]:
    loaded = load_written(parse_written(SourceText("r.yaml", text)))
    return {line.path: line for line in outline(loaded)}


def test_every_fact_is_listed_once() -> None:
    """Known, assumed or unknown, in the models' order."""
    loaded = load_written(parse_written(SourceText("r.yaml", TEXT)))
    listed = [line.path for line in outline(loaded)]
    assert len(listed) == len(set(listed))
    facts = [path for path, _ in all_facts(loaded.release)]
    assert [path for path in listed if path in set(facts)] == facts


def test_a_fact_has_value_state_source_and_note() -> None:
    """As they stand in the file."""
    found = lines()
    assert found["migration.duration"] == Line("migration.duration", "1h30m", "known", "r.yaml:7:23")
    needed = found["migration.needed"]
    assert (needed.told(), needed.state, needed.note) == ("yes", "assumed", "as in 2.3")
    assert (found["migration.rehearsed"].state, found["migration.rehearsed"].source) == (
        "unknown",
        "not stated",
    )


def test_an_entry_is_one_line_and_its_open_questions_are_others() -> None:
    """By the name that `--set` knows it by."""
    found = lines()
    assert found["backlog.items.A-1"].told() == "Report page; accepted yes; touches ui"
    assert found["backlog.items.A-1"].source == "r.yaml:4:7"
    assert "backlog.items.A-1.accepted" not in found
    assert found["backlog.items.A-2.accepted"].source == "not stated"
    assert found["backlog.items.A-3.accepted"].source == "r.yaml:6:42"
    assert found["agreements.freezes.0"].told().startswith("first 2026-12-18; last 2027-01-04")


def test_plain_values_have_their_place_and_defaults_say_so() -> None:
    """What Rollway fills in by itself counts as assumed; a wish that nobody has is no open question."""
    found = lines()
    assert found["release.version"].told() == "2.10"
    assert found["agreements.approvers"].told() == "ines"
    required = found["agreements.approvals_required"]
    assert (required.value, required.state, required.source) == (1, "assumed", "Rollway's default")
    assert found["goals.objective"].state == "unknown"
    assert found["rollout.bake"].value == "30m"
    assert "rollout.method" not in found


def test_the_example_is_listed_with_all_its_kinds_of_values() -> None:
    """Signals, targets and weights included, each as JSON and as words."""
    path = Path(__file__).parents[2] / "examples" / "reporting" / "release.yaml"
    found = lines(path.read_text())
    assert found["target"].value["flag"] == "new-reporting"
    assert "signal" in found["kpis.errors"].value
    assert found["goals.weights.risk"].told() == "1.5"
    assert all(line.told() for line in found.values())
