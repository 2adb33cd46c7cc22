"""Why a rollout is where it is: a release manager at 22:00 reads it and knows what to do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollway.app.explaining import explain
from rollway.app.explaining_end import otherwise
from rollway.app.explaining_entry import explain_entry
from rollway.app.telling import Line, Section
from rollway.app.views import WHOLE, rollout_view
from rollway.app.waiting import closes_at
from rollway.errors import NotFoundError, TemporaryError
from rollway.facts.model import WEEKDAYS, Freeze, Window
from rollway.planning import Plan
from rollway.planning.windows import window_state
from rollway.rollout import Collected, Cursor, Interval, Signal
from support.nights import bare, counted, example_plan
from support.stories import canary, stage
from web.story import Story

NOON = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)


def told(story: Story, rollout: str) -> dict[str, Section]:
    view = rollout_view(story.rollway, rollout, entries=WHOLE)
    found = explain(story.rollway.load(rollout).plan, view, story.now)
    return {section.id: section for section in found}


def words_of(section: Section) -> str:
    return "\n".join(_words(line) for line in section.lines)


def _words(line: Line) -> str:
    return "\n".join((line.text, *(f"{label}: {text}" for label, text in line.rows), *line.commands))


def of_entry(story: Story, rollout: str, kind: str, *, newest: bool = True) -> str:
    view = rollout_view(story.rollway, rollout, entries=WHOLE)
    numbers = sorted(entry["n"] for entry in view["record"] if entry["kind"] == kind)
    number = numbers[-1 if newest else 0]
    sections = explain_entry(story.rollway.load(rollout).plan, view, number)
    return "\n".join(f"{section.title}\n{words_of(section)}" for section in sections)


# --- what it waits for ------------------------------------------------------------------------------


def test_an_open_gate_says_who_and_what_to_type(story: Story) -> None:
    """The gate, those who can meet it, and the command with the rollout's own name; met, it is gone."""
    plan = example_plan().model_copy(update={"windows": ()})
    story.rollway.approve(plan, "ines")
    rollout = story.rollway.start(plan, "jon")
    story.tick(rollout, 6)
    waits = words_of(told(story, rollout)["waits"])
    gates = [gate for gate in rollout_view(story.rollway, rollout)["gates"] if not gate["is_met"]]
    first = next(gate for gate in gates if gate["stage"] == "10-percent")
    assert f"rollway task confirm {rollout} {first['id']}" in waits
    assert " or ".join(first["who"]) in waits
    assert first["id"] in words_of(told(story, rollout)["people"])
    for gate in gates:
        reason = "" if gate["minimum"] is None else "100% reached"
        story.rollway.say(rollout, "confirm", "jon", reason, gate["id"])
    story.tick(rollout, 3)
    assert "task confirm" not in words_of(told(story, rollout)["waits"])


def test_evidence_that_is_there_is_not_waited_for(story: Story) -> None:
    """Where only a gate is open, a verdict that is given is no reason to wait."""
    plan = example_plan().model_copy(update={"windows": ()})
    story.rollway.approve(plan, "ines")
    rollout = story.rollway.start(plan, "jon")
    story.tick(rollout, 8)
    kinds = {line.data["kind"] for line in told(story, rollout)["waits"].lines}
    assert kinds == {"gate"}


def test_a_closed_window_says_when_it_opens_here_and_in_utc(story: Story) -> None:
    """The next opening stands in the plan's own time zone and in UTC, with how long that is."""
    story.now = NOON
    rollout = story.start(example_plan())
    story.tick(rollout, 3)
    windows = words_of(told(story, rollout)["windows"])
    assert "opens: Thu 2026-11-19 20:00 CET (19:00 UTC), in 6 h 59 min" in windows
    assert "10% of users" in windows


def test_an_open_window_says_when_it_closes(story: Story) -> None:
    """At 21:30 in Berlin the window of 20:00 to 06:00 closes the next morning."""
    rollout = story.start(example_plan())
    story.tick(rollout, 3)
    assert "closes: Fri 2026-11-20 06:00 CET (05:00 UTC)" in words_of(told(story, rollout)["windows"])


def test_a_rollout_that_nobody_carries_out_says_so_first(story: Story) -> None:
    """A stopped server is the first thing to be told, before every reason of the plan's."""
    rollout = story.start(bare())
    story.tick(rollout, 4)
    assert "Nobody carries it out" not in words_of(told(story, rollout)["where"])
    story.now += timedelta(minutes=10)
    where = words_of(told(story, rollout)["where"])
    assert "Nobody carries it out: the last look at it was 10 min ago" in where
    assert "rollway serve" in where


# --- the judge and what would make it go back -------------------------------------------------------


