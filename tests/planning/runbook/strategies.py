"""Sound runbooks of any content, for properties."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from rollway.planning.runbooks import DataPart, Person, Runbook, Task, UndoStep
from rollway.planning.runbooks.model import UNDATED, StageMark

STAGES = (StageMark("pilot", -600.0), StageMark("night", 0.0, "The night"), StageMark("after", 0.0))
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
_ODD = """=1+1|+x|-2h|@a|null|yes|1.10|007|a: b|a #b|- a|'|"|_x0041_|_x005F_|é…|T-2h|[a]|{b}|&a|*a|%|a,b
2027-03-27|\\n|#|~|a;b|>|!x|?|a \"b\" c|<b>&amp;</b>|---|...|: |0x1F|.5|1e3|TRUE"""
_ODD_TEXTS = (*_ODD.replace("\n", "|").split("|"), "x" * 200, "a\n\n  b\nc", "|-", "a \nb", "a|b", "a\n \nb")
texts = st.sampled_from([text.strip() for text in _ODD_TEXTS]) | st.text(
    st.characters(exclude_categories=("C", "Zl", "Zp"), include_characters="\n"), max_size=30
).map(str.strip)
lines = st.lists(texts.map(lambda text: " ".join(text.split())).filter(bool), max_size=3).map(tuple)
titles = texts.filter(bool)
seconds = st.integers(0, 200_000).map(float) | st.just(0.5)
samples = st.lists(st.integers(1, 90_000).map(float), max_size=3).map(tuple)
extras = st.just(()) | titles.map(lambda text: (("x-cost", text),))


@st.composite
def runbooks(draw: st.DrawFn) -> Runbook:
    """A runbook that passes the check, with whatever texts a person may write."""
    names = ("ann", "b.2", "C-3")
    people = tuple(
        Person(
            name,
            draw(texts),
            draw(texts),
            draw(st.sampled_from(("", *ZONES))),
            draw(texts),
            draw(st.integers(1, 9)),
        )
        for name in names
    )
    undo = tuple(
        UndoStep(
            f"u{n}",
            draw(titles),
            "ann",
            draw(texts),
            draw(texts),
            draw(texts),
            draw(seconds),
            draw(samples),
            draw(texts),
            draw(extras),
        )
        for n in range(draw(st.integers(0, 2)))
    )
    tasks = tuple(_task(draw, n, tuple(step.id for step in undo)) for n in range(draw(st.integers(1, 4))))
    data = tuple(
        DataPart("d", draw(titles), "replay", "ann", draw(texts)) for _ in range(draw(st.integers(0, 1)))
    )
    dated = draw(st.booleans())
    start = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(minutes=draw(st.integers(0, 525_600)))
    start = start if dated else UNDATED
    closes = draw(st.none() | st.integers(1, 100_000).map(lambda n: start + timedelta(seconds=n)))
    return Runbook(
        draw(titles), start, draw(st.sampled_from(ZONES)), tasks, closes, people, undo, data, draw(seconds),
        ("ann", "C-3"), draw(lines), draw(seconds), draw(texts), draw(texts), draw(extras),
        *draw(st.sampled_from([((), ""), (STAGES, "night")])), dated,
    )  # fmt: skip


def _task(draw: st.DrawFn, number: int, undo: tuple[str, ...]) -> Task:
    final = draw(st.booleans())
    after = tuple(f"t.{n}" for n in range(number) if draw(st.booleans()))
    return Task(
        id=f"t.{number}",
        title=draw(titles),
        phase="during",
        owner="b.2",
        section=draw(texts),
        at=draw(st.none() | seconds),
        trigger=draw(texts),
        after=after,
        duration=(usual := draw(seconds)),
        p90=draw(st.none() | seconds.map(lambda more: usual + more)),
        rehearsed=draw(samples),
        backup=draw(st.sampled_from(("", "C-3"))),
        team=draw(texts),
        timezone=draw(st.sampled_from(("", *ZONES))),
        instruction=draw(texts),
        command=draw(texts),
        link=draw(texts),
        expected=draw(texts),
        verification=draw(texts),
        evidence=draw(texts),
        gate=draw(st.booleans()),
        criteria=draw(lines),
        decider="ann",
        reversible=not final,
        undo=() if final else undo,
        tells=draw(texts),
        note=draw(texts),
        extra=draw(extras),
    )
