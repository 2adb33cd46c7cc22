"""Lists of facts, the hash of a release, and its JSON."""

from __future__ import annotations

import pytest

from rollway.canonical import canonical_json
from rollway.errors import InputError
from rollway.facts import (
    Release,
    all_facts,
    facts_hash,
    parse_release,
    release_from_json,
    release_to_json,
    stated_facts,
)

TEXT = """\
release: {name: reporting, version: "2.4", change: fix}
architecture:
  telemetry: {assume: high, because: as in 2.3}
  feature_flags: unknown
target: {type: sql, source: orders, note: keep}
migration: {duration: 90m}
"""


def parsed(text: str) -> Release:
    return parse_release(text, "r.yaml")


def test_stated_facts_are_the_known_and_the_assumed() -> None:
    """Each comes with its dotted path; unknown ones are only in all_facts."""
    release = parsed(TEXT)
    assert [(path, fact.state) for path, fact in stated_facts(release)] == [
        ("release.change", "known"),
        ("architecture.telemetry", "assumed"),
        ("migration.duration", "known"),
    ]
    paths = [path for path, _ in all_facts(release)]
    assert len(paths) == len(set(paths)) > 60
    assert {"architecture.feature_flags", "done.tests.coverage"} <= set(paths)


def test_the_hash_is_blind_to_places() -> None:
    """Comments, order, layout, file name and ways to write the same value do not make a plan stale."""
    moved = (
        "# a comment\n\n"
        + "\n".join(reversed(TEXT.splitlines()[-2:]))
        + "\n"
        + "\n".join([*TEXT.splitlines()[1:3], *TEXT.splitlines()[:1]]).replace(
            "change: fix", "'change': 'fix', size: unknown"
        )
    )
    assert facts_hash(parsed(moved.replace("90m", "1h30m"))) == facts_hash(parsed(TEXT))
    assert facts_hash(parse_release(TEXT, "other.yaml")) == facts_hash(parsed(TEXT))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("assume: high", "assume: low"),
        ("assume: high, because", "value: high, source"),
        ("as in 2.3", "as in 2.2"),
        ("feature_flags: unknown", "feature_flags: false"),
        ("source: orders", "source: invoices"),
        ("note: keep", "note: drop"),
        ('"2.4"', '"2.5"'),
        ("90m", "91m"),
    ],
)
def test_the_hash_sees_what_the_release_says(old: str, new: str) -> None:
    """Values, states, the words behind an assumption and a target's own keys all count."""
    assert old in TEXT
    assert facts_hash(parsed(TEXT.replace(old, new))) != facts_hash(parsed(TEXT))


def test_json_keeps_everything() -> None:
    """Values, states, sources, notes and free keys survive, as values and as text."""
    release = parsed(TEXT)
    body = release_to_json(release)
    assert release_from_json(body) == release
    assert release_from_json(canonical_json(body)) == release
    assert release_from_json(canonical_json(body).encode()) == release
    assert release_from_json(body).architecture.telemetry.source == "r.yaml:3:23"
    assert body["migration"]["duration"]["value"] == "1h30m"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"release": {"name": "x", "version": "1"}, "more": 1}',
        '{"release": {"name": "x", "version": "1"}, "kpis": [{"weight": NaN}]}',
        '{"release": {"name": "x", "version": "1", "size": {"state": "known"}}}',
        '{"release": {"name": "x", "version": "1", "size": {"state": "unknown", "value": "small"}}}',
        "[" * 100_000,
        b"\xff",
    ],
)
def test_what_is_no_stored_release_is_refused(body: str | bytes) -> None:
    """Broken JSON, unknown keys, NaN and facts that contradict themselves are InputErrors."""
    with pytest.raises(InputError):
        release_from_json(body)