def test_an_open_gate_of_evidence_says_how_far_it_is(story: Story) -> None:
    """Margin, the band's end, evidence of safety, requests and minutes still needed; each with its number."""
    story.world.old["errors"] = story.world.new["errors"] = 0.01
    rollout = story.start(bare())
    said: dict[str, Any] = {}
    for _ in range(60):
        story.tick(rollout)
        verdict = rollout_view(story.rollway, rollout)["verdict"] or {"guards": ()}
        said = next((one for one in verdict["guards"] if one["needed_trials"] and one["ratio_high"]), {})
        if said:
            break
    line = next(one for one in told(story, rollout)["verdict"].lines if one.data.get("kpi") == said["kpi"])
    rows = dict(line.rows)
    assert f"below {said['margin']:.2f}× of the old version's" in rows["to be shown"]
    assert f"upper end is {said['ratio_high']:.2f}× now" in rows["to be shown"]
    assert "of 20 needed" in rows["evidence of safety"]
    assert "more of the new version's requests" in rows["still needed"]
    assert "at the present traffic" in rows["still needed"]


def test_what_would_make_it_go_back_has_its_numbers(story: Story) -> None:
    """Evidence of harm now and where it goes back, the limits, the policy, and anybody's word."""
    rollout = story.start(bare())
    story.tick(rollout, 8)
    back = told(story, rollout)["back"]
    assert back.lines[0].data["harm_threshold"] == 100
    text = words_of(back)
    assert "100 takes it back by itself" in text
    assert "errors: clearly above 40%" in text
    assert f"rollway rollback {rollout} --because TEXT" in text


