"""Runbooks as YAML: nothing lost, places of errors, and one reading by two readers."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.runbook.books import large_yaml
from planning.runbook.strategies import runbooks
from rollway.facts.problems import ReleaseFileError
from rollway.planning.runbooks import Runbook, RunbookError, make_schedule, read_yaml, write_yaml
from rollway.planning.runbooks.yaml_in import raw_of_node, raw_of_shape
from rollway.planning.runbooks.yaml_plain import plain_shape

HEAD = "runbook:\n  title: A\n  timezone: Europe/Berlin\n  start: 2027-03-27T22:00\npeople:\n  - id: ann\n"
TASK = "tasks:\n  - id: a\n    phase: during\n    title: A\n    owner: ann\n    duration: 5m\n"


def fault(text: str) -> str:
    with pytest.raises(RunbookError) as caught:
        read_yaml(text, "night.yaml")
    return "\n".join(str(finding) for finding in caught.value.findings)


@settings(max_examples=150, deadline=None)
@given(runbooks())
def test_what_is_written_is_read_again(runbook: Runbook) -> None:
    """The same runbook comes back, and its text is the same byte for byte."""
    text = write_yaml(runbook)
    again, _ = read_yaml(text, "x")
    assert again == runbook
    assert write_yaml(again) == text


@settings(max_examples=150, deadline=None)
@given(runbooks())
def test_both_readers_read_the_same(runbook: Runbook) -> None:
    """What the quick reader takes, it takes as the full parser does, places and all."""
    text = write_yaml(runbook)
    shape = plain_shape(text, "x")
    if shape is not None:
        assert raw_of_shape(shape, "x") == raw_of_node(text, "x")


_LINES = """\
runbook:~tasks:~people:~  - id: a~    title: b~    note: c # d~    note: x:y~    note: x: y~    note: |-
      two~~       three~    note:~      - one~    after: [a, b]~    after: []~    after: [a, ]~    note: 'q'
    note: "q\\n\\u00e9"~  title: t~# remark~   bad~    note: null~    note: -~    note: - x~    team: a:
    note: &x y~    note: *x~    x-own: 1.10~  - id: b~      # inside~  ~  -~---~    note: [a b, c]~    team: |
    note: {a: b}~    note: é~    note: a#b~    team: yes~  start: 2027-03-27T22:00~    - x
    team: %a~    team: @a~    team: a-b~    tells: ~      - two words~      - "b"~      -~    link: "a" b
    tells: "a~b"
    link: a, b] c~    link: http://a/b?c=d#e~    tells:   three~    team: (a)~    link: a "b" c"""


@settings(max_examples=600, deadline=None)
@given(
    st.sampled_from(
        ["tasks:\n  - id: a", "runbook:\n  title: a", "tasks:\n  - id: a\n    note: |-\n      b"]
    ),
    st.lists(st.sampled_from(_LINES.replace("~", "\n").split("\n")), max_size=6),
)
def test_the_quick_reader_never_reads_otherwise(start: str, lines: list[str]) -> None:
    """On any mixture of lines it steps aside or agrees with the full parser."""
    text = "\n".join([start, *lines, ""])
    shape = plain_shape(text, "x")
    if shape is None:
        return
    assert raw_of_shape(shape, "x") == raw_of_node(text, "x")


@pytest.mark.parametrize("style", ["plain", "quoted"])
def test_errors_have_file_line_and_column(style: str) -> None:
    """In the quick shape and outside of it, the place is that of the value that is wrong."""
    text = HEAD + TASK.replace("5m", "5" if style == "plain" else "'5'")
    assert (
        fault(text)
        == "night.yaml:12:15: tasks.a.duration: write a duration such as '90s', '15m', '2h', '3d' or '1h30m'"
    )


def test_every_error_is_told_at_once() -> None:
    """Three lines are wrong, three errors come."""
    text = HEAD + TASK.replace("during", "durin").replace("5m", "soon") + "    onwer: bob\n"
    told = fault(text)
    assert "did you mean 'during'?" in told
    assert "night.yaml:12:15" in told
    assert "there is no column 'onwer'; did you mean 'owner'?" in told


def test_what_a_network_lacks_is_placed_too() -> None:
    """An unknown predecessor is shown where it is written."""
    assert fault(HEAD + TASK + "    after: [b]\n").startswith(
        "night.yaml:13:12: tasks.a.after: there is no task 'b'"
    )


def test_an_id_stands_once() -> None:
    """The second place is told with the first one."""
    told = fault(HEAD + TASK + TASK.removeprefix("tasks:\n"))
    assert told.startswith("night.yaml:13:9: tasks.a: this id stands twice, first at night.yaml:8:9")


def test_own_columns_are_kept() -> None:
    """`x-cost` says something to its owner and nothing to us."""
    runbook, _ = read_yaml(HEAD + TASK + "    x-cost: 1.10\n", "x")
    assert runbook.tasks[0].extra == (("x-cost", "1.10"),)
    assert 'x-cost: "1.10"' in write_yaml(runbook)


def test_an_unknown_section_is_refused() -> None:
    """A slip in a section's name does not lose the section."""
    assert "did you mean 'tasks'?" in fault(HEAD + TASK.replace("tasks:", "taks:"))


@pytest.mark.parametrize(
    "text", ["", "a", "- b", "runbook: 5", "tasks: {a: b}", "tasks:\n  - 5", "tasks: [[a]]"]
)
def test_what_is_no_runbook_is_refused(text: str) -> None:
    """Any YAML that is something else ends in an error, never in a traceback."""
    assert fault(text)


def test_broken_yaml_is_told_with_its_place() -> None:
    """Syntax errors come from the parser, in plain words."""
    with pytest.raises(ReleaseFileError, match=r"x:2:"):
        read_yaml("runbook:\n  title: 'a\n", "x")


@pytest.mark.parametrize(
    ("start", "words"),
    [("2027-03-28T02:30", "skip this time"), ("2027-10-31T02:30", "twice"), ("soon", "write a moment")],
)
def test_a_start_that_is_no_moment_is_refused(start: str, words: str) -> None:
    """Hours that do not exist, exist twice, or are none."""
    assert words in fault(HEAD.replace("2027-03-27T22:00", start) + TASK)


def test_an_offset_tells_the_two_apart() -> None:
    """With its offset, the hour that comes twice is one moment, and is written so that it stays it."""
    first, second = (
        read_yaml(HEAD.replace("2027-03-27T22:00", f"2027-10-31T02:30{offset}") + TASK, "x")[0]
        for offset in ("+02:00", "+01:00")
    )
    assert (second.start - first.start).total_seconds() == 3600
    assert read_yaml(write_yaml(second), "x")[0] == second


def test_a_thousand_tasks_are_read_checked_and_timed_in_a_second() -> None:
    """The quickest of three runs, so that a busy neighbour does not decide."""
    text, runs = large_yaml(), []
    for _ in range(3):
        begun = time.perf_counter()
        runbook, _ = read_yaml(text, "x")
        make_schedule(runbook)
        runs.append(time.perf_counter() - begun)
    assert len(runbook.tasks) == 1000
    assert min(runs) < 1.0
