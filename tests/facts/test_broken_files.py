"""Broken release files: what a person is told, and where."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from rollway.facts import ReleaseFileError, load_release

BROKEN = Path(__file__).parent / "broken"

# file -> for each problem: place, path, and what the message must hold
TOLD: dict[str, list[tuple[str, str, str]]] = {
    "alias_bomb": [("9:14", "", "aliases of this file make more than 200,000 values")],
    "at_odds": [
        ("5:12", "backlog.items.1.id", "'7' is also the id of backlog.items.0"),
        ("9:14", "stakeholders.groups.1.name", "'Bern' is also the name of stakeholders.groups.0"),
        ("9:30", "stakeholders.groups.1.timezone", "did you mean 'Europe/Zurich'?"),
        ("12:30", "agreements.windows.0.closes", "opens and closes at 22:00, so it is never open"),
        ("14:33", "agreements.freezes.0.last", "ends on 2026-12-18, before its first day 2027-01-04"),
        ("15:23", "agreements.approvals_required", "2 approvals are required, and only 1 person may"),
        ("19:12", "kpis.1.name", "'errors' is also the name of kpis.0"),
        ("20:45", "kpis.2.direction", "a latency has no direction"),
        ("21:48", "kpis.3.objective", "an assignment has no objective"),
        ("23:22", "rollout.shares.2", "0.5 is no more than the share before it"),
    ],
    "bad_date": [("3:13", "goals.deadline", "'2026-02-30' is not a day of the calendar")],
    "bad_duration": [
        ("3:9", "rollout.bake", "30 is not a duration; write the unit too, such as '30m'"),
        ("4:13", "rollout.patience", "'2 hours' is not a duration; write a duration such as"),
    ],
    "bad_time_zone": [("6:17", "agreements.windows.0.timezone", "did you mean 'Europe/Zurich'?")],
    "bucket_bounds": [
        ("3:43", "kpis.0.buckets.0", "0 is too small: it must be more than 0"),
        ("4:50", "kpis.1.buckets.1", "'.inf' is not a number"),
    ],
    "buckets": [
        ("3:41", "kpis.0.buckets", "a rate has no buckets; remove them, or make it a latency"),
        (
            "4:42",
            "kpis.1.buckets",
            "do not rise: 0.5 is followed by 0.25; write them in seconds and in",
        ),
    ],
    "colon_in_text": [("4:17", "", "a ':' stands inside a text; put the text in quotes")],
    "cyclic": [("4:13", "", "'*target' stands inside '&target'")],
    "during": [
        ("5:14", "kpis.0.during.0", "'paralel' is not one of pilot, phased, parallel, canary, everyone; did"),
        ("9:13", "kpis.1.during", "'parallel' stands where a list belongs; write [parallel]"),
        ("13:14", "kpis.2.during.0", "'big_bang' is not one of"),
    ],
    "duplicate_key": [("4:3", "", "the key 'name' stands twice in this mapping, first in line 2")],
    "empty": [("", "", "this file is empty; `rollway init`")],
    "empty_name": [("2:3", "release.name", "has no value")],
    "german_date": [("4:15", "agreements.freezes.0.first", "write year-month-day, such as 2026-11-05")],
    "half_a_fact": [
        ("3:18", "architecture.feature_flags", "neither 'value' nor 'assume'"),
        ("4:29", "architecture.telemetry", "'source' does not go with 'assume'; 'because' does"),
        ("5:26", "architecture.traffic_split", "write unknown for what is not known yet"),
    ],
    "indentation": [("3:3", "", "not indented like its neighbours")],
    "key_in_another_section": [("4:3", "goals.feature_flags", "'feature_flags' belongs to architecture")],
    "kind": [
        (
            "4:11",
            "kpis.0.kind",
            "'rat' is not one of rate, latency, check, assignment, mean; did you mean 'rate'?",
        )
    ],
    "limit_of_one": [
        (
            "3:39",
            "kpis.0.limit",
            "a limit of 1 says nothing, for no rate is above 100%; write a rate below 1",
        ),
        ("4:65", "kpis.1.limit", "asks for a rate of 100%, which a single miss breaks"),
        ("5:40", "kpis.2.limit", "a limit of 1 says nothing"),
    ],
    "limits": [
        ("3:39", "kpis.0.limit", "0 is too small: it must be more than 0"),
        ("4:41", "kpis.1.limit", "5 is more than 1; a share is written 0 to 1; for 5% write 0.05"),
        ("5:40", "kpis.2.limit", "-0.1 is too small: it must be more than 0"),
    ],
    "missing_key": [("3:5", "kpis.0.signal", "is missing; write signal: {type: …}")],
    "missing_release": [("1:1", "release", "is missing; write release: {name: …, version: …}")],
    "not_a_mapping": [("1:1", "", "and this is a list")],
    "number_as_key": [("4:3", "", 'the key 1 is not text; put it in quotes: "1"')],
    "only_comments": [("", "", "this file is empty")],
    "open_quote": [("2:9", "", "this quote is opened and never closed")],
    "percent": [
        ("3:12", "rollout.shares.0", "10 is more than 1; a share is written 0 to 1; for 10% write 0.1"),
        ("3:16", "rollout.shares.1", "'50%' is not a number; 50% is written 0.5"),
    ],
    "python_tag": [("3:14", "", "tags such as '!!python/object/apply:os.getcwd' are not used here")],
    "tab": [("3:1", "", "a tab indents this line; indent with spaces")],
    "two_documents": [("2:1", "", "a second document begins here")],
    "unknown_key": [("4:3", "release.titel", "there is no such key; did you mean 'title'?")],
    "wrong_type": [("5:10", "stakeholders.users", "'many' is not a whole number")],
}


@pytest.mark.parametrize("name", TOLD)
def test_each_broken_file_is_told_with_its_place(name: str) -> None:
    """Every problem of a file is told at once: where it stands, what it is about, what may be meant."""
    path = str(BROKEN / f"{name}.yaml")
    with pytest.raises(ReleaseFileError) as caught:
        load_release(path)
    problems = caught.value.problems
    told = [(f"{one.line}:{one.column}" if one.line else "", one.path) for one in problems]
    assert told == [(place, where) for place, where, _ in TOLD[name]]
    for problem, (place, where, words) in zip(problems, TOLD[name], strict=True):
        assert words in problem.headline
        assert problem.headline.startswith(":".join(filter(None, (path, place))) + ": ")
        assert where in problem.headline
        assert problem.headline in str(caught.value)


def test_every_broken_file_has_its_expectation() -> None:
    """No file lies in the folder without being looked at."""
    assert {path.stem for path in BROKEN.glob("*.yaml")} == set(TOLD)


def refused(path: Path | str) -> str:
    with pytest.raises(ReleaseFileError) as caught:
        load_release(path)
    (problem,) = caught.value.problems
    return problem.headline


def test_what_is_no_readable_file_is_told(tmp_path: Path) -> None:
    """A missing file, a folder and a name that cannot be one are told in plain words."""
    assert f"{tmp_path}/no.yaml: there is no such file; `rollway init`" in refused(tmp_path / "no.yaml")
    assert f"{tmp_path}: this is a directory" in refused(tmp_path)
    assert "this is not the name of a file" in refused("")
    assert "this is not the name of a file" in refused("a\0b")
    assert "cannot be read: not a directory" in refused(Path(__file__) / "release.yaml")
    assert "cannot be read: file name too long" in refused("x" * 5000)


def test_a_file_without_permission_is_told(tmp_path: Path) -> None:
    """A file that the person may not read is told as such."""
    path = tmp_path / "secret.yaml"
    path.write_text("release: {name: x}")
    path.chmod(0)
    me = os.geteuid()
    if me == 0:  # root may read everything, so it steps down for a moment
        os.seteuid(65534)
    try:
        told = refused(path)
    finally:
        os.seteuid(me)
    assert "this file may not be read by you" in told


def test_what_is_not_utf8_is_told_with_its_place(tmp_path: Path) -> None:
    """Latin-1, UTF-16 and binary files are told apart, and the first bad byte has a place."""
    latin, utf16, binary = (tmp_path / name for name in ("latin.yaml", "utf16.yaml", "binary.yaml"))
    latin.write_bytes("release:\r\n  name: x\r\n  team: Zürich\r\n".encode("latin-1"))
    utf16.write_bytes("release: {name: x}".encode("utf-16"))
    binary.write_bytes(b"\x7fELF\0\0\1")
    assert f"{latin}:3:10: the byte 0xfc is not UTF-8 text; save it as UTF-8" in refused(latin)
    assert "this file is UTF-16 text; save it as UTF-8" in refused(utf16)
    assert "this is not a text file" in refused(binary)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """The size alone refuses a file of a terabyte; one with too many lines is refused unparsed."""
    huge, endless = tmp_path / "huge.yaml", tmp_path / "endless.yaml"
    with huge.open("wb") as file:
        file.truncate(10**12)  # a sparse file: it takes no room, and no time unless it is read
    endless.write_text("release:\n" + "  # a line\n" * 20_001)
    begun = time.monotonic()
    assert "this file is larger than 10 MB" in refused(huge)
    assert "this file has 20,002 lines; a release file has at most 20,000" in refused(endless)
    assert "this file is larger than 10 MB" in refused("/dev/zero")
    assert time.monotonic() - begun < 5


def test_a_large_text_is_no_reason_to_refuse_a_file(tmp_path: Path) -> None:
    """Five megabytes of honest text load: the bound is on lines and values, not on words."""
    path = tmp_path / "large.yaml"
    line = "    Reports open as charts, and are made in one pass over the sales. " * 4
    summary = "".join(f"{line}\n" for _ in range(5_000_000 // len(line)))
    path.write_text(f"release:\n  name: reporting\n  version: 1\n  summary: |\n{summary}")
    assert len(load_release(path).release.summary) > 4_900_000


@pytest.mark.parametrize(
    "text",
    [
        "a: [" + "a, " * 1_000_000,
        "[" * 100_000,
        "- " * 100_000,
        "a: " + "!" * 5_000_000,
        "a: " + "".join(f"&a{i} " for i in range(1000)),
    ],
    ids=["values", "brackets", "dashes", "tag", "anchors"],
)
def test_hostile_texts_are_refused_in_seconds(text: str, tmp_path: Path) -> None:
    """What would keep the parser busy for minutes is refused while it is being read."""
    path = tmp_path / "hostile.yaml"
    path.write_text(text)
    begun = time.process_time()
    refused(path)
    assert time.process_time() - begun < 8