def test_blindness_names_its_cause_and_where_to_look(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source, what it said, where to look, and what happens if it lasts."""
    rollout = story.start(bare())
    story.tick(rollout, 5)
    monkeypatch.setattr(story.world, "signal", lambda rollout, guard: Silent())
    story.tick(rollout, 2)
    blind = words_of(told(story, rollout)["blind"])
    assert "errors: the source of its numbers does not answer" in blind
    assert "source: scrape" in blind
    assert "it says: connection refused" in blind
    assert "then: it goes back after 20 s of it" in blind


class Silent(Signal):
    def collect(self, cursor: Cursor | None, interval: Interval) -> Collected:
        raise TemporaryError("connection refused")


# --- the way back -----------------------------------------------------------------------------------


def test_past_the_point_of_no_return_nothing_takes_it_back(story: Story) -> None:
    """It says with what the way was closed, and does not offer a rollback that would be refused."""
    plan = bare()
    stages = tuple(one.model_copy(update={"reversible": one.id == "baseline"}) for one in plan.stages)
    rollout = story.start(plan.model_copy(update={"stages": stages}))
    story.tick(rollout, 2)
    assert "open until '10% of users' begins" in words_of(told(story, rollout)["clock"])
    story.tick(rollout, 8)
    sections = told(story, rollout)
    assert "point of no return was passed with '10% of users'" in words_of(sections["clock"])
    assert "rollway rollback" not in words_of(sections["back"])
    assert "take it back" not in words_of(sections["people"])


# --- how it ended -----------------------------------------------------------------------------------


def test_a_release_taken_back_on_evidence_says_what_would_have_kept_it(story: Story) -> None:
    """The entry, the rule, the threshold against the evidence, and the KPI with both arms' figures."""
    story.world.new["errors"] = 0.1
    rollout = story.start(bare())
    story.tick_until(rollout, lambda state: state.is_final)
    ended = words_of(told(story, rollout)["ended"])
    assert "Harmful once the weighted average of all evidence of harm reaches 100" in ended
    assert "had to stay below 100" in ended
    assert "errors: up to 1.25× of the old version's figure is tolerated" in ended
    assert "; ratio by interval " in ended
    assert "waits" not in told(story, rollout)


def test_a_release_taken_back_by_a_limit_is_told_by_the_limit(story: Story) -> None:
    """Both versions are as bad, so a ratio would argue against it: the limit's own figures are told."""
    story.world.old["errors"] = story.world.new["errors"] = 0.3
    plan = bare()
    guards = tuple(
        guard.model_copy(update={"limit": 0.08}) if guard.kpi == "errors" else guard for guard in plan.guards
    )
    rollout = story.start(plan.model_copy(update={"guards": guards}))
    story.tick_until(rollout, lambda state: state.is_final)
    ended = words_of(told(story, rollout)["ended"])
    assert "errors: its limit was broken, which holds whatever the old version's figure is: the new" in ended
    assert "above the limit of 8.0%." in ended
    assert "tolerated" not in ended
    assert "evidence e = " not in ended.partition("its limit was broken")[2]


def test_a_release_taken_back_by_a_hard_stop_says_what_was_found() -> None:
    """A plain rule has its own figures, and no ratio."""
    entry = {"kind": "rollback", "actor": "rollway", "data": {"heard": "harmful"}}
    found = "errors: the new version failed 3 of 3 checks in 3 intervals in a row"
    (line,) = otherwise(bare(), entry, {"kind": "harmful", "is_stop": True, "reason": found})
    assert line.text.startswith("It was a hard stop")
    assert dict(line.rows) == {"found": f"{found}."}


def test_a_release_taken_back_by_a_person_names_the_person(story: Story) -> None:
    """It was no rule, and it says whose word it was."""
    rollout = story.start(bare())
    story.tick(rollout, 6)
    story.rollway.say(rollout, "rollback", "mia", "the call centre is full")
    story.tick_until(rollout, lambda state: state.is_final)
    ended = words_of(told(story, rollout)["ended"])
    assert "It was the word of mia" in ended
    assert "by: mia" in ended


def test_a_release_that_is_done_says_whether_rules_were_overridden(story: Story) -> None:
    """A promotion by name is listed with its entry; without one it says so."""
    rollout = story.start(bare())
    story.tick(rollout, 6)
    story.rollway.say(rollout, "promote", "jon", "the board agreed")
    story.tick_until(rollout, lambda state: state.is_final, most=600)
    ended = words_of(told(story, rollout)["ended"])
    assert "Promoted by jon: the board agreed" in ended
    assert "nobody overrode one" not in ended


# --- one entry --------------------------------------------------------------------------------------


def test_one_decision_has_its_numbers_its_rule_and_what_else_might_have_been(story: Story) -> None:
    """A rollback shows the verdict behind it with the driving KPI; a verdict shows what was missing."""
    story.world.new["errors"] = 0.1
    rollout = story.start(bare())
    story.tick_until(rollout, lambda state: state.is_final)
    rollback = of_entry(story, rollout, "rollback")
    assert "By which rule" in rollback
    assert "What the judge had said before\nHarmful: errors" in rollback
    assert "from share: 10%" in rollback
    assert "stage: 10% of users" in rollback
    verdict = of_entry(story, rollout, "verdict", newest=False)
    assert "Undecided: not harmful, and not shown to be healthy" in verdict
    assert "What would have decided otherwise" in verdict


def test_every_entry_of_a_record_can_be_explained(story: Story) -> None:
    """Whatever stands in a record, each entry has at least what happened, when and by whom."""
    story.world.new["errors"] = 0.1
    rollout = story.start(example_plan())
    story.tick_until(rollout, lambda state: state.is_final)
    view = rollout_view(story.rollway, rollout, entries=WHOLE)
    plan = story.rollway.load(rollout).plan
    for entry in view["record"]:
        first = explain_entry(plan, view, entry["n"])[0]
        assert first.lines[0].text.startswith(f"Entry {entry['n']}: ")
        assert {"when", "by", "kind"} <= dict(first.lines[0].rows).keys()


def test_an_entry_that_is_not_there_says_which_are(story: Story) -> None:
    """The error names the last number."""
    rollout = story.start(bare())
    view = rollout_view(story.rollway, rollout, entries=WHOLE)
    with pytest.raises(NotFoundError, match="no entry 99") as error:
        explain_entry(story.rollway.load(rollout).plan, view, 99)
    assert "entries 1 to 1" in str(error.value.hint)


# --- when a window closes ---------------------------------------------------------------------------

CLOCKS = st.integers(0, 47).map(lambda half: f"{half // 2:02d}:{'30' if half % 2 else '00'}")
WINDOWS = st.builds(
    lambda days, opens, closes, zone: Window(days=days, opens=opens, closes=closes, timezone=zone),
    st.sets(st.sampled_from(WEEKDAYS), min_size=1).map(tuple),
    CLOCKS,
    CLOCKS,
    st.sampled_from(("UTC", "Europe/Berlin", "Asia/Kathmandu")),
)
FREEZES = st.builds(
    lambda day: Freeze(first=day, last=day, timezone="Europe/Berlin"),
    st.dates(date(2026, 10, 20), date(2026, 10, 30)),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(WINDOWS, min_size=1, max_size=3),
    st.lists(FREEZES, max_size=1),
    st.integers(0, 6 * 48),
)
def test_a_window_closes_when_it_is_said_to(windows: list[Window], freezes: list[Freeze], half: int) -> None:
    """It is open until that moment and closed at it, also over the night in which the clocks change."""
    at = datetime(2026, 10, 22, tzinfo=UTC) + timedelta(minutes=30 * half)
    if not window_state(windows, freezes, at).is_open:
        return
    closes = closes_at(_plan(windows, freezes), at)
    until = closes or at + timedelta(days=13)
    for part in range(24):
        assert window_state(windows, freezes, at + part / 24 * (until - at)).is_open
    if closes is not None:
        assert not window_state(windows, freezes, closes).is_open


def _plan(windows: list[Window], freezes: list[Freeze]) -> Plan:
    stages = (stage("ten", 0.1), stage("all", 1, "time"))
    return canary(*stages, windows=tuple(windows), freezes=tuple(freezes))


def test_a_guard_that_does_not_count_here_is_told_as_such(story: Story) -> None:
    """It is neither blind nor open, and it is said where it does count."""
    rollout = story.start(counted())
    story.tick(rollout, 8)
    sections = told(story, rollout)
    text = words_of(sections["verdict"])
    assert "latency (Time to make a report), a gate: not counted." in text
    assert "counts in: 100-percent only; here it is not asked" in text
    assert "missing: latency" not in text
    assert "blind" not in sections
    assert "latency: clearly above" not in words_of(sections["back"])
