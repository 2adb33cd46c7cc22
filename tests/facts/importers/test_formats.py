"""Which format a file is, files made to hurt, and what holds for any file."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.facts import parse_release
from rollway.facts.importers import (
    IMPORTERS,
    Given,
    Imported,
    Options,
    UnreadableError,
    combined,
    formats,
    fragment_text,
    import_given,
    read_given,
)
from rollway.facts.importers import given as reading

from .conftest import FIRST, LAST, SAMPLES

Read = Callable[..., Imported]
FORMATS = {
    "CHANGELOG.md": "changelog",
    "backlog.tsv": "csv",
    "cobertura_lines.xml": "cobertura",
    "codeql.sarif": "sarif",
    "coverage_py.xml": "cobertura",
    "freezes.ics": "ical",
    "git_log.txt": "git",
    "git_oneline.txt": "git",
    "github_api.json": "github",
    "github_cli.json": "github",
    "gitlab.csv": "gitlab",
    "gitlab.json": "gitlab",
    "groups.csv": "csv",
    "holidays.ics": "ical",
    "jacoco.xml": "jacoco",
    "jest.xml": "junit",
    "jira.csv": "jira",
    "jira.json": "jira",
    "nested.xml": "junit",
    "pytest.xml": "junit",
    "risiken.csv": "csv",
    "risks.csv": "csv",
    "semgrep.sarif": "sarif",
    "surefire.xml": "junit",
}
OPTIONS = Options(first=FIRST, last=LAST)


def test_every_sample_has_its_expectation() -> None:
    """No file lies in the folder without being recognised."""
    assert {path.name for path in SAMPLES.iterdir()} == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_each_file_is_recognised_by_one_format_alone(name: str) -> None:
    """By its content, whatever it is called; only the general table format may also take a particular one."""
    given = Given("anything", (SAMPLES / name).read_bytes())
    takers = [importer.name for importer in IMPORTERS if importer.recognises(given)]
    assert takers[0] == FORMATS[name]
    assert set(takers[1:]) <= {"csv"}


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_imported_loads(name: str) -> None:
    """The facts of each sample are facts of a release file, and nothing in them is at odds."""
    read = import_given(read_given(str(SAMPLES / name)), OPTIONS)[1]
    text = fragment_text(combined([(name, read)]), [read.told])
    release = parse_release("release: {name: x, version: 1}\n" + text, "facts.yaml")
    assert read.told
    assert release.release.name == "x"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "this file is empty"),
        (b"\x7fELF\0\0\1", "no known format is recognised"),
        (b"hello world\nthis is text\n", "name its format with --as: junit, cobertura"),
        (b"\xd0\xcf\x11\xe0" + bytes(100), "save it as .xlsx or CSV"),
        (b"<html><body>sign in</body></html>", "no known format is recognised"),
        (b'<testsuite><testcase name="a"></testsuite>', "file:1:33: this is not XML: mismatched tag"),
        (b'{"runs": [{"tool": }]}', "file:1:20: this is not JSON: expecting value"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><testsuite>&b;</testsuite>', "this XML declares entities"),
        (b"<testsuite>" + b"<a>" * 100_000, "nested more than 200 levels deep"),
        (b'{"runs": ' + b"[" * 200_000, "nested too deeply"),
        (
            b'Title,Status\n"' + b"x,\n" * 300_000,
            "a cell has more than 200,000 characters; is a quote not closed?",
        ),
        (b"Title,Status\n" + b"x" * 20_000_000, "a cell has more than 200,000 characters"),
        (b"Title,Status" + b"," * 5_000 + b"\n", "more than 2,000 columns"),
    ],
    ids=lambda value: value[:24].decode("latin-1") if isinstance(value, bytes) else None,
)
def test_what_cannot_be_read_is_told_in_seconds(refused: Callable[..., str], data: bytes, told: str) -> None:
    """With its place where it has one, and without taking the machine along."""
    begun = time.process_time()
    assert told in refused(data)
    assert time.process_time() - begun < 5


def test_a_tag_of_megabytes_takes_no_minutes(imported: Read) -> None:
    """Handed over in small pieces it would be read from its start with each of them."""
    begun = time.process_time()
    assert imported(b"<testsuite name='" + b"x" * 10_000_000 + b"'/>").told == "no test"
    assert time.process_time() - begun < 5


def test_a_name_of_a_format_is_a_persons_word(refused: Callable[..., str], imported: Read) -> None:
    """It is not guessed against; one that does not exist is told."""
    assert "this is not XML" in refused("Title,Status\n", "junit")
    assert "there is no such format; did you mean jacoco?" in refused("x", "jacocco")
    assert imported("Title,Owner\nIt is slow,Jo\n", "risks").told == "1 risk"
    assert set(formats()) >= {"junit", "xlsx", "git", "risks", "backlog", "groups"}


def test_files_that_are_not_there_or_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is kept while reading: a pipe tells no size beforehand."""
    with pytest.raises(UnreadableError, match="there is no such file"):
        read_given(str(tmp_path / "no.xml"))
    with pytest.raises(UnreadableError, match="is not the name of a file"):
        read_given("a\0b")
    monkeypatch.setattr(reading, "MAX_BYTES", 1_000_000)
    with pytest.raises(UnreadableError, match=re.escape("larger than 1 MB, the most that is imported")):
        read_given("/dev/zero")


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(FORMATS)), st.data())
def test_a_damaged_file_is_read_or_refused(name: str, data: st.DataObject) -> None:
    """Whatever was cut out, doubled or overwritten: facts that load, or a refusal, and never a traceback."""
    raw = (SAMPLES / name).read_bytes()
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, min(len(raw), start + 200)))
    damaged = raw[:start] + data.draw(st.binary(max_size=8) | st.just(raw[start:end] * 2)) + raw[end:]
    _read_or_refuse(damaged, FORMATS[name])


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """By whatever format they look like."""
    _read_or_refuse(data, "")


def _read_or_refuse(data: bytes, as_name: str) -> None:
    try:
        read = import_given(Given("x", data), OPTIONS, as_name)[1]
    except UnreadableError:
        return
    parse_release("release: {name: x, version: 1}\n" + fragment_text(combined([("x", read)])), "f.yaml")
