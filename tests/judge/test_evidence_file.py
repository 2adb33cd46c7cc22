"""Evidence files: what is written is read back, and what is wrong is told with its place."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rollway.errors import InputError
from rollway.judge import (
    Assigned,
    Counts,
    Depths,
    Dispersion,
    GuardRule,
    Histogram,
    Moments,
    Past,
    Reading,
    Rules,
    begin,
    dump,
    load,
    update,
    verdict,
)
from rollway.judge.evidence_file import (
    Look,
    judge_again,
    looks_of,
    read_course,
    read_evidence,
    verdict_line,
    write_evidence,
)

RULES = Rules(
    guards=(
        GuardRule("errors", "rate", tolerance=1.25, dispersion=Dispersion(1.1, 0.01)),
        GuardRule("latency", "latency", say="brake", limit=0.5, limit_seconds=1.0, stages=("one", "two")),
    ),
    margins={"ten": {"errors": 2.0}},
)
HEADER = next(write_evidence(RULES, ()))
GOOD = (
    '{"reading": {"kpi": "errors", "start": 0, "end": 10.5, "stage": "ten", "share": 0.1,'
    ' "candidate": {"trials": 10, "bad": 1}}}'
)

counts = st.integers(0, 2**53)
finite = st.floats(-1e300, 1e300)
samples = st.one_of(
    st.none(),
    st.builds(Counts, counts, counts),
    st.builds(Assigned, counts),
    st.builds(Moments, counts, finite, finite, finite),
    st.builds(Past, st.lists(finite, max_size=3).map(tuple)),
    st.builds(Depths, counts, st.lists(counts, max_size=3).map(tuple)),
    st.builds(Histogram, st.lists(finite, max_size=3).map(tuple), st.lists(counts, max_size=3).map(tuple)),
)
readings = st.builds(
    Reading,
    st.text(st.characters(exclude_categories=("Cs",)), max_size=8),
    finite,
    finite,
    st.sampled_from(["ten", "half"]),
    st.floats(0, 1),
    samples,
    samples,
    st.sampled_from([None, "source_down", "implausible"]),
    st.none() | finite,
    st.none() | finite,
    st.booleans(),
)
looks = st.builds(Look, finite, st.sampled_from(["ten", "half"]), st.floats(0, 1))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(readings, looks), max_size=3).map(tuple))
@example((Look(1.0, "one\u2028two\x85three", 0.1),))
def test_what_is_written_is_read_back(course: tuple[Reading | Look, ...]) -> None:
    """Any rules, readings and looks, in their order and to the last bit."""
    lines = list(write_evidence(RULES, course))
    assert read_course("\n".join(lines), "e.jsonl") == (RULES, course)
    assert list(write_evidence(*read_course(lines, "e.jsonl"))) == lines
    assert read_evidence(lines, "e.jsonl")[1] == [one for one in course if isinstance(one, Reading)]


def test_the_judge_says_the_same_from_a_file(service: Any) -> None:
    """Verdicts that came from a state saved after each tick, and those from the file, are the same bytes."""
    state, said, course = begin(RULES), [], list[Reading | Look]()
    for number in range(30):
        service.errors_times = 6.0 if number > 15 else 1.0
        batch = [one for one in service.tick("ten", 0.1) if one.kpi != "logins"]
        late = [replace(batch[0], end=batch[0].end - 5)] if number % 7 == 3 else []
        state = load(RULES, json.loads(json.dumps(dump(update(RULES, state, batch + late)))))
        look = Look(service.at + 0.25, "ten", 0.1)
        said.append(verdict_line(verdict(RULES, state, now=look.now, stage=look.stage, share=look.share)))
        course += [*batch, *late, look]
    rules, read = read_course("\n".join(write_evidence(RULES, course)), "e.jsonl")
    assert [verdict_line(one) for one in judge_again(rules, read)] == said
    assert '"kind":"harmful"' in said[-1]


def test_without_looks_each_end_is_one() -> None:
    """A file of readings alone is judged at the end of each."""
    rules, course = read_course(f"{HEADER}\n{GOOD}\n{GOOD.replace('10.5', '20')}", "e.jsonl")
    assert [one.at for one in judge_again(rules, course)] == [10.5, 20]
    assert looks_of(course) == (Look(10.5, "ten", 0.1), Look(20, "ten", 0.1))
    assert looks_of((*course, Look(30, "half", 0.5))) == (Look(30, "half", 0.5),)


@pytest.mark.parametrize(
    ("line", "place", "told"),
    [
        (GOOD.replace('"stage"', '"stagee"'), "e.jsonl:2", "did you mean 'stage'?"),
        (GOOD.replace('"trials"', '"trails"'), "e.jsonl:2", "did you mean 'trials'?"),
        (GOOD.replace('"reading"', '"readings"'), "e.jsonl:2", "did you mean 'reading'?"),
        (GOOD.replace("10.5", "NaN"), "e.jsonl:2", "NaN is no number"),
        (GOOD.replace("10.5", "-Infinity"), "e.jsonl:2", "-Infinity is no number"),
        (GOOD.replace("10.5", "1e999"), "e.jsonl:2", "reading.end is a number"),
        (GOOD.replace("10.5", '"soon"'), "e.jsonl:2", 'reading.end is a number, not "soon"'),
        (GOOD.replace("10.5", "true"), "e.jsonl:2", "reading.end is a number, not true"),
        (GOOD.replace('"end": 10.5, ', ""), "e.jsonl:2", "reading lacks end"),
        (GOOD.replace('"start": 0', '"start": 0, "start": 1'), "e.jsonl:2", "'start' is given twice"),
        (GOOD[:-1], "e.jsonl:2:", "not JSON"),
        ("[1]", "e.jsonl:2", "object in braces"),
        ("[" * 100_000, "e.jsonl:2", "nested too deeply"),
        (GOOD.replace("10.5", "1" * 5000), "e.jsonl:2", "too many digits"),
        ('{"look": {"now": 1, "stage": 7, "share": 0}}', "e.jsonl:2", "look.stage is a text, not 7"),
        ('{"look": {"now": 1, "stage": "\\ud800", "share": 0}}', "e.jsonl:2", "look.stage is a text"),
        (
            GOOD.replace('"share": 0.1', '"share": 0.1, "problem": "source_dwn"'),
            "e.jsonl:2",
            "did you mean 'source_down'?",
        ),
    ],
)
def test_a_wrong_line_is_told_with_its_place(line: str, place: str, told: str) -> None:
    """File and line, what is wrong, and what was probably meant."""
    with pytest.raises(InputError) as caught:
        read_course(f"{HEADER}\n{line}", "e.jsonl")
    assert caught.value.message.startswith(place)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("", "the file is empty"),
        ('{"format": "rollway.evidence/2"}', "rollway.evidence/1"),
        ('{"format": "rollway.evidence/1"}', "the first line lacks rules"),
        (HEADER.replace('"tolerance"', '"tolerence"', 1), "did you mean 'tolerance'?"),
        (HEADER.replace('"alpha":0.01', '"alpha":7'), "alpha is 7"),
        (HEADER.replace('"floor"', '"flor"', 1), "did you mean 'floor'?"),
    ],
)
def test_wrong_rules_are_told(header: str, told: str) -> None:
    """Another format, a missing part, a misspelt field, and rules that cannot be judged by."""
    with pytest.raises(InputError) as caught:
        read_course(header, "e.jsonl")
    assert told in str(caught.value)


def test_what_is_not_finite_is_not_written() -> None:
    """A file never holds NaN, so whoever reads it need not think of it."""
    with pytest.raises(InputError, match="line 2 of the evidence"):
        list(write_evidence(RULES, [Look(math.nan, "ten", 0.1)]))
