"""An example from its facts to done, or back: what is typed, what happens, and how it ended."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from examples.live.builds import TOLD
from examples.live.commands import Shell
from examples.live.example import Example, Pace
from examples.live.outcome import EXPECTED, Outcome
from examples.live.people import People, others
from examples.live.world import World, running
from rollway.app import Rollway

if TYPE_CHECKING:
    from rollway.planning import Plan

LOOK_EVERY = 0.1
SETTLED_SECONDS = 0.6
"""After the end: long enough for the last answers to be counted."""
RED = ("rollback", "rolled_back", "drift", "target_failed", "held", "paused")


def play(example: Example, build: str, pace: Pace, *, quiet: bool = False) -> Outcome:
    """One build, on servers of its own. Where it goes wrong, a quiet one says so on standard error."""
    with running(example, build) as world, contextlib.chdir(world.places.folder):
        shell = Shell(world.data, quiet=quiet)
        outcome = None
        try:
            outcome = carry_out(shell, world, pace)
        finally:
            if shell.unsaid and (outcome is None or not outcome.is_right):
                click.echo("\n".join(shell.unsaid), err=True)
    return outcome


def carry_out(shell: Shell, world: World, pace: Pace) -> Outcome:
    """The build of this world, from its facts to its end."""
    example = world.example
    name = "good" if world.build == "good" else "bad"
    told = f"{example.title}: the {name} build ({TOLD[world.build]})"
    shell.say(click.style(f"\n{told}", bold=True))
    shell.say(f"  {example.target}; {example.signal}; {example.rate:g} requests/s; {world.places.folder}")
    rollout = start(shell, example, pace)
    rollway = Rollway(str(world.data))
    try:
        begun = time.monotonic()
        follow(shell, rollway, rollout, example.give_up_after)
        seconds = time.monotonic() - begun
        time.sleep(SETTLED_SECONDS)
        shell.run("record", "verify", rollout)
        outcome = judged(world, rollway, rollout, seconds)
        if not outcome.is_right:
            verdicts = [e.text for e in rollway.rollouts.record(rollout) if e.kind == "verdict"]
            shell.say(f"  the last verdict: {verdicts[-1] if verdicts else 'none'}")
    finally:
        rollway.close()
    shell.say(click.style(f"  {outcome.line()}", fg="green" if outcome.is_right else "red", bold=True))
    return outcome


def start(shell: Shell, example: Example, pace: Pace) -> str:
    """Choose, plan, approve and start, as people type it. Returns the rollout's name."""
    plan = prepare(shell, example, pace)
    operator = plan.operators[0]
    words = ("--as", operator, "--override-window", "an example does not wait for the night")
    told = shell.must("start", "plan.json", *words, lines=1)
    return told.split()[1]


def prepare(shell: Shell, example: Example, pace: Pace) -> Plan:
    """An approved plan, in plan.json. Raises RuntimeError where Rollway chooses another method."""
    from rollway.planning import Plan

    shell.must("choose", "release.yaml", lines=5)
    facts = {
        "rollout.bake": f"{pace.bake:g}s",
        "rollout.margin": f"{pace.margin:g}",
        "rollout.check_every": f"{pace.check_every:g}s",
        **example.facts,
    }
    shell.must("plan", "release.yaml", *_settings(facts.items()), lines=0, last=2)
    plan = Plan.from_text(Path("plan.json").read_text(encoding="utf-8"))
    if plan.sequence != example.sequence:
        raise RuntimeError(f"{example.name}: Rollway chose {plan.sequence}, not {example.sequence}")
    times = {f"stages.{stage}.bake_seconds": f"{pace.bake:g}s" for stage in example.baked}
    edits = {**times, **example.edits}
    if edits:
        words = ("--because", example.edited_because, "--as", plan.prepared_by)
        shell.must("plan", "edit", "plan.json", *_settings(edits.items()), *words, lines=0, last=2)
        plan = Plan.from_text(Path("plan.json").read_text(encoding="utf-8"))
    ladder = " -> ".join(f"{stage.title} ({stage.exposure.share:.0%})" for stage in plan.stages)
    shell.say(f"    {ladder}")
    for name in others(plan)[: plan.approvals_required]:
        shell.must("approve", "plan.json", "--as", name, "--because", "read the plan", lines=1)
    return plan


def follow(shell: Shell, rollway: Rollway, rollout: str, give_up_after: float) -> None:
    """Show what happens and play the people's part, until it has ended or the time is over."""
    end, seen, first = time.monotonic() + give_up_after, 0, None
    people = People(shell, rollway.load(rollout).plan, rollout)
    while True:
        loaded = rollway.load(rollout)
        for entry in rollway.rollouts.record(rollout, after=seen):
            first, seen = first or entry.at, entry.n
            _show(shell, entry, (entry.at - first).total_seconds())
        if loaded.state.is_final or time.monotonic() > end:
            return
        people.look(loaded.state)
        time.sleep(LOOK_EVERY)


def judged(world: World, rollway: Rollway, rollout: str, seconds: float) -> Outcome:
    """The outcome, with everything that is not as it should be."""
    state, counts = rollway.load(rollout).state, world.counts()
    entries, broken = rollway.verify_record(rollout)
    is_good = world.build == "good"
    reason = next((e.text for e in rollway.rollouts.record(rollout) if e.kind == "rollback"), "")
    faults = [] if not broken else ["the record is not whole"]
    if state.phase != EXPECTED[is_good]:
        faults.append(f"expected {EXPECTED[is_good]}: {state.standing}")
    if not is_good and not is_on_evidence(reason):
        faults.append(f"not taken back on evidence: {reason}")
    return Outcome(
        example=world.example.name,
        build="good" if is_good else "bad",
        phase=state.phase,
        reason=reason,
        seconds=round(seconds, 1),
        users=world.example.users,
        exposed=counts["users_exposed"],
        requests=sum(counts["served"].values()),
        unserved=counts["unserved"],
        seconds_to_safety=None if is_good else _to_safety(counts),
        record=entries,
        faults=tuple(faults),
    )


def is_on_evidence(reason: str) -> bool:
    """Whether it went back because of what was seen, and not because nothing was seen."""
    return bool(reason) and "blind" not in reason and "by policy" not in reason


def _to_safety(counts: dict[str, Any]) -> float | None:
    first = counts["bad_at"] or counts["first_new_at"]
    return round(max(0.0, counts["new_at"] - first), 2) if first else None


def _settings(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [word for name, value in pairs for word in ("--set", f"{name}={value}")]


def _show(shell: Shell, entry: Any, seconds: float) -> None:
    if entry.kind == "verdict" and entry.data.get("kind") != "harmful":
        return
    colour = "red" if entry.kind in RED or entry.data.get("kind") == "harmful" else None
    colour = "green" if entry.kind == "done" else colour
    shell.say(f"  +{seconds:5.1f} s  {click.style(entry.text[:200], fg=colour)}")
